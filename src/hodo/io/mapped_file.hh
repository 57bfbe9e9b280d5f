#pragma once
/// A file's bytes without reading them: the pages come when they are touched.

#include "hodo/base/text.hh"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace hodo::io {

/// Bytes and what keeps them alive: a mapped file or owned memory. Copies share.
struct Blob {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;

    /// `count` bytes from `offset`, sharing the owner; an error that names `what` when they do not
    /// lie inside. Safe for any 64-bit values.
    Blob slice(std::uint64_t offset, std::uint64_t count, std::string_view what) const;
    std::string_view text() const {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
};

/// A blob that owns a copy of `content`.
Blob make_blob(std::string_view content);
/// A blob of `count` zero bytes, and where to write others. Those that nobody touches take no
/// memory.
struct NewBlob {
    Blob blob;
    std::span<std::byte> content;
};
NewBlob make_blob(std::size_t count);

/// Maps a file for reading. Errors name the file and the system's reason; a folder or device is an
/// error, an empty file an empty blob.
Blob map_file(const base::Path& file);

}  // namespace hodo::io
