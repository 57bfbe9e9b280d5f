#include "hodo/workflow/om2vec/one_photon_table.hh"

#include <algorithm>
#include <mutex>

#include "hodo/base/error.hh"

namespace hodo::om2vec {

OnePhotonTable::OnePhotonTable(std::int64_t bins, std::int64_t latent)
    : latent_(latent), rows_(static_cast<std::size_t>(bins)) {}

bool OnePhotonTable::find(std::int64_t bin, float* mean, float* log_variance) const {
    HODO_DOOR(0 <= bin && bin < std::ssize(rows_));
    const std::shared_lock lock(mutex_);
    const auto& row = rows_[static_cast<std::size_t>(bin)];
    if (row.empty()) return false;
    std::copy_n(row.data(), latent_, mean);
    if (log_variance != nullptr) std::copy_n(row.data() + latent_, latent_, log_variance);
    return true;
}

void OnePhotonTable::add(std::int64_t bin, const float* mean, const float* log_variance) {
    HODO_DOOR(0 <= bin && bin < std::ssize(rows_));
    const std::unique_lock lock(mutex_);
    auto& row = rows_[static_cast<std::size_t>(bin)];
    if (!row.empty()) return;
    row.insert(row.end(), mean, mean + latent_);
    row.insert(row.end(), log_variance, log_variance + latent_);
}

std::int64_t OnePhotonTable::size() const {
    const std::shared_lock lock(mutex_);
    return std::count_if(rows_.begin(), rows_.end(), [](const auto& row) { return !row.empty(); });
}

}  // namespace hodo::om2vec
