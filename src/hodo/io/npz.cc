#include "hodo/io/npz.hh"

#include <algorithm>

#include "hodo/base/error.hh"
#include "hodo/io/detail/npy_member.hh"
#include "hodo/io/zip.hh"

namespace hodo::io {

namespace {

using detail::NpyElement;

constexpr std::string_view extension = ".npy";

std::string array_name(const ZipMember& member) {
    std::string name = member.name;
    if (name.ends_with(extension)) name.resize(name.size() - extension.size());
    return name;
}

std::string origin_of(const ZipReader& archive, const ZipMember& member) {
    return base::format("{}: array '{}'", archive.origin(), array_name(member));
}

const ZipMember& find_member(const ZipReader& archive, std::string_view name) {
    std::vector<std::string> known;
    for (const ZipMember& member : archive.members()) {
        known.push_back(array_name(member));
        if (known.back() == name) return member;
    }
    base::fail("{}: has no array '{}'{}", archive.origin(), name, base::did_you_mean(name, known));
}

Array read_member(const ZipReader& archive, const ZipMember& member, std::uint64_t limit) {
    const auto origin = origin_of(archive, member);
    return parse_npy(detail::read_npy_member(archive, member, origin, limit).content.bytes, origin);
}

NamedArrays read_members(const ZipReader& archive) {
    detail::check_room_for_all(archive);
    NamedArrays arrays;
    for (const ZipMember& member : archive.members()) {
        arrays.push_back({array_name(member), read_member(archive, member, any_size)});
    }
    return arrays;
}

void append_utf8(std::string& text, std::uint32_t letter) {
    const auto tail = [&](int shift) {
        text += static_cast<char>(0x80 | ((letter >> shift) & 0x3f));
    };
    if (letter < 0x80) {
        text += static_cast<char>(letter);
    } else if (letter < 0x800) {
        text += static_cast<char>(0xc0 | (letter >> 6));
        tail(0);
    } else if (letter < 0x10000) {
        text += static_cast<char>(0xe0 | (letter >> 12));
        tail(6), tail(0);
    } else {
        text += static_cast<char>(0xf0 | (letter >> 18));
        tail(12), tail(6), tail(0);
    }
}

/// One element of fixed-length text without the zeros that fill it up.
std::string text_at(std::span<const std::byte> bytes, const NpyElement& element) {
    std::string text;
    if (element.kind == NpyElement::Kind::bytes_text) {
        text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    } else {
        for (std::size_t i = 0; i < bytes.size(); i += 4) {
            std::uint32_t letter = 0;
            for (std::size_t k = 0; k < 4; ++k) {
                const std::size_t place = element.swap_unit > 1 ? i + 3 - k : i + k;
                letter |= static_cast<std::uint32_t>(bytes[place]) << (8 * k);
            }
            append_utf8(text, std::min<std::uint32_t>(letter, 0x10ffff));
        }
    }
    text.resize(text.find_last_not_of('\0') + 1);
    return text;
}

}  // namespace

NamedArrays read_npz(const base::Path& file) {
    return read_members(ZipReader::open(file));
}

NamedArrays parse_npz(std::span<const std::byte> bytes, std::string_view origin) {
    return read_members(ZipReader::parse(Blob{bytes, nullptr}, origin));
}

std::vector<std::string> npz_names(const base::Path& file) {
    const ZipReader archive = ZipReader::open(file);
    std::vector<std::string> names;
    for (const ZipMember& member : archive.members()) names.push_back(array_name(member));
    return names;
}

Array read_npz(const base::Path& file, std::string_view name, std::uint64_t limit) {
    const ZipReader archive = ZipReader::open(file);
    return read_member(archive, find_member(archive, name), limit);
}

std::vector<std::string> read_npz_text(const base::Path& file, std::string_view name) {
    const ZipReader archive = ZipReader::open(file);
    const ZipMember& member = find_member(archive, name);
    const std::string origin = origin_of(archive, member);
    const auto [header, content] = detail::read_npy_member(archive, member, origin, any_size);
    HODO_CHECK(header.element.kind != NpyElement::Kind::number,
               "{}: holds numbers where text is needed", origin);
    HODO_CHECK(!header.fortran_order || header.shape.size() < 2,
               "{}: holds text in Fortran order, which Hodoscope does not read", origin);
    std::vector<std::string> texts;
    for (std::int64_t i = 0; i < header.size(); ++i) {
        const std::size_t begin = header.data + static_cast<std::size_t>(i) * header.element.size;
        texts.push_back(text_at(content.bytes.subspan(begin, header.element.size), header.element));
    }
    return texts;
}

void write_npz(const base::Path& file, const NamedArrays& arrays, Compression compression) {
    ZipWriter archive(file);
    const Packing packing =
        compression == Compression::deflate ? Packing::deflated : Packing::stored;
    for (const NamedArray& named : arrays) {
        const std::string header = detail::npy_header(named.array.dtype, named.array.shape);
        archive.add(named.name + std::string(extension),
                    {std::as_bytes(std::span(header)), named.array.bytes}, packing);
    }
    archive.commit();
}

}  // namespace hodo::io
