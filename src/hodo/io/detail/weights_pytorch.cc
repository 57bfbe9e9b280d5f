#include "hodo/io/detail/checkpoint_layout.hh"

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

constexpr std::uint64_t largest_pickle = std::uint64_t{1} << 30;
constexpr std::string_view pickle_name = "data.pkl";

/// The folder of the archive that holds the pickle, with its slash; the shortest if there are more.
std::string top_folder(const ZipReader& archive) {
    std::optional<std::string> top;
    for (const auto& member : archive.members()) {
        const auto& name = member.name;
        if (name != pickle_name && !name.ends_with("/data.pkl")) continue;
        auto folder = name.substr(0, name.size() - pickle_name.size());
        if (!top || folder.size() < top->size()) top = std::move(folder);
    }
    HODO_CHECK(top.has_value(), "{}: has no member 'data.pkl'; it is no PyTorch file",
               archive.origin());
    return *top;
}

ByteOrder byte_order(const ZipReader& archive, const std::string& top) {
    const auto* member = archive.find(top + "byteorder");
    if (member == nullptr) return ByteOrder::little;
    const auto content = archive.read(*member, Checksum::verify, 64);
    const auto word = base::trim(content.text());
    HODO_CHECK(word == "little" || word == "big",
               "{}: its byte order is '{}', expected 'little' or 'big'; write it again",
               archive.origin(), word);
    return word == "little" ? ByteOrder::little : ByteOrder::big;
}

Blob find_storage(const ZipReader& archive, const std::string& top, const PickleStorage& storage) {
    const auto* member = archive.find(top + "data/" + storage.key);
    HODO_CHECK(member != nullptr,
               "{}: storage '{}' is missing from the archive; the file is damaged, copy it again",
               archive.origin(), storage.key);
    // Both factors come from the file: compare by division, which cannot overflow.
    const auto item = item_size(storage.dtype);
    HODO_CHECK(
        member->size / item == storage.count && member->size % item == 0,
        "{}: storage '{}' holds {} bytes, but its {} elements of {} need {} each; the file is "
        "damaged, copy it again",
        archive.origin(), storage.key, member->size, storage.count, name(storage.dtype), item);
    return archive.read(*member);
}

}  // namespace

WeightBody read_pytorch(const ZipReader& archive, WeightChoice choice) {
    WeightBody body;
    body.format = "pytorch";
    body.path = archive.origin();
    const auto top = top_folder(archive);
    const auto pickle = Pickle::parse(archive.read(*archive.find(top + std::string(pickle_name)),
                                                   Checksum::verify, largest_pickle),
                                      archive.origin());
    StorageSource source;
    source.find = [archive, top](const PickleStorage& storage) {
        return find_storage(archive, top, storage);
    };
    source.order = byte_order(archive, top);
    source.origin = archive.origin();
    lay_out_checkpoint(body, pickle, source, choice);
    return body;
}

}  // namespace hodo::io
