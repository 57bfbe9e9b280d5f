#pragma once
/// Runs a network over histograms and judges it beside the codes without a network.
///
/// Modules are numbered through a whole evaluation; a sampled latent and the halves of a module's
/// photons depend on the seed and that number only, not on how the modules are cut into calls.

#include "hodo/workflow/om2vec/counts.hh"
#include "hodo/workflow/om2vec/evaluation.hh"
#include "hodo/workflow/om2vec/learn/network.hh"

#include <cstdint>
#include <vector>

namespace hodo::om2vec {

/// Latents and densities of some modules. Densities are normalised, [modules][bins].
struct Judged {
    std::vector<float> mean, log_variance;            ///< [modules, latent]
    std::vector<std::vector<double>> counts;          ///< Photons.
    std::vector<std::vector<double>> sampled, means;  ///< Density from z, and from z = mean.
};

class Judge {
  public:
    /// `network` must outlive it.
    Judge(const Network& network, tensor::Precision precision, std::uint64_t seed);

    /// Codes judged, see evaluation.hh.
    const std::vector<std::string>& codes() const { return codes_; }
    /// Encodes and decodes the modules, which have the numbers `first`, `first` + 1, ...
    Judged run(const CountView& modules, std::int64_t first) const;
    /// Density of a code without a network for the photons `counts`.
    std::vector<double> baseline(std::string_view code, std::span<const double> counts) const;
    /// Figures [code][module] of what `run` gave for the same modules and number.
    std::vector<std::vector<CodeFigures>> figures(const Judged& judged, const CountView& modules,
                                                  std::int64_t first) const;

  private:
    struct Latents {
        std::vector<float> mean, log_variance;
    };
    Latents encode(const CountView& modules) const;
    std::vector<std::vector<double>> decode(std::span<const float> z) const;
    void judge_held_out(const Judged& judged, const CountView& modules, std::int64_t first,
                        std::vector<std::vector<CodeFigures>>& figures) const;

    NetworkInUse in_use_;
    optical::Binning binning_;
    std::uint64_t seed_;
    std::vector<std::string> codes_;
};

}  // namespace hodo::om2vec
