#include "hodo/io/detail/safetensors.hh"

#include <algorithm>
#include <cstring>

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/detail/tensor_storage.hh"
#include "hodo/io/detail/weight_body.hh"

namespace hodo::io {

namespace {

constexpr std::uint64_t longest_header = 100'000'000;
constexpr std::size_t length_size = 8;
constexpr std::string_view metadata_key = "__metadata__";

struct TypeWord {
    DType type;
    std::string_view word;
};
constexpr TypeWord type_words[] = {
    {DType::f64, "F64"},      {DType::f32, "F32"}, {DType::f16, "F16"}, {DType::bf16, "BF16"},
    {DType::i64, "I64"},      {DType::i32, "I32"}, {DType::i16, "I16"}, {DType::i8, "I8"},
    {DType::u64, "U64"},      {DType::u32, "U32"}, {DType::u16, "U16"}, {DType::u8, "U8"},
    {DType::boolean, "BOOL"}, {DType::c64, "C64"}};

struct Interval {
    std::uint64_t begin, end;
    std::string_view name;
};

DType type_of(const Json& entry, std::string_view what) {
    const auto& word = entry.at("dtype").text();
    for (const auto& known : type_words) {
        if (known.word == word) return known.type;
    }
    base::fail("{}: its type '{}' is not one of the numbers this program reads; convert it", what,
               word);
}

std::vector<std::int64_t> shape_of(const Json& entry, std::string_view what) {
    std::vector<std::int64_t> shape;
    for (const auto& size : entry.at("shape").items()) {
        shape.push_back(size.integer());
        HODO_CHECK(shape.back() >= 0, "{}: has the negative size {}; the file is damaged", what,
                   shape.back());
    }
    return shape;
}

/// The bytes that `shape` needs, or an error when they are not `available`.
void require_size(DType type, const std::vector<std::int64_t>& shape, std::uint64_t available,
                  std::string_view what) {
    __extension__ using Wide = unsigned __int128;
    Wide bytes = item_size(type);
    const bool is_empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
    if (is_empty) bytes = 0;
    for (const auto size : shape) {
        bytes *= static_cast<Wide>(size);
        if (bytes > available) break;
    }
    HODO_CHECK(bytes == available,
               "{}: its shape does not match the {} bytes it has; the file is damaged, copy it "
               "again",
               what, available);
}

void add_entry(WeightBody& body, const std::string& name, const Json& entry, const Blob& data,
               std::vector<Interval>& intervals) {
    const auto what = base::format("{}: tensor '{}'", body.path, name);
    const auto type = type_of(entry, what);
    auto shape = shape_of(entry, what);
    const auto& offsets = entry.at("data_offsets").items();
    HODO_CHECK(offsets.size() == 2 && offsets[0].integer() >= 0 &&
                   offsets[1].integer() >= offsets[0].integer(),
               "{}: its data_offsets are no interval; the file is damaged", what);
    const auto begin = static_cast<std::uint64_t>(offsets[0].integer());
    const auto end = static_cast<std::uint64_t>(offsets[1].integer());
    const auto content = data.slice(begin, end - begin, what);
    require_size(type, shape, end - begin, what);
    intervals.push_back({begin, end, name});
    body.add({name, type, shape},
             [type, shape, content] { return aligned_array(type, shape, content); });
}

void require_cover(std::vector<Interval> intervals, std::uint64_t size, std::string_view origin) {
    std::sort(intervals.begin(), intervals.end(), [](const auto& a, const auto& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t covered = 0;
    for (const auto& interval : intervals) {
        HODO_CHECK(interval.begin == covered,
                   "{}: the data of tensor '{}' begins at {} where {} was expected; the file is "
                   "damaged, write it again",
                   origin, interval.name, interval.begin, covered);
        covered = interval.end;
    }
    HODO_CHECK(covered == size,
               "{}: holds {} bytes of data of which tensors use {}; the file is damaged, copy it "
               "again",
               origin, size, covered);
}

std::string_view type_word(DType type, std::string_view name) {
    for (const auto& known : type_words) {
        if (known.type == type) return known.word;
    }
    base::fail("tensor '{}': the type {} has no place in a safetensors file; write a .pt file",
               name, hodo::io::name(type));
}

/// The header as it stands in the file: JSON padded so that its end is a multiple of 8.
std::string make_header(const NamedArrays& weights, const Json& metadata) {
    Json::Object header;
    if (metadata.is_object() && !metadata.members().empty()) {
        Json::Object texts;
        for (const auto& [key, value] : metadata.members()) {
            texts.emplace_back(key, value.is_text() ? value.text() : value.dump());
        }
        header.emplace_back(metadata_key, std::move(texts));
    }
    std::int64_t begin = 0;
    for (const auto& [name, array] : weights) {
        const auto end = begin + static_cast<std::int64_t>(array.bytes.size());
        Json::List shape;
        for (const auto size : array.shape) shape.emplace_back(size);
        header.emplace_back(name, Json::Object{{"dtype", type_word(array.dtype, name)},
                                               {"shape", std::move(shape)},
                                               {"data_offsets", Json::List{begin, end}}});
        begin = end;
    }
    auto text = Json(std::move(header)).dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
}

}  // namespace

WeightBody read_safetensors(const Blob& content, std::string_view origin) {
    WeightBody body;
    body.format = "safetensors";
    body.path = origin;
    std::uint64_t length = 0;
    std::memcpy(&length, content.slice(0, length_size, origin).bytes.data(), length_size);
    HODO_CHECK(length <= longest_header && length <= content.bytes.size() - length_size,
               "{}: its header claims {} bytes of {}; the file is truncated or of another kind",
               origin, length, content.bytes.size());
    const auto text = content.slice(length_size, length, origin);
    const auto start = length_size + length;
    const auto data = content.slice(start, content.bytes.size() - start, origin);
    const auto header = Json::parse(text.text(), origin);
    std::vector<Interval> intervals;
    for (const auto& [name, entry] : header.members()) {
        if (name == metadata_key) {
            for (const auto& [key, value] : entry.members()) value.text();
            body.metadata = entry;
        } else {
            add_entry(body, name, entry, data, intervals);
        }
    }
    require_cover(std::move(intervals), data.bytes.size(), origin);
    return body;
}

void write_safetensors(const base::Path& file, const NamedArrays& weights, const Json& metadata) {
    const auto header = make_header(weights, metadata);
    const std::uint64_t length = header.size();
    AtomicFile out(file);
    out.write(std::as_bytes(std::span(&length, 1)));
    out.write(header);
    for (const auto& [name, array] : weights) out.write(array.bytes);
    out.commit();
}

}  // namespace hodo::io
