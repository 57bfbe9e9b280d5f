#pragma once
/// Histograms of many modules for training and judging, wherever they come from: prepared shards,
/// the original's chunk files, or event files that are binned as they are read.
///
/// A group is one file. Decoded groups are kept in memory up to a bound (least recently used goes
/// first), so memory does not grow with the data. True row counts are used throughout.

#include "hodo/base/text.hh"
#include "hodo/detector/optical/binning.hh"
#include "hodo/detector/optical/schema.hh"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace hodo::om2vec {

/// Which modules a `ModuleData` delivers. Held-out modules are chosen by whole events.
enum class Part { all, training, held_out };

struct DataRequest {
    std::vector<std::string> inputs;
    std::vector<std::vector<std::int64_t>> ranges;  ///< One [first, last] per input, or empty.
    optical::Binning binning;                       ///< Prepared data must have been made with it.
    optical::ReadOptions read;
    std::int64_t min_modules = 0;
    double held_out = 0;  ///< Fraction of events that belong to Part::held_out.
    std::uint64_t seed = 1;
    Part part = Part::all;
};

/// One module: which group, and which of the group's delivered modules.
struct ModuleIndex {
    std::int64_t group = 0;
    std::int64_t row = 0;
};

class ModuleData {
  public:
    /// Finds the files and counts their modules (one pass over event files). Errors name the file
    /// whose binning, layout or content does not fit.
    explicit ModuleData(const DataRequest& request);
    ~ModuleData();
    ModuleData(ModuleData&&) noexcept;

    /// Modules delivered per group.
    const std::vector<std::int64_t>& groups() const;
    std::int64_t size() const;
    const std::vector<base::Path>& files() const;
    /// The modules asked for, in that order. Thread safe.
    optical::ModuleCounts load(std::span<const ModuleIndex> modules) const;

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

/// Appends module `index` of `from` to `to`.
void append_module(optical::ModuleCounts& to, const optical::ModuleCounts& from,
                   std::int64_t index);

}  // namespace hodo::om2vec
