#include "hodo/sparse/rulebook.hh"

#include <algorithm>
#include <limits>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/sparse/detail/direct_blocks.hh"

namespace hodo::sparse {

static_assert(block_rows <= std::numeric_limits<std::uint8_t>::max() + 1);

namespace {

constexpr std::int64_t blocks_per_part = 16;

/// Groups the pairs of rows [first, end), one block, by cell. `places` [cells] is scratch.
void group_block(const Neighbours& neighbours, std::int64_t first, std::int64_t end,
                 std::vector<std::int32_t>& places, Blocks& blocks,
                 std::vector<Segment>& segments) {
    const auto begin_pair = neighbours.starts[static_cast<std::size_t>(first)];
    const auto end_pair = neighbours.starts[static_cast<std::size_t>(end)];
    std::fill(places.begin(), places.end(), 0);
    for (auto pair = begin_pair; pair < end_pair; ++pair) {
        ++places[static_cast<std::size_t>(neighbours.entries[static_cast<std::size_t>(pair)].cell)];
    }
    std::int32_t sum = 0;
    for (std::size_t cell = 0; cell < places.size(); ++cell) {
        const auto count = places[cell];
        if (count > 0) segments.push_back({static_cast<std::int32_t>(cell), count});
        places[cell] = sum;
        sum += count;
    }
    for (auto row = first; row < end; ++row) {
        for (const auto& entry : neighbours.of(row)) {
            const auto place = static_cast<std::size_t>(
                begin_pair + places[static_cast<std::size_t>(entry.cell)]++);
            blocks.others[place] = entry.row;
            blocks.own[place] = static_cast<std::uint8_t>(row - first);
        }
    }
}

}  // namespace

Blocks make_blocks(const Neighbours& neighbours, std::int64_t cells) {
    Blocks blocks;
    blocks.rows = neighbours.rows();
    blocks.others.resize(neighbours.entries.size());
    blocks.own.resize(neighbours.entries.size());
    const auto count = (blocks.rows + block_rows - 1) / block_rows;
    std::vector<std::vector<Segment>> segments(static_cast<std::size_t>(count));
    base::parallel_for(count, blocks_per_part, [&](std::int64_t begin, std::int64_t end) {
        std::vector<std::int32_t> places(static_cast<std::size_t>(cells));
        for (auto block = begin; block < end; ++block) {
            const auto first = block * block_rows;
            group_block(neighbours, first, std::min(first + block_rows, blocks.rows), places,
                        blocks, segments[static_cast<std::size_t>(block)]);
        }
    });
    for (std::int64_t block = 0; block < count; ++block) {
        const auto& own = segments[static_cast<std::size_t>(block)];
        blocks.segments.insert(blocks.segments.end(), own.begin(), own.end());
        blocks.segment_starts.push_back(static_cast<std::int64_t>(blocks.segments.size()));
        blocks.pair_starts.push_back(
            neighbours
                .starts[static_cast<std::size_t>(std::min((block + 1) * block_rows, blocks.rows))]);
    }
    return blocks;
}

Rulebook::Rulebook(SharedCoordinates output, SharedCoordinates input, const Kernel& kernel)
    : output_(std::move(output)),
      input_(std::move(input)),
      kernel_(kernel),
      cells_(kernel.volume()),
      mirrored_(output_ == input_ && kernel.is_symmetric()),
      direct_(mirrored_ && has_direct_blocks(kernel)) {
    if (!direct_) neighbours();
}

const Neighbours& Rulebook::neighbours(Direction direction) const {
    std::call_once(there_made_, [&] { there_ = find_neighbours(*output_, *input_, kernel_); });
    if (direction == Direction::there || mirrored_) return there_;
    std::call_once(back_made_, [&] { back_ = reversed(there_, input_->size()); });
    return back_;
}

const Blocks& Rulebook::blocks(Direction direction) const {
    if (direction == Direction::there || mirrored_) {
        std::call_once(there_blocks_made_, [&] {
            there_blocks_ =
                direct_ ? direct_blocks(*output_, kernel_) : make_blocks(neighbours(), cells_);
        });
        return there_blocks_;
    }
    std::call_once(back_blocks_made_,
                   [&] { back_blocks_ = make_blocks(neighbours(Direction::back), cells_); });
    return back_blocks_;
}

SharedCoordinates Maps::level(const Level& wanted) {
    for (const auto& known : levels_) {
        if (known.from == wanted.from && known.kernel == wanted.kernel &&
            known.stride == wanted.stride && known.sites == wanted.sites &&
            known.generated == wanted.generated) {
            return known.level;
        }
    }
    return nullptr;
}

SharedCoordinates Maps::coarser(const SharedCoordinates& input, const Kernel& kernel,
                                const Triple& stride, Sites sites) {
    for (std::size_t a = 0; a < 3; ++a) {
        HODO_CHECK(stride[a] >= 1, "a stride is {} on axis {} (it must be at least 1)", stride[a],
                   a);
    }
    if (sites == Sites::cells && stride == Triple{1, 1, 1}) return input;
    // Where each voxel has one cell, both rules choose the same sites.
    const bool tiles = kernel.size == stride && kernel.dilation == Triple{1, 1, 1} &&
                       kernel.begin(0) == 0 && kernel.begin(1) == 0 && kernel.begin(2) == 0;
    Level wanted{input, nullptr, kernel, stride, sites, false};
    if (tiles || sites == Sites::cells) {
        wanted.sites = Sites::cells;
        wanted.kernel = {};
    }
    const std::lock_guard guard(lock_);
    if (auto known = level(wanted)) return known;
    wanted.level = std::make_shared<const Coordinates>(wanted.sites == Sites::cells
                                                           ? coarse_cells(*input, stride)
                                                           : seeing_sites(*input, kernel, stride));
    levels_.push_back(wanted);
    return wanted.level;
}

SharedCoordinates Maps::generated(const SharedCoordinates& coarse, const Kernel& kernel,
                                  const Triple& stride) {
    Level wanted{coarse, nullptr, kernel, stride, Sites::seeing, true};
    const std::lock_guard guard(lock_);
    if (auto known = level(wanted)) return known;
    wanted.level = std::make_shared<const Coordinates>(reached_sites(*coarse, kernel, stride));
    levels_.push_back(wanted);
    return wanted.level;
}

SharedRulebook Maps::rulebook(const SharedCoordinates& output, const SharedCoordinates& input,
                              const Kernel& kernel) {
    const std::lock_guard guard(lock_);
    for (const auto& known : rulebooks_) {
        if (known->output() == output && known->input() == input && known->kernel() == kernel) {
            return known;
        }
    }
    rulebooks_.push_back(std::make_shared<const Rulebook>(output, input, kernel));
    return rulebooks_.back();
}

}  // namespace hodo::sparse
