#pragma once
/// The fixed parts of ZIP records, shared by the reader and the writer.

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace hodo::io::zip {

static_assert(std::endian::native == std::endian::little, "records are read and written in place");

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t central_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;
constexpr std::size_t local_size = 30;
constexpr std::size_t central_size = 46;
constexpr std::size_t end_size = 22;
constexpr std::size_t end64_size = 56;
constexpr std::size_t locator64_size = 20;
constexpr std::uint16_t extra64 = 0x0001;        ///< extra field with 64-bit sizes
constexpr std::uint16_t extra_padding = 0x4246;  ///< extra field of fill bytes ("FB" in PyTorch)
constexpr std::uint32_t see64 = 0xFFFFFFFF;      ///< the real value stands in the ZIP64 extra field

/// The little-endian number at `offset`, which the caller has checked to lie inside.
template <class Number>
Number load(std::span<const std::byte> bytes, std::size_t offset) {
    Number value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

/// A record being put together.
class Record {
  public:
    template <class Number>
    Record& add(Number value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    Record& fill(std::size_t count) {
        bytes_.append(count, '\0');
        return *this;
    }
    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

}  // namespace hodo::io::zip
