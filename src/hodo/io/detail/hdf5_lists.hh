#pragma once
/// Texts and lists of numbers of HDF5 files in the program's own types.

#include "hodo/io/detail/hdf5_heap.hh"
#include "hodo/io/table.hh"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::io::detail {

/// Fills a buffer with elements of a memory type (H5Dread, H5Aread).
using Hdf5Read = std::function<herr_t(hid_t type, void* buffer)>;

/// `count` texts of a dataset or attribute whose elements are of type `stored`.
std::vector<std::string> hdf5_texts(hid_t stored, std::size_t count, std::string_view origin,
                                    const GlobalHeap& heap, const Hdf5Read& read);

/// `count` lists of numbers as a column: 64-bit reals, 32-bit ones from types of 32 bits or fewer,
/// 64-bit integers from all others.
Column hdf5_lists(hid_t stored, std::size_t count, const std::string& name, std::string_view origin,
                  const GlobalHeap& heap, const Hdf5Read& read);

}  // namespace hodo::io::detail
