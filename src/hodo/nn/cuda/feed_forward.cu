// Feed-forward parts on a CUDA device; hidden numbers never leave the shared memory.
//
// There, and back to the input: a block works on `tile_rows` rows and goes through the hidden
// numbers in tiles. Back to the weights: a block works on one tile of hidden numbers and goes
// through all rows, so that no sum needs atomic additions.

#include "hodo/nn/cuda/device.cuh"

namespace hodo::nn::cuda {

namespace {

constexpr int threads = 256;
constexpr int tile_rows = 16;
constexpr int tile_hidden = warp;

/// Matrices of a block in shared memory. Rows are one number longer than needed, so that lanes hit
/// different banks.
struct Tile {
    int channels, stride;
    float *x, *y;              // [tile_rows, channels]: input; output, or incoming gradient
    float *weight1, *weight2;  // [tile_hidden, channels] each, the second transposed
    float *hidden, *back;      // [tile_rows, tile_hidden]
    float *more1, *more2;      // further [tile_hidden, channels] or [tile_rows, channels]

    static constexpr int hidden_stride = tile_hidden + 1;
    __device__ Tile(float* memory, int count) : channels(count), stride(count + 1) {
        x = memory;
        y = x + tile_rows * stride;
        weight1 = y + tile_rows * stride;
        weight2 = weight1 + tile_hidden * stride;
        hidden = weight2 + tile_hidden * stride;
        back = hidden + tile_rows * hidden_stride;
        more1 = back + tile_rows * hidden_stride;
        more2 = more1 + tile_hidden * stride;
    }
    static int bytes(std::int64_t channels, int more) {
        const auto stride = static_cast<int>(channels) + 1;
        const int numbers = (2 * tile_rows + 2 * tile_hidden) * stride +
                            2 * tile_rows * hidden_stride + more * tile_hidden * stride;
        return numbers * static_cast<int>(sizeof(float));
    }
};

/// Rows from `first` of a stored matrix; missing ones become zero.
template <class Number>
__device__ void load_rows(const FeedForwardTask& task, ConstRows source, std::int64_t first,
                          const Tile& tile, float* target) {
    for (int i = threadIdx.x; i < tile_rows * tile.channels; i += threads) {
        const int row = i / tile.channels, c = i % tile.channels;
        target[row * tile.stride + c] =
            first + row < task.rows ? read<Number>(source, first + row, c) : 0.0F;
    }
}

/// Both weights of the hidden numbers from `first`; missing ones become zero.
__device__ void load_weights(const FeedForwardTask& task, std::int64_t first, const Tile& tile) {
    for (int i = threadIdx.x; i < tile_hidden * tile.channels; i += threads) {
        const int j = i / tile.channels, c = i % tile.channels;
        const bool there = first + j < task.hidden;
        tile.weight1[j * tile.stride + c] =
            there ? task.weight1[(first + j) * task.channels + c] : 0.0F;
    }
    for (int i = threadIdx.x; i < tile_hidden * tile.channels; i += threads) {
        const int c = i / tile_hidden, j = i % tile_hidden;
        tile.weight2[j * tile.stride + c] =
            first + j < task.hidden ? task.weight2[c * task.hidden + first + j] : 0.0F;
    }
}

/// Hidden numbers of a tile and, when `with_gradient`, their gradients (incoming ones in tile.y).
__device__ void make_hidden(const FeedForwardTask& task, std::int64_t row, std::int64_t first,
                            bool with_gradient, const Tile& tile) {
    for (int i = threadIdx.x; i < tile_rows * tile_hidden; i += threads) {
        const int r = i / tile_hidden, j = i % tile_hidden;
        const bool there = row + r < task.rows && first + j < task.hidden;
        float value = 0.0F, gradient = 0.0F;
        if (there) {
            value = task.bias1[first + j] +
                    dot(tile.x + r * tile.stride, tile.weight1 + j * tile.stride, tile.channels);
            const float factor = mask_factor(task.mask, static_cast<std::uint32_t>(row + r),
                                             static_cast<std::uint32_t>(first + j));
            value = value > 0.0F ? value * factor : 0.0F;
            if (with_gradient && value > 0.0F) {
                gradient = factor * dot(tile.y + r * tile.stride, tile.weight2 + j * tile.stride,
                                        tile.channels);
            }
        }
        tile.hidden[r * Tile::hidden_stride + j] = value;
        tile.back[r * Tile::hidden_stride + j] = gradient;
    }
}

/// sums [tile_rows, channels] += factors [tile_rows, tile_hidden] weights [tile_hidden, channels].
__device__ void add_products(const float* factors, const float* weights, const Tile& tile,
                             float* sums) {
    for (int i = threadIdx.x; i < tile_rows * tile.channels; i += threads) {
        const int r = i / tile.channels, c = i % tile.channels;
        float sum = sums[r * tile.stride + c];
        for (int j = 0; j < tile_hidden; ++j) {
            sum = fmaf(factors[r * Tile::hidden_stride + j], weights[j * tile.stride + c], sum);
        }
        sums[r * tile.stride + c] = sum;
    }
}

/// sums [tile_hidden, channels] += factors^T [tile_hidden, tile_rows] rows [tile_rows, channels].
__device__ void add_outer(const float* factors, const float* rows, const Tile& tile, float* sums) {
    for (int i = threadIdx.x; i < tile_hidden * tile.channels; i += threads) {
        const int j = i / tile.channels, c = i % tile.channels;
        float sum = sums[j * tile.stride + c];
        for (int r = 0; r < tile_rows; ++r) {
            sum = fmaf(factors[r * Tile::hidden_stride + j], rows[r * tile.stride + c], sum);
        }
        sums[j * tile.stride + c] = sum;
    }
}

template <class Number>
__device__ void write_rows(const FeedForwardTask& task, const float* sums, std::int64_t first,
                           const Tile& tile, Rows target) {
    for (int i = threadIdx.x; i < tile_rows * tile.channels; i += threads) {
        const int row = i / tile.channels, c = i % tile.channels;
        if (first + row < task.rows) {
            write<Number>(sums[row * tile.stride + c], target, first + row, c);
        }
    }
}

template <class Number>
__global__ void forward_kernel(FeedForwardTask task) {
    const Tile tile(block_memory(), static_cast<int>(task.channels));
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * tile_rows;
    load_rows<Number>(task, task.x, row, tile, tile.x);
    for (int i = threadIdx.x; i < tile_rows * tile.channels; i += threads) {
        tile.y[i / tile.channels * tile.stride + i % tile.channels] = task.bias2[i % tile.channels];
    }
    for (std::int64_t first = 0; first < task.hidden; first += tile_hidden) {
        __syncthreads();
        load_weights(task, first, tile);
        __syncthreads();
        make_hidden(task, row, first, false, tile);
        __syncthreads();
        add_products(tile.hidden, tile.weight2, tile, tile.y);
    }
    __syncthreads();
    write_rows<Number>(task, tile.y, row, tile, task.y);
}

template <class Number>
__global__ void input_gradient_kernel(FeedForwardTaskGradient gradient) {
    const FeedForwardTask& task = gradient.task;
    const Tile tile(block_memory(), static_cast<int>(task.channels));
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * tile_rows;
    load_rows<Number>(task, task.x, row, tile, tile.x);
    load_rows<Number>(task, gradient.grad_y, row, tile, tile.y);
    for (int i = threadIdx.x; i < tile_rows * tile.stride; i += threads) tile.more1[i] = 0.0F;
    for (std::int64_t first = 0; first < task.hidden; first += tile_hidden) {
        __syncthreads();
        load_weights(task, first, tile);
        __syncthreads();
        make_hidden(task, row, first, true, tile);
        __syncthreads();
        add_products(tile.back, tile.weight1, tile, tile.more1);
    }
    __syncthreads();
    write_rows<Number>(task, tile.more1, row, tile, gradient.grad_x);
}

template <class Number>
__global__ void weight_gradient_kernel(FeedForwardTaskGradient gradient) {
    const FeedForwardTask& task = gradient.task;
    const Tile tile(block_memory(), static_cast<int>(task.channels));
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * tile_hidden;
    load_weights(task, first, tile);
    for (int i = threadIdx.x; i < tile_hidden * tile.stride; i += threads) {
        tile.more1[i] = tile.more2[i] = 0.0F;
    }
    float bias = 0.0F;  // of hidden number first + threadIdx.x
    for (std::int64_t row = 0; row < task.rows; row += tile_rows) {
        __syncthreads();
        load_rows<Number>(task, task.x, row, tile, tile.x);
        load_rows<Number>(task, gradient.grad_y, row, tile, tile.y);
        __syncthreads();
        make_hidden(task, row, first, true, tile);
        __syncthreads();
        add_outer(tile.back, tile.x, tile, tile.more1);
        add_outer(tile.hidden, tile.y, tile, tile.more2);
        for (int r = 0; r < tile_rows && threadIdx.x < tile_hidden; ++r) {
            bias += tile.back[r * Tile::hidden_stride + threadIdx.x];
        }
    }
    __syncthreads();
    if (threadIdx.x < tile_hidden && first + threadIdx.x < task.hidden) {
        gradient.grad_bias1[first + threadIdx.x] = bias;
    }
    for (int i = threadIdx.x; i < tile_hidden * tile.channels; i += threads) {
        const int j = i / tile.channels, c = i % tile.channels;
        if (first + j >= task.hidden) continue;
        gradient.grad_weight1[(first + j) * task.channels + c] = tile.more1[j * tile.stride + c];
        gradient.grad_weight2[c * task.hidden + first + j] = tile.more2[j * tile.stride + c];
    }
}

/// The sum of a column of the incoming gradient: one block per channel.
template <class Number>
__global__ void bias_gradient_kernel(FeedForwardTaskGradient gradient) {
    __shared__ float sums[threads];
    float sum = 0.0F;
    for (std::int64_t row = threadIdx.x; row < gradient.task.rows; row += threads) {
        sum += read<Number>(gradient.grad_y, row, blockIdx.x);
    }
    sums[threadIdx.x] = sum;
    for (unsigned half = threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    if (threadIdx.x == 0) gradient.grad_bias2[blockIdx.x] = sums[0];
}

struct MaskMatrix {
    MaskStream mask;
    std::int64_t rows, columns;
    float* values;
};

__global__ void mask_kernel(MaskMatrix matrix) {
    const std::int64_t blocks = (matrix.columns + 7) / 8;
    const std::int64_t place = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (place >= matrix.rows * blocks) return;
    const std::int64_t row = place / blocks, block = place % blocks;
    const uint4 words = random_block(matrix.mask, static_cast<std::uint32_t>(block),
                                     static_cast<std::uint32_t>(row));
    const std::uint32_t pairs[4] = {words.x, words.y, words.z, words.w};
    for (int i = 0; i < 8 && block * 8 + i < matrix.columns; ++i) {
        const std::uint32_t word = i % 2 == 0 ? pairs[i / 2] & 0xffffU : pairs[i / 2] >> 16;
        matrix.values[row * matrix.columns + block * 8 + i] =
            word < matrix.mask.threshold ? 0.0F : matrix.mask.scale;
    }
}

template <class Number>
int gradient_as(const FeedForwardTaskGradient& gradient, void* stream) {
    const FeedForwardTask& task = gradient.task;
    int code = start(input_gradient_kernel<Number>, parts(task.rows, tile_rows), threads,
                     Tile::bytes(task.channels, 1), gradient, stream);
    if (code != 0) return code;
    code = start(weight_gradient_kernel<Number>, parts(task.hidden, tile_hidden), threads,
                 Tile::bytes(task.channels, 2), gradient, stream);
    if (code != 0) return code;
    return start(bias_gradient_kernel<Number>, parts(task.channels, 1), threads, 0, gradient,
                 stream);
}

}  // namespace

int feed_forward(const FeedForwardTask& task, void* stream) {
    if (task.channels > largest_channels) return static_cast<int>(cudaErrorInvalidValue);
    return for_storage(task.storage, [&](auto number) {
        return start(forward_kernel<decltype(number)>, parts(task.rows, tile_rows), threads,
                     Tile::bytes(task.channels, 0), task, stream);
    });
}

int feed_forward_gradient(const FeedForwardTaskGradient& gradient, void* stream) {
    if (gradient.task.channels > largest_channels) return static_cast<int>(cudaErrorInvalidValue);
    return for_storage(gradient.task.storage, [&](auto number) {
        return gradient_as<decltype(number)>(gradient, stream);
    });
}

int fill_mask(const MaskStream& mask, std::int64_t rows, std::int64_t columns, float* values,
              void* stream) {
    return start(mask_kernel, parts(rows * ((columns + 7) / 8), threads), threads, 0,
                 MaskMatrix{mask, rows, columns, values}, stream);
}

}  // namespace hodo::nn::cuda
