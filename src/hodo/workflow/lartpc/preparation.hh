#pragma once
/// Parsed files to tiled events, file by file.

#include "hodo/base/text.hh"
#include "hodo/workflow/lartpc/options.hh"

#include <cstdint>
#include <functional>
#include <vector>

namespace hodo::lartpc {

/// What is there already is left as it is, or made again.
enum class Present { keep, replace };

struct PreparationCount {
    std::int64_t written = 0, present = 0, skipped = 0;
};

/// Writes the xy (and pixel) files of `inputs`, files of one product. `done` is called after each.
PreparationCount prepare_files(const std::vector<base::Path>& inputs, const PrepareOptions& options,
                               Present present, const std::function<void()>& done);

/// Joins the xy files of several TPCs. Files whose partners are missing are skipped.
PreparationCount join_files(const JoinOptions& options, Present present);

}  // namespace hodo::lartpc
