#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/detail/hdf5_handle.hh"
#include "hodo/io/hdf5.hh"

namespace hodo::io {

namespace {

using detail::hdf5_lock;
using detail::Hdf5Attribute;
using detail::Hdf5Dataset;
using detail::Hdf5FileId;
using detail::Hdf5Group;
using detail::Hdf5List;
using detail::Hdf5Object;
using detail::Hdf5Space;
using detail::Hdf5Type;

constexpr std::uint64_t bytes_per_chunk = 1 << 20;
constexpr unsigned deflate_level = 4;

std::vector<hsize_t> extents_of(const Array& array) {
    return {array.shape.begin(), array.shape.end()};
}

Hdf5Space make_space(const std::vector<hsize_t>& extents) {
    if (extents.empty()) return Hdf5Space(H5Screate(H5S_SCALAR));
    return Hdf5Space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
}

std::vector<const char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<const char*> pointers;
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    return pointers;
}

enum class Kind { truth, whole, real, text };

/// The one kind that holds all values of an attribute.
Kind common_kind(const Json::List& values, std::string_view origin) {
    Kind kind = Kind::truth;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Json& value = values[i];
        HODO_CHECK(value.is_text() || value.is_number() ||
                       !(value.is_null() || value.is_object() || value.is_list()),
                   "{}: can only be text, a number, true or false, or a list of one of them",
                   origin);
        Kind own = Kind::truth;
        if (value.is_text()) own = Kind::text;
        if (value.is_number()) {
            own = value.dump().find_first_of(".eE") == std::string::npos ? Kind::whole : Kind::real;
        }
        const bool is_mixed_number = i > 0 && (own == Kind::whole || own == Kind::real) &&
                                     (kind == Kind::whole || kind == Kind::real);
        HODO_CHECK(i == 0 || own == kind || is_mixed_number, "{}: mixes kinds of values", origin);
        kind = is_mixed_number ? std::max(kind, own) : own;
    }
    return kind;
}

}  // namespace

struct Hdf5Writer::Body {
    AtomicFile file;
    base::Path path;
    Hdf5FileId id;
    Hdf5List links;

    explicit Body(const base::Path& name) : file(name), path(name) {
        id = Hdf5FileId(
            H5Fcreate(file.temporary().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
        HODO_CHECK(id, "{}: cannot be created", path);
        links = Hdf5List(H5Pcreate(H5P_LINK_CREATE));
        H5Pset_create_intermediate_group(links.get(), 1);
    }

    void check(herr_t code, std::string_view name) const {
        HODO_CHECK(code >= 0, "{}: '{}' cannot be written; is the disk full, or the name taken?",
                   path, name);
    }

    Hdf5Dataset create(std::string_view name, hid_t type, hid_t space, hid_t properties) const {
        HODO_DOOR(id);
        const std::string key(name);
        Hdf5Dataset dataset(
            H5Dcreate2(id.get(), key.c_str(), type, space, links.get(), properties, H5P_DEFAULT));
        check(dataset ? 0 : -1, name);
        return dataset;
    }

    /// A dataset without rows that can grow, in compressed chunks of about a megabyte.
    Hdf5Dataset create_growing(std::string_view name, const Array& array, hid_t type) const {
        std::vector<hsize_t> extents = extents_of(array);
        std::uint64_t row_bytes = item_size(array.dtype);
        for (std::size_t i = 1; i < extents.size(); ++i)
            row_bytes *= std::max<hsize_t>(1, extents[i]);
        std::vector<hsize_t> chunk = extents, limits = extents;
        for (hsize_t& extent : chunk) extent = std::max<hsize_t>(1, extent);
        chunk[0] = std::max<hsize_t>(1, bytes_per_chunk / row_bytes);
        limits[0] = H5S_UNLIMITED;
        extents[0] = 0;
        const auto rank = static_cast<int>(extents.size());
        const Hdf5Space space(H5Screate_simple(rank, extents.data(), limits.data()));
        const Hdf5List properties(H5Pcreate(H5P_DATASET_CREATE));
        H5Pset_chunk(properties.get(), rank, chunk.data());
        H5Pset_shuffle(properties.get());
        H5Pset_deflate(properties.get(), deflate_level);
        return create(name, type, space.get(), properties.get());
    }

    /// The group or dataset `name`; a group that is not there yet is made.
    Hdf5Object object(const std::string& name) const {
        if (name != "/" && H5Lexists(id.get(), name.c_str(), H5P_DEFAULT) <= 0) {
            const Hdf5Group made(
                H5Gcreate2(id.get(), name.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT));
            check(made ? 0 : -1, name);
        }
        Hdf5Object opened(H5Oopen(id.get(), name.c_str(), H5P_DEFAULT));
        check(opened ? 0 : -1, name);
        return opened;
    }
};

Hdf5Writer::Hdf5Writer(const base::Path& file) {
    const auto lock = hdf5_lock();
    body_ = std::make_unique<Body>(file);
}

Hdf5Writer::~Hdf5Writer() {
    const auto lock = hdf5_lock();
    body_.reset();
}

void Hdf5Writer::write(std::string_view path, const Array& array) {
    const auto lock = hdf5_lock();
    const Hdf5Type type = detail::dtype_to_hdf5(array.dtype);
    const Hdf5Space space = make_space(extents_of(array));
    const Hdf5Dataset dataset = body_->create(path, type.get(), space.get(), H5P_DEFAULT);
    if (array.size() == 0) return;
    body_->check(
        H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, array.bytes.data()),
        path);
}

void Hdf5Writer::write_text(std::string_view path, const std::vector<std::string>& values) {
    const auto lock = hdf5_lock();
    const Hdf5Type type = detail::hdf5_text_type();
    const Hdf5Space space = make_space({values.size()});
    const Hdf5Dataset dataset = body_->create(path, type.get(), space.get(), H5P_DEFAULT);
    if (values.empty()) return;
    const auto pointers = pointers_to(values);
    body_->check(
        H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()), path);
}

void Hdf5Writer::append(std::string_view path, const Array& array) {
    const auto lock = hdf5_lock();
    HODO_DOOR(!array.shape.empty() && body_->id);
    const std::string name(path);
    const Hdf5Type type = detail::dtype_to_hdf5(array.dtype);
    const bool exists = H5Lexists(body_->id.get(), name.c_str(), H5P_DEFAULT) > 0;
    const Hdf5Dataset dataset =
        exists ? Hdf5Dataset(H5Dopen2(body_->id.get(), name.c_str(), H5P_DEFAULT))
               : body_->create_growing(path, array, type.get());
    body_->check(dataset ? 0 : -1, path);
    std::vector<std::int64_t> shape;
    {
        const Hdf5Space space(H5Dget_space(dataset.get()));
        shape = detail::hdf5_shape(space.get());
    }
    HODO_CHECK(shape.size() == array.shape.size() &&
                   std::equal(shape.begin() + 1, shape.end(), array.shape.begin() + 1),
               "{}: rows of another shape cannot be appended to '{}'", body_->path, path);
    if (array.size() == 0) return;
    const std::vector<hsize_t> count = extents_of(array);
    std::vector<hsize_t> start(count.size(), 0), total = count;
    start[0] = static_cast<hsize_t>(shape[0]);
    total[0] += start[0];
    body_->check(H5Dset_extent(dataset.get(), total.data()), path);
    const Hdf5Space target(H5Dget_space(dataset.get()));
    H5Sselect_hyperslab(target.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
    const Hdf5Space memory = make_space(count);
    body_->check(H5Dwrite(dataset.get(), type.get(), memory.get(), target.get(), H5P_DEFAULT,
                          array.bytes.data()),
                 path);
}

void Hdf5Writer::attribute(std::string_view path, std::string_view name, const Json& value) {
    const auto lock = hdf5_lock();
    const std::string key(path.empty() ? "/" : path), label(name);
    const std::string origin = base::format("{}: attribute '{}' of '{}'", body_->path, label, key);
    const Json::List values = value.is_list() ? value.items() : Json::List{value};
    const Kind kind = common_kind(values, origin);
    Hdf5Type type = kind == Kind::text
                        ? detail::hdf5_text_type()
                        : detail::dtype_to_hdf5(kind == Kind::real    ? DType::f64
                                                : kind == Kind::whole ? DType::i64
                                                                      : DType::boolean);
    const Hdf5Space space =
        value.is_list() ? make_space({values.size()}) : Hdf5Space(H5Screate(H5S_SCALAR));
    const Hdf5Object object = body_->object(key);
    const Hdf5Attribute attribute(
        H5Acreate2(object.get(), label.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT));
    HODO_CHECK(attribute, "{}: cannot be written; is the name taken?", origin);
    if (values.empty()) return;
    std::vector<std::string> texts;
    std::vector<double> reals;
    std::vector<std::int64_t> wholes;
    std::vector<std::int8_t> truths;
    for (const Json& item : values) {
        if (kind == Kind::text) texts.push_back(item.text());
        if (kind == Kind::real) reals.push_back(item.number());
        if (kind == Kind::whole) wholes.push_back(item.integer());
        if (kind == Kind::truth) truths.push_back(item.boolean() ? 1 : 0);
    }
    const auto pointers = pointers_to(texts);
    const void* content = kind == Kind::text    ? static_cast<const void*>(pointers.data())
                          : kind == Kind::real  ? static_cast<const void*>(reals.data())
                          : kind == Kind::whole ? static_cast<const void*>(wholes.data())
                                                : static_cast<const void*>(truths.data());
    HODO_CHECK(H5Awrite(attribute.get(), type.get(), content) >= 0, "{}: cannot be written",
               origin);
}

void Hdf5Writer::finish() {
    const auto lock = hdf5_lock();
    HODO_DOOR(body_->id);
    body_->check(H5Fflush(body_->id.get(), H5F_SCOPE_GLOBAL), "file");
    body_->id.reset();
    body_->file.commit();
}

}  // namespace hodo::io
