#include "hodo/io/detail/hdf5_driver.hh"

#include "hodo/base/error.hh"
#include "hodo/io/detail/hdf5_checks.hh"
#include "hodo/io/mapped_file.hh"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

namespace hodo::io::detail {

namespace {

/// What the library passes around as the open file; it fills `common`.
struct OpenFile {
    H5FD_t common{};
    Blob content;
    haddr_t end_of_use = 0;  ///< Set by the library; not the file's end.
    bool is_wide = false;    ///< Addresses and sizes take 8 bytes.
};

OpenFile& of(H5FD_t* file) {
    static_assert(offsetof(OpenFile, common) == 0);
    return *reinterpret_cast<OpenFile*>(file);
}
const OpenFile& of(const H5FD_t* file) {
    return *reinterpret_cast<const OpenFile*>(file);
}

/// What the superblock says, which begins at 0 or behind a user block of 512, 1024, ... bytes.
bool has_wide_addresses(std::span<const std::byte> bytes) {
    constexpr std::string_view signature("\x89HDF\r\n\x1a\n", 8);
    constexpr std::size_t header = 16;
    for (std::size_t at = 0; at + header <= bytes.size(); at = at == 0 ? 512 : 2 * at) {
        if (std::memcmp(bytes.data() + at, signature.data(), signature.size()) != 0) continue;
        const std::size_t sizes = at + (bytes[at + 8] < std::byte{2} ? 13 : 9);
        return bytes[sizes] == std::byte{8} && bytes[sizes + 1] == std::byte{8};
    }
    return false;
}

H5FD_t* open_file(const char* name, unsigned flags, hid_t, haddr_t) {
    if ((flags & H5F_ACC_RDWR) != 0) return nullptr;
    try {
        auto* file = new OpenFile{.content = map_file(name)};
        file->is_wide = has_wide_addresses(file->content.bytes);
        return &file->common;
    } catch (const base::Error&) {
        return nullptr;
    }
}

herr_t close_file(H5FD_t* file) {
    delete &of(file);
    return 0;
}

herr_t capabilities(const H5FD_t*, unsigned long* flags) {
    if (flags != nullptr) *flags = 0;
    return 0;
}

haddr_t end_of_use(const H5FD_t* file, H5FD_mem_t) {
    return of(file).end_of_use;
}

herr_t set_end_of_use(H5FD_t* file, H5FD_mem_t, haddr_t address) {
    of(file).end_of_use = address;
    return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) {
    return of(file).content.bytes.size();
}

/// Whether the library may see what it is about to read.
bool is_trusted(const OpenFile& file, H5FD_mem_t type, haddr_t address) {
    if (!file.is_wide) return true;
    const auto base = std::min<std::uint64_t>(file.common.base_addr, address);
    const auto bytes = file.content.bytes.subspan(base);
    if (type == H5FD_MEM_LHEAP) return is_local_heap_whole(bytes, address - base);
    return type != H5FD_MEM_OHDR || are_attributes_whole(bytes, address - base);
}

herr_t read_bytes(H5FD_t* file, H5FD_mem_t type, hid_t, haddr_t address, std::size_t size,
                  void* buffer) {
    const auto& opened = of(file);
    const auto bytes = opened.content.bytes;
    if (buffer == nullptr || !is_inside(address, size, bytes.size())) return -1;
    if (!is_trusted(opened, type, address)) return -1;
    if (size > 0) std::memcpy(buffer, bytes.data() + address, size);
    return 0;
}

herr_t write_bytes(H5FD_t*, H5FD_mem_t, hid_t, haddr_t, std::size_t, const void*) {
    return -1;
}

H5FD_class_t driver() {
    H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 0)
    driver.version = H5FD_CLASS_VERSION;
    driver.value = static_cast<H5FD_class_value_t>(512);  // the first that is free for all
#endif
    driver.name = "hodo_mapped";
    driver.maxaddr = std::numeric_limits<std::int64_t>::max();
    driver.fc_degree = H5F_CLOSE_WEAK;
    driver.open = open_file;
    driver.close = close_file;
    driver.query = capabilities;
    driver.get_eoa = end_of_use;
    driver.set_eoa = set_end_of_use;
    driver.get_eof = end_of_file;
    driver.read = read_bytes;
    driver.write = write_bytes;
    for (auto& type : driver.fl_map) type = H5FD_MEM_SUPER;
    return driver;
}

}  // namespace

Hdf5FileId hdf5_open_mapped(const base::Path& file) {
    static const H5FD_class_t mapped = driver();
    static const hid_t id = H5FDregister(&mapped);
    const Hdf5List access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_driver(access.get(), id, nullptr);
    H5Pset_sieve_buf_size(access.get(), 0);
    return Hdf5FileId(H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.get()));
}

}  // namespace hodo::io::detail
