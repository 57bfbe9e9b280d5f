#pragma once
/// A network of a few thousand numbers and random histograms for it.

#include "hodo/base/random.hh"
#include "hodo/workflow/om2vec/learn/model.hh"
#include "support/reference.hh"

#include <vector>

namespace hodo::test {

inline om2vec::ModelOptions tiny_options() {
    om2vec::ModelOptions options;
    options.bins = 40;
    options.latent = 6;
    options.embed = 16;
    options.heads = 2;
    options.feedforward = 24;
    options.tokens = {20, 12};
    return options;
}

inline om2vec::Model make_model(const om2vec::ModelOptions& options, at::ScalarType type) {
    om2vec::Model model(options, at::TensorOptions().dtype(type));
    model.initialise(17);
    return model;
}

/// Histograms that own their columns.
struct Counts {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> bins;
    std::vector<float> counts;
    std::vector<optical::Point> positions;

    om2vec::CountView view() const { return {offsets, bins, counts, positions}; }
};

/// `entries` non-empty bins in each of `modules` histograms, 1 to 5 photons each.
inline Counts random_counts(std::int64_t modules, std::int64_t bins, std::int64_t entries) {
    base::Random random(3, "counts");
    Counts result;
    for (std::int64_t module = 0; module < modules; ++module) {
        std::vector<bool> used(static_cast<std::size_t>(bins), false);
        for (std::int64_t i = 0; i < entries; ++i) {
            used[random.below(static_cast<std::uint64_t>(bins))] = true;
        }
        for (std::int64_t bin = 0; bin < bins; ++bin) {
            if (!used[static_cast<std::size_t>(bin)]) continue;
            result.bins.push_back(static_cast<std::int32_t>(bin));
            result.counts.push_back(static_cast<float>(1 + random.below(5)));
        }
        result.offsets.push_back(static_cast<std::int64_t>(result.bins.size()));
    }
    return result;
}

}  // namespace hodo::test
