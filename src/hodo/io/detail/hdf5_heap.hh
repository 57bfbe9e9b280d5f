#pragma once
/// Lists of varying length in HDF5 files, read from the file's global heap with every size checked.
///
/// A dataset or attribute of lists holds references: length, address of a collection in the file
/// and number of an object in it. The HDF5 library follows them without comparing an object's size
/// with the list's length, and walks damaged collections for ever. So it is asked for the
/// references alone, and the objects are looked up here. Format: HDF5 File Format Specification
/// 3.0, section III.E.

#include "hodo/io/detail/hdf5_handle.hh"
#include "hodo/io/mapped_file.hh"

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace hodo::io::detail {

/// Where a list lies; of length 0 it lies nowhere.
struct HeapReference {
    std::uint32_t length = 0;  ///< In elements.
    std::uint64_t collection = 0;
    std::uint32_t object = 0;
};

/// The references of `count` lists. `read` fills a buffer as a given memory type (H5Dread,
/// H5Aread). An error that names `origin` when they cannot be read.
std::vector<HeapReference> heap_references(
    std::size_t count, std::string_view origin,
    const std::function<herr_t(hid_t type, void* buffer)>& read);

/// The objects of a file's global heap.
class GlobalHeap {
  public:
    /// `file` is what `id` has open.
    GlobalHeap(const base::Path& file, hid_t id);

    /// The bytes of a list whose elements are `size` bytes wide; an error that names `origin` when
    /// they are not there.
    std::span<const std::byte> list(const HeapReference& reference, std::size_t size,
                                    std::string_view origin) const;

  private:
    Blob content_;         ///< From the place that addresses count from.
    bool is_wide_ = true;  ///< Addresses and sizes take 8 bytes.
};

}  // namespace hodo::io::detail
