#include <algorithm>
#include <memory>

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

/// Parts [begin, end) of the rows and kernel cells [first_cell, end_cell), whose sums go to a
/// group.
struct Task {
    std::int64_t group, begin, end, first_cell, end_cell;
};

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
    Task task(std::int64_t index) const {
        const auto group = index / chunks, chunk = index % chunks;
        return {group, parts * group / groups, parts * (group + 1) / groups, cells * chunk / chunks,
                cells * (chunk + 1) / chunks};
    }
};

/// Sums of `numbers` per cell and group.
class GroupSums {
  public:
    GroupSums(const Cut& cut, std::int64_t numbers)
        : cut_(cut), numbers_(numbers), sums_(size(cut.groups * cut.cells * numbers)) {}

    /// What a task adds to: zeros.
    float* begin(const Task& task) {
        float* own = sums_.data() + task.group * cut_.cells * numbers_;
        std::fill(own + task.first_cell * numbers_, own + task.end_cell * numbers_, 0.0F);
        return own;
    }

    /// target[i] = the groups' numbers of a cell from `first` on, added up in their order.
    void add_up(std::int64_t cell, std::int64_t first, std::int64_t count, float* target) const {
        const float* sums = sums_.data() + cell * numbers_ + first;
        std::copy_n(sums, count, target);
        for (std::int64_t group = 1; group < cut_.groups; ++group) {
            const float* other = sums + group * cut_.cells * numbers_;
#pragma omp simd
            for (std::int64_t i = 0; i < count; ++i) target[i] += other[i];
        }
    }

    /// Cells whose adding up is worth a thread.
    std::int64_t grain() const {
        return smallest_sum / (cut_.groups * std::max<std::int64_t>(1, numbers_));
    }

  private:
    Cut cut_;
    std::int64_t numbers_;
    RecycledVector<float> sums_;
};

std::int64_t pairs_of(const Blocks& blocks) {
    return static_cast<std::int64_t>(blocks.others.size());
}

/// The gradient of the weights of one convolution.
class WeightGradient {
  public:
    WeightGradient(const Rulebook& book, Direction direction, Rows<const float> x,
                   Rows<const float> g, const CellGradients<float>& grad)
        : blocks_(book.blocks(direction)),
          x_(x),
          g_(g),
          grad_(grad),
          padded_(padded_columns(grad.out)),
          is_mirrored_(book.is_mirrored() && direction == Direction::back),
          cut_(blocks_.count(), book.cells(), book.cells() * grad.in * padded_),
          sums_(cut_, grad.in * padded_) {}

    std::int64_t tasks() const { return cut_.tasks(); }
    std::int64_t cells() const { return cut_.cells; }
    std::int64_t task_grain() const {
        return grain_of(tasks(), pairs_of(blocks_), grad_.in * grad_.out);
    }
    std::int64_t cell_grain() const { return sums_.grain(); }

    void sum(const Task& task) {
        float* sums = sums_.begin(task);
        RecycledVector<float> padding(size(is_padded() ? 0 : block_rows * padded_));
        for (auto block = task.begin; block < task.end; ++block) {
            const auto cells = with_cells(view(blocks_, block), task.first_cell, task.end_cell);
            auto rows = rows_of(block);
            if (block + 1 < task.end) {
                const auto next = rows_of(block + 1);
                call_rows(next.data, next.stride,
                          std::min(block_rows, blocks_.rows - (block + 1) * block_rows), grad_.out);
            }
            if (!is_padded()) {
                pad_rows(rows, cells.rows, grad_.out, padding.data());
                rows = {padding.data(), padded_};
            }
            kernels().weight_gradient(
                {cells, x_.data, x_.stride, grad_.in, rows.data, rows.stride, grad_.out, sums});
        }
    }
    void sum(std::int64_t first, std::int64_t end) {
        for (auto task = first; task < end; ++task) sum(cut_.task(task));
    }

    void add_up(std::int64_t begin, std::int64_t end) const {
        for (auto cell = begin; cell < end; ++cell) {
            const auto target = is_mirrored_ ? cut_.cells - 1 - cell : cell;
            float* place = grad_.data + target * grad_.cell_stride;
            if (is_padded()) {
                sums_.add_up(cell, 0, grad_.in * padded_, place);
                continue;
            }
            for (std::int64_t i = 0; i < grad_.in; ++i) {
                sums_.add_up(cell, i * padded_, grad_.out, place + i * grad_.out);
            }
        }
    }

  private:
    bool is_padded() const { return padded_ == grad_.out; }
    Rows<const float> rows_of(std::int64_t block) const {
        return {g_.data + block * block_rows * g_.stride, g_.stride};
    }

    const Blocks& blocks_;
    Rows<const float> x_, g_;
    CellGradients<float> grad_;
    std::int64_t padded_;
    bool is_mirrored_;
    Cut cut_;
    GroupSums sums_;
};

}  // namespace

GradientSteps weight_gradient_steps(const Rulebook& book, Direction direction, Rows<const float> x,
                                    Rows<const float> g, const CellGradients<float>& grad) {
    const auto gradient = std::make_shared<WeightGradient>(book, direction, x, g, grad);
    return {{gradient->tasks(), gradient->task_grain(),
             [gradient](std::int64_t begin, std::int64_t end) { gradient->sum(begin, end); }},
            {gradient->cells(), gradient->cell_grain(),
             [gradient](std::int64_t begin, std::int64_t end) { gradient->add_up(begin, end); }}};
}

void weight_gradient(const Rulebook& book, Direction direction, Rows<const float> x,
                     Rows<const float> g, const CellGradients<float>& grad) {
    const auto steps = weight_gradient_steps(book, direction, x, g, grad);
    base::parallel_for(steps.sums);
    base::parallel_for(steps.total);
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
    GroupSums sums(cut, channels);
    base::parallel_for(
        cut.tasks(), grain_of(cut.tasks(), pairs, 8 * channels),
        [&](std::int64_t begin, std::int64_t end) {
            for (auto index = begin; index < end; ++index) {
                const auto task = cut.task(index);
                const auto first = task.begin * block_rows;
                const auto last = std::min(task.end * block_rows, neighbours.rows());
                kernels().depthwise_weight_gradient(
                    {neighbours.starts.data() + first, neighbours.entries.data(), last - first,
                     channels, x, g + first * channels, sums.begin(task)});
            }
        });
    for (std::int64_t cell = 0; cell < cut.cells; ++cell) {
        sums.add_up(cell, 0, channels, grad + cell * channels);
    }
}

void depthwise_weight_gradient(const Rulebook& book, const double* x, const double* g,
                               std::int64_t channels, double* grad) {
    naive::depthwise_weight_gradient(book, x, g, channels, grad);
}

}  // namespace hodo::sparse
