#include "hodo/detector/lartpc/charge_solve.hh"

#include "hodo/base/error.hh"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace hodo::lartpc {

namespace {

std::vector<double> times(const WireMatrix& matrix, std::span<const double> charges) {
    std::vector<double> samples(static_cast<std::size_t>(matrix.rows));
    for (std::size_t c = 0; c + 1 < matrix.starts.size(); ++c) {
        const auto end = static_cast<std::size_t>(matrix.starts[c + 1]);
        for (auto i = static_cast<std::size_t>(matrix.starts[c]); i < end; ++i) {
            samples[static_cast<std::size_t>(matrix.row[i])] += matrix.value[i] * charges[c];
        }
    }
    return samples;
}

std::vector<double> transposed_times(const WireMatrix& matrix, std::span<const double> samples) {
    std::vector<double> charges(static_cast<std::size_t>(matrix.columns()));
    for (std::size_t c = 0; c < charges.size(); ++c) {
        const auto end = static_cast<std::size_t>(matrix.starts[c + 1]);
        for (auto i = static_cast<std::size_t>(matrix.starts[c]); i < end; ++i) {
            charges[c] += matrix.value[i] * samples[static_cast<std::size_t>(matrix.row[i])];
        }
    }
    return charges;
}

double square(std::span<const double> values) {
    double sum = 0;
    for (const double value : values) sum += value * value;
    return sum;
}

/// Coordinate descent. With the best offset, samples and columns stand relative to their means.
class Lasso {
  public:
    Lasso(const WireMatrix& matrix, std::span<const double> samples, const LassoOptions& options)
        : matrix_(matrix),
          options_(options),
          penalty_(options.alpha * matrix.rows),
          centred_(samples.begin(), samples.end()),
          charges_(static_cast<std::size_t>(matrix.columns())),
          mean_(charges_.size()),
          norm_(charges_.size()) {
        const double n = matrix.rows;
        const double mean = std::accumulate(samples.begin(), samples.end(), 0.0) / n;
        for (double& value : centred_) value -= mean;
        rest_ = centred_;
        for (std::size_t c = 0; c < charges_.size(); ++c) {
            double sum = 0, squares = 0;
            for (auto i = begin(c); i < end(c); ++i) {
                sum += matrix.value[i];
                squares += matrix.value[i] * matrix.value[i];
            }
            mean_[c] = sum / n;
            norm_[c] = squares - sum * sum / n;
        }
    }

    std::vector<double> solve() {
        for (int pass = 0; pass < options_.passes; ++pass) {
            double change = 0, largest = 0;
            for (std::size_t c = 0; c < charges_.size(); ++c) {
                change = std::max(change, update(c));
                largest = std::max(largest, charges_[c]);
            }
            if (change <= options_.tolerance * largest &&
                gap() <= options_.tolerance * square(centred_)) {
                break;
            }
        }
        return charges_;
    }

  private:
    std::size_t begin(std::size_t c) const { return static_cast<std::size_t>(matrix_.starts[c]); }
    std::size_t end(std::size_t c) const { return static_cast<std::size_t>(matrix_.starts[c + 1]); }

    /// The column times the rest; both stand relative to their means.
    double product(std::size_t c) const {
        double sum = 0;
        for (auto i = begin(c); i < end(c); ++i) {
            sum += matrix_.value[i] * (rest_[static_cast<std::size_t>(matrix_.row[i])] + shift_);
        }
        return sum;
    }

    /// Sets a charge to its best value given the others; returns the change.
    double update(std::size_t c) {
        if (norm_[c] <= 0) return 0;
        const double best = (product(c) + norm_[c] * charges_[c] - penalty_) / norm_[c];
        const double step = std::max(0.0, best) - charges_[c];
        if (step == 0) return 0;
        for (auto i = begin(c); i < end(c); ++i) {
            rest_[static_cast<std::size_t>(matrix_.row[i])] -= matrix_.value[i] * step;
        }
        shift_ += mean_[c] * step;
        charges_[c] += step;
        return std::abs(step);
    }

    /// How far the objective can still be from its minimum, at most.
    double gap() const {
        double largest = 0;
        for (std::size_t c = 0; c < charges_.size(); ++c) largest = std::max(largest, product(c));
        double squares = 0, inner = 0;
        for (std::size_t r = 0; r < rest_.size(); ++r) {
            squares += (rest_[r] + shift_) * (rest_[r] + shift_);
            inner += (rest_[r] + shift_) * centred_[r];
        }
        const double scale = largest > penalty_ ? penalty_ / largest : 1.0;
        const double total = std::accumulate(charges_.begin(), charges_.end(), 0.0);
        return 0.5 * squares * (1 + scale * scale) + penalty_ * total - scale * inner;
    }

    const WireMatrix& matrix_;
    const LassoOptions& options_;
    double penalty_;
    std::vector<double> centred_;
    std::vector<double> charges_, mean_, norm_;
    std::vector<double> rest_;  ///< What is not explained, but for `shift_` in every row.
    double shift_ = 0;
};

}  // namespace

WireMatrix wire_matrix(const PixelGrid& grid, std::span<const std::array<int, 2>> pixels,
                       Downsampling factors) {
    WireMatrix matrix{.rows = grid.channels(), .starts = {0}, .row = {}, .value = {}};
    for (const auto& pixel : pixels) {
        const int end_z = std::min((pixel[0] + 1) * factors.z, grid.pixels_z());
        const int end_y = std::min((pixel[1] + 1) * factors.y, grid.pixels_y());
        const double area =
            double(end_z - pixel[0] * factors.z) * double(end_y - pixel[1] * factors.y);
        std::map<int, int> share;  // thousandths of a fine pixel, by channel
        for (int z = pixel[0] * factors.z; z < end_z; ++z) {
            for (int y = pixel[1] * factors.y; y < end_y; ++y) {
                for (int k = 0; k < planes_per_face; ++k) {
                    const auto& plane = grid.plane(k);
                    const auto found = plane.share(z, y);
                    share[plane.channel(found.band)] += found.lower;
                    if (found.lower < whole_share) {
                        share[plane.channel(found.band + 1)] += whole_share - found.lower;
                    }
                }
            }
        }
        for (const auto& [channel, part] : share) {
            if (channel < 0 || part == 0) continue;
            matrix.row.push_back(channel);
            matrix.value.push_back(part / double{whole_share} / area);
        }
        matrix.starts.push_back(std::ssize(matrix.row));
    }
    return matrix;
}

std::vector<double> solve_lasso(const WireMatrix& matrix, std::span<const double> samples,
                                const LassoOptions& options) {
    HODO_DOOR(std::ssize(samples) == matrix.rows);
    return Lasso(matrix, samples, options).solve();
}

std::vector<double> solve_least_squares(const WireMatrix& matrix, std::span<const double> samples) {
    HODO_DOOR(std::ssize(samples) == matrix.rows);
    // Conjugate gradients on the normal equations, from zero: they end at the least norm.
    std::vector<double> charges(static_cast<std::size_t>(matrix.columns()));
    std::vector<double> rest(samples.begin(), samples.end());
    auto gradient = transposed_times(matrix, rest);
    auto direction = gradient;
    double size = square(gradient);
    const double stop = 1e-28 * size;
    const int most = 10 * matrix.columns() + 100;
    for (int i = 0; i < most && size > stop; ++i) {
        const auto seen = times(matrix, direction);
        const double step = size / square(seen);
        for (std::size_t c = 0; c < charges.size(); ++c) charges[c] += step * direction[c];
        for (std::size_t r = 0; r < rest.size(); ++r) rest[r] -= step * seen[r];
        gradient = transposed_times(matrix, rest);
        const double next = square(gradient);
        for (std::size_t c = 0; c < charges.size(); ++c) {
            direction[c] = gradient[c] + next / size * direction[c];
        }
        size = next;
    }
    return charges;
}

}  // namespace hodo::lartpc
