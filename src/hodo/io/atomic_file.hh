#pragma once
/// Files that appear whole or not at all.
///
/// Content is written under a temporary name in the same folder, synchronised to disk, and renamed
/// by `commit`. Without `commit` the temporary file is removed: a killed or failed run leaves no
/// half file under the real name.

#include "hodo/base/text.hh"

#include <cstddef>
#include <cstdio>
#include <span>
#include <string_view>

namespace hodo::io {

class AtomicFile {
  public:
    /// Creates missing parent folders. Errors name `path` and the system's reason.
    explicit AtomicFile(const base::Path& path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    /// Where a library should write.
    const base::Path& temporary() const { return temporary_; }
    /// Appends bytes to the temporary file (opened at the first call).
    void write(std::span<const std::byte> bytes);
    void write(std::string_view text);
    /// Flushes, synchronises and renames.
    void commit();

  private:
    base::Path path_, temporary_;
    std::FILE* file_ = nullptr;
    bool committed_ = false;
};

/// Removes the temporary files that killed processes left in `folder`. Only for a folder in which
/// no other process writes.
void remove_abandoned_parts(const base::Path& folder);

/// Writes a whole text file atomically.
void write_text(const base::Path& path, std::string_view text);
/// Reads a whole file; an error that names it when absent or larger than `limit` bytes.
std::string read_text(const base::Path& path, std::size_t limit = 1'000'000'000);

}  // namespace hodo::io
