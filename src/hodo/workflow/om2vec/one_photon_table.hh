#pragma once
/// Latents of modules with a single photon.
///
/// Three of ten real modules have one photon, and there are only as many different ones as bins.

#include <cstdint>
#include <shared_mutex>
#include <vector>

namespace hodo::om2vec {

/// Means and log variances by the bin of the photon, filled as bins occur: never more than one row
/// of 2 `latent` numbers per bin. Any number of threads may use it.
class OnePhotonTable {
  public:
    OnePhotonTable(std::int64_t bins, std::int64_t latent);
    /// Copies a bin's row, `latent` numbers each, and returns true; false if it is not known yet.
    /// `log_variance` may be null.
    bool find(std::int64_t bin, float* mean, float* log_variance) const;
    /// A bin that is known already stays as it is.
    void add(std::int64_t bin, const float* mean, const float* log_variance);
    /// How many bins are known.
    std::int64_t size() const;

  private:
    std::int64_t latent_;
    std::vector<std::vector<float>> rows_;  ///< [bins]: empty, or [2, latent]
    mutable std::shared_mutex mutex_;
};

}  // namespace hodo::om2vec
