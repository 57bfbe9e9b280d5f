#include "hodo/detector/lartpc/track_fit.hh"

#include "hodo/base/error.hh"
#include "hodo/base/units.hh"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hodo::lartpc {

namespace {

constexpr std::size_t smallest_window = 5, shrink = 5;

Point3 minus(const Point3& a, const Point3& b) {
    return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}

double dot(const Point3& a, const Point3& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

using Matrix3 = std::array<Point3, 3>;

/// Turns a symmetric matrix diagonal by Jacobi's rotations; the columns of `vectors` are its
/// eigenvectors.
void diagonalize(Matrix3& m, Matrix3& vectors) {
    vectors = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    for (int sweep = 0; sweep < 30; ++sweep) {
        const double rest = m[0][1] * m[0][1] + m[0][2] * m[0][2] + m[1][2] * m[1][2];
        const double size = m[0][0] * m[0][0] + m[1][1] * m[1][1] + m[2][2] * m[2][2];
        if (rest <= 1e-32 * size) return;
        for (std::size_t p = 0; p < 2; ++p) {
            for (std::size_t q = p + 1; q < 3; ++q) {
                if (m[p][q] == 0) continue;
                const double angle = (m[q][q] - m[p][p]) / (2 * m[p][q]);
                const double t =
                    (angle >= 0 ? 1.0 : -1.0) / (std::abs(angle) + std::sqrt(angle * angle + 1));
                const double c = 1 / std::sqrt(t * t + 1), s = t * c;
                for (std::size_t k = 0; k < 3; ++k) {
                    const double a = m[k][p], b = m[k][q];
                    m[k][p] = c * a - s * b;
                    m[k][q] = s * a + c * b;
                }
                for (std::size_t k = 0; k < 3; ++k) {
                    const double a = m[p][k], b = m[q][k];
                    m[p][k] = c * a - s * b;
                    m[q][k] = s * a + c * b;
                    const double u = vectors[k][p], v = vectors[k][q];
                    vectors[k][p] = c * u - s * v;
                    vectors[k][q] = s * u + c * v;
                }
            }
        }
    }
}

/// Points that have enough neighbours, or lie within reach of one that has.
std::vector<std::size_t> dense_points(std::span<const Point3> points, double reach, int least) {
    std::vector<std::size_t> order(points.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return points[a][0] < points[b][0]; });
    std::vector<std::vector<std::size_t>> near(points.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto a = order[i];
        near[a].push_back(a);
        for (auto j = i + 1; j < order.size(); ++j) {
            const auto b = order[j];
            if (points[b][0] - points[a][0] > reach) break;
            const auto d = minus(points[a], points[b]);
            if (dot(d, d) > reach * reach) continue;
            near[a].push_back(b);
            near[b].push_back(a);
        }
    }
    const auto is_core = [&](std::size_t i) { return std::ssize(near[i]) >= least; };
    std::vector<std::size_t> dense;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (std::any_of(near[i].begin(), near[i].end(), is_core)) dense.push_back(i);
    }
    return dense;
}

/// One closed step of the walk.
struct Step {
    double length = 0, charge = 0;
    std::vector<std::size_t> passed;
    std::size_t at = 0;
};

class Walk {
  public:
    Walk(std::span<const Point3> points, std::span<const double> charge,
         const TrackFitOptions& options, std::vector<std::size_t> left, std::size_t start)
        : points_(points), charge_(charge), options_(options), left_(std::move(left)), at_(start) {}

    TrackFit run() {
        while (!left_.empty()) {
            auto steps = walk_window();
            if (steps.empty()) break;
            for (const auto& step : steps) take(step);
        }
        fit_.end = points_[last_];
        return fit_;
    }

  private:
    /// The points left that are nearest, as many as lie on a line.
    std::vector<std::size_t> window(PrincipalAxis& axis) const {
        auto near = left_;
        std::stable_sort(near.begin(), near.end(),
                         [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
        near.resize(std::min(near.size(), static_cast<std::size_t>(options_.window)));
        while (true) {
            std::vector<Point3> sample;
            for (const auto i : near) sample.push_back(points_[i]);
            axis = principal_axis(sample);
            if (axis.explained >= options_.explained || near.size() <= smallest_window) break;
            near.resize(std::max(smallest_window, near.size() - shrink));
        }
        if (dot(axis.direction, minus(axis.centre, points_[at_])) < 0) {
            for (double& component : axis.direction) component = -component;
        }
        return near;
    }

    double distance(std::size_t i) const {
        const auto d = minus(points_[i], points_[at_]);
        return std::sqrt(dot(d, d));
    }

    std::vector<Step> walk_window() {
        PrincipalAxis axis;
        auto near = window(axis);
        const auto along = [&](std::size_t i) {
            return dot(minus(points_[i], points_[at_]), axis.direction);
        };
        std::stable_sort(near.begin(), near.end(),
                         [&](std::size_t a, std::size_t b) { return along(a) < along(b); });
        last_ = near.back();
        std::vector<Step> steps;
        Step open;
        double begin = 0;
        for (const auto i : near) {
            const double t = along(i);
            if (t - begin > options_.step) {
                open.length = t - begin;
                open.at = i;
                steps.push_back(std::move(open));
                open = {};
                begin = t;
            }
            const auto d = minus(points_[i], points_[at_]);
            const double across = std::sqrt(std::max(0.0, dot(d, d) - t * t));
            if (across <= options_.max_deviation) open.charge += charge_[i];
            open.passed.push_back(i);
        }
        if (steps.size() > 1 && along(near.back()) - begin < options_.diagonal) steps.pop_back();
        return steps;
    }

    void take(const Step& step) {
        if (step.length <= options_.step + options_.diagonal) {
            fit_.range.push_back(length_);
            fit_.dqdx.push_back(step.charge / step.length);
        }
        length_ += step.length;
        std::erase_if(left_, [&](std::size_t i) {
            return std::find(step.passed.begin(), step.passed.end(), i) != step.passed.end();
        });
        at_ = step.at;
    }

    std::span<const Point3> points_;
    std::span<const double> charge_;
    const TrackFitOptions& options_;
    std::vector<std::size_t> left_;
    std::size_t at_, last_ = 0;
    double length_ = 0;
    TrackFit fit_;
};

}  // namespace

double PrincipalAxis::theta() const {
    return std::acos(std::clamp(-direction[0], -1.0, 1.0)) / units::degree;
}

double PrincipalAxis::phi() const {
    return std::atan2(direction[1], direction[2]) / units::degree;
}

PrincipalAxis principal_axis(std::span<const Point3> points) {
    HODO_DOOR(!points.empty());
    PrincipalAxis axis;
    for (const auto& point : points) {
        for (std::size_t d = 0; d < 3; ++d) {
            axis.centre[d] += point[d] / static_cast<double>(points.size());
        }
    }
    Matrix3 spread{}, vectors{};
    for (const auto& point : points) {
        const auto d = minus(point, axis.centre);
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = 0; j < 3; ++j) spread[i][j] += d[i] * d[j];
        }
    }
    diagonalize(spread, vectors);
    std::size_t first = 0;
    double total = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        total += spread[i][i];
        if (spread[i][i] > spread[first][first]) first = i;
    }
    axis.direction = {vectors[0][first], vectors[1][first], vectors[2][first]};
    axis.explained = total > 0 ? spread[first][first] / total : 0;
    return axis;
}

TrackFit fit_track(std::span<const Point3> points, std::span<const double> charge,
                   const TrackFitOptions& options, std::optional<std::size_t> start) {
    HODO_DOOR(points.size() == charge.size() && (!start || *start < points.size()));
    if (points.empty()) return {};
    auto kept = dense_points(points, options.max_deviation, options.min_neighbours);
    if (2 * kept.size() < points.size()) {
        kept = dense_points(points, options.max_deviation, options.few_neighbours);
    }
    if (kept.empty()) {
        kept.resize(points.size());
        std::iota(kept.begin(), kept.end(), std::size_t{0});
    }
    const auto highest = *std::max_element(
        kept.begin(), kept.end(), [&](auto a, auto b) { return points[a][1] < points[b][1]; });
    return Walk(points, charge, options, std::move(kept), start.value_or(highest)).run();
}

}  // namespace hodo::lartpc
