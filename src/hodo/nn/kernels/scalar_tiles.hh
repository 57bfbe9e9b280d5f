#pragma once
/// Attention between tokens that are single numbers, and Chebyshev series, of one vector level.

#include "hodo/nn/kernels/tiles.hh"

namespace hodo::nn {
namespace {

constexpr std::int64_t number_block = 64;  // keys of a partial sum

struct Extremes {
    float smallest, largest;
};
inline Extremes extremes_of(const float* numbers, std::int64_t count) {
    Extremes found{numbers[0], numbers[0]};
    for (std::int64_t j = 1; j < count; ++j) {
        found.smallest = numbers[j] < found.smallest ? numbers[j] : found.smallest;
        found.largest = numbers[j] > found.largest ? numbers[j] : found.largest;
    }
    return found;
}

/// `width` slopes, one per lane. Numbers are taken relative to the one of the largest score, which
/// is the largest or the smallest number, by the sign of the slope.
inline Lanes means_of_lanes(Lanes slope, const float* numbers, std::int64_t count,
                            Extremes extremes) {
    const Lanes none = spread(0.0F);
    const Lanes likeliest = keep_where_positive(slope, spread(extremes.largest)) +
                            keep_where_positive(none - slope, spread(extremes.smallest));
    Lanes weights = none, products = none;
    for (std::int64_t first = 0; first < count; first += number_block) {
        const std::int64_t end = smaller(first + number_block, count);
        Lanes block_weights = none, block_products = none;
        for (std::int64_t j = first; j < end; ++j) {
            const Lanes number = spread(numbers[j]);
            const Lanes weight = power_of_two(slope * (number - likeliest));
            block_weights = block_weights + weight;
            block_products = multiply_add(weight, number, block_products);
        }
        weights = weights + block_weights;
        products = products + block_products;
    }
    return products / weights;
}

void scalar_means(const float* slopes, std::int64_t queries, const float* numbers,
                  std::int64_t keys, float* means) {
    const Extremes extremes = extremes_of(numbers, keys);
    std::int64_t first = 0;
    for (; first + width <= queries; first += width) {
        store(means + first, means_of_lanes(load(slopes + first), numbers, keys, extremes));
    }
    if (first == queries) return;
    float some[Lanes::width];
    for (std::int64_t i = 0; i < width; ++i) some[i] = slopes[smaller(first + i, queries - 1)];
    store(some, means_of_lanes(load(some), numbers, keys, extremes));
    for (std::int64_t i = 0; first + i < queries; ++i) means[first + i] = some[i];
}

/// Clenshaw's recurrence in every lane.
inline Lanes chebyshev_of_lanes(const float* series, std::int64_t terms, Lanes y) {
    const Lanes twice = y + y;
    Lanes after = spread(0.0F), now = spread(0.0F);
    for (std::int64_t k = terms - 1; k > 0; --k) {
        const Lanes next = multiply_add(twice, now, spread(series[k]) - after);
        after = now;
        now = next;
    }
    return multiply_add(y, now, spread(series[0]) - after);
}

void chebyshev_sums(const float* series, std::int64_t terms, const float* x, std::int64_t count,
                    float middle, float per_half, float* sums) {
    const auto at = [&](Lanes number) {
        const Lanes y = (number - spread(middle)) * spread(per_half);
        return chebyshev_of_lanes(series, terms, y);
    };
    std::int64_t first = 0;
    for (; first + width <= count; first += width) store(sums + first, at(load(x + first)));
    if (first == count) return;
    float some[Lanes::width];
    for (std::int64_t i = 0; i < width; ++i) some[i] = x[smaller(first + i, count - 1)];
    store(some, at(load(some)));
    for (std::int64_t i = 0; first + i < count; ++i) sums[first + i] = some[i];
}

}  // namespace
}  // namespace hodo::nn
