#include "fuzz/target.hh"

#include "hodo/base/error.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace hodo::fuzz {

namespace {

/// A file of this process. It has a name, for HDF5 asks for the real path of what it opens.
struct Scratch {
    base::Path path =
        std::filesystem::temp_directory_path() / ("fuzz-input-" + std::to_string(getpid()));
    int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    ~Scratch() { std::remove(path.c_str()); }
};

}  // namespace

base::Path as_file(std::string_view data) {
    static const Scratch file;
    if (ftruncate(file.descriptor, 0) != 0 ||
        pwrite(file.descriptor, data.data(), data.size(), 0) < 0) {
        std::abort();
    }
    return file.path;
}

std::string written(std::string_view ending, void (*write)(const base::Path& file)) {
    const auto file = std::filesystem::temp_directory_path() /
                      ("fuzz-seed-" + std::to_string(getpid()) + std::string(ending));
    write(file);
    std::stringstream content;
    content << std::ifstream(file, std::ios::binary).rdbuf();
    std::filesystem::remove(file);
    return content.str();
}

namespace {

void write_seeds(const base::Path& folder) {
    std::filesystem::create_directories(folder);
    if (!std::filesystem::is_empty(folder)) return;
    int count = 0;
    for (const auto& seed : seeds()) {
        std::ofstream(folder / ("seed-" + std::to_string(count++)), std::ios::binary) << seed;
    }
}

}  // namespace
}  // namespace hodo::fuzz

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
    for (int i = 1; i < *count; ++i) {
        const std::string_view argument = (*arguments)[i];
        if (argument.empty() || argument.front() == '-') continue;
        hodo::fuzz::write_seeds(argument);
        break;
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    try {
        hodo::fuzz::read({reinterpret_cast<const char*>(data), size});
    } catch (const hodo::base::Error&) {
        // Bad input, refused with a sentence.
    }
    return 0;
}
