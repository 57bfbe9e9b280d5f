#include "hodo/io/npz_archive.hh"

#include "hodo/base/error.hh"
#include "hodo/base/memory.hh"
#include "hodo/io/detail/npy_member.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/pickle.hh"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace hodo::io {

namespace {

constexpr std::string_view extension = ".npy";
constexpr std::string_view reconstruct = "numpy.core.multiarray _reconstruct";
constexpr std::string_view new_reconstruct = "numpy._core.multiarray _reconstruct";

std::string bare(std::string_view name) {
    if (name.ends_with(extension)) name.remove_suffix(extension.size());
    return std::string(name);
}

// ---- reading --------------------------------------------------------------------------------

/// What an array may take: `limit`, and a third of the memory that is free.
std::uint64_t limit_for(const ZipMember& member, std::uint64_t limit) {
    if (member.size <= ZipReader::small_member) return limit;
    return std::min(limit, base::available_memory() / 3);
}

/// Where the pickle of an object array begins.
std::size_t pickle_begin(std::span<const std::byte> bytes, std::string_view origin) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    HODO_CHECK(text.size() > 12 && text.starts_with("\x93NUMPY"), "{}: is no npy array", origin);
    const bool is_first = text[6] == 1;
    std::size_t length = 0;
    for (std::size_t i = is_first ? 2 : 4; i-- > 0;) {
        length = length << 8 | static_cast<unsigned char>(text[8 + i]);
    }
    const std::size_t begin = is_first ? 10 : 12;
    HODO_CHECK(length <= text.size() - begin, "{}: the header of the array is cut short", origin);
    const auto header = text.substr(begin, length);
    HODO_CHECK(header.find("'|O'") != std::string_view::npos,
               "{}: holds numbers where a list of arrays is needed", origin);
    return begin + length;
}

/// How many more values of a pickle may be looked at. Lists that hold one another again and again
/// stand for more values than any memory holds.
class Budget {
  public:
    explicit Budget(std::size_t bytes) : left_(bytes + free_values) {}
    void spend(std::string_view origin) {
        HODO_CHECK(left_-- > 0,
                   "{}: repeats its lists so often that they stand for more values than the file "
                   "has bytes (refused for the memory they take); write it again",
                   origin);
    }

  private:
    static constexpr std::size_t free_values = 1'000'000;
    std::size_t left_;
};

/// The numbers in nested lists, row by row, and their shape.
void collect(const PickleValue& value, std::size_t depth, std::vector<double>& numbers,
             std::vector<std::int64_t>& shape, Budget& budget, std::string_view origin) {
    budget.spend(origin);
    if (value.is_number() || value.is(PickleKind::boolean)) {
        HODO_CHECK(depth == shape.size(), "{}: rows of an array differ in depth", origin);
        numbers.push_back(value.is_number() ? value.real() : value.boolean());
        return;
    }
    HODO_CHECK(value.is(PickleKind::list) || value.is(PickleKind::tuple),
               "{}: holds {} where an array of numbers is needed", origin, value.description());
    const auto size = static_cast<std::int64_t>(value.size());
    if (depth == shape.size()) shape.push_back(size);
    HODO_CHECK(depth < 32 && shape[depth] == size, "{}: rows of an array differ in length", origin);
    for (std::size_t i = 0; i < value.size(); ++i) {
        collect(value.item(i), depth + 1, numbers, shape, budget, origin);
    }
}

/// State (version, shape, dtype, is Fortran order, content) of an array that stayed an object.
std::optional<PickleValue> array_state(const PickleValue& value) {
    if (!value.is(PickleKind::object)) return std::nullopt;
    if (value.text() != reconstruct && value.text() != new_reconstruct) return std::nullopt;
    auto state = value.state();
    if (!state || !state->is(PickleKind::tuple) || state->size() != 5) return std::nullopt;
    return state;
}

std::vector<std::int64_t> shape_of(const PickleValue& tuple) {
    std::vector<std::int64_t> shape;
    for (std::size_t i = 0; i < tuple.size(); ++i) shape.push_back(tuple.item(i).integer());
    return shape;
}

/// An array in Fortran order of float64, or one without elements.
Array unusual_array(const PickleValue& state, std::string_view origin) {
    const auto shape = shape_of(state.item(1));
    std::int64_t count = 1;
    for (const auto size : shape) {
        HODO_CHECK(size >= 0 && size <= std::numeric_limits<std::int32_t>::max(),
                   "{}: an array has a wrong shape", origin);
        if (size > 0 && count > std::numeric_limits<std::int32_t>::max()) count = -1;
        count = count < 0 ? count : count * size;
    }
    if (count == 0) return make_array(std::span<const double>(), shape);
    const auto dtype = state.item(2);
    const bool is_double = dtype.is(PickleKind::object) && dtype.arguments().size() > 0 &&
                           dtype.arguments().item(0).is(PickleKind::text) &&
                           dtype.arguments().item(0).text() == "f8";
    HODO_CHECK(is_double && shape.size() == 2 && state.item(4).is(PickleKind::bytes) && count > 0 &&
                   state.item(4).text().size() == static_cast<std::size_t>(count) * sizeof(double),
               "{}: holds an array of a kind that is not read; store float64 in rows", origin);
    const auto bytes = state.item(4).text();
    const auto rows = static_cast<std::size_t>(shape[0]), columns = bytes.size() / 8 / rows;
    std::vector<double> numbers(rows * columns);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        std::memcpy(&numbers[i % rows * columns + i / rows], bytes.data() + 8 * i, 8);
    }
    return make_array(std::span<const double>(numbers), shape);
}

Array array_of(const PickleValue& value, Budget& budget, std::string_view origin) {
    if (const auto state = array_state(value)) return unusual_array(*state, origin);
    std::vector<double> numbers;
    std::vector<std::int64_t> shape;
    collect(value, 0, numbers, shape, budget, origin);
    return make_array(std::span<const double>(numbers), shape);
}

// ---- writing --------------------------------------------------------------------------------

/// Opcodes of pickle protocol 3, enough for arrays.
class ObjectPickle {
  public:
    ObjectPickle() : out_("\x80\x03") {}

    /// A new array of `count` elements begins; its type and content follow.
    void begin_array(std::span<const std::int64_t> shape, std::string_view type) {
        out_ += "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK";
        out_ += '\0';
        out_ +=
            "\x85"
            "C\x01"
            "b\x87R(K\x01(";
        for (const auto size : shape) integer(size);
        out_ += "tcnumpy\ndtype\nX\x02";
        out_.append(3, '\0');
        out_ += type;
        out_ += "\x89\x88\x87R(K\x03X\x01";
        out_.append(3, '\0');
        out_ += type == "O8" ? "|NNNJ" : "<NNNJ";
        out_ += "\xff\xff\xff\xffJ\xff\xff\xff\xffK";
        out_ += type == "O8" ? '?' : '\0';
        out_ += "tb\x89";
    }
    void end_array() { out_ += "tb"; }
    void content(std::span<const std::byte> bytes) {
        if (bytes.size() > std::numeric_limits<std::uint32_t>::max()) {
            base::fail("an event's array of {} bytes is too large for a pickle", bytes.size());
        }
        out_ += 'B';
        append(static_cast<std::uint32_t>(bytes.size()));
        out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    void begin_list() { out_ += "]("; }
    void end_list() { out_ += 'e'; }
    void array(const Array& array) {
        HODO_DOOR(array.dtype == DType::f64 || array.dtype == DType::i64);
        begin_array(array.shape, array.dtype == DType::f64 ? "f8" : "i8");
        content(array.bytes);
        end_array();
    }
    void value(const ObjectValue& value) {
        std::visit([this](const auto& content) { put(content); }, value.value);
    }
    std::string finish() { return out_ + '.'; }

  private:
    void put(std::monostate) { out_ += 'N'; }
    void put(std::int64_t number) {
        out_ += "\x8a\x08";
        for (int shift = 0; shift < 64; shift += 8) {
            out_ += static_cast<char>(static_cast<std::uint64_t>(number) >> shift);
        }
    }
    void put(double number) {
        out_ += 'G';
        const auto bits = std::bit_cast<std::uint64_t>(number);
        for (int shift = 56; shift >= 0; shift -= 8) out_ += static_cast<char>(bits >> shift);
    }
    void put(const std::string& text) {
        out_ += 'X';
        append(static_cast<std::uint32_t>(text.size()));
        out_ += text;
    }
    void put(const Array& content) { array(content); }
    void put(const std::vector<ObjectValue>& tuple) {
        out_ += '(';
        for (const auto& member : tuple) value(member);
        out_ += 't';
    }
    void integer(std::int64_t value) {
        HODO_DOOR(value >= 0 && value <= std::numeric_limits<std::int32_t>::max());
        out_ += 'J';
        append(static_cast<std::uint32_t>(value));
    }
    void append(std::uint32_t value) {
        for (int shift = 0; shift < 32; shift += 8) out_ += static_cast<char>(value >> shift);
    }
    std::string out_;
};

/// The header of an object array, filled up to a multiple of 64 bytes.
std::string object_header(std::span<const std::int64_t> shape) {
    constexpr std::size_t preamble = 10, alignment = 64;
    std::string sizes;
    for (const auto size : shape) sizes += base::format(sizes.empty() ? "{}," : " {},", size);
    if (shape.size() > 1) sizes.pop_back();
    auto text = base::format("{{'descr': '|O', 'fortran_order': False, 'shape': ({}), }}", sizes);
    const auto size = (preamble + text.size() + alignment) / alignment * alignment - preamble;
    text.resize(size - 1, ' ');
    text += '\n';
    std::string header("\x93NUMPY\x01", 7);
    header += '\0';
    header += static_cast<char>(size & 0xff);
    header += static_cast<char>(size >> 8);
    return header + text;
}

}  // namespace

ObjectValue::ObjectValue() = default;
ObjectValue::ObjectValue(std::int64_t number) : value(number) {}
ObjectValue::ObjectValue(double number) : value(number) {}
ObjectValue::ObjectValue(std::string text) : value(std::move(text)) {}
ObjectValue::ObjectValue(Array array) : value(std::move(array)) {}
ObjectValue::ObjectValue(std::vector<ObjectValue> tuple) : value(std::move(tuple)) {}

NpzArchive NpzArchive::open(const base::Path& file) {
    return NpzArchive(ZipReader::open(file));
}

NpzArchive NpzArchive::parse(Blob content, std::string_view origin) {
    return NpzArchive(ZipReader::parse(std::move(content), origin));
}

std::vector<std::string> NpzArchive::names() const {
    std::vector<std::string> names;
    for (const auto& entry : archive_.members()) names.push_back(bare(entry.name));
    return names;
}

bool NpzArchive::has(std::string_view name) const {
    return archive_.find(std::string(name) + std::string(extension)) != nullptr;
}

const ZipMember& NpzArchive::member(std::string_view name) const {
    const auto* found = archive_.find(std::string(name) + std::string(extension));
    if (found == nullptr) {
        const auto known = names();
        base::fail("{}: has no array '{}'{}", origin(), name, base::did_you_mean(name, known));
    }
    return *found;
}

Array NpzArchive::read(std::string_view name, std::uint64_t limit) const {
    const auto place = base::format("{}: array '{}'", origin(), name);
    const auto& entry = member(name);
    const auto [header, content] =
        detail::read_npy_member(archive_, entry, place, limit_for(entry, limit));
    HODO_CHECK(header.element.dtype != DType::c64 && header.element.dtype != DType::c128,
               "{}: holds complex numbers where real ones are needed", place);
    const auto data = content.bytes.subspan(header.data);
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(data.data()) % 16 == 0;
    const bool is_plain = header.element.kind == detail::NpyElement::Kind::number &&
                          header.element.swap_unit <= 1 && !header.fortran_order &&
                          header.element.dtype != DType::boolean;
    if (!is_plain || !is_aligned) return parse_npy(content.bytes, place);
    const auto length = static_cast<std::size_t>(header.size()) * header.element.size;
    return {header.element.dtype, header.shape, data.first(length), content.owner};
}

std::vector<Array> NpzArchive::read_objects(std::string_view name, std::uint64_t limit) const {
    const auto place = base::format("{}: array '{}'", origin(), name);
    const auto& entry = member(name);
    const auto content = archive_.read(entry, Checksum::verify, limit_for(entry, limit));
    const auto begin = pickle_begin(content.bytes, place);
    const auto pickle = Pickle::parse(Blob{content.bytes.subspan(begin), content.owner}, place);
    const auto state = array_state(pickle.root());
    HODO_CHECK(state && state->item(4).is(PickleKind::list),
               "{}: holds {} where a list of arrays is needed", place, pickle.root().description());
    const auto list = state->item(4);
    Budget budget(content.bytes.size());
    std::vector<Array> arrays;
    for (std::size_t i = 0; i < list.size(); ++i) {
        arrays.push_back(array_of(list.item(i), budget, place));
    }
    return arrays;
}

void NpzWriter::add(std::string_view name, const Array& array) {
    const auto header = detail::npy_header(array.dtype, array.shape);
    archive_.add(std::string(name) + std::string(extension),
                 {std::as_bytes(std::span(header)), array.bytes}, Packing::deflated);
}

void NpzWriter::add_objects(std::string_view name, const std::vector<Array>& arrays) {
    std::vector<ObjectValue> values;
    values.reserve(arrays.size());
    for (const auto& array : arrays) values.emplace_back(array);
    const std::int64_t count = std::ssize(arrays);
    add_values(name, values, std::span(&count, 1));
}

void NpzWriter::add_values(std::string_view name, std::span<const ObjectValue> values,
                           std::span<const std::int64_t> shape) {
    std::int64_t count = 1;
    for (const auto size : shape) count *= size;
    HODO_DOOR(!shape.empty() && count == std::ssize(values));
    ObjectPickle pickle;
    pickle.begin_array(shape, "O8");
    pickle.begin_list();
    for (const auto& value : values) pickle.value(value);
    pickle.end_list();
    pickle.end_array();
    const auto header = object_header(shape);
    const auto body = pickle.finish();
    archive_.add(std::string(name) + std::string(extension),
                 {std::as_bytes(std::span(header)), std::as_bytes(std::span(body))},
                 Packing::deflated);
}

}  // namespace hodo::io
