#include "hodo/io/zip.hh"

#include <algorithm>
#include <limits>
#include <optional>

#include <zlib.h>

#include "hodo/base/error.hh"
#include "hodo/base/memory.hh"
#include "hodo/io/detail/zip_records.hh"

namespace hodo::io {

namespace {

/// Deflate cannot shrink data further than this (one bit per 258-byte match, two per block).
constexpr std::uint64_t largest_deflate_ratio = 1040;

struct Directory {
    std::uint64_t offset, size, count;
};

/// Where the end record begins: the last one whose comment reaches exactly to the archive's end.
std::optional<std::size_t> find_end(std::span<const std::byte> bytes) {
    if (bytes.size() < zip::end_size) return {};
    const std::size_t last = bytes.size() - zip::end_size;
    const std::size_t reach = std::min<std::size_t>(last, 0xFFFF);
    for (std::size_t back = 0; back <= reach; ++back) {
        const std::size_t start = last - back;
        if (zip::load<std::uint32_t>(bytes, start) == zip::end_signature &&
            zip::load<std::uint16_t>(bytes, start + 20) == back) {
            return start;
        }
    }
    return {};
}

/// The directory's place in an archive with ZIP64 records, or nothing when there are none.
std::optional<Directory> find_directory64(std::span<const std::byte> bytes, std::size_t end,
                                          std::string_view origin) {
    if (end < zip::locator64_size) return {};
    const std::size_t locator = end - zip::locator64_size;
    if (zip::load<std::uint32_t>(bytes, locator) != zip::locator64_signature) return {};
    const auto record = zip::load<std::uint64_t>(bytes, locator + 8);
    HODO_CHECK(
        locator >= zip::end64_size && record <= locator - zip::end64_size &&
            zip::load<std::uint32_t>(bytes, record) == zip::end64_signature,
        "{}: the archive's 64-bit end record is not where byte {} says; the file is damaged, "
        "copy it again",
        origin, locator);
    return Directory{zip::load<std::uint64_t>(bytes, record + 48),
                     zip::load<std::uint64_t>(bytes, record + 40),
                     zip::load<std::uint64_t>(bytes, record + 32)};
}

Directory find_directory(std::span<const std::byte> bytes, std::string_view origin) {
    const auto end = find_end(bytes);
    HODO_CHECK(end.has_value(),
               "{}: has no end record of a ZIP archive (the file is truncated or of another kind); "
               "copy or write it again",
               origin);
    auto directory = find_directory64(bytes, *end, origin);
    if (!directory) {
        directory = Directory{zip::load<std::uint32_t>(bytes, *end + 16),
                              zip::load<std::uint32_t>(bytes, *end + 12),
                              zip::load<std::uint16_t>(bytes, *end + 10)};
    }
    HODO_CHECK(directory->offset <= *end && directory->size <= *end - directory->offset &&
                   directory->count <= directory->size / zip::central_size,
               "{}: the archive's directory ({} members, {} bytes from byte {}) does not fit into "
               "the {} bytes before its end record; the file is damaged, copy it again",
               origin, directory->count, directory->size, directory->offset, *end);
    return *directory;
}

/// Replaces the sizes that the directory entry leaves to its ZIP64 extra field.
void apply_extra64(ZipMember& member, std::span<const std::byte> extra, std::string_view origin) {
    while (extra.size() >= 4) {
        const auto id = zip::load<std::uint16_t>(extra, 0);
        const auto size = zip::load<std::uint16_t>(extra, 2);
        if (size > extra.size() - 4) break;
        if (id == zip::extra64) {
            auto values = extra.subspan(4, size);
            for (auto* value : {&member.size, &member.packed_size, &member.header}) {
                if (*value != zip::see64) continue;
                HODO_CHECK(
                    values.size() >= 8,
                    "{}: member '{}' lacks a 64-bit size; the file is damaged, copy it again",
                    origin, member.name);
                *value = zip::load<std::uint64_t>(values, 0);
                values = values.subspan(8);
            }
            return;
        }
        extra = extra.subspan(std::size_t{4} + size);
    }
}

/// Reads the directory entry at the front of `rest` and moves `rest` behind it.
ZipMember take_member(std::span<const std::byte>& rest, std::string_view origin) {
    HODO_CHECK(rest.size() >= zip::central_size &&
                   zip::load<std::uint32_t>(rest, 0) == zip::central_signature,
               "{}: the archive's directory holds something that is no entry; the file is damaged, "
               "copy it again",
               origin);
    const std::size_t name_size = zip::load<std::uint16_t>(rest, 28);
    const std::size_t extra_size = zip::load<std::uint16_t>(rest, 30);
    const std::size_t comment_size = zip::load<std::uint16_t>(rest, 32);
    const std::size_t total = zip::central_size + name_size + extra_size + comment_size;
    HODO_CHECK(total <= rest.size(),
               "{}: an entry of the archive's directory is cut off; the file is damaged, copy it "
               "again",
               origin);
    ZipMember member;
    member.name.assign(reinterpret_cast<const char*>(rest.data()) + zip::central_size, name_size);
    const auto flags = zip::load<std::uint16_t>(rest, 8);
    HODO_CHECK((flags & 1) == 0, "{}: member '{}' is encrypted; decrypt the archive first", origin,
               member.name);
    const auto method = zip::load<std::uint16_t>(rest, 10);
    HODO_CHECK(method == 0 || method == 8,
               "{}: member '{}' is packed with method {}; only stored (0) and deflated (8) members "
               "are read, write the archive again with one of them",
               origin, member.name, method);
    member.packing = method == 0 ? Packing::stored : Packing::deflated;
    member.checksum = zip::load<std::uint32_t>(rest, 16);
    member.packed_size = zip::load<std::uint32_t>(rest, 20);
    member.size = zip::load<std::uint32_t>(rest, 24);
    member.header = zip::load<std::uint32_t>(rest, 42);
    apply_extra64(member, rest.subspan(zip::central_size + name_size, extra_size), origin);
    rest = rest.subspan(total);
    return member;
}

void require_checksum(std::span<const std::byte> bytes, const ZipMember& member,
                      std::string_view origin) {
    const auto found = static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
    HODO_CHECK(found == member.checksum,
               "{}: member '{}' fails its checksum ({:08x}, expected {:08x}); the file is damaged, "
               "copy it again",
               origin, member.name, found, member.checksum);
}

/// A zlib inflater that ends itself.
struct Inflater {
    z_stream stream{};
    Inflater() { HODO_CHECK(::inflateInit2(&stream, -MAX_WBITS) == Z_OK, "out of memory in zlib"); }
    ~Inflater() { ::inflateEnd(&stream); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
};

enum class Wanted { everything, front };

/// Unpacks `packed` into `content`; true when it fills it exactly, or, where only the front is
/// wanted, when it fills it.
bool unpack(std::span<const std::byte> packed, std::span<std::byte> content,
            Wanted wanted = Wanted::everything) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    Inflater inflater;
    auto& stream = inflater.stream;
    int status = Z_OK;
    std::byte beyond{};
    while (status == Z_OK) {
        if (wanted == Wanted::front && content.empty()) return true;
        const auto input = packed.first(std::min(packed.size(), most));
        // A full buffer is offered one more byte, so that a longer stream shows itself.
        const auto output = content.empty() ? std::span<std::byte>(&beyond, 1)
                                            : content.first(std::min(content.size(), most));
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
        stream.avail_in = static_cast<uInt>(input.size());
        stream.next_out = reinterpret_cast<Bytef*>(output.data());
        stream.avail_out = static_cast<uInt>(output.size());
        status = ::inflate(&stream, Z_NO_FLUSH);
        packed = packed.subspan(input.size() - stream.avail_in);
        const std::size_t written = output.size() - stream.avail_out;
        if (content.empty() && written > 0) return false;
        content = content.subspan(written);
    }
    return status == Z_STREAM_END && content.empty();
}

}  // namespace

ZipReader ZipReader::open(const base::Path& file) {
    return parse(map_file(file), file.string());
}

ZipReader ZipReader::parse(Blob archive, std::string_view origin) {
    ZipReader reader;
    reader.archive_ = std::move(archive);
    reader.origin_ = origin;
    const auto bytes = reader.archive_.bytes;
    const auto directory = find_directory(bytes, origin);
    auto rest = bytes.subspan(directory.offset, directory.size);
    for (std::uint64_t i = 0; i < directory.count; ++i) {
        auto member = take_member(rest, origin);
        HODO_CHECK(member.header <= directory.offset &&
                       member.packed_size <= directory.offset - member.header,
                   "{}: member '{}' ({} bytes from byte {}) reaches into the archive's directory; "
                   "the file is damaged, copy it again",
                   origin, member.name, member.packed_size, member.header);
        const bool is_new = reader.index_.emplace(member.name, reader.members_.size()).second;
        HODO_CHECK(is_new,
                   "{}: the archive holds two members called '{}' (which one is meant is unclear); "
                   "write it again",
                   origin, member.name);
        reader.members_.push_back(std::move(member));
    }
    return reader;
}

const ZipMember* ZipReader::find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &members_[found->second];
}

/// The bytes of a member as they are in the archive, with sizes that can be true.
Blob ZipReader::packed(const ZipMember& member, std::string_view what) const {
    const auto header = archive_.slice(member.header, zip::local_size, what).bytes;
    HODO_CHECK(zip::load<std::uint32_t>(header, 0) == zip::local_signature,
               "{}: its header is not at byte {}; the file is damaged, copy it again", what,
               member.header);
    const std::uint64_t start = member.header + zip::local_size +
                                zip::load<std::uint16_t>(header, 26) +
                                zip::load<std::uint16_t>(header, 28);
    auto packed = archive_.slice(start, member.packed_size, what);
    if (member.packing == Packing::stored) {
        HODO_CHECK(member.size == member.packed_size,
                   "{}: is stored with {} bytes but claims {}; the file is damaged, copy it again",
                   what, member.packed_size, member.size);
        return packed;
    }
    HODO_CHECK(member.size / largest_deflate_ratio <= member.packed_size,
               "{}: claims {} bytes from {} packed ones, more than deflate can give; the file is "
               "damaged",
               what, member.size, member.packed_size);
    return packed;
}

Blob ZipReader::read(const ZipMember& member, Checksum checksum, std::uint64_t limit) const {
    const auto what = base::format("{}: member '{}'", origin_, member.name);
    HODO_CHECK(member.size <= limit, "{}: holds {} when unpacked, more than the limit of {}", what,
               base::human_bytes(static_cast<double>(member.size)),
               base::human_bytes(static_cast<double>(limit)));
    const auto packed = this->packed(member, what);
    if (member.packing == Packing::stored) {
        if (checksum == Checksum::verify) require_checksum(packed.bytes, member, origin_);
        return packed;
    }
    if (member.size > small_member) {
        const auto free = base::available_memory();
        HODO_CHECK(member.size <= free,
                   "{}: holds {} when unpacked, more than the {} of memory that are free; use a "
                   "larger machine, or check where the file comes from",
                   what, base::human_bytes(static_cast<double>(member.size)),
                   base::human_bytes(static_cast<double>(free)));
    }
    const auto [blob, content] = make_blob(static_cast<std::size_t>(member.size));
    HODO_CHECK(unpack(packed.bytes, content),
               "{}: does not unpack to its {} bytes; the file is damaged, copy it again", what,
               member.size);
    require_checksum(content, member, origin_);
    return blob;
}

Blob ZipReader::front(const ZipMember& member, std::size_t count) const {
    const auto what = base::format("{}: member '{}'", origin_, member.name);
    const auto packed = this->packed(member, what);
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, member.size));
    if (member.packing == Packing::stored) return packed.slice(0, count, what);
    const auto [blob, content] = make_blob(count);
    HODO_CHECK(unpack(packed.bytes, content, Wanted::front),
               "{}: does not unpack to its {} bytes; the file is damaged, copy it again", what,
               member.size);
    return blob;
}

}  // namespace hodo::io
