#include "hodo/workflow/om2vec/learn/judge.hh"

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"
#include "hodo/detector/optical/quality.hh"
#include "hodo/tensor/view.hh"

#include <algorithm>
#include <cmath>

namespace hodo::om2vec {

namespace {

/// Latent noise of an evaluation belongs to no training step.
constexpr std::int64_t evaluation_step = -2;

/// Calls `body` for every index in [0, count), shared among threads.
template <class Body>
void for_each_parallel(std::int64_t count, const Body& body) {
    base::parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) body(static_cast<std::size_t>(i));
    });
}

std::vector<float> numbers(const at::Tensor& tensor) {
    const auto plain = tensor.to(at::kCPU, at::kFloat).contiguous();
    const auto values = tensor::values<float>(plain);
    return {values.begin(), values.end()};
}

/// Sparse histograms that own their entries.
struct SparseModules {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> bins;
    std::vector<float> counts;
    std::vector<optical::Point> positions;

    void add(std::span<const double> dense) {
        for (std::size_t bin = 0; bin < dense.size(); ++bin) {
            if (dense[bin] == 0) continue;
            bins.push_back(static_cast<std::int32_t>(bin));
            counts.push_back(static_cast<float>(dense[bin]));
        }
        offsets.push_back(std::ssize(bins));
    }
    CountView view() const { return {offsets, bins, counts, positions}; }
};

double sum(std::span<const double> values) {
    double total = 0;
    for (const double value : values) total += value;
    return total;
}

}  // namespace

Judge::Judge(const Network& network, tensor::Precision precision, std::uint64_t seed)
    : in_use_(network, precision),
      binning_(network.binning),
      seed_(seed),
      codes_(code_names(network.model.options().latent)) {}

Judge::Latents Judge::encode(const CountView& modules) const {
    const auto count = static_cast<std::size_t>(modules.size() * in_use_.options().latent);
    Latents latents{std::vector<float>(count), std::vector<float>(count)};
    in_use_.encode(modules, latents.mean, latents.log_variance);
    return latents;
}

std::vector<std::vector<double>> Judge::decode(std::span<const float> z) const {
    const auto modules = std::ssize(z) / in_use_.options().latent;
    const auto bins = in_use_.options().bins;
    std::vector<float> density(static_cast<std::size_t>(modules * bins));
    in_use_.decode(z, density);
    std::vector<std::vector<double>> rows;
    for (std::int64_t i = 0; i < modules; ++i) {
        rows.emplace_back(density.begin() + i * bins, density.begin() + (i + 1) * bins);
    }
    return rows;
}

Judged Judge::run(const CountView& modules, std::int64_t first) const {
    const auto latent = in_use_.options().latent;
    const auto bins = in_use_.options().bins;
    Judged judged;
    for (std::size_t i = 0; i < static_cast<std::size_t>(modules.size()); ++i) {
        const auto begin = static_cast<std::size_t>(modules.offsets[i]);
        const auto count = static_cast<std::size_t>(modules.offsets[i + 1]) - begin;
        judged.counts.push_back(optical::dense_counts(modules.bins.subspan(begin, count),
                                                      modules.counts.subspan(begin, count), bins));
    }
    auto latents = encode(modules);
    const auto noise =
        numbers(latent_noise(seed_, evaluation_step, first, modules.size(), latent, at::kFloat));
    std::vector<float> z(noise.size());
    for (std::size_t i = 0; i < z.size(); ++i) {
        z[i] = latents.mean[i] + noise[i] * std::exp(0.5F * latents.log_variance[i]);
    }
    judged.sampled = decode(z);
    judged.means = decode(latents.mean);
    judged.mean = std::move(latents.mean);
    judged.log_variance = std::move(latents.log_variance);
    return judged;
}

std::vector<double> Judge::baseline(std::string_view code, std::span<const double> counts) const {
    const auto latent = in_use_.options().latent;
    const auto bins = std::ssize(counts);
    if (code == "equal_bins") return optical::equal_bins(counts, latent);
    HODO_DOOR(code == "quantiles" || code == "tight_quantiles" || code == "quantiles_64");
    const auto quantiles = code == "quantiles_64" ? 64 : std::max<std::int64_t>(2, latent);
    const auto end =
        code == "tight_quantiles" ? optical::CodeEnd::last_photon : optical::CodeEnd::window;
    return optical::density_of_quantiles(optical::quantile_code(counts, quantiles, end), bins);
}

std::vector<std::vector<CodeFigures>> Judge::figures(const Judged& judged, const CountView& modules,
                                                     std::int64_t first) const {
    const double bin_width = binning_.window / static_cast<double>(binning_.bins);
    std::vector<std::vector<CodeFigures>> figures(codes_.size(),
                                                  std::vector<CodeFigures>(judged.counts.size()));
    for_each_parallel(std::ssize(judged.counts), [&](std::size_t i) {
        const auto& counts = judged.counts[i];
        figures[0][i] = judge(counts, judged.sampled[i], bin_width);
        figures[1][i] = judge(counts, judged.means[i], bin_width);
        for (std::size_t code = 2; code < codes_.size(); ++code) {
            figures[code][i] = judge(counts, baseline(codes_[code], counts), bin_width);
        }
    });
    judge_held_out(judged, modules, first, figures);
    return figures;
}

void Judge::judge_held_out(const Judged& judged, const CountView& modules, std::int64_t first,
                           std::vector<std::vector<CodeFigures>>& figures) const {
    const base::Random stream(seed_, "halves of photons");
    SparseModules given;
    std::vector<std::size_t> places;
    std::vector<Halves> halves;
    for (std::size_t i = 0; i < judged.counts.size(); ++i) {
        auto random = stream.child("module", static_cast<std::uint64_t>(first) + i);
        auto half = split_photons(judged.counts[i], random);
        if (sum(half.first) == 0 || sum(half.second) == 0) continue;
        given.add(half.first);
        if (!modules.positions.empty()) given.positions.push_back(modules.positions[i]);
        places.push_back(i);
        halves.push_back(std::move(half));
    }
    if (places.empty()) return;
    const auto densities = decode(encode(given.view()).mean);
    for_each_parallel(std::ssize(places), [&](std::size_t k) {
        const auto held_out = [&](std::span<const double> density) {
            return optical::log_likelihood_per_photon(halves[k].second, density, likelihood_floor);
        };
        figures[1][places[k]].held_out_log_likelihood = held_out(densities[k]);
        for (std::size_t code = 2; code < codes_.size(); ++code) {
            figures[code][places[k]].held_out_log_likelihood =
                held_out(baseline(codes_[code], halves[k].first));
        }
    });
}

}  // namespace hodo::om2vec
