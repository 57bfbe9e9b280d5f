#include "hodo/io/detail/checkpoint_layout.hh"

#include <cstring>
#include <map>

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

constexpr std::string_view magic_number = "119547037146038801333356";  // 0x1950a86a20f9469cfc6c
constexpr std::int64_t known_protocol = 1001;

/// The pickles of the file one after the other, and the storages behind them.
class LegacyReader {
  public:
    LegacyReader(const Blob& content, std::string_view origin)
        : content_(content), origin_(origin) {}

    Pickle next() {
        auto rest = content_.slice(position_, content_.bytes.size() - position_, origin_);
        auto pickle = Pickle::parse(std::move(rest), origin_);
        position_ += pickle.length();
        return pickle;
    }

    std::int64_t next_count() {
        std::int64_t count = 0;
        std::memcpy(&count, take(sizeof count).bytes.data(), sizeof count);
        return count;
    }

    Blob take(std::uint64_t count) {
        auto bytes = content_.slice(position_, count, origin_);
        position_ += count;
        return bytes;
    }
    std::uint64_t left() const { return content_.bytes.size() - position_; }

  private:
    const Blob& content_;
    std::string_view origin_;
    std::uint64_t position_ = 0;
};

/// What each storage key of the object stands for, as its tensors say it.
using Storages = std::map<std::string, Blob, std::less<>>;

void read_header(LegacyReader& reader, std::string_view origin) {
    const auto magic = reader.next();
    HODO_CHECK(magic.root().is(PickleKind::big_integer) && magic.root().text() == magic_number,
               "{}: is a pickle but no PyTorch file (its magic number is missing); save it with "
               "torch.save",
               origin);
    const auto protocol = reader.next();
    HODO_CHECK(
        protocol.root().is(PickleKind::integer) && protocol.root().integer() == known_protocol,
        "{}: its layout has the version {}, expected {}; save it with a PyTorch between 0.4 "
        "and 1.5, or a newer one",
        origin, protocol.root().description(), known_protocol);
    const auto system = reader.next();
    const auto is_little = system.root().find("little_endian");
    HODO_CHECK(!is_little || !is_little->is(PickleKind::boolean) || is_little->boolean(),
               "{}: was written on a big-endian machine (its numbers would be read wrongly); save "
               "it again on a little-endian one",
               origin);
}

/// The storages in the file's order: for each an element count and the elements.
Storages read_storages(LegacyReader& reader, const PickleValue& keys, const Pickle& object,
                       std::string_view origin) {
    Storages storages;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::string key(keys.item(i).text());
        const auto* known = object.storage(key);
        HODO_CHECK(known != nullptr,
                   "{}: storage '{}' belongs to no tensor (its type is unknown); the file is "
                   "damaged, copy it again",
                   origin, key);
        const auto count = reader.next_count();
        HODO_CHECK(count >= 0 && static_cast<std::uint64_t>(count) == known->count &&
                       known->count <= reader.left() / item_size(known->dtype),
                   "{}: storage '{}' holds {} elements, its tensors expect {}, and {} bytes are "
                   "left; the file is truncated or damaged, copy it again",
                   origin, key, count, known->count, reader.left());
        storages[key] = reader.take(known->count * item_size(known->dtype));
    }
    return storages;
}

}  // namespace

WeightBody read_pytorch_legacy(const Blob& content, std::string_view origin, WeightChoice choice) {
    WeightBody body;
    body.format = "pytorch-legacy";
    body.path = origin;
    LegacyReader reader(content, origin);
    read_header(reader, origin);
    const auto object = reader.next();
    const auto keys = reader.next();
    auto storages =
        std::make_shared<const Storages>(read_storages(reader, keys.root(), object, origin));
    StorageSource source;
    source.origin = origin;
    source.find = [storages, file = std::string(origin)](const PickleStorage& storage) {
        const auto found = storages->find(storage.key);
        HODO_CHECK(found != storages->end() &&
                       found->second.bytes.size() / item_size(storage.dtype) >= storage.count,
                   "{}: storage '{}' is missing from the file; it is damaged, copy it again", file,
                   storage.key);
        return found->second;
    };
    lay_out_checkpoint(body, object, source, choice);
    return body;
}

}  // namespace hodo::io
