#pragma once
/// Predicted charges beside true ones.

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace hodo::lartpc {

/// Voxels of similar true charge.
struct ChargeBin {
    double low = 0, high = 0;  ///< Of the true charge.
    std::int64_t voxels = 0;
    double bias = 0;   ///< Median of predicted over true, minus 1.
    double width = 0;  ///< Half of the range of predicted over true that holds the middle 68 %.
};

/// Collects pairs of charges without keeping them.
class ChargeQuality {
  public:
    static constexpr int bins_per_decade = 4, cells_per_decade = 10;

    /// One pair per voxel. True voxels (truth > 0) go into bins of their truth.
    void add(std::span<const float> truth, std::span<const float> predicted);
    std::vector<ChargeBin> bins() const;
    std::int64_t voxels() const { return voxels_; }
    /// Mean of predicted minus true over all voxels, ghosts included, and its deviation.
    double mean_error() const;
    double deviation() const;
    /// Mean prediction on voxels without true charge; 0 without any.
    double mean_on_ghosts() const;
    /// Sum of predictions over sum of truth.
    double sum_ratio() const;
    /// Numbers of true voxels by cell of log10(true) and log10(predicted), cells of a tenth;
    /// predictions that are not positive are left out.
    const std::map<std::pair<int, int>, std::int64_t>& cells() const { return cells_; }

  private:
    std::map<int, std::map<int, std::int64_t>> ratios_;  ///< By bin and hundredth of the ratio.
    std::map<std::pair<int, int>, std::int64_t> cells_;
    std::int64_t voxels_ = 0, ghosts_ = 0;
    double error_ = 0, square_ = 0, on_ghosts_ = 0, true_sum_ = 0, predicted_sum_ = 0;
};

}  // namespace hodo::lartpc
