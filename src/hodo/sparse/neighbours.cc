#include "hodo/sparse/neighbours.hh"

#include <algorithm>
#include <limits>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/sparse/detail/line_walk.hh"

namespace hodo::sparse {

namespace {

using Line = Coordinates::Line;

constexpr std::int64_t rows_per_part = 2048;  // that are worth a part of their own
constexpr std::int64_t parts_per_thread = 4;

/// Walks both sorted levels at once: for each line of the output one place in each input line that
/// it sees moves forward with the output's rows. No look-up at all.
template <Half half>
class Walk {
  public:
    Walk(const Coordinates& output, const Coordinates& input, const Kernel& kernel)
        : output_(output), input_(input), lines_(input, kernel, half) {}

    /// The lists of the rows of output lines [begin, end).
    Neighbours run(std::size_t begin, std::size_t end) {
        const auto lines = output_.lines();
        const auto rows = static_cast<std::size_t>(lines[end].start - lines[begin].start);
        Neighbours found;
        found.starts.reserve(rows + 1);
        found.entries.reserve(rows * (half == Half::upper ? 6 : 10));
        if (begin > 0) lines_.begin_at(lines[begin]);
        for (auto i = begin; i < end; ++i) {
            auto& meetings = lines_.meet(lines[i]);
            for (auto row = lines[i].start; row < lines[i + 1].start; ++row) {
                meet_rows(row, meetings, found);
            }
        }
        return found;
    }

  private:
    void meet_rows(std::int32_t row, std::vector<LineWalk::Meeting>& meetings, Neighbours& found) {
        const auto depths = input_.depths();
        const auto& axis = lines_.axes()[2];
        const std::int64_t z = output_.depths()[static_cast<std::size_t>(row)];
        const auto first = z + axis.first;
        const auto last = first + axis.span();
        for (auto& meeting : meetings) {
            auto place = meeting.place;
            while (place < meeting.end &&
                   depths[static_cast<std::size_t>(place)] < z + meeting.low) {
                ++place;
            }
            meeting.place = place;
            for (; place < meeting.end; ++place) {
                const std::int64_t depth = depths[static_cast<std::size_t>(place)];
                if (depth > last) break;
                const auto iz = axis.cell(depth - first);
                if (iz < 0) continue;
                found.entries.push_back({place, meeting.cell + static_cast<std::int32_t>(iz)});
            }
        }
        found.starts.push_back(static_cast<std::int64_t>(found.entries.size()));
    }

    const Coordinates& output_;
    const Coordinates& input_;
    LineWalk lines_;
};

/// Lists of consecutive parts of a level, one after the other.
Neighbours joined(const std::vector<Neighbours>& parts) {
    Neighbours all;
    for (const auto& part : parts) {
        const auto before = all.starts.back();
        for (auto start = part.starts.begin() + 1; start != part.starts.end(); ++start) {
            all.starts.push_back(before + *start);
        }
    }
    all.entries.resize(static_cast<std::size_t>(all.starts.back()));
    std::vector<std::size_t> places{0};
    for (const auto& part : parts) places.push_back(places.back() + part.entries.size());
    base::parallel_for(
        static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t begin, std::int64_t end) {
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                std::copy(parts[i].entries.begin(), parts[i].entries.end(),
                          all.entries.data() + places[i]);
            }
        });
    return all;
}

/// Parts of a level that are worth sharing among threads: one where nothing is shared.
std::int64_t parts_of(const Coordinates& level) {
    const auto threads = base::threads();
    return std::clamp<std::int64_t>(level.size() / rows_per_part, 1,
                                    threads > 1 ? threads * parts_per_thread : 1);
}

/// The line with which part `part` of `count` begins, of about equal numbers of rows.
std::size_t first_line(const Coordinates& level, std::int64_t part, std::int64_t count) {
    const auto lines = level.lines().first(level.lines().size() - 1);
    const auto row = level.size() * part / count;
    const auto found = std::partition_point(lines.begin(), lines.end(),
                                            [&](const Line& line) { return line.start < row; });
    return part == count ? lines.size() : static_cast<std::size_t>(found - lines.begin());
}

/// Walks parts of the output level at once: each row's list is a matter of its own.
Neighbours walk_parts(const Coordinates& output, const Coordinates& input, const Kernel& kernel,
                      std::int64_t count) {
    std::vector<Neighbours> parts(static_cast<std::size_t>(count));
    base::parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto part = begin; part < end; ++part) {
            parts[static_cast<std::size_t>(part)] =
                Walk<Half::both>(output, input, kernel)
                    .run(first_line(output, part, count), first_line(output, part + 1, count));
        }
    });
    return joined(parts);
}

/// Adds the mirror image of every pair. Rows are visited in ascending order, so when a row adds its
/// own entries those of all rows before it are already there, and its list ascends.
Neighbours mirrored(const Neighbours& upper, std::int32_t volume) {
    Neighbours full;
    const auto rows = static_cast<std::size_t>(upper.rows());
    std::vector<std::int64_t> places(rows + 1, 0);
    for (std::size_t row = 0; row < rows; ++row) {
        places[row + 1] += upper.starts[row + 1] - upper.starts[row];
        for (const auto& entry : upper.of(static_cast<std::int64_t>(row))) {
            if (static_cast<std::size_t>(entry.row) != row) {
                ++places[static_cast<std::size_t>(entry.row) + 1];
            }
        }
    }
    for (std::size_t row = 0; row < rows; ++row) places[row + 1] += places[row];
    full.starts = places;
    full.entries.resize(static_cast<std::size_t>(places[rows]));
    for (std::size_t row = 0; row < rows; ++row) {
        for (const auto& entry : upper.of(static_cast<std::int64_t>(row))) {
            const auto other = static_cast<std::size_t>(entry.row);
            full.entries[static_cast<std::size_t>(places[row]++)] = entry;
            if (other == row) continue;
            full.entries[static_cast<std::size_t>(places[other]++)] = {
                static_cast<std::int32_t>(row), volume - 1 - entry.cell};
        }
    }
    return full;
}

Voxel moved(const Voxel& v, const Triple& by) {
    const auto at = [](std::int32_t c, std::int64_t step) {
        const auto sum = c + step;
        HODO_CHECK(sum >= std::numeric_limits<std::int32_t>::min() &&
                       sum <= std::numeric_limits<std::int32_t>::max(),
                   "a new voxel at {} + {} leaves the range of 32-bit integers; move the voxels "
                   "towards zero",
                   c, step);
        return static_cast<std::int32_t>(sum);
    };
    return {v.batch, at(v.x, by[0]), at(v.y, by[1]), at(v.z, by[2])};
}

template <class Visit>
void for_each_offset(const std::array<Axis, 3>& axes, const Visit& visit) {
    for (std::int64_t x = 0; x < axes[0].count; ++x) {
        for (std::int64_t y = 0; y < axes[1].count; ++y) {
            for (std::int64_t z = 0; z < axes[2].count; ++z) {
                visit(Triple{axes[0].first + x * axes[0].step, axes[1].first + y * axes[1].step,
                             axes[2].first + z * axes[2].step});
            }
        }
    }
}

Triple product(const Triple& a, const Triple& b) {
    return {a[0] * b[0], a[1] * b[1], a[2] * b[2]};
}

/// From `line` on the first one whose cells lie in another event, or at another x, than those of
/// the line before: no cell has lines on both sides of it.
std::size_t first_line_of_cells(const Coordinates& fine, const Triple& coarse, std::size_t line) {
    const auto lines = fine.lines().first(fine.lines().size() - 1);
    const auto cell = [&](const Line& l) {
        const auto floored = floor_to({l.batch, l.x, 0, 0}, coarse);
        return std::pair(floored.batch, floored.x);
    };
    while (line > 0 && line < lines.size() && cell(lines[line - 1]) == cell(lines[line])) ++line;
    return line;
}

/// The cells of lines [begin, end) in ascending order.
std::vector<Voxel> cells_of_lines(const Coordinates& fine, const Triple& coarse, std::size_t begin,
                                  std::size_t end) {
    std::vector<Voxel> cells;
    for (auto i = begin; i < end; ++i) {
        const auto first = fine.lines()[i].start, last = fine.lines()[i + 1].start;
        for (auto row = first; row < last; ++row) {
            const auto& voxel = fine.voxels()[static_cast<std::size_t>(row)];
            // Within a line the cell before goes on up to its size.
            if (row > first && voxel.z - std::int64_t{cells.back().z} < coarse[2]) continue;
            const auto cell = floor_to(voxel, coarse);
            if (cells.empty() || cells.back() != cell) cells.push_back(cell);
        }
    }
    return sorted_distinct(std::move(cells));
}

}  // namespace

Neighbours find_neighbours(const Coordinates& output, const Coordinates& input,
                           const Kernel& kernel) {
    HODO_CHECK(kernel.volume() <= std::numeric_limits<std::int32_t>::max(),
               "a kernel of {} cells is too large", kernel.volume());
    const auto parts = parts_of(output);
    if (parts > 1) return walk_parts(output, input, kernel, parts);
    const auto lines = output.lines().size() - 1;
    if (&output == &input && kernel.is_symmetric()) {
        const auto upper = Walk<Half::upper>(output, input, kernel).run(0, lines);
        return mirrored(upper, static_cast<std::int32_t>(kernel.volume()));
    }
    return Walk<Half::both>(output, input, kernel).run(0, lines);
}

Neighbours reversed(const Neighbours& neighbours, std::int64_t others) {
    Neighbours back;
    back.starts.assign(static_cast<std::size_t>(others) + 1, 0);
    back.entries.resize(neighbours.entries.size());
    // Every thread reads all entries and takes those of its own rows.
    const auto parts = std::clamp<std::int64_t>(others / rows_per_part, 1, base::threads());
    const auto for_parts = [&](const auto& run) {
        base::parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
            for (auto part = begin; part < end; ++part) {
                const auto first = others * part / parts, last = others * (part + 1) / parts;
                run(static_cast<std::size_t>(first), static_cast<std::size_t>(last));
            }
        });
    };
    const auto is_own = [](const Pair& entry, std::size_t first, std::size_t last) {
        const auto row = static_cast<std::size_t>(entry.row);
        return first <= row && row < last;
    };
    for_parts([&](std::size_t first, std::size_t last) {
        for (const auto& entry : neighbours.entries) {
            if (is_own(entry, first, last)) ++back.starts[static_cast<std::size_t>(entry.row) + 1];
        }
    });
    for (std::size_t i = 0; i + 1 < back.starts.size(); ++i) back.starts[i + 1] += back.starts[i];
    for_parts([&](std::size_t first, std::size_t last) {
        std::vector<std::int64_t> places(back.starts.begin() + static_cast<std::ptrdiff_t>(first),
                                         back.starts.begin() + static_cast<std::ptrdiff_t>(last));
        for (std::int64_t row = 0; row < neighbours.rows(); ++row) {
            for (const auto& entry : neighbours.of(row)) {
                if (!is_own(entry, first, last)) continue;
                auto& place = places[static_cast<std::size_t>(entry.row) - first];
                back.entries[static_cast<std::size_t>(place++)] = {static_cast<std::int32_t>(row),
                                                                   entry.cell};
            }
        }
    });
    return back;
}

Coordinates coarse_cells(const Coordinates& fine, const Triple& stride) {
    const auto coarse = product(fine.stride(), stride);
    const auto count = parts_of(fine);
    std::vector<std::vector<Voxel>> parts(static_cast<std::size_t>(count));
    base::parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto part = begin; part < end; ++part) {
            parts[static_cast<std::size_t>(part)] = cells_of_lines(
                fine, coarse, first_line_of_cells(fine, coarse, first_line(fine, part, count)),
                first_line_of_cells(fine, coarse, first_line(fine, part + 1, count)));
        }
    });
    auto cells = std::move(parts.front());
    for (auto part = parts.begin() + 1; part != parts.end(); ++part) {
        cells.insert(cells.end(), part->begin(), part->end());
    }
    return {std::move(cells), coarse, fine.events()};
}

Coordinates seeing_sites(const Coordinates& input, const Kernel& kernel, const Triple& stride) {
    const auto coarse = product(input.stride(), stride);
    std::vector<Voxel> sites;
    for_each_offset(axes_of(kernel, input.stride()), [&](const Triple& offset) {
        for (const auto& voxel : input.voxels()) {
            const auto site = moved(voxel, {-offset[0], -offset[1], -offset[2]});
            if (floor_to(site, coarse) == site) sites.push_back(site);
        }
    });
    return {sorted_distinct(std::move(sites)), coarse, input.events()};
}

Coordinates reached_sites(const Coordinates& coarse, const Kernel& kernel, const Triple& stride) {
    Triple fine{};
    for (std::size_t a = 0; a < 3; ++a) {
        HODO_CHECK(stride[a] >= 1 && coarse.stride()[a] % stride[a] == 0,
                   "a level of stride {} on axis {} cannot be refined {} times", coarse.stride()[a],
                   a, stride[a]);
        fine[a] = coarse.stride()[a] / stride[a];
    }
    std::vector<Voxel> sites;
    for_each_offset(axes_of(kernel, fine), [&](const Triple& offset) {
        for (const auto& voxel : coarse.voxels()) sites.push_back(moved(voxel, offset));
    });
    return {sorted_distinct(std::move(sites)), fine, coarse.events()};
}

}  // namespace hodo::sparse
