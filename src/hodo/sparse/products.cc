#include "hodo/sparse/products.hh"

#include <algorithm>

#include "hodo/base/threads.hh"
#include "hodo/sparse/detail/memory.hh"

namespace hodo::sparse {

namespace {

constexpr std::int64_t smallest_share = 1 << 23;  // multiply-adds that are worth another thread
constexpr std::int64_t largest_group_count = 16;
constexpr std::int64_t smallest_group = 64;        // blocks that share a sum of gradients
constexpr std::int64_t gradient_budget = 1 << 24;  // numbers in all partial sums

std::size_t size(std::int64_t count) {
    return static_cast<std::size_t>(count);
}

/// Weights as `Kernels::product` reads them, cells already in the order of the rulebook.
RecycledVector<float> pack(const CellMaps<float>& maps, std::int64_t cells, bool mirrored) {
    const auto in = maps.from(), out = maps.to(), padded = padded_columns(out);
    const bool plain = maps.form == CellMaps<float>::Form::plain;
    RecycledVector<float> packed(size(cells * in * padded));
    float* place = packed.data();
    for (std::int64_t cell = 0; cell < cells; ++cell) {
        const float* weight = maps.data + (mirrored ? cells - 1 - cell : cell) * maps.cell_stride;
        for (std::int64_t first = 0; first < padded; first += panel_columns) {
            const auto panel = std::min(panel_columns, padded - first);
            for (std::int64_t i = 0; i < in; ++i, place += panel) {
                const auto used = std::min(panel, out - first);
                for (std::int64_t o = 0; o < used; ++o) {
                    place[o] = plain ? weight[i * maps.out + first + o]
                                     : weight[(first + o) * maps.out + i];
                }
                std::fill(place + used, place + panel, 0.0F);
            }
        }
    }
    return packed;
}

BlockView view(const Blocks& blocks, std::int64_t block) {
    const auto first = blocks.segment_starts[size(block)];
    const auto pair = blocks.pair_starts[size(block)];
    return {blocks.segments.data() + first, blocks.segment_starts[size(block) + 1] - first,
            blocks.others.data() + pair, blocks.own.data() + pair,
            std::min(block_rows, blocks.rows - block * block_rows)};
}

const float* moved(const float* data, std::int64_t offset) {
    return data == nullptr ? nullptr : data + offset;
}

/// Rows of one block with their columns padded with zeros.
void pad_rows(Rows<const float> g, std::int64_t rows, std::int64_t columns, float* padded) {
    const auto stride = padded_columns(columns);
    for (std::int64_t row = 0; row < rows; ++row) {
        std::copy_n(g.data + row * g.stride, columns, padded + row * stride);
    }
}

/// Parts of a whole that are worth a thread of their own.
std::int64_t grain_of(std::int64_t parts, std::int64_t pairs, std::int64_t work_per_pair) {
    const auto work =
        std::max<std::int64_t>(1, pairs * work_per_pair / std::max<std::int64_t>(1, parts));
    return std::max<std::int64_t>(1, smallest_share / work);
}

/// How many partial sums a weight gradient has: a matter of sizes, never of threads.
std::int64_t group_count(std::int64_t parts, std::int64_t numbers) {
    const auto most =
        std::min(largest_group_count, gradient_budget / std::max<std::int64_t>(1, numbers));
    return std::clamp<std::int64_t>(parts / smallest_group, 1, std::max<std::int64_t>(1, most));
}

/// Runs `part(group, begin, end, sums)` for groups of parts and adds up their sums in order.
template <class Part>
RecycledVector<float> sum_groups(std::int64_t parts, std::int64_t numbers, std::int64_t grain,
                                 const Part& part) {
    const auto groups = group_count(parts, numbers);
    RecycledVector<float> sums(size(groups * numbers));
    base::parallel_for(groups,
                       std::max<std::int64_t>(1, grain * groups / std::max<std::int64_t>(1, parts)),
                       [&](std::int64_t begin, std::int64_t end) {
                           for (auto group = begin; group < end; ++group) {
                               std::fill_n(sums.data() + group * numbers, numbers, 0.0F);
                               part(parts * group / groups, parts * (group + 1) / groups,
                                    sums.data() + group * numbers);
                           }
                       });
    for (std::int64_t group = 1; group < groups; ++group) {
        const float* other = sums.data() + group * numbers;
        for (std::int64_t i = 0; i < numbers; ++i) sums[size(i)] += other[i];
    }
    return sums;
}

}  // namespace

void convolve(const Rulebook& book, Direction direction, Rows<const float> x,
              const CellMaps<float>& maps, Rows<float> y, const Epilogue& epilogue,
              const AfterBlock& after) {
    const auto& blocks = book.blocks(direction);
    const bool mirrored = book.is_mirrored() && direction == Direction::back;
    const auto weight = pack(maps, book.cells(), mirrored);
    const auto pairs = static_cast<std::int64_t>(blocks.others.size());
    const auto grain = grain_of(blocks.count(), pairs, maps.in * maps.out);
    base::parallel_for(blocks.count(), grain, [&](std::int64_t begin, std::int64_t end) {
        RecycledVector<float> scratch(size(product_scratch));
        for (auto block = begin; block < end; ++block) {
            const auto row = block * block_rows;
            Epilogue ending = epilogue;
            ending.residual = moved(epilogue.residual, row * epilogue.residual_stride);
            if (ending.plain != nullptr) ending.plain += row * epilogue.plain_stride;
            kernels().product({view(blocks, block), x.data, x.stride, maps.from(), weight.data(),
                               maps.to(), y.data + row * y.stride, y.stride, ending},
                              scratch.data());
            if (after) after(row, std::min(row + block_rows, blocks.rows));
        }
    });
}

void convolve(const Rulebook& book, Direction direction, Rows<const double> x,
              const CellMaps<double>& maps, Rows<double> y) {
    naive::convolve(book, direction, x, maps, y);
}

void weight_gradient(const Rulebook& book, Direction direction, Rows<const float> x,
                     Rows<const float> g, const CellGradients<float>& grad) {
    const auto& blocks = book.blocks(direction);
    const auto padded = padded_columns(grad.out);
    const bool is_padded = padded == grad.out;
    const auto numbers = book.cells() * grad.in * padded;
    const auto pairs = static_cast<std::int64_t>(blocks.others.size());
    const auto sums = sum_groups(
        blocks.count(), numbers, grain_of(blocks.count(), pairs, grad.in * grad.out),
        [&](std::int64_t begin, std::int64_t end, float* partial) {
            std::vector<float> padding(size(is_padded ? 0 : block_rows * padded));
            for (auto block = begin; block < end; ++block) {
                const auto block_view = view(blocks, block);
                auto rows = Rows<const float>{g.data + block * block_rows * g.stride, g.stride};
                if (!is_padded) {
                    pad_rows(rows, block_view.rows, grad.out, padding.data());
                    rows = {padding.data(), padded};
                }
                kernels().weight_gradient({block_view, x.data, x.stride, grad.in, rows.data,
                                           rows.stride, grad.out, partial});
            }
        });
    const bool mirrored = book.is_mirrored() && direction == Direction::back;
    for (std::int64_t cell = 0; cell < book.cells(); ++cell) {
        const auto target = mirrored ? book.cells() - 1 - cell : cell;
        for (std::int64_t i = 0; i < grad.in; ++i) {
            std::copy_n(sums.data() + (cell * grad.in + i) * padded, grad.out,
                        grad.data + target * grad.cell_stride + i * grad.out);
        }
    }
}

void weight_gradient(const Rulebook& book, Direction direction, Rows<const double> x,
                     Rows<const double> g, const CellGradients<double>& grad) {
    naive::weight_gradient(book, direction, x, g, grad);
}

void depthwise(const Rulebook& book, Direction direction, const float* x, const float* weight,
               std::int64_t channels, float* y) {
    const auto& neighbours = book.neighbours(direction);
    const bool mirrored = book.is_mirrored() && direction == Direction::back;
    const auto pairs = static_cast<std::int64_t>(neighbours.entries.size());
    const auto grain = grain_of(neighbours.rows(), pairs, 8 * channels);
    base::parallel_for(neighbours.rows(), grain, [&](std::int64_t begin, std::int64_t end) {
        kernels().depthwise({neighbours.starts.data() + begin, neighbours.entries.data(),
                             end - begin, channels, x, weight, mirrored ? book.cells() - 1 : -1,
                             y + begin * channels});
    });
}

void depthwise(const Rulebook& book, Direction direction, const double* x, const double* weight,
               std::int64_t channels, double* y) {
    naive::depthwise(book, direction, x, weight, channels, y);
}

void depthwise_weight_gradient(const Rulebook& book, const float* x, const float* g,
                               std::int64_t channels, float* grad) {
    const auto& neighbours = book.neighbours(Direction::there);
    const auto parts = (neighbours.rows() + block_rows - 1) / block_rows;
    const auto pairs = static_cast<std::int64_t>(neighbours.entries.size());
    const auto sums =
        sum_groups(parts, book.cells() * channels, grain_of(parts, pairs, 8 * channels),
                   [&](std::int64_t begin, std::int64_t end, float* partial) {
                       const auto first = begin * block_rows;
                       const auto last = std::min(end * block_rows, neighbours.rows());
                       kernels().depthwise_weight_gradient(
                           {neighbours.starts.data() + first, neighbours.entries.data(),
                            last - first, channels, x, g + first * channels, partial});
                   });
    std::copy(sums.begin(), sums.end(), grad);
}

void depthwise_weight_gradient(const Rulebook& book, const double* x, const double* g,
                               std::int64_t channels, double* grad) {
    naive::depthwise_weight_gradient(book, x, g, channels, grad);
}

}  // namespace hodo::sparse
