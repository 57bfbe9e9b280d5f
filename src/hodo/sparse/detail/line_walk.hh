#pragma once
/// Walking the lines of two sorted levels at once: which lines of the input a line of the output
/// sees through a kernel.

#include "hodo/sparse/neighbours.hh"

namespace hodo::sparse {

/// Offsets along an axis: first, step, number.
struct Axis {
    std::int64_t first, step, count;
    std::int64_t span() const { return (count - 1) * step; }
    /// The cell of an offset counted from the first; -1 between cells.
    std::int64_t cell(std::int64_t distance) const {
        if (step == 1) return distance;
        return distance % step == 0 ? distance / step : -1;
    }
};

/// An error unless sizes and dilations are at least 1.
std::array<Axis, 3> axes_of(const Kernel& kernel, const Triple& stride);

/// Which pairs a walk finds: all, or of a symmetric kernel those of the upper half, whose mirror
/// images are the others.
enum class Half { both, upper };

/// For each x offset one place among the input's lines moves forward with the output's lines.
class LineWalk {
  public:
    using Line = Coordinates::Line;

    /// An input line that an output line sees.
    struct Meeting {
        std::int32_t place, end;  ///< Rows not yet passed.
        std::int32_t cell;        ///< Number of the line's first kernel cell.
        std::int64_t low;         ///< Smallest z offset that counts.
    };

    /// `input` must outlive the walk.
    LineWalk(const Coordinates& input, const Kernel& kernel, Half half);

    /// Makes the walk begin at an output line; without, it begins at the first.
    void begin_at(const Line& line);
    /// What a line sees, no earlier than the one before, in the order of cells.
    std::vector<Meeting>& meet(const Line& line);
    const std::array<Axis, 3>& axes() const { return axes_; }

  private:
    const Coordinates& input_;
    std::array<Axis, 3> axes_;
    bool only_upper_;
    std::int64_t first_x_;
    std::vector<std::size_t> places_;  ///< One place in the input's lines per x offset.
    std::vector<Meeting> meetings_;
};

}  // namespace hodo::sparse
