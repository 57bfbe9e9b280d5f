#include "hodo/detector/optical/files.hh"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "hodo/base/error.hh"
#include "hodo/io/provenance.hh"

namespace hodo::optical {

namespace {

namespace fs = std::filesystem;

bool is_event_file(const base::Path& file) {
    const auto extension = file.extension();
    return extension == ".parquet" || extension == ".db" || extension == ".sqlite";
}

template <class Accepts>
std::vector<base::Path> listed(const base::Path& directory, Accepts&& accepts) {
    HODO_CHECK(!io::is_unfinished(directory),
               "{}: the command that writes this folder was broken off or still runs, so files may "
               "be missing; let it end, or run it again with --resume",
               directory);
    std::vector<base::Path> files;
    std::error_code problem;
    for (const auto& entry : fs::directory_iterator(directory, problem)) {
        if (entry.is_regular_file() && accepts(entry.path())) files.push_back(entry.path());
    }
    HODO_CHECK(!problem, "{}: the folder cannot be read ({})", directory, problem.message());
    std::sort(files.begin(), files.end(), [](const base::Path& a, const base::Path& b) {
        const auto x = a.filename().string(), y = b.filename().string();
        return base::natural_less(x, y) || (!base::natural_less(y, x) && x < y);
    });
    return files;
}

}  // namespace

std::vector<base::Path> event_files(const std::string& input) {
    const base::Path path = input;
    if (fs::is_directory(path)) {
        auto files = listed(path, is_event_file);
        // GraphNeT keeps the photon tables of a set in a folder of their own.
        for (const char* photons : {"total", "photons"}) {
            if (files.empty() && fs::is_directory(path / photons)) {
                files = listed(path / photons, is_event_file);
            }
        }
        HODO_CHECK(!files.empty(), "{}: the folder holds no *.parquet, *.db or *.sqlite files",
                   path);
        return files;
    }
    if (fs::exists(path)) return {path};
    const std::string pattern = path.filename().string();
    HODO_CHECK(pattern.find_first_of("*?[") != std::string::npos,
               "{}: there is no such file or folder", path);
    const base::Path directory = path.has_parent_path() ? path.parent_path() : base::Path(".");
    HODO_CHECK(fs::is_directory(directory), "{}: there is no such folder", directory);
    auto files = listed(directory, [&](const base::Path& file) {
        return fnmatch(pattern.c_str(), file.filename().c_str(), FNM_PERIOD) == 0;
    });
    HODO_CHECK(!files.empty(), "{}: no file matches this pattern", path);
    return files;
}

std::vector<base::Path> event_files(std::span<const std::string> inputs) {
    std::vector<base::Path> files;
    for (const std::string& input : inputs) {
        for (const base::Path& file : event_files(input)) {
            if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
        }
    }
    HODO_CHECK(!files.empty(), "no input files are named");
    return files;
}

std::optional<std::int64_t> last_number(std::string_view file_name) {
    const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    const auto end = std::find_if(file_name.rbegin(), file_name.rend(), is_digit);
    if (end == file_name.rend()) return std::nullopt;
    const auto begin = std::find_if_not(end, file_name.rend(), is_digit);
    std::int64_t number = 0;
    const auto result = std::from_chars(&*begin.base(), &*end + 1, number);
    if (result.ec != std::errc()) return std::nullopt;
    return number;
}

std::vector<base::Path> select_files(const base::Path& directory, std::int64_t first,
                                     std::int64_t last) {
    HODO_CHECK(fs::is_directory(directory), "{}: there is no such folder", directory);
    auto files = listed(directory, [&](const base::Path& file) {
        if (file.extension() != ".parquet") return false;
        const auto number = last_number(file.stem().string());
        return number && *number >= first && *number <= last;
    });
    HODO_CHECK(!files.empty(), "{}: no *.parquet file has a last number from {} to {} in its name",
               directory, first, last);
    std::stable_sort(files.begin(), files.end(), [](const base::Path& a, const base::Path& b) {
        return *last_number(a.stem().string()) < *last_number(b.stem().string());
    });
    return files;
}

}  // namespace hodo::optical
