#include "hodo/sparse/pooling.hh"

#include <algorithm>

#include "hodo/base/threads.hh"

namespace hodo::sparse {

namespace {

constexpr std::int64_t rows_per_part = 512;

/// The sum of one column over a list, smallest value first.
template <class T>
double sum_by_value(std::span<const Pair> list, const T* column, std::int64_t stride,
                    std::vector<double>& values) {
    values.clear();
    for (const auto& pair : list) {
        values.push_back(static_cast<double>(column[pair.row * stride]));
    }
    std::sort(values.begin(), values.end());
    double sum = 0.0;
    for (const double value : values) sum += value;
    return sum;
}

}  // namespace

template <class T>
void sum_rows(const Neighbours& lists, const T* x, std::int64_t channels, SumOrder order, T* y) {
    base::parallel_for(lists.rows(), rows_per_part, [&](std::int64_t begin, std::int64_t end) {
        std::vector<double> sums(static_cast<std::size_t>(channels)), values;
        for (auto row = begin; row < end; ++row) {
            const auto list = lists.of(row);
            T* out = y + row * channels;
            if (list.size() == 1) {
                std::copy_n(x + list.front().row * channels, channels, out);
                continue;
            }
            if (order == SumOrder::by_value && list.size() > 2) {
                for (std::int64_t c = 0; c < channels; ++c) {
                    out[c] = static_cast<T>(sum_by_value(list, x + c, channels, values));
                }
                continue;
            }
            std::fill(sums.begin(), sums.end(), 0.0);
            for (const auto& pair : list) {
                const T* from = x + pair.row * channels;
                for (std::size_t c = 0; c < sums.size(); ++c)
                    sums[c] += static_cast<double>(from[c]);
            }
            for (std::size_t c = 0; c < sums.size(); ++c) out[c] = static_cast<T>(sums[c]);
        }
    });
}

template <class T>
void largest_rows(const Neighbours& lists, const T* x, std::int64_t channels, T* y,
                  std::int32_t* winners) {
    base::parallel_for(lists.rows(), rows_per_part, [&](std::int64_t begin, std::int64_t end) {
        for (auto row = begin; row < end; ++row) {
            T* out = y + row * channels;
            std::int32_t* winner = winners + row * channels;
            std::fill_n(out, channels, T{0});
            std::fill_n(winner, channels, -1);
            for (const auto& pair : lists.of(row)) {
                const T* from = x + pair.row * channels;
                for (std::int64_t c = 0; c < channels; ++c) {
                    if (winner[c] >= 0 && !(from[c] > out[c])) continue;
                    out[c] = from[c];
                    winner[c] = pair.row;
                }
            }
        }
    });
}

template <class T>
void largest_gradient(const Neighbours& lists, const T* g, std::int64_t channels,
                      const std::int32_t* winners, T* grad_x) {
    base::parallel_for(lists.rows(), rows_per_part, [&](std::int64_t begin, std::int64_t end) {
        for (auto row = begin; row < end; ++row) {
            T* out = grad_x + row * channels;
            std::fill_n(out, channels, T{0});
            for (const auto& pair : lists.of(row)) {
                const auto first = pair.row * channels;
                for (std::int64_t c = 0; c < channels; ++c) {
                    if (winners[first + c] == row) out[c] += g[first + c];
                }
            }
        }
    });
}

template void sum_rows(const Neighbours&, const float*, std::int64_t, SumOrder, float*);
template void sum_rows(const Neighbours&, const double*, std::int64_t, SumOrder, double*);
template void largest_rows(const Neighbours&, const float*, std::int64_t, float*, std::int32_t*);
template void largest_rows(const Neighbours&, const double*, std::int64_t, double*, std::int32_t*);
template void largest_gradient(const Neighbours&, const float*, std::int64_t, const std::int32_t*,
                               float*);
template void largest_gradient(const Neighbours&, const double*, std::int64_t, const std::int32_t*,
                               double*);

}  // namespace hodo::sparse
