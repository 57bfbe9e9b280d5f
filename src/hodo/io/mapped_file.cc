#include "hodo/io/mapped_file.hh"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

/// A file descriptor that closes itself.
struct Descriptor {
    int value;
    explicit Descriptor(const base::Path& file)
        : value(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~Descriptor() {
        if (value >= 0) ::close(value);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
};

}  // namespace

Blob Blob::slice(std::uint64_t offset, std::uint64_t count, std::string_view what) const {
    HODO_CHECK(offset <= bytes.size() && count <= bytes.size() - offset,
               "{}: bytes {} to {} + {} lie outside the {} bytes there are; the file is truncated "
               "or damaged, copy it again",
               what, offset, offset, count, bytes.size());
    return {bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(count)),
            owner};
}

NewBlob make_blob(std::size_t count) {
    auto* zeros = static_cast<std::byte*>(std::calloc(std::max<std::size_t>(count, 1), 1));
    if (zeros == nullptr) throw std::bad_alloc();
    std::shared_ptr<std::byte[]> memory(zeros, [](std::byte* start) { std::free(start); });
    const std::span<std::byte> content(memory.get(), count);
    return {{content, memory}, content};
}

Blob make_blob(std::string_view content) {
    auto [blob, bytes] = make_blob(content.size());
    if (!content.empty()) std::memcpy(bytes.data(), content.data(), content.size());
    return blob;
}

Blob map_file(const base::Path& file) {
    const Descriptor descriptor(file);
    HODO_CHECK(descriptor.value >= 0, "{}: cannot be opened ({})", file, std::strerror(errno));
    struct stat status {};
    HODO_CHECK(::fstat(descriptor.value, &status) == 0, "{}: cannot be examined ({})", file,
               std::strerror(errno));
    HODO_CHECK(S_ISREG(status.st_mode), "{}: is not a regular file; name a file", file);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return {};
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.value, 0);
    HODO_CHECK(address != MAP_FAILED, "{}: cannot be mapped into memory ({})", file,
               std::strerror(errno));
    std::shared_ptr<const void> owner(
        address, [size](const void* start) { ::munmap(const_cast<void*>(start), size); });
    return {{static_cast<const std::byte*>(address), size}, std::move(owner)};
}

}  // namespace hodo::io
