#include "hodo/io/detail/hdf5_heap.hh"

#include "hodo/base/error.hh"

#include <algorithm>
#include <cstring>

namespace hodo::io::detail {

namespace {

// As stored when addresses and sizes take 8 bytes: length (4), address (8), number (4). A list in
// memory (hvl_t) is as large, which is what lets references through as they are.
constexpr std::size_t reference_size = 16;
static_assert(sizeof(hvl_t) == reference_size);
constexpr std::size_t header_size = 16;  // of collections and of objects
constexpr std::size_t alignment = 8;     // of objects
constexpr std::string_view signature("GCOL\1\0\0\0", 8);

/// Claims to turn stored lists into lists in memory, and leaves the references as they are.
herr_t pass_references(hid_t from, hid_t to, H5T_cdata_t* data, std::size_t, std::size_t,
                       std::size_t, void*, void*, hid_t) {
    if (data->command != H5T_CONV_INIT) return 0;
    data->need_bkg = H5T_BKG_NO;
    return H5Tget_size(from) == reference_size && H5Tget_size(to) == reference_size ? 0 : -1;
}

/// While it lives the library passes references through. It holds for every list and text of
/// varying length, so it lives for one call; conversions between whatever types are set back then.
class Passing {
  public:
    explicit Passing(hid_t list)
        : is_on_(H5Tregister(H5T_PERS_SOFT, name, list, list, pass_references) >= 0) {}
    Passing(const Passing&) = delete;
    Passing& operator=(const Passing&) = delete;
    ~Passing() { H5Tunregister(H5T_PERS_SOFT, name, any, any, pass_references); }
    bool is_on() const { return is_on_; }

  private:
    static constexpr const char* name = "references";
    static constexpr hid_t any = -1;
    bool is_on_;
};

template <class Number>
Number number_at(std::span<const std::byte> bytes, std::size_t offset) {
    Number value{};
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

}  // namespace

std::vector<HeapReference> heap_references(
    std::size_t count, std::string_view origin,
    const std::function<herr_t(hid_t type, void* buffer)>& read) {
    std::vector<std::byte> stored(count * reference_size);
    if (count > 0) {
        const Hdf5Type list(H5Tvlen_create(H5T_NATIVE_UCHAR));
        const Passing passing(list.get());
        HODO_CHECK(passing.is_on() && read(list.get(), stored.data()) >= 0,
                   "{}: cannot be read; the file is damaged", origin);
    }
    std::vector<HeapReference> references;
    references.reserve(count);
    for (std::size_t at = 0; at < stored.size(); at += reference_size) {
        references.push_back({number_at<std::uint32_t>(stored, at),
                              number_at<std::uint64_t>(stored, at + 4),
                              number_at<std::uint32_t>(stored, at + 12)});
    }
    return references;
}

GlobalHeap::GlobalHeap(const base::Path& file, hid_t id) {
    const Hdf5List creation(H5Fget_create_plist(id));
    std::size_t address = 0, size = 0;
    hsize_t before = 0;
    H5Pget_sizes(creation.get(), &address, &size);
    H5Pget_userblock(creation.get(), &before);
    is_wide_ = address == 8 && size == 8;
    const auto whole = map_file(file);
    const std::uint64_t length = whole.bytes.size();
    content_ = whole.slice(std::min<std::uint64_t>(before, length),
                           length - std::min<std::uint64_t>(before, length), file.string());
}

std::span<const std::byte> GlobalHeap::list(const HeapReference& reference, std::size_t size,
                                            std::string_view origin) const {
    if (reference.length == 0) return {};
    const auto refuse = [&](std::string_view reason) {
        base::fail("{}: a list of {} elements cannot be read, for {}; the file is damaged", origin,
                   reference.length, reason);
    };
    if (!is_wide_) {
        base::fail(
            "{}: holds lists in a file whose addresses or sizes do not take 8 bytes, which "
            "Hodoscope does not read",
            origin);
    }
    const auto all = content_.bytes;
    const auto from = reference.collection;
    if (from > all.size() || all.size() - from < header_size) refuse("it lies beyond the file");
    if (std::memcmp(all.data() + from, signature.data(), signature.size()) != 0) {
        refuse("no collection of lists is where it should be");
    }
    const auto extent = number_at<std::uint64_t>(all, from + 8);
    if (extent < header_size || extent > all.size() - from) refuse("its collection is cut off");
    const auto collection = all.subspan(from, extent);
    for (std::size_t at = header_size; at + header_size <= collection.size();) {
        const auto index = number_at<std::uint16_t>(collection, at);
        const auto bytes = number_at<std::uint64_t>(collection, at + 8);
        const auto left = collection.size() - at - header_size;
        if (index == 0) break;  // The rest is free.
        if (bytes > left) refuse("an object of its collection is too long");
        if (index == reference.object) {
            if (bytes / size < reference.length) refuse("fewer are stored");
            return collection.subspan(at + header_size, reference.length * size);
        }
        at += header_size + (bytes + alignment - 1) / alignment * alignment;
    }
    refuse("its collection does not hold it");
    return {};
}

}  // namespace hodo::io::detail
