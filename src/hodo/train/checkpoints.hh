#pragma once
/// The folder of checkpoints: the newest few, the last and the best.

#include "hodo/base/text.hh"
#include "hodo/io/json.hh"
#include "hodo/train/archive.hh"

#include <cstdint>
#include <vector>

namespace hodo::train {

/// Files step-<10 digits>.safetensors; last.safetensors and best.safetensors are hard links to
/// them (copies where the file system has no links). Every file appears whole or not at all.
class Checkpoints {
  public:
    Checkpoints(base::Path folder, int keep) : folder_(std::move(folder)), keep_(keep) {}

    /// Writes the state after `step`, points `last` (and `best`) to it and removes old files.
    void add(std::int64_t step, const Archive& archive, const io::Json& metadata, bool is_best);
    std::vector<base::Path> newest_first() const;
    /// best.safetensors if there is one, else the newest; an error when there is none.
    base::Path best() const;
    /// The step in a file's name, or -1.
    static std::int64_t step_of(const base::Path& file);

  private:
    void link(const base::Path& file, const base::Path& name) const;
    base::Path folder_;
    int keep_;
};

}  // namespace hodo::train
