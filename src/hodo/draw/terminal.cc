#include "hodo/draw/terminal.hh"

#include <algorithm>
#include <array>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

namespace hodo::draw {

std::string sparkline(const std::vector<double>& values) {
    static constexpr std::array<const char*, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double low = INFINITY, high = -INFINITY;
    for (const double value : values) {
        if (!std::isfinite(value)) continue;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    std::string line;
    for (const double value : values) {
        if (!std::isfinite(value)) {
            line += ' ';
            continue;
        }
        const double part = high > low ? (value - low) / (high - low) : 0.0;
        line += blocks[std::min<std::size_t>(static_cast<std::size_t>(8 * part), 7)];
    }
    return line;
}

std::string text_histogram(const std::vector<double>& edges, const std::vector<double>& counts,
                           int width) {
    HODO_DOOR(edges.size() == counts.size() + 1);
    double high = 0.0;
    for (const double count : counts) {
        if (std::isfinite(count)) high = std::max(high, count);
    }
    std::string text;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const bool drawn = std::isfinite(counts[i]) && counts[i] > 0;
        const auto length = drawn ? static_cast<int>(std::lround(width * counts[i] / high)) : 0;
        text += base::format("{:>10.4g} .. {:<10.4g} | ", edges[i], edges[i + 1]);
        for (int k = 0; k < width; ++k) text += k < length ? "█" : " ";
        text += base::format(" {:>10.6g}\n", counts[i]);
    }
    return text;
}

}  // namespace hodo::draw
