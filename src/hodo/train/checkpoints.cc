#include "hodo/train/checkpoints.hh"

#include <algorithm>
#include <system_error>

#include "hodo/base/error.hh"

namespace hodo::train {

namespace fs = std::filesystem;

std::int64_t Checkpoints::step_of(const base::Path& file) {
    const auto name = file.filename().string();
    if (!name.starts_with("step-") || file.extension() != ".safetensors") return -1;
    return base::parse_int(file.stem().string().substr(5)).value_or(-1);
}

std::vector<base::Path> Checkpoints::newest_first() const {
    std::vector<base::Path> found;
    if (!fs::exists(folder_)) return found;
    for (const auto& entry : fs::directory_iterator(folder_)) {
        if (step_of(entry.path()) >= 0) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end(),
              [](const base::Path& a, const base::Path& b) { return step_of(a) > step_of(b); });
    return found;
}

base::Path Checkpoints::best() const {
    if (auto file = folder_ / "best.safetensors"; fs::exists(file)) return file;
    const auto files = newest_first();
    HODO_CHECK(!files.empty(), "{}: holds no checkpoint (did the run reach its first save?)",
               folder_);
    return files.front();
}

void Checkpoints::link(const base::Path& file, const base::Path& name) const {
    const auto temporary = folder_ / (name.string() + ".new");
    std::error_code failed;
    fs::remove(temporary, failed);
    fs::create_hard_link(file, temporary, failed);
    if (failed) fs::copy_file(file, temporary, fs::copy_options::overwrite_existing);
    fs::rename(temporary, folder_ / name);
}

void Checkpoints::add(std::int64_t step, const Archive& archive, const io::Json& metadata,
                      bool is_best) {
    const auto file = folder_ / base::format("step-{:010}.safetensors", step);
    archive.write(file, metadata);
    link(file, "last.safetensors");
    if (is_best) link(file, "best.safetensors");
    const auto files = newest_first();
    for (auto i = static_cast<std::size_t>(keep_); i < files.size(); ++i) fs::remove(files[i]);
}

}  // namespace hodo::train
