#pragma once
/// Owners of HDF5 identifiers, and how HDF5's types correspond to array types.

#include "hodo/io/array.hh"

#define H5_USE_110_API  // 1.12 and later give some functions other arguments
#include <hdf5.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>  // drivers
#endif

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hodo::io::detail {

/// An HDF5 identifier that is closed by `close`.
template <herr_t (*close)(hid_t)>
class Hdf5Handle {
  public:
    explicit Hdf5Handle(hid_t id = -1) : id_(id) {}
    Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
    Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
        std::swap(id_, other.id_);
        return *this;
    }
    ~Hdf5Handle() { reset(); }
    void reset() {
        if (id_ >= 0) close(std::exchange(id_, -1));
    }
    hid_t get() const { return id_; }
    explicit operator bool() const { return id_ >= 0; }

  private:
    hid_t id_;
};

using Hdf5FileId = Hdf5Handle<H5Fclose>;
using Hdf5Dataset = Hdf5Handle<H5Dclose>;
using Hdf5Space = Hdf5Handle<H5Sclose>;
using Hdf5Type = Hdf5Handle<H5Tclose>;
using Hdf5Object = Hdf5Handle<H5Oclose>;
using Hdf5Group = Hdf5Handle<H5Gclose>;
using Hdf5Attribute = Hdf5Handle<H5Aclose>;
using Hdf5List = Hdf5Handle<H5Pclose>;

/// The library is serial: every use of it holds this lock. The first call silences its printing.
std::unique_lock<std::recursive_mutex> hdf5_lock();

/// The array type of a stored type; an error that names `origin` when there is none. Booleans are
/// enumerations of FALSE and TRUE, complex numbers compounds of r and i, as h5py writes them.
DType hdf5_to_dtype(hid_t stored, std::string_view origin);

/// The HDF5 type of array elements in memory and in files.
Hdf5Type dtype_to_hdf5(DType type);

/// Text of variable length in UTF-8.
Hdf5Type hdf5_text_type();

/// Extents of a data space.
std::vector<std::int64_t> hdf5_shape(hid_t space);

}  // namespace hodo::io::detail
