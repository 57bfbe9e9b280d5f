#include "hodo/nn/scalar_attention.hh"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "hodo/base/error.hh"

namespace hodo::nn {

namespace {

constexpr std::int64_t most_nodes = 128, nodes_step = 16;

/// The part of the strip of analyticity that the ellipse may fill.
constexpr double filling = 0.9;

/// W x + b in float64.
std::vector<double> map_once(const WeightSpan& map, std::span<const double> x) {
    std::vector<double> y(map.bias.begin(), map.bias.end());
    for (std::size_t row = 0; row < y.size(); ++row) {
        for (std::size_t i = 0; i < x.size(); ++i) {
            y[row] += static_cast<double>(map.weight[row * x.size() + i]) * x[i];
        }
    }
    return y;
}

/// cos(pi (2 k + 1) / (2 n)): the nodes of degree n on [-1, 1], for every number of nodes.
const std::vector<double>& unit_nodes(std::int64_t n) {
    static const auto all = [] {
        std::array<std::vector<double>, most_nodes / nodes_step + 1> tables;
        for (std::size_t i = 1; i < tables.size(); ++i) {
            const auto count = nodes_step * static_cast<std::int64_t>(i);
            for (std::int64_t k = 0; k < count; ++k) {
                tables[i].push_back(std::cos(std::numbers::pi * static_cast<double>(2 * k + 1) /
                                             static_cast<double>(2 * count)));
            }
        }
        return tables;
    }();
    return all[static_cast<std::size_t>(n / nodes_step)];
}

/// The coefficients of the Chebyshev series through values at `unit_nodes`.
std::array<float, most_nodes> chebyshev_series(std::span<const float> values) {
    const auto n = values.size();
    std::array<double, most_nodes> before{}, now{};
    const auto& nodes = unit_nodes(static_cast<std::int64_t>(n));
    std::array<float, most_nodes> series{};
    // T_k at all nodes, by T_{k+1} = 2 y T_k - T_{k-1}.
    for (std::size_t k = 0; k < n; ++k) {
        double sum = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            const double next = k == 0   ? 1.0
                                : k == 1 ? nodes[i]
                                         : 2 * nodes[i] * now[i] - before[i];
            before[i] = now[i];
            now[i] = next;
            sum += static_cast<double>(values[i]) * next;
        }
        series[k] = static_cast<float>(sum * (k == 0 ? 1.0 : 2.0) / static_cast<double>(n));
    }
    return series;
}

}  // namespace

std::int64_t interpolation_nodes(double spread, std::int64_t largest) {
    // Half-axis of the ellipse across the interval, in units of half the interval.
    const double across = filling * std::numbers::pi / std::max(spread, 1e-3);
    const double rho = across + std::sqrt(1 + across * across);
    const double bound = 0.5 / std::cos(filling * std::numbers::pi / 2);
    const double wanted = 4 * bound / (rho - 1) * 0x1p26;
    const double needed = 1 + std::log(wanted) / std::log(rho);
    if (!(needed <= static_cast<double>(std::min(largest, most_nodes)))) return 0;
    const auto nodes = round_up(std::max<std::int64_t>(1, std::llround(std::ceil(needed))), 16);
    return nodes <= largest ? nodes : 0;
}

PackedScalarAttention::PackedScalarAttention(const AttentionSpan& weights, std::int64_t heads,
                                             std::span<const float> weight,
                                             std::span<const float> bias) {
    const auto channels = weight.size(), head_count = static_cast<std::size_t>(heads);
    HODO_DOOR(heads >= 1 && channels % head_count == 0 && bias.size() == channels);
    HODO_DOOR(weights.in_proj.bias.size() == 3 * channels);
    const auto size = channels / head_count;
    const std::vector<double> w(weight.begin(), weight.end()), b(bias.begin(), bias.end());
    const auto at_zero = map_once(weights.in_proj, b);
    auto per_unit = map_once(weights.in_proj, w);
    for (std::size_t i = 0; i < per_unit.size(); ++i) {
        per_unit[i] -= static_cast<double>(weights.in_proj.bias[i]);
    }
    const double scale = std::numbers::log2e / std::sqrt(static_cast<double>(size));
    std::vector<float> effect(channels * head_count), constant;
    for (std::size_t h = 0; h < head_count; ++h) {
        double alpha = 0.0, gamma = 0.0;
        for (std::size_t c = h * size; c < (h + 1) * size; ++c) {
            alpha += per_unit[c] * per_unit[channels + c];
            gamma += at_zero[c] * per_unit[channels + c];
            for (std::size_t out = 0; out < channels; ++out) {
                effect[out * head_count + h] += static_cast<float>(
                    static_cast<double>(weights.out_proj.weight[out * channels + c]) *
                    per_unit[2 * channels + c]);
            }
        }
        heads_.push_back({static_cast<float>(alpha * scale), static_cast<float>(gamma * scale)});
    }
    const auto values = std::span(at_zero).subspan(2 * channels, channels);
    for (const double value : map_once(weights.out_proj, values)) {
        constant.push_back(static_cast<float>(value));
    }
    effect_ =
        PackedLinear(WeightSpan{effect, constant, static_cast<std::int64_t>(channels), heads});
}

void PackedScalarAttention::means(const Kernels& kernels, const Head& head, const Numbers& numbers,
                                  MeansBy means_by, float* slopes, float* means) const {
    const auto tokens = std::ssize(numbers.values);
    const auto slope = [&](float number) { return head.alpha * number + head.gamma; };
    const auto half = static_cast<double>(numbers.half_width);
    const double spread =
        std::numbers::ln2 * std::abs(static_cast<double>(head.alpha)) * half * 2 * half;
    const auto nodes = means_by == MeansBy::sums ? 0 : interpolation_nodes(spread, tokens / 2);
    if (nodes == 0) {
        std::transform(numbers.values.begin(), numbers.values.end(), slopes, slope);
        kernels.scalar_means(slopes, tokens, numbers.values.data(), tokens, means);
        return;
    }
    const auto& unit = unit_nodes(nodes);
    std::transform(unit.begin(), unit.end(), slopes, [&](double y) {
        return slope(numbers.middle + numbers.half_width * static_cast<float>(y));
    });
    kernels.scalar_means(slopes, nodes, numbers.values.data(), tokens, means);
    const auto series = chebyshev_series({means, static_cast<std::size_t>(nodes)});
    const float per_half = half > 0.0 ? 1.0F / numbers.half_width : 0.0F;
    kernels.chebyshev_sums(series.data(), nodes, numbers.values.data(), tokens, numbers.middle,
                           per_half, means);
}

void PackedScalarAttention::operator()(const Kernels& kernels, std::span<const float> numbers,
                                       Scratch& scratch, MeansBy means_by) const {
    const auto tokens = std::ssize(numbers), heads = std::ssize(heads_);
    if (tokens == 0) return;
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    const Numbers all{numbers, 0.5F * (*low + *high), 0.5F * (*high - *low)};
    float* some = scratch.projections.data();
    float* rows = scratch.mixed.data();
    for (std::int64_t h = 0; h < heads; ++h) {
        means(kernels, heads_[static_cast<std::size_t>(h)], all, means_by, some, some + tokens);
        for (std::int64_t i = 0; i < tokens; ++i) rows[i * heads + h] = some[tokens + i];
    }
    const auto stride = round_up(effect_.out(), channel_multiple);
    kernels.dense({rows, heads}, tokens, effect_.view(), {scratch.change.data(), stride});
}

}  // namespace hodo::nn
