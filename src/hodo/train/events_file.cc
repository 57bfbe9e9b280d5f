#include "hodo/train/events_file.hh"

#include <array>
#include <bit>
#include <cstring>

namespace hodo::train {

namespace {

/// Table of the reflected Castagnoli polynomial 0x1edc6f41.
constexpr std::array<std::uint32_t, 256> crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        auto crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
        table[i] = crc;
    }
    return table;
}();

template <class T>
std::string little_endian(T value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>((value & 0x7f) | 0x80));
    bytes.push_back(static_cast<char>(value));
    return bytes;
}

/// Key byte of a protobuf field; wire types: 0 varint, 1 eight bytes, 2 length, 5 four bytes.
char key(int field, int wire) {
    return static_cast<char>(field << 3 | wire);
}

std::string with_length(int field, std::string_view content) {
    return key(field, 2) + varint(content.size()) + std::string(content);
}

std::uint32_t masked_crc_of(std::string_view text) {
    return masked_crc(crc32c(std::as_bytes(std::span(text))));
}

}  // namespace

static_assert(std::endian::native == std::endian::little);

std::uint32_t crc32c(std::span<const std::byte> bytes) {
    auto crc = 0xffffffffU;
    for (const auto byte : bytes) {
        crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<std::uint32_t>(byte)) & 0xffU];
    }
    return crc ^ 0xffffffffU;
}

std::uint32_t masked_crc(std::uint32_t crc) {
    return std::rotr(crc, 15) + 0xa282ead8U;
}

std::string event_record(std::string_view payload) {
    const auto length = little_endian(static_cast<std::uint64_t>(payload.size()));
    return length + little_endian(masked_crc_of(length)) + std::string(payload) +
           little_endian(masked_crc_of(payload));
}

std::string version_event(double wall_time) {
    return key(1, 1) + little_endian(wall_time) + with_length(3, "brain.Event:2");
}

std::string scalar_event(double wall_time, std::int64_t step, std::string_view prefix,
                         const Scalars& scalars) {
    std::string summary;
    for (const auto& [name, value] : scalars.entries()) {
        const auto tag = std::string(prefix) + "/" + name;
        const auto entry =
            with_length(1, tag) + key(2, 5) + little_endian(static_cast<float>(value));
        summary += with_length(1, entry);
    }
    return key(1, 1) + little_endian(wall_time) + key(2, 0) +
           varint(static_cast<std::uint64_t>(step)) + with_length(5, summary);
}

}  // namespace hodo::train
