#include <algorithm>
#include <array>

#include "hodo/base/error.hh"
#include "hodo/io/detail/hdf5_driver.hh"
#include "hodo/io/detail/hdf5_lists.hh"
#include "hodo/io/hdf5.hh"

namespace hodo::io {

namespace {

using detail::hdf5_lock;
using detail::Hdf5Attribute;
using detail::Hdf5Dataset;
using detail::Hdf5FileId;
using detail::Hdf5Object;
using detail::Hdf5Space;
using detail::Hdf5Type;

constexpr std::uint64_t largest_read = std::uint64_t{64} << 30;
// What a file may hold although it is not there: values that were never written.
constexpr std::uint64_t largest_unwritten = std::uint64_t{64} << 20;
constexpr std::uint64_t largest_chunk = std::uint64_t{1} << 30;
constexpr std::uint64_t strongest_packing = 1100;  // of deflate, a little more than it can

/// An open dataset with its type and space.
struct Opened {
    Hdf5Dataset dataset;
    Hdf5Type type;
    Hdf5Space space;
    std::string origin;
    std::uint64_t limit = largest_read;  ///< Bytes that its elements can have at most.
};

herr_t collect_dataset(hid_t, const char* name, const H5O_info_t* info, void* names) {
    if (info->type == H5O_TYPE_DATASET) {
        static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    }
    return 0;
}

herr_t collect_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

/// The product of extents and an element's size; refused when more than `limit`, so that a damaged
/// shape takes no memory.
std::uint64_t bytes_of(std::uint64_t item, const std::vector<std::int64_t>& shape,
                       std::uint64_t limit, std::string_view origin) {
    std::uint64_t bytes = item;
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) bytes = 0;
    for (const std::int64_t extent : shape) {
        HODO_CHECK(
            bytes == 0 || (extent >= 0 && static_cast<std::uint64_t>(extent) <= limit / bytes),
            "{}: is larger than {}, which is {}", origin,
            base::human_bytes(static_cast<double>(limit)),
            limit == largest_read ? "too much at once; read it in rows"
                                  : "more than the file can hold; it is damaged");
        bytes *= static_cast<std::uint64_t>(extent);
    }
    return bytes;
}

/// The library unpacks a chunk whole for whichever of its rows: one of packed zeros can have any
/// size.
void check_chunk(const Opened& opened) {
    const detail::Hdf5List creation(H5Dget_create_plist(opened.dataset.get()));
    if (H5Pget_layout(creation.get()) != H5D_CHUNKED) return;
    std::array<hsize_t, H5S_MAX_RANK> extents{};
    const int rank = H5Pget_chunk(creation.get(), H5S_MAX_RANK, extents.data());
    std::uint64_t bytes = H5Tget_size(opened.type.get());
    for (int d = 0; d < rank; ++d) {
        const auto extent = std::max<hsize_t>(extents[static_cast<std::size_t>(d)], 1);
        HODO_CHECK(bytes <= largest_chunk / extent,
                   "{}: is stored in chunks of more than {} (each is unpacked whole, whatever is "
                   "read of it); write it again in smaller chunks",
                   opened.origin, base::human_bytes(static_cast<double>(largest_chunk)));
        bytes *= extent;
    }
}

/// How many bytes the elements of a dataset can have, from the size of its file.
std::uint64_t limit_of(hid_t dataset, std::uint64_t file_size) {
    const detail::Hdf5List creation(H5Dget_create_plist(dataset));
    if (H5Pget_external_count(creation.get()) > 0) return largest_read;
    switch (H5Pget_layout(creation.get())) {
        case H5D_COMPACT:
        case H5D_CONTIGUOUS:
            return std::min(largest_read, std::max(file_size, largest_unwritten));
        case H5D_CHUNKED:
            return std::min(largest_read, file_size * strongest_packing + largest_unwritten);
        default:
            return largest_read;
    }
}

/// Selects rows [first, first + count) of the file, sets the extent of `shape` to `count` and
/// returns the space of an array in memory that takes them.
Hdf5Space select_rows(const Opened& opened, std::vector<std::int64_t>& shape, std::int64_t first,
                      std::int64_t count) {
    HODO_CHECK(!shape.empty(), "{}: is a single value, which has no rows", opened.origin);
    HODO_CHECK(first >= 0 && count >= 0 && first <= shape[0] && count <= shape[0] - first,
               "{}: rows {} to {} were asked for, but it has {}", opened.origin, first,
               first + count, shape[0]);
    shape[0] = count;
    const std::vector<hsize_t> extents(shape.begin(), shape.end());
    std::vector<hsize_t> start(extents.size(), 0);
    start[0] = static_cast<hsize_t>(first);
    if (std::find(extents.begin(), extents.end(), 0U) == extents.end()) {
        H5Sselect_hyperslab(opened.space.get(), H5S_SELECT_SET, start.data(), nullptr,
                            extents.data(), nullptr);
    }
    return Hdf5Space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
}

Array read_selected(const Opened& opened, std::vector<std::int64_t> shape, hid_t memory_space,
                    hid_t file_space) {
    const DType type = detail::hdf5_to_dtype(opened.type.get(), opened.origin);
    auto content = std::make_shared<std::vector<std::byte>>(
        bytes_of(item_size(type), shape, opened.limit, opened.origin));
    if (!content->empty()) {
        const bool is_enumeration =
            type != DType::boolean && H5Tget_class(opened.type.get()) == H5T_ENUM;
        const Hdf5Type memory =
            is_enumeration ? Hdf5Type(H5Tget_native_type(opened.type.get(), H5T_DIR_ASCEND))
                           : detail::dtype_to_hdf5(type);
        HODO_CHECK(H5Dread(opened.dataset.get(), memory.get(), memory_space, file_space,
                           H5P_DEFAULT, content->data()) >= 0,
                   "{}: cannot be read; the file is damaged or packed with a filter that is not "
                   "installed",
                   opened.origin);
    }
    return {type, std::move(shape), std::span<const std::byte>(*content), content};
}

Json list_or_single(std::vector<Json> values, hid_t space) {
    if (H5Sget_simple_extent_type(space) == H5S_SCALAR && values.size() == 1) {
        return std::move(values.front());
    }
    return Json(std::move(values));
}

/// Numbers of an attribute as JSON.
std::vector<Json> attribute_numbers(hid_t attribute, DType type, std::size_t count,
                                    std::string_view origin) {
    const Hdf5Type memory = detail::dtype_to_hdf5(type);
    std::vector<std::byte> content(count * item_size(type));
    HODO_CHECK(H5Aread(attribute, memory.get(), content.data()) >= 0, "{}: cannot be read", origin);
    const Array array{type, {static_cast<std::int64_t>(count)}, content, nullptr};
    std::vector<Json> values;
    const bool is_real =
        type == DType::f64 || type == DType::f32 || type == DType::f16 || type == DType::bf16;
    if (is_real) {
        for (const double value : array.doubles()) values.emplace_back(value);
    } else {
        for (const std::int64_t value : array.integers()) {
            values.push_back(type == DType::boolean ? Json(value != 0) : Json(value));
        }
    }
    return values;
}

Json read_attribute(hid_t object, const std::string& name, const std::string& origin,
                    const detail::GlobalHeap& heap, std::uint64_t limit) {
    const Hdf5Attribute attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT));
    HODO_CHECK(attribute, "{}: cannot be read", origin);
    const Hdf5Type type(H5Aget_type(attribute.get()));
    const Hdf5Space space(H5Aget_space(attribute.get()));
    HODO_CHECK(type && space, "{}: its type cannot be read; the file is damaged", origin);
    const auto shape = detail::hdf5_shape(space.get());
    bytes_of(H5Tget_size(type.get()), shape, limit, origin);
    const auto count = static_cast<std::size_t>(bytes_of(1, shape, limit, origin));
    std::vector<Json> values;
    if (H5Tget_class(type.get()) == H5T_STRING) {
        const auto read = [&](hid_t memory, void* buffer) {
            return H5Aread(attribute.get(), memory, buffer);
        };
        for (std::string& text : detail::hdf5_texts(type.get(), count, origin, heap, read)) {
            values.emplace_back(std::move(text));
        }
    } else {
        const DType stored = detail::hdf5_to_dtype(type.get(), origin);
        values = attribute_numbers(attribute.get(), stored, count, origin);
    }
    return list_or_single(std::move(values), space.get());
}

}  // namespace

struct Hdf5File::Body {
    base::Path path;
    Hdf5FileId id;
    detail::GlobalHeap heap;
    std::uint64_t size;

    Body(const base::Path& file, Hdf5FileId opened)
        : path(file),
          id(std::move(opened)),
          heap(file, id.get()),
          size(std::filesystem::file_size(file)) {}
    ~Body() {
        const auto lock = hdf5_lock();
        id.reset();
    }

    std::vector<std::string> datasets() const {
        std::vector<std::string> names;
        HODO_CHECK(H5Ovisit2(id.get(), H5_INDEX_NAME, H5_ITER_INC, collect_dataset, &names,
                             H5O_INFO_BASIC) >= 0,
                   "{}: its list of datasets cannot be read; the file is damaged", path);
        std::sort(names.begin(), names.end());
        return names;
    }

    Opened open(std::string_view name) const {
        const std::string key(name);
        Opened opened;
        opened.origin = base::format("{}: dataset '{}'", path, name);
        opened.dataset = Hdf5Dataset(H5Dopen2(id.get(), key.c_str(), H5P_DEFAULT));
        if (!opened.dataset) {
            base::fail("{}: has no dataset '{}'{}", path, name,
                       base::did_you_mean(name, datasets()));
        }
        opened.type = Hdf5Type(H5Dget_type(opened.dataset.get()));
        opened.space = Hdf5Space(H5Dget_space(opened.dataset.get()));
        HODO_CHECK(opened.type && opened.space, "{}: its type cannot be read; the file is damaged",
                   opened.origin);
        check_chunk(opened);
        opened.limit = limit_of(opened.dataset.get(), size);
        const detail::Hdf5List creation(H5Dget_create_plist(opened.dataset.get()));
        if (H5Pget_layout(creation.get()) == H5D_COMPACT) {
            // The library copies from the header without asking how much is there.
            bytes_of(H5Tget_size(opened.type.get()), detail::hdf5_shape(opened.space.get()),
                     H5Dget_storage_size(opened.dataset.get()), opened.origin);
        }
        return opened;
    }
};

Hdf5File Hdf5File::open(const base::Path& file) {
    const auto lock = hdf5_lock();
    HODO_CHECK(std::filesystem::is_regular_file(file), "{}: there is no such file", file);
    HODO_CHECK(H5Fis_hdf5(file.c_str()) > 0, "{}: is not an HDF5 file", file);
    Hdf5FileId id = detail::hdf5_open_mapped(file);
    HODO_CHECK(id, "{}: cannot be opened as HDF5; it is damaged, or another program writes it",
               file);
    Hdf5File opened;
    opened.body_ = std::make_shared<Body>(file, std::move(id));
    return opened;
}

std::vector<std::string> Hdf5File::datasets() const {
    const auto lock = hdf5_lock();
    return body_->datasets();
}

bool Hdf5File::has(std::string_view path) const {
    const auto names = datasets();
    return std::find(names.begin(), names.end(), path.starts_with('/') ? path.substr(1) : path) !=
           names.end();
}

Array Hdf5File::read(std::string_view path) const {
    const auto lock = hdf5_lock();
    const Opened opened = body_->open(path);
    return read_selected(opened, detail::hdf5_shape(opened.space.get()), H5S_ALL, H5S_ALL);
}

Array Hdf5File::read_rows(std::string_view path, std::int64_t first, std::int64_t count) const {
    const auto lock = hdf5_lock();
    const Opened opened = body_->open(path);
    std::vector<std::int64_t> shape = detail::hdf5_shape(opened.space.get());
    const Hdf5Space memory = select_rows(opened, shape, first, count);
    return read_selected(opened, shape, memory.get(), opened.space.get());
}

Column Hdf5File::read_lists(std::string_view path) const {
    return read_lists(path, 0, rows(path));
}

Column Hdf5File::read_lists(std::string_view path, std::int64_t first, std::int64_t count) const {
    const auto lock = hdf5_lock();
    const Opened opened = body_->open(path);
    std::vector<std::int64_t> shape = detail::hdf5_shape(opened.space.get());
    HODO_CHECK(shape.size() == 1, "{}: has {} dimensions, but lists are read along one",
               opened.origin, shape.size());
    bytes_of(H5Tget_size(opened.type.get()), shape, opened.limit, opened.origin);
    const Hdf5Space memory = select_rows(opened, shape, first, count);
    const auto read = [&](hid_t type, void* buffer) {
        return H5Dread(opened.dataset.get(), type, memory.get(), opened.space.get(), H5P_DEFAULT,
                       buffer);
    };
    return detail::hdf5_lists(opened.type.get(), static_cast<std::size_t>(count), std::string(path),
                              opened.origin, body_->heap, read);
}

std::int64_t Hdf5File::rows(std::string_view path) const {
    const auto lock = hdf5_lock();
    const std::vector<std::int64_t> shape = detail::hdf5_shape(body_->open(path).space.get());
    return shape.empty() ? 1 : shape[0];
}

std::vector<std::string> Hdf5File::read_text(std::string_view path) const {
    const auto lock = hdf5_lock();
    const Opened opened = body_->open(path);
    const auto shape = detail::hdf5_shape(opened.space.get());
    bytes_of(H5Tget_size(opened.type.get()), shape, opened.limit, opened.origin);
    const auto read = [&](hid_t type, void* buffer) {
        return H5Dread(opened.dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
    };
    return detail::hdf5_texts(opened.type.get(), bytes_of(1, shape, opened.limit, opened.origin),
                              opened.origin, body_->heap, read);
}

Array Hdf5File::describe(std::string_view path) const {
    const auto lock = hdf5_lock();
    const Opened opened = body_->open(path);
    return {detail::hdf5_to_dtype(opened.type.get(), opened.origin),
            detail::hdf5_shape(opened.space.get()),
            {},
            nullptr};
}

Json Hdf5File::attributes(std::string_view path) const {
    const auto lock = hdf5_lock();
    const std::string key(path.empty() ? "/" : path);
    const Hdf5Object object(H5Oopen(body_->id.get(), key.c_str(), H5P_DEFAULT));
    HODO_CHECK(object, "{}: has no dataset or group '{}'", body_->path, key);
    std::vector<std::string> names;
    hsize_t position = 0;
    H5Aiterate2(object.get(), H5_INDEX_NAME, H5_ITER_INC, &position, collect_attribute, &names);
    Json attributes = Json::object();
    for (const std::string& name : names) {
        attributes[name] = read_attribute(
            object.get(), name, base::format("{}: attribute '{}' of '{}'", body_->path, name, key),
            body_->heap, std::max(body_->size, largest_unwritten));
    }
    return attributes;
}

}  // namespace hodo::io
