#pragma once
/// The pairs of a convolution in the order in which kernels eat them, made when first asked for.

#include "hodo/sparse/neighbours.hh"

#include <array>
#include <memory>
#include <mutex>

namespace hodo::sparse {

/// Rows of a block: they share an accumulator that stays in the nearest cache.
inline constexpr std::int64_t block_rows = 128;

/// Pairs by block of output rows, then by kernel cell, then by row.
struct Blocks {
    std::int64_t rows = 0;
    std::vector<Segment> segments;
    std::vector<std::int64_t> segment_starts{0};  ///< [blocks + 1]
    std::vector<std::int64_t> pair_starts{0};     ///< [blocks + 1]
    RecycledVector<std::int32_t> others;          ///< The other level's row of each pair.
    RecycledVector<std::uint8_t> own;             ///< Row of each pair within its block.

    std::int64_t count() const { return static_cast<std::int64_t>(segment_starts.size()) - 1; }
};

/// Groups pairs into blocks. `cells` is the kernel's volume.
Blocks make_blocks(const Neighbours& neighbours, std::int64_t cells);

/// `there`: from the input level to the output level; `back`: the same pairs the other way.
enum class Direction : std::uint8_t { there, back };

/// All that layers need to know about the pairs of two levels. Safe to use from several threads.
class Rulebook {
  public:
    Rulebook(SharedCoordinates output, SharedCoordinates input, const Kernel& kernel);

    const SharedCoordinates& output() const { return output_; }
    const SharedCoordinates& input() const { return input_; }
    const Kernel& kernel() const { return kernel_; }
    std::int64_t cells() const { return cells_; }
    /// The way back is the way there with cell k in the place of `cells() - 1 - k`; then the lists
    /// of both directions are one.
    bool is_mirrored() const { return mirrored_; }

    /// Rows of the level that the direction leads to.
    std::int64_t rows(Direction direction) const {
        return (direction == Direction::there ? output_ : input_)->size();
    }
    /// Pairs by row of the level that the direction leads to.
    const Neighbours& neighbours(Direction direction = Direction::there) const;
    const Blocks& blocks(Direction direction = Direction::there) const;

    /// What a device keeps of a direction's pairs: `make` returns it, a shared pointer, when it is
    /// first asked for; it lives as long as the rulebook.
    template <class Copy, class Make>
    const Copy& on_device(Direction direction, const Make& make) const {
        const auto place = mirrored_ ? 0 : static_cast<std::size_t>(direction);
        std::call_once(copied_[place], [&] { copies_[place] = make(); });
        return *static_cast<const Copy*>(copies_[place].get());
    }

  private:
    SharedCoordinates output_, input_;
    Kernel kernel_;
    std::int64_t cells_;
    bool mirrored_, direct_;
    mutable Neighbours there_, back_;
    mutable Blocks there_blocks_, back_blocks_;
    mutable std::once_flag there_made_, back_made_, there_blocks_made_, back_blocks_made_;
    mutable std::array<std::shared_ptr<const void>, 2> copies_;  ///< By direction.
    mutable std::array<std::once_flag, 2> copied_;
};

using SharedRulebook = std::shared_ptr<const Rulebook>;

/// How output sites of a strided layer are chosen.
///  * `cells`: the cells that hold an input voxel (MinkowskiEngine, and everyone when the kernel is
///    as large as its stride);
///  * `seeing`: every site that sees an input voxel (SparseConvNet's strided convolution; with
///    stride 1 MinkowskiEngine's `expand_coordinates`).
enum class Sites : std::uint8_t { cells, seeing };

/// Levels and rulebooks of one batch; each is made once and shared by all layers that ask for it.
/// It lives as long as the tensors of the batch do. Safe to use from several threads.
class Maps {
  public:
    /// The output level of a strided layer on `input`; `input` itself when nothing is strided.
    SharedCoordinates coarser(const SharedCoordinates& input, const Kernel& kernel,
                              const Triple& stride, Sites sites);
    /// The level of all sites that a generative transposed layer makes.
    SharedCoordinates generated(const SharedCoordinates& coarse, const Kernel& kernel,
                                const Triple& stride);
    SharedRulebook rulebook(const SharedCoordinates& output, const SharedCoordinates& input,
                            const Kernel& kernel);

  private:
    struct Level {
        SharedCoordinates from, level;
        Kernel kernel;
        Triple stride;
        Sites sites;
        bool generated;
    };
    SharedCoordinates level(const Level& wanted);

    std::mutex lock_;
    std::vector<Level> levels_;
    std::vector<SharedRulebook> rulebooks_;
};

}  // namespace hodo::sparse
