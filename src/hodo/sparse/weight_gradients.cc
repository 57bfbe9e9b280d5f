#include <algorithm>

#include "hodo/base/threads.hh"
#include "hodo/sparse/detail/memory.hh"
#include "hodo/sparse/detail/shares.hh"
#include "hodo/sparse/products.hh"

namespace hodo::sparse {

namespace {

constexpr std::int64_t most_groups = 16;
constexpr std::int64_t smallest_group = 16;        // blocks that share a sum of gradients
constexpr std::int64_t gradient_budget = 1 << 24;  // numbers in all partial sums
constexpr std::int64_t enough_tasks = 8;           // so many keep all threads busy to the end
constexpr std::int64_t smallest_sum = 1 << 15;     // numbers whose adding is worth a thread

std::size_t size(std::int64_t count) {
    return static_cast<std::size_t>(count);
}

/// Rows of one block with their columns padded with zeros.
void pad_rows(Rows<const float> g, std::int64_t rows, std::int64_t columns, float* padded) {
    const auto stride = padded_columns(columns);
    for (std::int64_t row = 0; row < rows; ++row) {
        std::copy_n(g.data + row * g.stride, columns, padded + row * stride);
    }
}

/// How a sum over parts of the rows is cut: into groups of parts with a sum each, and these by
/// kernel cells where groups are few. A matter of sizes, never of threads.
struct Cut {
    std::int64_t parts, cells, groups, chunks;

    Cut(std::int64_t part_count, std::int64_t cell_count, std::int64_t numbers)
        : parts(part_count), cells(cell_count) {
        const auto most =
            std::min(most_groups, gradient_budget / std::max<std::int64_t>(1, numbers));
        groups =
            std::clamp<std::int64_t>(parts / smallest_group, 1, std::max<std::int64_t>(1, most));
        chunks = std::clamp<std::int64_t>((enough_tasks + groups - 1) / groups, 1, cells);
    }
    std::int64_t tasks() const { return groups * chunks; }
};

/// Parts [begin, end) of the rows and kernel cells [first_cell, end_cell).
struct Task {
    std::int64_t begin, end, first_cell, end_cell;
};

/// Sums of `numbers` per cell and group: what `add(task, sums of the group)` adds to zeros.
template <class Add>
RecycledVector<float> sum_groups(const Cut& cut, std::int64_t numbers, std::int64_t grain,
                                 const Add& add) {
    RecycledVector<float> sums(size(cut.groups * cut.cells * numbers));
    base::parallel_for(cut.tasks(), grain, [&](std::int64_t first, std::int64_t last) {
        for (auto t = first; t < last; ++t) {
            const auto group = t / cut.chunks, chunk = t % cut.chunks;
            const Task task{cut.parts * group / cut.groups, cut.parts * (group + 1) / cut.groups,
                            cut.cells * chunk / cut.chunks, cut.cells * (chunk + 1) / cut.chunks};
            float* own = sums.data() + group * cut.cells * numbers;
            std::fill(own + task.first_cell * numbers, own + task.end_cell * numbers, 0.0F);
            add(task, own);
        }
    });
    return sums;
}

/// target[i] = the groups' sums from `first` on, added up in their order.
void add_groups(const Cut& cut, const RecycledVector<float>& sums, std::int64_t numbers,
                std::int64_t first, std::int64_t count, float* target) {
    const auto all = cut.cells * numbers;
    std::copy_n(sums.data() + first, count, target);
    for (std::int64_t group = 1; group < cut.groups; ++group) {
        const float* other = sums.data() + group * all + first;
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) target[i] += other[i];
    }
}

/// Cells whose sums are worth a thread.
std::int64_t cell_grain(const Cut& cut, std::int64_t numbers) {
    return std::max<std::int64_t>(1,
                                  smallest_sum / (cut.groups * std::max<std::int64_t>(1, numbers)));
}

/// Tasks that are worth a thread of their own.
std::int64_t task_grain(const Cut& cut, std::int64_t pairs, std::int64_t work_per_pair) {
    return grain_of(cut.tasks(), pairs, work_per_pair);
}

}  // namespace

void weight_gradient(const Rulebook& book, Direction direction, Rows<const float> x,
                     Rows<const float> g, const CellGradients<float>& grad) {
    const auto& blocks = book.blocks(direction);
    const auto padded = padded_columns(grad.out);
    const bool is_padded = padded == grad.out;
    const auto numbers = grad.in * padded;
    const Cut cut(blocks.count(), book.cells(), book.cells() * numbers);
    const auto pairs = static_cast<std::int64_t>(blocks.others.size());
    const auto sums = sum_groups(
        cut, numbers, task_grain(cut, pairs, grad.in * grad.out),
        [&](const Task& task, float* group_sums) {
            RecycledVector<float> padding(size(is_padded ? 0 : block_rows * padded));
            for (auto block = task.begin; block < task.end; ++block) {
                const auto cells = with_cells(view(blocks, block), task.first_cell, task.end_cell);
                auto rows = Rows<const float>{g.data + block * block_rows * g.stride, g.stride};
                if (block + 1 < task.end) {
                    const auto next = std::min(block_rows, blocks.rows - (block + 1) * block_rows);
                    call_rows(rows.data + block_rows * g.stride, g.stride, next, grad.out);
                }
                if (!is_padded) {
                    pad_rows(rows, cells.rows, grad.out, padding.data());
                    rows = {padding.data(), padded};
                }
                kernels().weight_gradient({cells, x.data, x.stride, grad.in, rows.data, rows.stride,
                                           grad.out, group_sums});
            }
        });
    const bool mirrored = book.is_mirrored() && direction == Direction::back;
    base::parallel_for(cut.cells, cell_grain(cut, numbers),
                       [&](std::int64_t begin, std::int64_t end) {
                           for (auto cell = begin; cell < end; ++cell) {
                               const auto target = mirrored ? cut.cells - 1 - cell : cell;
                               float* place = grad.data + target * grad.cell_stride;
                               const auto first = cell * numbers;
                               if (is_padded) {
                                   add_groups(cut, sums, numbers, first, numbers, place);
                                   continue;
                               }
                               for (std::int64_t i = 0; i < grad.in; ++i) {
                                   add_groups(cut, sums, numbers, first + i * padded, grad.out,
                                              place + i * grad.out);
                               }
                           }
                       });
}

void weight_gradient(const Rulebook& book, Direction direction, Rows<const double> x,
                     Rows<const double> g, const CellGradients<double>& grad) {
    naive::weight_gradient(book, direction, x, g, grad);
}

void depthwise_weight_gradient(const Rulebook& book, const float* x, const float* g,
                               std::int64_t channels, float* grad) {
    const auto& neighbours = book.neighbours(Direction::there);
    const auto parts = (neighbours.rows() + block_rows - 1) / block_rows;
    const auto pairs = static_cast<std::int64_t>(neighbours.entries.size());
    Cut cut(parts, book.cells(), book.cells() * channels);
    cut.chunks = 1;
    const auto sums =
        sum_groups(cut, channels, task_grain(cut, pairs, 8 * channels),
                   [&](const Task& task, float* group_sums) {
                       const auto first = task.begin * block_rows;
                       const auto last = std::min(task.end * block_rows, neighbours.rows());
                       kernels().depthwise_weight_gradient(
                           {neighbours.starts.data() + first, neighbours.entries.data(),
                            last - first, channels, x, g + first * channels, group_sums});
                   });
    add_groups(cut, sums, channels, 0, book.cells() * channels, grad);
}

void depthwise_weight_gradient(const Rulebook& book, const double* x, const double* g,
                               std::int64_t channels, double* grad) {
    naive::depthwise_weight_gradient(book, x, g, channels, grad);
}

}  // namespace hodo::sparse
