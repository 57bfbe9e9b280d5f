#include "hodo/io/detail/hdf5_checks.hh"

#include <cstring>
#include <string_view>
#include <vector>

namespace hodo::io::detail {

namespace {

using Bytes = std::span<const std::byte>;

template <class Number>
Number number_at(Bytes bytes, std::uint64_t offset) {
    Number value{};
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

/// Version, flags, sizes of name, type and space; version 1 pads each to 8, version 3 adds a byte.
bool is_attribute_whole(Bytes message) {
    constexpr std::uint64_t header = 8;
    if (message.size() < header) return false;
    const auto version = std::to_integer<int>(message[0]);
    std::uint64_t size = header + (version == 3 ? 1 : 0);
    for (const std::uint64_t at : {2, 4, 6}) {
        const std::uint64_t part = number_at<std::uint16_t>(message, at);
        size += version == 1 ? (part + 7) / 8 * 8 : part;
    }
    return size <= message.size();
}

struct Chunk {
    std::uint64_t address = 0, size = 0;
};

}  // namespace

bool is_local_heap_whole(Bytes bytes, std::uint64_t address) {
    constexpr std::uint64_t header = 32, link = 16, end_of_chain = 1;
    constexpr std::string_view signature("HEAP\0\0\0\0", 8);
    if (!is_inside(address, signature.size(), bytes.size()) ||
        std::memcmp(bytes.data() + address, signature.data(), signature.size()) != 0) {
        return true;
    }
    if (!is_inside(address, header, bytes.size())) return false;
    const auto size = number_at<std::uint64_t>(bytes, address + 8);
    const auto data = number_at<std::uint64_t>(bytes, address + 24);
    if (!is_inside(data, size, bytes.size())) return false;
    auto place = number_at<std::uint64_t>(bytes, address + 16);
    for (auto steps = size / link; place != end_of_chain; --steps) {
        if (steps == 0 || !is_inside(place, link, size)) return false;
        place = number_at<std::uint64_t>(bytes, data + place);
    }
    return true;
}

bool are_attributes_whole(Bytes bytes, std::uint64_t address) {
    constexpr std::uint64_t prefix = 16, header = 8, most_chunks = 4096;
    constexpr int attribute = 12, continuation = 16;
    // Version 1, a byte of zero, and at least one link to the object.
    if (!is_inside(address, prefix, bytes.size()) ||
        number_at<std::uint16_t>(bytes, address) != 1 ||
        number_at<std::uint32_t>(bytes, address + 4) == 0) {
        return true;
    }
    std::vector<Chunk> chunks{{address + prefix, number_at<std::uint32_t>(bytes, address + 8)}};
    for (std::size_t next = 0; next < chunks.size() && next < most_chunks; ++next) {
        const auto [begin, size] = chunks[next];
        if (!is_inside(begin, size, bytes.size())) continue;  // The library refuses it.
        for (std::uint64_t at = begin; at + header <= begin + size;) {
            const auto type = number_at<std::uint16_t>(bytes, at);
            const std::uint64_t length = number_at<std::uint16_t>(bytes, at + 2);
            at += header;
            if (length > begin + size - at) break;
            const auto message = bytes.subspan(at, length);
            if (type == attribute && !is_attribute_whole(message)) return false;
            if (type == continuation && length >= 16) {
                chunks.push_back(
                    {number_at<std::uint64_t>(message, 0), number_at<std::uint64_t>(message, 8)});
            }
            at += length;
        }
    }
    return true;
}

}  // namespace hodo::io::detail
