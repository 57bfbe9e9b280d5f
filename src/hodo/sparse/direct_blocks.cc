#include "hodo/sparse/detail/direct_blocks.hh"

#include <algorithm>
#include <array>

#include "hodo/base/threads.hh"
#include "hodo/sparse/detail/line_walk.hh"

namespace hodo::sparse {

namespace {

constexpr std::int64_t blocks_per_part = 8;  // that are worth a part of their own
constexpr std::int64_t parts_per_thread = 4;
constexpr std::int64_t most_cells = 128;
constexpr std::int64_t likely_pairs = 14;  // of a row
constexpr std::size_t copied = 16;         // pairs that are copied at once

/// The pairs of one block by cell: a row has one neighbour per cell at most.
struct Buckets {
    explicit Buckets(std::int64_t cells)
        : counts(static_cast<std::size_t>(cells)),
          others(static_cast<std::size_t>(cells * block_rows) + copied),
          own(others.size()) {}
    std::vector<std::int32_t> counts;
    RecycledVector<std::int32_t> others;
    RecycledVector<std::uint8_t> own;
};

/// Makes consecutive blocks, one after the other.
class BlockMaker {
  public:
    BlockMaker(const Coordinates& level, const Kernel& kernel)
        : level_(level),
          cells_(kernel.volume()),
          walk_(level, kernel, Half::both),
          buckets_(cells_) {}

    /// Blocks [begin, end), whose `rows` are those of these blocks.
    Blocks run(std::int64_t begin, std::int64_t end) {
        const auto lines = level_.lines();
        const auto rows = std::min(end * block_rows, level_.size());
        auto row = begin * block_rows;
        Blocks made;
        made.rows = rows - row;
        reserve(made, made.rows * likely_pairs);
        auto line = std::upper_bound(lines.begin(), lines.end(), row,
                                     [](std::int64_t r, const auto& l) { return r < l.start; }) -
                    1;
        if (row > 0) walk_.begin_at(*line);
        auto* meetings = row < rows ? &walk_.meet(*line) : nullptr;
        while (row < rows) {
            const auto first = row;
            const auto last = std::min(first + block_rows, rows);
            while (row < last) {
                if (row == (line + 1)->start) meetings = &walk_.meet(*++line);
                const auto stop = std::min<std::int64_t>(last, (line + 1)->start);
                for (auto& meeting : *meetings) meet_rows(meeting, row, stop, first);
                row = stop;
            }
            finish(made);
        }
        made.others.resize(static_cast<std::size_t>(made.pair_starts.back()));
        made.own.resize(made.others.size());
        return made;
    }

  private:
    static void reserve(Blocks& blocks, std::int64_t pairs) {
        blocks.others.reserve(static_cast<std::size_t>(pairs));
        blocks.own.reserve(static_cast<std::size_t>(pairs));
    }

    /// Finds the pairs of rows [begin, end) of one line with another line. What a row sees there
    /// are three cells at most, side by side; which of them are voxels is decided without a branch.
    void meet_rows(LineWalk::Meeting& meeting, std::int64_t begin, std::int64_t end,
                   std::int64_t first) {
        const auto& axis = walk_.axes()[2];
        const std::int32_t* depths = level_.padded_depths();
        auto* counts = buckets_.counts.data() + meeting.cell;
        auto* others = buckets_.others.data() + meeting.cell * block_rows;
        auto* own = buckets_.own.data() + meeting.cell * block_rows;
        const std::int64_t line_end = meeting.end;
        std::int64_t place = meeting.place;
        std::array<std::int64_t, 3> ends{counts[0], block_rows + counts[1],
                                         2 * block_rows + counts[2]};
        for (auto row = begin; row < end; ++row) {
            const auto lowest = depths[row] + axis.first;
            while (place < line_end && depths[place] < lowest) ++place;
            auto other = place;
            for (std::size_t i = 0; i < 3; ++i) {
                const auto depth = lowest + static_cast<std::int64_t>(i) * axis.step;
                const std::int64_t is_there = (other < line_end) & (depths[other] == depth);
                others[ends[i]] = static_cast<std::int32_t>(other);
                own[ends[i]] = static_cast<std::uint8_t>(row - first);
                ends[i] += is_there;
                other += is_there;
            }
        }
        meeting.place = static_cast<std::int32_t>(place);
        for (std::size_t i = 0; i < 3; ++i) {
            counts[i] =
                static_cast<std::int32_t>(ends[i] - static_cast<std::int64_t>(i) * block_rows);
        }
    }

    /// Appends the block in the buckets.
    void finish(Blocks& made) {
        std::size_t sum = 0;
        for (std::int64_t cell = 0; cell < cells_; ++cell) {
            sum += static_cast<std::size_t>(buckets_.counts[static_cast<std::size_t>(cell)]);
        }
        auto place = static_cast<std::size_t>(made.pair_starts.back());
        if (made.others.capacity() < place + sum + copied) {
            reserve(made, static_cast<std::int64_t>(2 * (place + sum + copied)));
        }
        made.others.resize(place + sum + copied);
        made.own.resize(place + sum + copied);
        for (std::int64_t cell = 0; cell < cells_; ++cell) {
            auto& count = buckets_.counts[static_cast<std::size_t>(cell)];
            if (count == 0) continue;
            made.segments.push_back({static_cast<std::int32_t>(cell), count});
            const auto* others = buckets_.others.data() + cell * block_rows;
            const auto* own = buckets_.own.data() + cell * block_rows;
            for (std::int32_t i = 0; i < count; i += static_cast<std::int32_t>(copied)) {
                const auto to = place + static_cast<std::size_t>(i);
                std::copy_n(others + i, copied, made.others.data() + to);
                std::copy_n(own + i, copied, made.own.data() + to);
            }
            place += static_cast<std::size_t>(count);
            count = 0;
        }
        made.segment_starts.push_back(static_cast<std::int64_t>(made.segments.size()));
        made.pair_starts.push_back(static_cast<std::int64_t>(place));
    }

    const Coordinates& level_;
    std::int64_t cells_;
    LineWalk walk_;
    Buckets buckets_;
};

/// Consecutive blocks, one after the other.
Blocks joined(const std::vector<Blocks>& parts) {
    Blocks all;
    std::vector<std::size_t> places;
    for (const auto& part : parts) {
        const auto segments = all.segment_starts.back(), pairs = all.pair_starts.back();
        all.rows += part.rows;
        all.segments.insert(all.segments.end(), part.segments.begin(), part.segments.end());
        for (std::size_t i = 1; i < part.segment_starts.size(); ++i) {
            all.segment_starts.push_back(segments + part.segment_starts[i]);
            all.pair_starts.push_back(pairs + part.pair_starts[i]);
        }
        places.push_back(static_cast<std::size_t>(pairs));
    }
    all.others.resize(static_cast<std::size_t>(all.pair_starts.back()));
    all.own.resize(all.others.size());
    base::parallel_for(
        static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t begin, std::int64_t end) {
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                std::ranges::copy(parts[i].others, all.others.data() + places[i]);
                std::ranges::copy(parts[i].own, all.own.data() + places[i]);
            }
        });
    return all;
}

/// A kernel of one cell: each row sees itself.
Blocks identity(std::int64_t rows) {
    Blocks blocks;
    blocks.rows = rows;
    blocks.others.resize(static_cast<std::size_t>(rows));
    blocks.own.resize(static_cast<std::size_t>(rows));
    for (std::int64_t first = 0; first < rows; first += block_rows) {
        const auto count = std::min(block_rows, rows - first);
        for (std::int64_t i = 0; i < count; ++i) {
            blocks.others[static_cast<std::size_t>(first + i)] =
                static_cast<std::int32_t>(first + i);
            blocks.own[static_cast<std::size_t>(first + i)] = static_cast<std::uint8_t>(i);
        }
        blocks.segments.push_back({0, static_cast<std::int32_t>(count)});
        blocks.segment_starts.push_back(static_cast<std::int64_t>(blocks.segments.size()));
        blocks.pair_starts.push_back(first + count);
    }
    return blocks;
}

}  // namespace

bool has_direct_blocks(const Kernel& kernel) {
    const bool is_sound = std::ranges::all_of(kernel.size, [](auto n) { return n >= 1; }) &&
                          std::ranges::all_of(kernel.dilation, [](auto n) { return n >= 1; });
    if (!is_sound || !kernel.is_symmetric()) return false;
    return kernel.volume() == 1 ||
           (kernel.size[2] == 3 && kernel.dilation[2] == 1 && kernel.volume() <= most_cells);
}

Blocks direct_blocks(const Coordinates& level, const Kernel& kernel) {
    if (kernel.volume() == 1) return identity(level.size());
    const auto blocks = (level.size() + block_rows - 1) / block_rows;
    const auto threads = base::threads();
    const auto parts = std::clamp<std::int64_t>(blocks / blocks_per_part, 1,
                                                threads > 1 ? threads * parts_per_thread : 1);
    if (parts == 1) return BlockMaker(level, kernel).run(0, blocks);
    std::vector<Blocks> made(static_cast<std::size_t>(parts));
    base::parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto part = begin; part < end; ++part) {
            made[static_cast<std::size_t>(part)] =
                BlockMaker(level, kernel).run(blocks * part / parts, blocks * (part + 1) / parts);
        }
    });
    return joined(made);
}

}  // namespace hodo::sparse
