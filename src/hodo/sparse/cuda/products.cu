// Sparse convolutions on a CUDA device.
//
// Forward and back to the input a thread block owns a block of output rows and a tile of columns:
// their sums stay in shared memory while the pairs of one kernel cell after the other pass by in
// tiles. Back to the weights it owns a tile of one cell's weights and a part of its pairs. So no
// sum needs atomic additions.

#include "hodo/sparse/cuda/launch.hh"
#include "hodo/tensor/cuda/start.cuh"

namespace hodo::sparse::cuda {

namespace {

using tensor::cuda::parts;
using tensor::cuda::start;
using tensor::cuda::warp;

constexpr int threads = 256;
constexpr int tile = 32;               // pairs, and channels of a tile
constexpr int tile_stride = tile + 1;  // so that lanes hit different banks

/// How a block's threads share a tile of `columns` columns: a column each, and several rows.
template <int columns>
struct Place {
    static constexpr int rows = threads / columns;  // rows at a time
    static constexpr int steps = tile / rows;       // rows per thread
    const int column = static_cast<int>(threadIdx.x) % columns;
    const int row = static_cast<int>(threadIdx.x) / columns;
};

/// Double precision takes half as many columns, to fit the shared memory.
template <class T>
constexpr int columns_of = sizeof(T) == 4 ? 32 : 16;

template <class T>
__device__ T ended(T sum, const Ending<T>& ending, std::int64_t row, std::int64_t column) {
    if (ending.bias != nullptr) sum += ending.bias[column];
    if (ending.residual != nullptr) sum += ending.residual[row * ending.residual_stride + column];
    if (ending.plain != nullptr) ending.plain[row * ending.plain_stride + column] = sum;
    if (ending.scale == nullptr) return sum;
    sum = sum * ending.scale[column] + ending.shift[column];
    return sum > T{0} ? sum : sum * ending.leak;
}

/// The weights (k, first ... first + tile - 1, columns from `column`) of a cell; others are zero.
template <class T, int columns>
__device__ void load_weights(const Product<T>& task, std::int64_t cell, std::int64_t first,
                             std::int64_t column, T* target) {
    const T* weight = task.weight + cell * task.cell_stride;
    for (int i = threadIdx.x; i < tile * columns; i += threads) {
        // Neighbouring threads read neighbouring numbers.
        const bool by_row = task.out_stride == 1;
        const int row = by_row ? i / columns : i % tile, c = by_row ? i % columns : i / tile;
        const bool there = first + row < task.in && column + c < task.out;
        target[row * columns + c] =
            there ? weight[(first + row) * task.in_stride + (column + c) * task.out_stride] : T{0};
    }
}

template <class T, int columns>
__global__ void product_kernel(Product<T> task) {
    using Where = Place<columns>;
    __shared__ T sums[largest_block * columns], input[tile * tile_stride], weight[tile * columns];
    const Where here;
    const std::int64_t block = blockIdx.x, column = static_cast<std::int64_t>(blockIdx.y) * columns;
    for (int i = threadIdx.x; i < largest_block * columns; i += threads) sums[i] = T{0};
    std::int64_t pair = task.pairs.pair_starts[block];
    for (auto s = task.pairs.segment_starts[block]; s < task.pairs.segment_starts[block + 1]; ++s) {
        const auto [own_cell, count] = task.pairs.segments[s];
        const std::int64_t cell = task.last_cell < 0 ? own_cell : task.last_cell - own_cell;
        for (std::int64_t done = 0; done < count; done += tile) {
            const std::int64_t first = pair + done, left = count - done;
            T part[Where::steps] = {};
            for (std::int64_t channel = 0; channel < task.in; channel += tile) {
                __syncthreads();
                for (int i = threadIdx.x; i < tile * tile; i += threads) {
                    const int row = i / tile, c = i % tile;
                    input[row * tile_stride + c] =
                        row < left && channel + c < task.in
                            ? task.x[task.pairs.others[first + row] * task.x_stride + channel + c]
                            : T{0};
                }
                load_weights<T, columns>(task, cell, channel, column, weight);
                __syncthreads();
                for (int c = 0; c < tile; ++c) {
                    const T w = weight[c * columns + here.column];
                    for (int step = 0; step < Where::steps; ++step) {
                        part[step] += input[(here.row + step * Where::rows) * tile_stride + c] * w;
                    }
                }
            }
            for (int step = 0; step < Where::steps; ++step) {
                const int row = here.row + step * Where::rows;
                // Pairs of one cell have different output rows.
                if (row < left) {
                    sums[task.pairs.own[first + row] * columns + here.column] += part[step];
                }
            }
        }
        pair += count;
        __syncthreads();
    }
    __syncthreads();
    const std::int64_t first_row = block * task.pairs.block_rows;
    const std::int64_t left = task.pairs.rows - first_row;
    const std::int64_t last = left < task.pairs.block_rows ? left : task.pairs.block_rows;
    for (int i = threadIdx.x; i < last * columns; i += threads) {
        const std::int64_t row = first_row + i / columns, c = column + i % columns;
        if (c < task.out) task.y[row * task.y_stride + c] = ended(sums[i], task.ending, row, c);
    }
}

/// Pairs [first, last) of a group: the same parts whatever the device.
struct Range {
    std::int64_t first, last;
    __device__ Range(const Lists& lists, std::int64_t list, std::int64_t group,
                     std::int64_t groups) {
        const std::int64_t begin = lists.starts[list], length = lists.starts[list + 1] - begin;
        first = begin + length * group / groups;
        last = begin + length * (group + 1) / groups;
    }
};

template <class T>
__global__ void weight_gradient_kernel(WeightGradient<T> task) {
    using Where = Place<tile>;
    __shared__ T input[tile * tile_stride], incoming[tile * tile_stride];
    const Where here;
    const std::int64_t tiles_out = (task.out + tile - 1) / tile;
    const std::int64_t tiles = (task.in + tile - 1) / tile * tiles_out;
    const std::int64_t cell = blockIdx.x / tiles, place = blockIdx.x % tiles;
    const std::int64_t in = place / tiles_out * tile, out = place % tiles_out * tile;
    const Range range(task.pairs, cell, blockIdx.y, task.groups);
    T sums[Where::steps] = {};
    for (std::int64_t first = range.first; first < range.last; first += tile) {
        __syncthreads();
        for (int i = threadIdx.x; i < tile * tile; i += threads) {
            const int row = i / tile, c = i % tile;
            const bool there = first + row < range.last;
            const Pair pair = there ? task.pairs.pairs[first + row] : Pair{0, 0};
            input[row * tile_stride + c] =
                there && in + c < task.in ? task.x[pair.row * task.x_stride + in + c] : T{0};
            incoming[row * tile_stride + c] =
                there && out + c < task.out ? task.g[pair.with * task.g_stride + out + c] : T{0};
        }
        __syncthreads();
        for (int row = 0; row < tile; ++row) {
            const T g = incoming[row * tile_stride + here.column];
            for (int step = 0; step < Where::steps; ++step) {
                sums[step] += input[row * tile_stride + here.row + step * Where::rows] * g;
            }
        }
    }
    for (int step = 0; step < Where::steps; ++step) {
        const std::int64_t i = in + here.row + step * Where::rows, o = out + here.column;
        if (i >= task.in || o >= task.out) continue;
        const std::int64_t cells = task.pairs.count;
        task.partial[((blockIdx.y * cells + cell) * task.in + i) * task.out + o] = sums[step];
    }
}

/// Adds up the groups in their order.
template <class T>
__global__ void add_groups_kernel(WeightGradient<T> task) {
    const std::int64_t weights = task.in * task.out, numbers = task.pairs.count * weights;
    const std::int64_t place = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x;
    if (place >= numbers) return;
    T sum = task.partial[place];
    for (std::int64_t group = 1; group < task.groups; ++group) {
        sum += task.partial[group * numbers + place];
    }
    const std::int64_t own = place / weights;
    const std::int64_t cell = task.last_cell < 0 ? own : task.last_cell - own;
    task.grad[cell * task.cell_stride + place % weights] = sum;
}

/// Channels of a warp's lanes and rows of a block's warps.
struct Lane {
    const std::int64_t channel = static_cast<std::int64_t>(blockIdx.y) * warp + threadIdx.x % warp;
    const int warp_number = static_cast<int>(threadIdx.x) / warp;
    static constexpr int warps = threads / warp;
};

template <class T>
__global__ void depthwise_kernel(Depthwise<T> task) {
    const Lane lane;
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * Lane::warps + lane.warp_number;
    if (row >= task.pairs.count || lane.channel >= task.channels) return;
    T sum{0};
    for (auto p = task.pairs.starts[row]; p < task.pairs.starts[row + 1]; ++p) {
        const Pair pair = task.pairs.pairs[p];
        const std::int64_t cell = task.last_cell < 0 ? pair.with : task.last_cell - pair.with;
        sum += task.x[pair.row * task.channels + lane.channel] *
               task.weight[cell * task.channels + lane.channel];
    }
    task.y[row * task.channels + lane.channel] = sum;
}

template <class T>
__global__ void depthwise_weight_gradient_kernel(DepthwiseWeightGradient<T> task) {
    __shared__ T partial[threads];
    const Lane lane;
    const std::int64_t cell = blockIdx.x;
    T sum{0};
    for (auto p = task.pairs.starts[cell] + lane.warp_number;
         p < task.pairs.starts[cell + 1] && lane.channel < task.channels; p += Lane::warps) {
        const Pair pair = task.pairs.pairs[p];
        sum += task.x[pair.row * task.channels + lane.channel] *
               task.g[pair.with * task.channels + lane.channel];
    }
    partial[threadIdx.x] = sum;
    __syncthreads();
    if (lane.warp_number > 0 || lane.channel >= task.channels) return;
    for (int other = 1; other < Lane::warps; ++other) sum += partial[other * warp + threadIdx.x];
    task.grad[cell * task.channels + lane.channel] = sum;
}

template <class T>
int start_product(const Product<T>& task, void* stream) {
    constexpr int columns = columns_of<T>;
    if (task.pairs.block_rows < 1 || task.pairs.block_rows > largest_block) {
        return static_cast<int>(cudaErrorInvalidValue);
    }
    const dim3 blocks(parts(task.pairs.rows, task.pairs.block_rows), parts(task.out, columns));
    return start(product_kernel<T, columns>, blocks, threads, 0, task, stream);
}

template <class T>
int start_weight_gradient(const WeightGradient<T>& task, void* stream) {
    const auto tiles = task.pairs.count * parts(task.in, tile) * parts(task.out, tile);
    const dim3 blocks(static_cast<unsigned>(tiles), static_cast<unsigned>(task.groups));
    const int code = start(weight_gradient_kernel<T>, blocks, threads, 0, task, stream);
    if (code != 0) return code;
    return start(add_groups_kernel<T>, parts(task.pairs.count * task.in * task.out, threads),
                 threads, 0, task, stream);
}

template <class T>
int start_depthwise(const Depthwise<T>& task, void* stream) {
    const dim3 blocks(parts(task.pairs.count, Lane::warps), parts(task.channels, warp));
    return start(depthwise_kernel<T>, blocks, threads, 0, task, stream);
}

template <class T>
int start_depthwise_weight_gradient(const DepthwiseWeightGradient<T>& task, void* stream) {
    const dim3 blocks(parts(task.pairs.count, 1), parts(task.channels, warp));
    return start(depthwise_weight_gradient_kernel<T>, blocks, threads, 0, task, stream);
}

}  // namespace

int product(const Product<float>& task, void* stream) {
    return start_product(task, stream);
}
int product(const Product<double>& task, void* stream) {
    return start_product(task, stream);
}
int weight_gradient(const WeightGradient<float>& task, void* stream) {
    return start_weight_gradient(task, stream);
}
int weight_gradient(const WeightGradient<double>& task, void* stream) {
    return start_weight_gradient(task, stream);
}
int depthwise(const Depthwise<float>& task, void* stream) {
    return start_depthwise(task, stream);
}
int depthwise(const Depthwise<double>& task, void* stream) {
    return start_depthwise(task, stream);
}
int depthwise_weight_gradient(const DepthwiseWeightGradient<float>& task, void* stream) {
    return start_depthwise_weight_gradient(task, stream);
}
int depthwise_weight_gradient(const DepthwiseWeightGradient<double>& task, void* stream) {
    return start_depthwise_weight_gradient(task, stream);
}

}  // namespace hodo::sparse::cuda
