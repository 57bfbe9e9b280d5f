#pragma once
/// HDF5 files in memory whose datasets have rows of varying length, as PILArNet-M has; for tests
/// and fuzz targets, which link HDF5 for it.

#include <hdf5.h>

#include <string>
#include <vector>

namespace hodo::test {

struct RaggedRows {
    std::string name;
    std::vector<std::vector<double>> rows;
};

/// The bytes of a file with these datasets, of 8-byte floats.
inline std::string ragged_hdf5(const std::vector<RaggedRows>& datasets) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 1 << 16, 0);
    const hid_t file = H5Fcreate("ragged.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    const hid_t type = H5Tvlen_create(H5T_NATIVE_DOUBLE);
    for (const auto& [name, rows] : datasets) {
        const hsize_t count = rows.size();
        const hid_t space = H5Screate_simple(1, &count, nullptr);
        const hid_t set =
            H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        std::vector<hvl_t> lists;
        for (const auto& row : rows) lists.push_back({row.size(), const_cast<double*>(row.data())});
        if (count > 0) H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, lists.data());
        H5Dclose(set);
        H5Sclose(space);
    }
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    std::string bytes(static_cast<std::size_t>(H5Fget_file_image(file, nullptr, 0)), '\0');
    H5Fget_file_image(file, bytes.data(), bytes.size());
    H5Tclose(type);
    H5Fclose(file);
    H5Pclose(access);
    return bytes;
}

}  // namespace hodo::test
