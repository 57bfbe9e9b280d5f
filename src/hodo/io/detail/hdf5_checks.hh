#pragma once
/// What the HDF5 library (1.10) follows without looking, looked at before it does. Addresses and
/// sizes take 8 bytes; `bytes` begins where addresses count from. Format: HDF5 File Format
/// Specification 3.0.

#include <cstddef>
#include <cstdint>
#include <span>

namespace hodo::io::detail {

/// Whether [offset, offset + size) lies before `end`; safe for any numbers.
inline bool is_inside(std::uint64_t offset, std::uint64_t size, std::uint64_t end) {
    return offset <= end && size <= end - offset;
}

/// Whether the names of a group lie in the file, and the chain of free places between them inside.
/// True where no local heap begins.
bool is_local_heap_whole(std::span<const std::byte> bytes, std::uint64_t address);

/// Whether all attributes of an object are as long as the lengths of their parts say. True where no
/// object header of version 1 begins; those of version 2 have check sums.
bool are_attributes_whole(std::span<const std::byte> bytes, std::uint64_t address);

}  // namespace hodo::io::detail
