#include <limits>

#include <zlib.h>

#include "hodo/base/error.hh"
#include "hodo/io/detail/zip_records.hh"
#include "hodo/io/zip.hh"

namespace hodo::io {

namespace {

constexpr std::uint16_t version_plain = 20, version_64 = 45;
constexpr std::uint16_t utf8_names = 0x0800;
constexpr std::uint16_t first_of_january_1980 = 0x0021;
constexpr int deflate_level = 4;

using Parts = std::initializer_list<std::span<const std::byte>>;

std::uint32_t narrow(std::uint64_t value) {
    return value >= zip::see64 ? zip::see64 : static_cast<std::uint32_t>(value);
}

std::uint16_t method(Packing packing) {
    return packing == Packing::stored ? 0 : 8;
}

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The parts packed with deflate.
std::string pack(Parts parts) {
    z_stream stream{};
    HODO_CHECK(::deflateInit2(&stream, deflate_level, Z_DEFLATED, -MAX_WBITS, 8,
                              Z_DEFAULT_STRATEGY) == Z_OK,
               "out of memory in zlib");
    std::string packed;
    std::string buffer(1 << 18, '\0');
    const auto run = [&](std::span<const std::byte> input, int flush) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
        stream.avail_in = static_cast<uInt>(input.size());
        do {
            stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
            stream.avail_out = static_cast<uInt>(buffer.size());
            ::deflate(&stream, flush);
            packed.append(buffer, 0, buffer.size() - stream.avail_out);
        } while (stream.avail_out == 0);
    };
    constexpr std::size_t step = std::size_t{1} << 30;
    for (auto part : parts) {
        for (; part.size() > step; part = part.subspan(step)) run(part.first(step), Z_NO_FLUSH);
        run(part, Z_NO_FLUSH);
    }
    run({}, Z_FINISH);
    ::deflateEnd(&stream);
    return packed;
}

/// The extra field of a local header that begins at `position`: 64-bit sizes if needed, then
/// padding up to the next multiple of `alignment`.
std::string local_extra(const ZipMember& member, std::uint64_t position, std::uint64_t alignment) {
    zip::Record extra;
    if (member.size >= zip::see64 || member.packed_size >= zip::see64) {
        extra.add(zip::extra64).add<std::uint16_t>(16).add(member.size).add(member.packed_size);
    }
    const auto start = position + zip::local_size + member.name.size() + extra.bytes().size();
    if (start % alignment != 0) {
        auto padding = alignment - start % alignment;
        if (padding < 4) padding += alignment;
        extra.add(zip::extra_padding).add(static_cast<std::uint16_t>(padding - 4));
        extra.fill(static_cast<std::size_t>(padding - 4));
    }
    return extra.bytes();
}

std::string local_header(const ZipMember& member, std::string_view extra) {
    const bool is_wide = member.size >= zip::see64 || member.packed_size >= zip::see64;
    zip::Record record;
    record.add(zip::local_signature).add(is_wide ? version_64 : version_plain).add(utf8_names);
    record.add(method(member.packing)).add<std::uint16_t>(0).add(first_of_january_1980);
    record.add(member.checksum);
    record.add(is_wide ? zip::see64 : narrow(member.packed_size));
    record.add(is_wide ? zip::see64 : narrow(member.size));
    record.add(static_cast<std::uint16_t>(member.name.size()));
    record.add(static_cast<std::uint16_t>(extra.size()));
    return record.bytes() + member.name + std::string(extra);
}

std::string central_header(const ZipMember& member) {
    zip::Record wide;
    for (const auto value : {member.size, member.packed_size, member.header}) {
        if (value >= zip::see64) wide.add(value);
    }
    zip::Record extra;
    if (!wide.bytes().empty()) {
        extra.add(zip::extra64).add(static_cast<std::uint16_t>(wide.bytes().size()));
    }
    const std::string extra_bytes = extra.bytes() + wide.bytes();
    const auto version = extra_bytes.empty() ? version_plain : version_64;
    zip::Record record;
    record.add(zip::central_signature).add(version).add(version).add(utf8_names);
    record.add(method(member.packing)).add<std::uint16_t>(0).add(first_of_january_1980);
    record.add(member.checksum).add(narrow(member.packed_size)).add(narrow(member.size));
    record.add(static_cast<std::uint16_t>(member.name.size()));
    record.add(static_cast<std::uint16_t>(extra_bytes.size()));
    record.fill(10).add(narrow(member.header));
    return record.bytes() + member.name + extra_bytes;
}

/// The end records: the 64-bit ones when a number does not fit into the plain one.
std::string end_records(std::uint64_t offset, std::uint64_t size, std::uint64_t count) {
    zip::Record record;
    const bool is_wide = offset >= zip::see64 || size >= zip::see64 || count >= 0xFFFF;
    if (is_wide) {
        record.add(zip::end64_signature).add<std::uint64_t>(zip::end64_size - 12);
        record.add(version_64).add(version_64).fill(8);
        record.add(count).add(count).add(size).add(offset);
        record.add(zip::locator64_signature).fill(4).add(offset + size).add<std::uint32_t>(1);
    }
    const auto count16 = static_cast<std::uint16_t>(count >= 0xFFFF ? 0xFFFF : count);
    record.add(zip::end_signature).fill(4).add(count16).add(count16);
    record.add(narrow(size)).add(narrow(offset)).fill(2);
    return record.bytes();
}

}  // namespace

ZipWriter::ZipWriter(const base::Path& file) : file_(file) {}

void ZipWriter::write(std::string_view bytes) {
    file_.write(bytes);
    position_ += bytes.size();
}

void ZipWriter::add(std::string_view name, Parts parts, Packing packing, std::uint64_t alignment) {
    HODO_EXPECT(alignment >= 1 && alignment <= 4096 && (alignment & (alignment - 1)) == 0);
    HODO_CHECK(name.size() <= std::numeric_limits<std::uint16_t>::max(),
               "{}: a member name of {} bytes does not fit into a ZIP archive; shorten it",
               file_.temporary(), name.size());
    ZipMember member{std::string(name), packing, 0, 0, 0, position_};
    uLong checksum = 0;
    for (const auto part : parts) {
        if (part.empty()) continue;  // zlib takes a null pointer as a wish to begin again
        checksum = ::crc32_z(checksum, reinterpret_cast<const Bytef*>(part.data()), part.size());
        member.size += part.size();
    }
    member.checksum = static_cast<std::uint32_t>(checksum);
    const auto packed = packing == Packing::deflated ? pack(parts) : std::string();
    member.packed_size = packing == Packing::deflated ? packed.size() : member.size;
    const bool is_aligned = packing == Packing::stored && alignment > 1;
    write(local_header(member, local_extra(member, position_, is_aligned ? alignment : 1)));
    if (packing == Packing::deflated) {
        write(packed);
    } else {
        for (const auto part : parts) write(as_text(part));
    }
    members_.push_back(std::move(member));
}

void ZipWriter::add(std::string_view name, std::string_view content, Packing packing,
                    std::uint64_t alignment) {
    add(name, {std::as_bytes(std::span(content.data(), content.size()))}, packing, alignment);
}

void ZipWriter::commit() {
    std::string directory;
    for (const auto& member : members_) directory += central_header(member);
    const auto offset = position_;
    write(directory);
    write(end_records(offset, directory.size(), members_.size()));
    file_.commit();
}

}  // namespace hodo::io
