#pragma once
/// An array of a ZIP archive, unpacked once its header has been looked at.
///
/// A few megabytes of packed zeros unpack to gigabytes. So the header, which stands in front, is
/// unpacked alone first: the member must be exactly as long as type and shape say, and not longer
/// than the reader allows.

#include "hodo/io/detail/npy_header.hh"
#include "hodo/io/zip.hh"

#include <cstdint>
#include <string_view>

namespace hodo::io::detail {

struct NpyMember {
    NpyHeader header;
    Blob content;  ///< Header and data.
};

/// Arrays of more than `limit` bytes are an error, without having been unpacked. `origin` stands in
/// messages.
NpyMember read_npy_member(const ZipReader& archive, const ZipMember& member,
                          std::string_view origin, std::uint64_t limit);

/// What all arrays of an archive may take together: they are copied once while they are read.
void check_room_for_all(const ZipReader& archive);

}  // namespace hodo::io::detail
