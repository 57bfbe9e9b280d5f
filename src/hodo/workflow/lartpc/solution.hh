#pragma once
/// Charges of voxels, solved for file by file from the wires that the voxels were prepared from.

#include "hodo/base/text.hh"
#include "hodo/workflow/lartpc/options.hh"

#include <cstdint>
#include <functional>
#include <vector>

namespace hodo::lartpc {

/// An xy file and what its charges come from.
struct ChargeSource {
    base::Path xy, wires;
    base::Path outputs;      ///< Of a ghost network; empty: every voxel may hold charge.
    std::int64_t epoch = 0;  ///< Of the outputs.
};

/// The partners of each of `files` (xy); an error names the file that lacks one.
std::vector<ChargeSource> charge_sources(const std::vector<base::Path>& files,
                                         const SolveOptions& options);

struct SolutionCount {
    std::int64_t files = 0, present = 0, voxels = 0;
};

/// Writes the charges of each source into `folder`, named and laid out like the outputs of a
/// network (inference_files.hh); those that are there stay. Memory holds one xy file and one
/// event's wires. `done` is called after each file.
SolutionCount solve_files(const std::vector<ChargeSource>& sources, const base::Path& folder,
                          const SolveOptions& options, const std::function<void()>& done);

}  // namespace hodo::lartpc
