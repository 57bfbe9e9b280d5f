#pragma once
/// Sparse layers on CUDA devices, in C++17 and without LibTorch.
///
/// The twins of sparse/products.hh and sparse/pooling.hh for float and double. All pointers of a
/// task lie on the device. Work is queued on `stream` (a cudaStream_t; null is the default stream);
/// the result is 0 or the code of a CUDA error. Sums have a fixed order without atomic additions:
/// the same input gives the same bits.

#include <cstdint>

namespace hodo::sparse::cuda {

/// Most output rows of a block of pairs.
constexpr std::int64_t largest_block = 128;

/// Consecutive pairs of a block that belong to one kernel cell. As `sparse::Segment`.
struct Segment {
    std::int32_t cell, count;
};

/// A row of the other level and a kernel cell (as `sparse::Pair`), or a row of each level.
struct Pair {
    std::int32_t row, with;
};

/// Pairs by block of output rows, then by kernel cell, then by row. As `sparse::Blocks`.
struct BlockPairs {
    std::int64_t rows = 0, block_rows = 0;
    const Segment* segments = nullptr;
    const std::int64_t *segment_starts = nullptr, *pair_starts = nullptr;  ///< [blocks + 1]
    const std::int32_t* others = nullptr;  ///< The other level's row of each pair.
    const std::uint8_t* own = nullptr;     ///< Row of each pair within its block.
};

/// Pairs by list: of an output row, `with` a kernel cell; or of a kernel cell, `with` an output
/// row.
struct Lists {
    std::int64_t count = 0;
    const std::int64_t* starts = nullptr;  ///< [count + 1]
    const Pair* pairs = nullptr;
};

/// y = leaky((sum + bias + residual) scale + shift), see `sparse::Epilogue`.
template <class T>
struct Ending {
    const T *bias = nullptr, *residual = nullptr, *scale = nullptr, *shift = nullptr;
    std::int64_t residual_stride = 0, plain_stride = 0;
    T* plain = nullptr;
    T leak = 1;
};

/// y[u, o] = sum over pairs (p, k) of u and channels i of x[p, i] W(k, i, o); element (k, i, o) of
/// the weights stands at k cell_stride + i in_stride + o out_stride.
template <class T>
struct Product {
    BlockPairs pairs;
    const T* x = nullptr;
    std::int64_t x_stride = 0, in = 0, out = 0;
    const T* weight = nullptr;
    std::int64_t cell_stride = 0, in_stride = 0, out_stride = 0;
    std::int64_t last_cell = -1;  ///< Else: use cell `last_cell` - k.
    T* y = nullptr;
    std::int64_t y_stride = 0;
    Ending<T> ending;
};
int product(const Product<float>& task, void* stream);
int product(const Product<double>& task, void* stream);

/// grad(k, i, o) = sum over the pairs (p, u) of cell k of x[p, i] g[u, o]; `pairs` are by cell.
/// The sums of `groups` parts of each cell's pairs go to `partial` [groups, cells, in, out] first.
template <class T>
struct WeightGradient {
    Lists pairs;
    std::int64_t groups = 1;
    const T *x = nullptr, *g = nullptr;
    std::int64_t x_stride = 0, g_stride = 0, in = 0, out = 0;
    std::int64_t last_cell = -1;
    T* partial = nullptr;
    T* grad = nullptr;  ///< Element (k, i, o) at k cell_stride + i out + o.
    std::int64_t cell_stride = 0;
};
int weight_gradient(const WeightGradient<float>& task, void* stream);
int weight_gradient(const WeightGradient<double>& task, void* stream);

/// y[u, c] = sum over pairs (p, k) of x[p, c] w[k, c]; `pairs` are by output row.
template <class T>
struct Depthwise {
    Lists pairs;
    const T *x = nullptr, *weight = nullptr;
    std::int64_t channels = 0;
    std::int64_t last_cell = -1;
    T* y = nullptr;
};
int depthwise(const Depthwise<float>& task, void* stream);
int depthwise(const Depthwise<double>& task, void* stream);

/// grad[k, c] = sum over the pairs (p, u) of cell k of x[p, c] g[u, c]; `pairs` are by cell.
template <class T>
struct DepthwiseWeightGradient {
    Lists pairs;
    const T *x = nullptr, *g = nullptr;
    std::int64_t channels = 0;
    T* grad = nullptr;
};
int depthwise_weight_gradient(const DepthwiseWeightGradient<float>& task, void* stream);
int depthwise_weight_gradient(const DepthwiseWeightGradient<double>& task, void* stream);

/// y[u, c] = sum over the list of u of x[p, c], made in double precision.
template <class T>
struct RowSums {
    Lists lists;
    const T* x = nullptr;
    std::int64_t channels = 0;
    T* y = nullptr;
};
int sum_rows(const RowSums<float>& task, void* stream);
int sum_rows(const RowSums<double>& task, void* stream);

/// y[u, c] = the largest x[p, c] of the list of u, or 0; `winners` takes the first such p, or -1.
template <class T>
struct LargestRows {
    Lists lists;
    const T* x = nullptr;
    std::int64_t channels = 0;
    T* y = nullptr;
    std::int32_t* winners = nullptr;
};
int largest_rows(const LargestRows<float>& task, void* stream);
int largest_rows(const LargestRows<double>& task, void* stream);

/// grad_x[p, c] = sum over the list of p of g[u, c] where winners[u, c] = p.
template <class T>
struct LargestGradient {
    Lists lists;
    const T* g = nullptr;
    std::int64_t channels = 0;
    const std::int32_t* winners = nullptr;
    T* grad_x = nullptr;
};
int largest_gradient(const LargestGradient<float>& task, void* stream);
int largest_gradient(const LargestGradient<double>& task, void* stream);

}  // namespace hodo::sparse::cuda
