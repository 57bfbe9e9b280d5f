#include "hodo/draw/contour.hh"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "hodo/base/error.hh"

namespace hodo::draw {
namespace {

/// Spreads values along one axis with weights of a Gaussian of one cell.
std::vector<double> smoothed(const std::vector<double>& values, int bins, int stride, int other) {
    constexpr int reach = 3;
    std::array<double, 2 * reach + 1> weights{};
    double sum = 0.0;
    for (int i = -reach; i <= reach; ++i) {
        weights[static_cast<std::size_t>(i + reach)] = std::exp(-0.5 * i * i);
        sum += weights[static_cast<std::size_t>(i + reach)];
    }
    std::vector<double> result(values.size(), 0.0);
    for (int line = 0; line < bins; ++line) {
        for (int i = 0; i < bins; ++i) {
            const auto from = static_cast<std::size_t>(line * other + i * stride);
            for (int step = -reach; step <= reach; ++step) {
                const int to = std::clamp(i + step, 0, bins - 1);
                result[static_cast<std::size_t>(line * other + to * stride)] +=
                    values[from] * weights[static_cast<std::size_t>(step + reach)] / sum;
            }
        }
    }
    return result;
}

/// A grid edge between two neighbouring centres: (column, row) and whether it goes along x.
struct Edge {
    int column, row, along_x;
    auto operator<=>(const Edge&) const = default;
};

/// The grid with a ring of zeros around it, so that every contour closes.
class Rim {
  public:
    Rim(const Density& density, double level) : density_(density), level_(level) {}
    double value(int column, int row) const {
        const bool inside =
            column >= 0 && row >= 0 && column < density_.bins && row < density_.bins;
        return inside ? density_.at(column, row) : 0.0;
    }
    bool above(int column, int row) const { return value(column, row) >= level_; }
    /// Where the contour crosses an edge.
    Position crossing(const Edge& edge) const {
        const int column = edge.column + edge.along_x, row = edge.row + 1 - edge.along_x;
        const double first = value(edge.column, edge.row), second = value(column, row);
        const double part = (level_ - first) / (second - first);
        return {place(density_.x, edge.column + part * edge.along_x),
                place(density_.y, edge.row + part * (1 - edge.along_x))};
    }

  private:
    double place(Range range, double cell) const {
        const double centre = std::clamp(cell + 0.5, 0.0, double(density_.bins));
        return range.low + (range.high - range.low) * centre / density_.bins;
    }
    const Density& density_;
    double level_;
};

using Links = std::multimap<Edge, Edge>;

void link(Links& links, Edge a, Edge b) {
    links.emplace(a, b);
    links.emplace(b, a);
}

/// Adds the parts of the contour within one square of four centres.
void add_square(const Rim& rim, int column, int row, Links& links) {
    const Edge bottom{column, row, 1}, top{column, row + 1, 1};
    const Edge left{column, row, 0}, right{column + 1, row, 0};
    const int corners = int(rim.above(column, row)) | int(rim.above(column + 1, row)) << 1 |
                        int(rim.above(column + 1, row + 1)) << 2 |
                        int(rim.above(column, row + 1)) << 3;
    switch (corners) {
        case 1:
        case 14:
            link(links, left, bottom);
            break;
        case 2:
        case 13:
            link(links, bottom, right);
            break;
        case 3:
        case 12:
            link(links, left, right);
            break;
        case 4:
        case 11:
            link(links, right, top);
            break;
        case 6:
        case 9:
            link(links, bottom, top);
            break;
        case 7:
        case 8:
            link(links, left, top);
            break;
        case 5:
            link(links, left, bottom);
            link(links, right, top);
            break;
        case 10:
            link(links, bottom, right);
            link(links, left, top);
            break;
        default:
            break;
    }
}

/// Removes a link that begins at `from` and returns its other end, or nothing.
std::optional<Edge> follow(Links& links, const Edge& from) {
    const auto found = links.find(from);
    if (found == links.end()) return std::nullopt;
    const Edge to = found->second;
    links.erase(found);
    const auto [begin, end] = links.equal_range(to);
    const auto back = std::find_if(begin, end, [&](const auto& l) { return l.second == from; });
    if (back != end) links.erase(back);
    return to;
}

}  // namespace

double Density::interpolated(double x_value, double y_value) const {
    const double u = (x_value - x.low) / (x.high - x.low) * bins - 0.5;
    const double v = (y_value - y.low) / (y.high - y.low) * bins - 0.5;
    if (!(u > -1 && v > -1 && u < bins && v < bins)) return 0.0;
    const int column = static_cast<int>(std::floor(u)), row = static_cast<int>(std::floor(v));
    const Rim rim(*this, 0.0);
    const double a = u - column, b = v - row;
    return (1 - a) * ((1 - b) * rim.value(column, row) + b * rim.value(column, row + 1)) +
           a * ((1 - b) * rim.value(column + 1, row) + b * rim.value(column + 1, row + 1));
}

Density density_of(const std::vector<double>& x, const std::vector<double>& y, Range x_range,
                   Range y_range, int bins) {
    HODO_DOOR(x.size() == y.size() && bins > 0);
    Density density{x_range, y_range, bins,
                    std::vector<double>(static_cast<std::size_t>(bins * bins), 0.0)};
    const auto cell = [bins](double value, Range range) {
        return std::floor((value - range.low) / (range.high - range.low) * bins);
    };
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double column = cell(x[i], x_range), row = cell(y[i], y_range);
        if (!(column >= 0 && row >= 0 && column < bins && row < bins)) continue;
        density.values[static_cast<std::size_t>(column) * static_cast<std::size_t>(bins) +
                       static_cast<std::size_t>(row)] += 1.0;
    }
    density.values = smoothed(density.values, bins, 1, bins);
    density.values = smoothed(density.values, bins, bins, 1);
    return density;
}

double enclosing_level(const Density& density, const std::vector<double>& x,
                       const std::vector<double>& y, double fraction) {
    std::vector<double> levels;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::isfinite(x[i]) && std::isfinite(y[i])) {
            levels.push_back(density.interpolated(x[i], y[i]));
        }
    }
    if (levels.empty()) return 0.0;
    const auto rank = static_cast<std::size_t>((1.0 - fraction) * double(levels.size()));
    const auto place = levels.begin() + std::ptrdiff_t(std::min(rank, levels.size() - 1));
    std::nth_element(levels.begin(), place, levels.end());
    return *place;
}

std::vector<std::vector<Position>> contour_lines(const Density& density, double level) {
    if (!(level > 0)) return {};
    const Rim rim(density, level);
    Links links;
    for (int column = -1; column < density.bins; ++column) {
        for (int row = -1; row < density.bins; ++row) add_square(rim, column, row, links);
    }
    std::vector<std::vector<Position>> lines;
    while (!links.empty()) {
        Edge at = links.begin()->first;
        std::vector<Position> line{rim.crossing(at)};
        while (const auto next = follow(links, at)) {
            at = *next;
            line.push_back(rim.crossing(at));
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace hodo::draw
