#include "hodo/io/detail/hdf5_handle.hh"

#include <algorithm>
#include <array>

#include "hodo/base/error.hh"

namespace hodo::io::detail {

namespace {

DType integer_type(hid_t stored, std::string_view origin) {
    const bool is_signed = H5Tget_sign(stored) != H5T_SGN_NONE;
    switch (H5Tget_size(stored)) {
        case 1:
            return is_signed ? DType::i8 : DType::u8;
        case 2:
            return is_signed ? DType::i16 : DType::u16;
        case 4:
            return is_signed ? DType::i32 : DType::u32;
        case 8:
            return is_signed ? DType::i64 : DType::u64;
        default:
            base::fail("{}: holds integers of unusual size", origin);
    }
}

DType real_type(hid_t stored, std::string_view origin) {
    switch (H5Tget_size(stored)) {
        case 2:
            return H5Tget_ebias(stored) == 127 ? DType::bf16 : DType::f16;
        case 4:
            return DType::f32;
        case 8:
        case 16:
            return DType::f64;  // long double is converted
        default:
            base::fail("{}: holds floating-point numbers of unusual size", origin);
    }
}

bool is_boolean(hid_t stored) {
    std::int64_t value = 0;
    return H5Tget_size(stored) == 1 && H5Tget_nmembers(stored) == 2 &&
           H5Tenum_valueof(stored, "TRUE", &value) >= 0 &&
           H5Tenum_valueof(stored, "FALSE", &value) >= 0;
}

/// A complex number in the layout of h5py, or nothing.
Hdf5Type complex_part(hid_t stored) {
    if (H5Tget_nmembers(stored) != 2 || H5Tget_member_index(stored, "r") != 0 ||
        H5Tget_member_index(stored, "i") != 1) {
        return Hdf5Type();
    }
    Hdf5Type part(H5Tget_member_type(stored, 0));
    return H5Tget_class(part.get()) == H5T_FLOAT ? std::move(part) : Hdf5Type();
}

Hdf5Type complex_type(hid_t part) {
    const std::size_t size = H5Tget_size(part);
    Hdf5Type type(H5Tcreate(H5T_COMPOUND, 2 * size));
    H5Tinsert(type.get(), "r", 0, part);
    H5Tinsert(type.get(), "i", size, part);
    return type;
}

/// A floating-point type of 16 bits with the given bits of exponent and fraction.
Hdf5Type short_real(std::size_t exponent, std::size_t fraction, std::size_t bias) {
    Hdf5Type type(H5Tcopy(H5T_IEEE_F32LE));
    H5Tset_fields(type.get(), 15, fraction, exponent, 0, fraction);
    H5Tset_ebias(type.get(), bias);
    H5Tset_precision(type.get(), 16);
    H5Tset_size(type.get(), 2);
    return type;
}

Hdf5Type boolean_type() {
    Hdf5Type type(H5Tenum_create(H5T_STD_I8LE));
    const std::int8_t no = 0, yes = 1;
    H5Tenum_insert(type.get(), "FALSE", &no);
    H5Tenum_insert(type.get(), "TRUE", &yes);
    return type;
}

}  // namespace

std::unique_lock<std::recursive_mutex> hdf5_lock() {
    static std::recursive_mutex mutex;
    std::unique_lock lock(mutex);
    static const bool is_silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
    static_cast<void>(is_silent);
    return lock;
}

DType hdf5_to_dtype(hid_t stored, std::string_view origin) {
    switch (H5Tget_class(stored)) {
        case H5T_INTEGER:
        case H5T_BITFIELD:
            return integer_type(stored, origin);
        case H5T_FLOAT:
            return real_type(stored, origin);
        case H5T_ENUM: {
            if (is_boolean(stored)) return DType::boolean;
            const Hdf5Type base_type(H5Tget_super(stored));
            return integer_type(base_type.get(), origin);
        }
        case H5T_COMPOUND:
            if (const Hdf5Type part = complex_part(stored)) {
                return H5Tget_size(part.get()) == 4 ? DType::c64 : DType::c128;
            }
            base::fail("{}: holds records with several fields, which Hodoscope does not read",
                       origin);
        case H5T_VLEN:
            base::fail("{}: holds lists of varying length; read them as lists", origin);
        case H5T_STRING:
            base::fail("{}: holds text where numbers are needed", origin);
        default:
            base::fail("{}: holds elements of a kind that Hodoscope does not read", origin);
    }
}

Hdf5Type dtype_to_hdf5(DType type) {
    switch (type) {
        case DType::f64:
            return Hdf5Type(H5Tcopy(H5T_IEEE_F64LE));
        case DType::f32:
            return Hdf5Type(H5Tcopy(H5T_IEEE_F32LE));
        case DType::f16:
            return short_real(5, 10, 15);
        case DType::bf16:
            return short_real(8, 7, 127);
        case DType::i64:
            return Hdf5Type(H5Tcopy(H5T_STD_I64LE));
        case DType::i32:
            return Hdf5Type(H5Tcopy(H5T_STD_I32LE));
        case DType::i16:
            return Hdf5Type(H5Tcopy(H5T_STD_I16LE));
        case DType::i8:
            return Hdf5Type(H5Tcopy(H5T_STD_I8LE));
        case DType::u64:
            return Hdf5Type(H5Tcopy(H5T_STD_U64LE));
        case DType::u32:
            return Hdf5Type(H5Tcopy(H5T_STD_U32LE));
        case DType::u16:
            return Hdf5Type(H5Tcopy(H5T_STD_U16LE));
        case DType::u8:
            return Hdf5Type(H5Tcopy(H5T_STD_U8LE));
        case DType::boolean:
            return boolean_type();
        case DType::c64:
            return complex_type(H5T_IEEE_F32LE);
        case DType::c128:
            break;
    }
    return complex_type(H5T_IEEE_F64LE);
}

Hdf5Type hdf5_text_type() {
    Hdf5Type type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.get(), H5T_VARIABLE);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    return type;
}

std::vector<std::int64_t> hdf5_shape(hid_t space) {
    if (H5Sget_simple_extent_type(space) == H5S_NULL) return {0};
    const int dimensions = std::max(0, H5Sget_simple_extent_ndims(space));
    std::array<hsize_t, H5S_MAX_RANK> extents{};
    H5Sget_simple_extent_dims(space, extents.data(), nullptr);
    return {extents.begin(), extents.begin() + dimensions};
}

}  // namespace hodo::io::detail
