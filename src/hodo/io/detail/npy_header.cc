#include "hodo/io/detail/npy_header.hh"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "hodo/base/error.hh"

namespace hodo::io::detail {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t most_dimensions = 64;

/// numpy's letter for each type that both know; bfloat16 has none.
struct TypeCode {
    std::string_view code;
    DType dtype;
};
constexpr std::array<TypeCode, 14> type_codes{{{"f8", DType::f64},
                                               {"f4", DType::f32},
                                               {"f2", DType::f16},
                                               {"i8", DType::i64},
                                               {"i4", DType::i32},
                                               {"i2", DType::i16},
                                               {"i1", DType::i8},
                                               {"u8", DType::u64},
                                               {"u4", DType::u32},
                                               {"u2", DType::u16},
                                               {"u1", DType::u8},
                                               {"b1", DType::boolean},
                                               {"c8", DType::c64},
                                               {"c16", DType::c128}}};

/// Reads the Python literal of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (3,), }
class Literal {
  public:
    Literal(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

    NpyHeader read() {
        expect('{');
        while (!take('}')) {
            const std::string key = quoted();
            expect(':');
            read_value(key);
            if (!take(',')) {
                expect('}');
                break;
            }
        }
        skip_space();
        if (position_ != text_.size() || !descr_ || !has_order_ || !has_shape_) malformed();
        header_.element = element(*descr_);
        return header_;
    }

  private:
    [[noreturn]] void malformed() const {
        base::fail("{}: its npy header cannot be understood near '{}'", origin_,
                   text_.substr(std::min(position_, text_.size()), 30));
    }

    void skip_space() {
        while (position_ < text_.size() &&
               (text_[position_] == ' ' || text_[position_] == '\n' || text_[position_] == '\t')) {
            ++position_;
        }
    }

    bool take(char wanted) {
        skip_space();
        if (position_ == text_.size() || text_[position_] != wanted) return false;
        ++position_;
        return true;
    }

    void expect(char wanted) {
        if (!take(wanted)) malformed();
    }

    bool take_word(std::string_view word) {
        skip_space();
        if (!text_.substr(position_).starts_with(word)) return false;
        position_ += word.size();
        return true;
    }

    std::string quoted() {
        skip_space();
        if (position_ == text_.size()) malformed();
        const char quote = text_[position_];
        const auto end = text_.find(quote, position_ + 1);
        if ((quote != '\'' && quote != '"') || end == std::string_view::npos) malformed();
        const std::string word(text_.substr(position_ + 1, end - position_ - 1));
        position_ = end + 1;
        return word;
    }

    std::int64_t whole_number() {
        skip_space();
        const std::size_t begin = position_;
        while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
            ++position_;
        }
        const auto number = base::parse_int(text_.substr(begin, position_ - begin));
        if (!number) malformed();
        take_word("L");  // written by Python 2
        return *number;
    }

    void read_value(const std::string& key) {
        if (key == "descr") {
            skip_space();
            HODO_CHECK(
                position_ == text_.size() || text_[position_] != '[',
                "{}: holds records with several fields, which Hodoscope does not read; store "
                "each field as an array of its own",
                origin_);
            descr_ = quoted();
        } else if (key == "fortran_order") {
            header_.fortran_order = take_word("True");
            if (!header_.fortran_order && !take_word("False")) malformed();
            has_order_ = true;
        } else if (key == "shape") {
            read_shape();
            has_shape_ = true;
        } else {
            malformed();
        }
    }

    void read_shape() {
        header_.shape.clear();
        expect('(');
        while (!take(')')) {
            header_.shape.push_back(whole_number());
            if (header_.shape.size() > most_dimensions) malformed();
            if (!take(',')) {
                expect(')');
                break;
            }
        }
    }

    NpyElement element(std::string_view descr) const {
        HODO_CHECK(descr != "O" && descr != "|O",
                   "{}: holds Python objects, which are never read because they can contain "
                   "programs; store numbers or text of fixed length",
                   origin_);
        const char order = descr.empty() ? '?' : descr.front();
        const bool has_order = order == '<' || order == '>' || order == '|' || order == '=';
        const std::string_view code = has_order ? descr.substr(1) : descr;
        const bool is_swapped = order == '>';
        if (!code.empty() && (code.front() == 'S' || code.front() == 'U')) {
            return text_element(code, is_swapped);
        }
        for (const TypeCode& known : type_codes) {
            if (known.code != code) continue;
            const bool is_complex = known.dtype == DType::c64 || known.dtype == DType::c128;
            const std::size_t size = item_size(known.dtype);
            return {NpyElement::Kind::number, known.dtype, size,
                    is_swapped ? size / (is_complex ? 2 : 1) : 1};
        }
        base::fail("{}: holds elements of type '{}', which Hodoscope does not read", origin_,
                   descr);
    }

    NpyElement text_element(std::string_view code, bool is_swapped) const {
        const auto length = base::parse_int(code.substr(1));
        HODO_CHECK(
            length && *length >= 0 && *length <= std::numeric_limits<std::int32_t>::max() / 4,
            "{}: holds text of the impossible length '{}'", origin_, code);
        const auto letters = static_cast<std::size_t>(*length);
        if (code.front() == 'S') return {NpyElement::Kind::bytes_text, DType::u8, letters, 1};
        return {NpyElement::Kind::unicode_text, DType::u32, 4 * letters,
                is_swapped ? std::size_t{4} : std::size_t{1}};
    }

    std::string_view text_, origin_;
    std::size_t position_ = 0;
    NpyHeader header_;
    std::optional<std::string> descr_;
    bool has_order_ = false, has_shape_ = false;
};

/// Checks that `count` elements of `header` fit into the `available` bytes behind it.
void check_extent(const NpyHeader& header, std::uint64_t available, std::string_view origin) {
    if (std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end()) return;
    // An element takes a byte at least, so the product is bounded by the bytes of the file, except
    // for text of length zero, whose number is bounded by the same figure.
    const std::uint64_t most = available / std::max<std::size_t>(1, header.element.size);
    std::uint64_t count = 1;
    for (const std::int64_t extent : header.shape) {
        HODO_CHECK(static_cast<std::uint64_t>(extent) <= most / count,
                   "{}: is cut off or damaged: its shape needs more than the {} bytes of data that "
                   "it has",
                   origin, available);
        count *= static_cast<std::uint64_t>(extent);
    }
    HODO_CHECK(count * header.element.size <= available,
               "{}: is cut off or damaged: {} elements need {} bytes of data but it has {}", origin,
               count, count * header.element.size, available);
}

}  // namespace

std::int64_t NpyHeader::size() const {
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    return count;
}

NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view origin) {
    return parse_npy_header(bytes, bytes.size(), origin);
}

NpyHeader parse_npy_header(std::span<const std::byte> front, std::uint64_t total,
                           std::string_view origin) {
    const std::string_view text(reinterpret_cast<const char*>(front.data()), front.size());
    HODO_CHECK(text.starts_with(magic),
               "{}: is not an npy file (it does not begin with \\x93NUMPY)", origin);
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    HODO_CHECK(text.size() >= 12, "{}: is cut off inside its npy header", origin);
    const int version = byte(6);
    HODO_CHECK(version >= 1 && version <= 3, "{}: is of npy version {}, but only 1 to 3 are known",
               origin, version);
    std::size_t length = byte(8) | static_cast<std::size_t>(byte(9)) << 8;
    if (version > 1) {
        length |= static_cast<std::size_t>(byte(10)) << 16 | static_cast<std::size_t>(byte(11))
                                                                 << 24;
    }
    const std::size_t begin = version == 1 ? 10 : 12;
    HODO_CHECK(length <= text.size() - begin, "{}: is cut off inside its npy header", origin);
    NpyHeader header = Literal(text.substr(begin, length), origin).read();
    header.data = begin + length;
    check_extent(header, total - header.data, origin);
    return header;
}

std::string npy_header(DType dtype, const std::vector<std::int64_t>& shape) {
    const auto known = std::find_if(type_codes.begin(), type_codes.end(),
                                    [dtype](const TypeCode& code) { return code.dtype == dtype; });
    HODO_CHECK(known != type_codes.end(), "npy files have no type for {}; convert it to float32",
               name(dtype));
    std::string extents;
    for (const std::int64_t extent : shape) extents += std::to_string(extent) + ", ";
    if (shape.size() > 1) extents.resize(extents.size() - 2);
    if (shape.size() == 1) extents.resize(extents.size() - 1);
    std::string literal =
        base::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                     item_size(dtype) == 1 ? "|" : "<", known->code, extents);
    // magic, version, length, literal, newline: padded to a multiple of 64
    const std::size_t used = magic.size() + 4 + literal.size() + 1;
    literal.append((64 - used % 64) % 64, ' ');
    literal += '\n';
    HODO_CHECK(literal.size() < 65536, "an npy header of {} bytes is too long", literal.size());
    std::string header(magic);
    header += {'\x01', '\x00', static_cast<char>(literal.size() & 0xff),
               static_cast<char>(literal.size() >> 8)};
    return header + literal;
}

}  // namespace hodo::io::detail
