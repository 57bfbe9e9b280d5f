#include "support/reference.hh"

#include <fnmatch.h>
#include <unistd.h>
#include <zlib.h>
#include <algorithm>
#include <cstdlib>

namespace hodo::test {

base::Path source_folder() {
    return HODO_SOURCE_DIR;
}

base::Path reference_folder() {
    if (const char* folder = std::getenv("HODO_REFERENCE")) return folder;
    return source_folder().parent_path() / "shared" / "reference";
}

std::vector<base::Path> reference_files(const std::string& folder, const std::string& pattern) {
    std::vector<base::Path> files;
    std::error_code none;
    for (const auto& entry :
         std::filesystem::directory_iterator(reference_folder() / folder, none)) {
        const auto file_name = entry.path().filename().string();
        if (fnmatch(pattern.c_str(), file_name.c_str(), 0) == 0) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::string gunzip(const base::Path& file) {
    std::string content;
    gzFile stream = gzopen(file.c_str(), "rb");
    if (stream == nullptr) base::fail("{}: cannot be opened", file);
    std::vector<char> buffer(1 << 20);
    for (int count = 0;
         (count = gzread(stream, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0;) {
        content.append(buffer.data(), static_cast<std::size_t>(count));
    }
    gzclose(stream);
    return content;
}

TemporaryFolder::TemporaryFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "hodo-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) base::fail("{}: cannot be created", pattern);
    path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace hodo::test
