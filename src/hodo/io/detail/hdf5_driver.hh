#pragma once
/// How the HDF5 library reaches the bytes of files that are read: in mapped memory, each access
/// checked against the file's end.
///
/// The library's own driver gives zeros beyond the end, and what keeps its accesses together
/// (metadata accumulator, sieve) trusts sizes of damaged files; here it gets neither. Names of
/// groups and lengths of attributes are checked before the library sees them (hdf5_checks.hh),
/// lists it never sees (hdf5_heap.hh). Types, spaces and B-trees it checks by itself: damage there
/// may make it ask for much memory, which it does not touch.

#include "hodo/base/text.hh"
#include "hodo/io/detail/hdf5_handle.hh"

namespace hodo::io::detail {

/// Opens a file for reading; an empty handle when it cannot be opened as HDF5.
Hdf5FileId hdf5_open_mapped(const base::Path& file);

}  // namespace hodo::io::detail
