#include "hodo/io/atomic_file.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

std::string reason(int code) {
    return std::strerror(code);
}

/// A name in the same folder that no other process or thread uses.
base::Path temporary_name(const base::Path& path) {
    static std::atomic<int> counter{0};
    auto name = path.filename();
    name += base::format(".part-{}-{}", static_cast<std::int64_t>(getpid()), counter++);
    return path.parent_path() / name;
}

void synchronise(const base::Path& path, int flags) {
    const int descriptor = open(path.c_str(), flags | O_CLOEXEC);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

AtomicFile::AtomicFile(const base::Path& path) : path_(path), temporary_(temporary_name(path)) {
    HODO_CHECK(path.has_filename(), "{}: is not the name of a file", path);
    std::error_code error;
    HODO_CHECK(!std::filesystem::is_directory(path, error),
               "{}: is a folder, so no file of that name can be written", path);
    const base::Path folder = path.parent_path();
    if (!folder.empty()) {
        std::filesystem::create_directories(folder, error);
        HODO_CHECK(!error, "{}: its folder cannot be created ({})", path, error.message());
    }
    HODO_CHECK(access(folder.empty() ? "." : folder.c_str(), W_OK) == 0,
               "{}: its folder cannot be written to ({})", path, reason(errno));
}

AtomicFile::~AtomicFile() {
    if (file_ != nullptr) std::fclose(file_);
    if (!committed_) unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    if (file_ == nullptr) {
        file_ = std::fopen(temporary_.c_str(), "wbe");
        HODO_CHECK(file_ != nullptr, "{}: cannot be created ({})", path_, reason(errno));
    }
    if (bytes.empty()) return;
    HODO_CHECK(std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size(),
               "{}: cannot be written ({})", path_, reason(errno));
}

void AtomicFile::write(std::string_view text) {
    write(std::as_bytes(std::span(text)));
}

void AtomicFile::commit() {
    if (file_ != nullptr) {
        const bool flushed = std::fflush(file_) == 0 && fsync(fileno(file_)) == 0;
        const int code = errno;
        const bool closed = std::fclose(file_) == 0;
        file_ = nullptr;
        HODO_CHECK(flushed && closed, "{}: cannot be written ({})", path_,
                   reason(flushed ? errno : code));
    } else {
        synchronise(temporary_, O_RDONLY);
    }
    HODO_CHECK(std::rename(temporary_.c_str(), path_.c_str()) == 0,
               "{}: cannot be given its name ({})", path_, reason(errno));
    committed_ = true;
    const base::Path folder = path_.parent_path();
    synchronise(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
}

void remove_abandoned_parts(const base::Path& folder) {
    std::error_code problem;
    for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) {
        const auto name = entry.path().filename().string();
        const auto at = name.rfind(".part-");
        if (at == std::string::npos) continue;
        const auto numbers = base::split(name.substr(at + 6), '-');
        const bool is_ours =
            numbers.size() == 2 && base::parse_int(numbers[0]) && base::parse_int(numbers[1]);
        if (is_ours && entry.is_regular_file(problem)) unlink(entry.path().c_str());
    }
}

void write_text(const base::Path& path, std::string_view text) {
    AtomicFile file(path);
    file.write(text);
    file.commit();
}

std::string read_text(const base::Path& path, std::size_t limit) {
    HODO_CHECK(!std::filesystem::is_directory(path), "{}: is a folder, not a file", path);
    const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "rbe"));
    HODO_CHECK(file != nullptr, "{}: cannot be read ({})", path, reason(errno));
    std::string text;
    std::string block(1 << 16, '\0');
    while (true) {
        const std::size_t count = std::fread(block.data(), 1, block.size(), file.get());
        text.append(block, 0, count);
        HODO_CHECK(text.size() <= limit,
                   "{}: is larger than {}, the most that is read of such a file", path,
                   base::human_bytes(static_cast<double>(limit)));
        if (count < block.size()) break;
    }
    HODO_CHECK(std::ferror(file.get()) == 0, "{}: cannot be read ({})", path, reason(errno));
    return text;
}

}  // namespace hodo::io
