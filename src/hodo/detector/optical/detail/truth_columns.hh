#pragma once
/// Simulated truth from columns under any of the names in use.

#include <string>
#include <vector>

#include "hodo/detector/optical/events.hh"
#include "hodo/io/table.hh"

namespace hodo::optical::detail {

/// Truth of the rows of one chunk.
class TruthRows {
  public:
    std::int64_t size() const { return rows_; }
    Truth at(std::int64_t row) const;

  private:
    friend class TruthColumns;
    using Values = std::vector<double>;
    struct ParticleColumns {
        Values type, energy, zenith, azimuth, x, y, z, parent;
    };
    Particle particle(const ParticleColumns& columns, std::int64_t index) const;

    std::int64_t rows_ = 0;
    Values interaction_, bjorken_x_, bjorken_y_, column_depth_;
    ParticleColumns initial_;
    std::vector<ParticleColumns> single_;       ///< One final-state particle per row each.
    ParticleColumns listed_;                    ///< Lists of final-state particles ...
    std::vector<std::int64_t> listed_offsets_;  ///< ... [rows + 1], or empty.
};

/// Which truth columns a table has.
class TruthColumns {
  public:
    TruthColumns() = default;
    /// Looks for columns whose names begin with `prefix` ("mc_truth." or "").
    TruthColumns(const io::TableSchema& schema, const std::string& prefix);

    bool empty() const { return names_.empty(); }
    /// Full names of the columns to read.
    const std::vector<std::string>& names() const { return names_; }
    /// Converts a chunk that holds these columns; `origin` (a file) stands in messages.
    TruthRows read(const io::Chunk& chunk, const base::Path& origin) const;

  private:
    struct ParticleNames {
        std::string type, energy, zenith, azimuth, x, y, z, parent;
        bool any() const;
    };
    std::string known(const io::TableSchema& schema, std::initializer_list<const char*> candidates);
    void look_for_final_state(const io::TableSchema& schema);

    std::string prefix_;
    std::vector<std::string> names_;
    std::string interaction_, bjorken_x_, bjorken_y_, column_depth_;
    ParticleNames initial_, listed_;
    std::vector<ParticleNames> single_;
};

}  // namespace hodo::optical::detail
