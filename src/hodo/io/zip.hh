#pragma once
/// ZIP archives: the container of PyTorch checkpoints and of .npz files.
///
/// Layout: members, each a local header (30 bytes, name, extra field) and its data, then the
/// central directory (46 bytes, name, extra field, comment for each member), then the end record.
/// Archives and members beyond 4 GB use the ZIP64 records. Read and written: stored and deflated
/// members, one disk, no encryption.

#include "hodo/base/text.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/mapped_file.hh"

#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::io {

enum class Packing { stored, deflated };
enum class Checksum { skip, verify };

/// What the central directory says about one member.
struct ZipMember {
    std::string name;
    Packing packing = Packing::stored;
    std::uint64_t packed_size = 0;  ///< bytes in the archive
    std::uint64_t size = 0;         ///< bytes once unpacked
    std::uint32_t checksum = 0;     ///< CRC-32 of the unpacked bytes
    std::uint64_t header = 0;       ///< where the local header begins
};

/// An archive open for reading. A value type; copies share the bytes. Thread safe.
class ZipReader {
  public:
    static constexpr std::uint64_t default_limit = std::uint64_t{64} << 30;
    /// From this size on a member is unpacked only into memory that is there.
    static constexpr std::uint64_t small_member = std::uint64_t{16} << 20;

    /// Maps the file and reads its directory.
    static ZipReader open(const base::Path& file);
    /// Reads an archive in memory; `origin` stands in messages.
    static ZipReader parse(Blob archive, std::string_view origin);

    /// In the directory's order. Names are unique.
    const std::vector<ZipMember>& members() const { return members_; }
    /// The member called `name`, or none.
    const ZipMember* find(std::string_view name) const;
    /// A member's content: stored members share the archive's bytes and are not touched unless
    /// their checksum is asked for; deflated ones are unpacked and always checked. A member of more
    /// than `limit` bytes, or one to be unpacked into more memory than there is, is an error,
    /// before anything is allocated.
    Blob read(const ZipMember& member, Checksum checksum = Checksum::skip,
              std::uint64_t limit = default_limit) const;
    /// The first `count` bytes of a member's content, or all of a shorter one. No more is unpacked,
    /// and no checksum looked at.
    Blob front(const ZipMember& member, std::size_t count) const;
    const std::string& origin() const { return origin_; }

  private:
    ZipReader() = default;
    Blob packed(const ZipMember& member, std::string_view what) const;
    Blob archive_;
    std::string origin_;
    std::vector<ZipMember> members_;
    std::map<std::string, std::size_t, std::less<>> index_;
};

/// An archive being written, member after member, through an `AtomicFile`.
class ZipWriter {
  public:
    explicit ZipWriter(const base::Path& file);

    /// Appends a member that consists of `parts`, one after the other. The data of stored members
    /// begins at a multiple of `alignment` (a power of two up to 4096), padded in the extra field.
    void add(std::string_view name, std::initializer_list<std::span<const std::byte>> parts,
             Packing packing = Packing::stored, std::uint64_t alignment = 1);
    void add(std::string_view name, std::string_view content, Packing packing = Packing::stored,
             std::uint64_t alignment = 1);
    /// Writes the directory and gives the file its name.
    void commit();

  private:
    void write(std::string_view bytes);
    AtomicFile file_;
    std::uint64_t position_ = 0;
    std::vector<ZipMember> members_;
};

}  // namespace hodo::io
