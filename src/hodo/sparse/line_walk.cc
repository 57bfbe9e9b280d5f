#include <algorithm>

#include "hodo/base/error.hh"
#include "hodo/sparse/detail/line_walk.hh"

namespace hodo::sparse {

namespace {

/// (batch, x, y) of a line against a target.
bool is_before(const Coordinates::Line& line, std::int32_t batch, std::int64_t x, std::int64_t y) {
    if (line.batch != batch) return line.batch < batch;
    if (line.x != x) return line.x < x;
    return line.y < y;
}

}  // namespace

std::array<Axis, 3> axes_of(const Kernel& kernel, const Triple& stride) {
    std::array<Axis, 3> axes{};
    for (std::size_t a = 0; a < 3; ++a) {
        HODO_CHECK(kernel.size[a] >= 1 && kernel.dilation[a] >= 1,
                   "a kernel has size {} and dilation {} on axis {} (both must be at least 1)",
                   kernel.size[a], kernel.dilation[a], a);
        const auto step = kernel.dilation[a] * stride[a];
        axes[a] = {kernel.begin(a) * step, step, kernel.size[a]};
    }
    return axes;
}

LineWalk::LineWalk(const Coordinates& input, const Kernel& kernel, Half half)
    : input_(input),
      axes_(axes_of(kernel, input.stride())),
      only_upper_(half == Half::upper),
      first_x_(only_upper_ ? kernel.size[0] / 2 : 0),
      places_(static_cast<std::size_t>(kernel.size[0]), 0) {}

void LineWalk::begin_at(const Line& line) {
    const auto lines = input_.lines().first(input_.lines().size() - 1);
    for (std::int64_t ix = first_x_; ix < axes_[0].count; ++ix) {
        const auto x = line.x + axes_[0].first + ix * axes_[0].step;
        const auto found = std::partition_point(lines.begin(), lines.end(), [&](const Line& other) {
            return is_before(other, line.batch, x, line.y + axes_[1].first);
        });
        places_[static_cast<std::size_t>(ix)] = static_cast<std::size_t>(found - lines.begin());
    }
}

std::vector<LineWalk::Meeting>& LineWalk::meet(const Line& line) {
    meetings_.clear();
    const auto lines = input_.lines();
    const std::size_t count = lines.size() - 1;
    for (std::int64_t ix = first_x_; ix < axes_[0].count; ++ix) {
        const bool own = only_upper_ && ix == first_x_;
        const auto x = line.x + axes_[0].first + ix * axes_[0].step;
        const auto y = line.y + axes_[1].first;
        auto& place = places_[static_cast<std::size_t>(ix)];
        while (place < count && is_before(lines[place], line.batch, x, own ? line.y : y)) ++place;
        for (auto j = place; j < count; ++j) {
            const auto& other = lines[j];
            if (other.batch != line.batch || other.x != x) break;
            const auto distance = other.y - y;
            if (distance > axes_[1].span()) break;
            const auto iy = axes_[1].cell(distance);
            if (iy < 0) continue;
            const auto cell = (ix * axes_[1].count + iy) * axes_[2].count;
            const bool same = own && other.y == line.y;
            meetings_.push_back({other.start, lines[j + 1].start, static_cast<std::int32_t>(cell),
                                 same ? 0 : axes_[2].first});
        }
    }
    return meetings_;
}

}  // namespace hodo::sparse
