#pragma once
/// The computing kernels of sparse layers, in variants for the vector level of the machine.
///
/// A convolution is output-stationary: a block of output rows keeps its sums in the nearest cache;
/// for each kernel cell the rows that have a neighbour there are multiplied in groups whose sums
/// stay in registers while the columns of the cell's weights pass by. Every sum begins at zero and
/// adds its products in the order of (cell, input channel), whatever the group, block or thread; so
/// a variant's results depend on none of these. Variants may differ in the last bits.
///
/// Kernels allocate nothing and are thread safe.

#include <cstdint>
#include <span>
#include <string_view>

namespace hodo::sparse {

/// Columns of packed weights that lie side by side; the last panel has a multiple of 16.
inline constexpr std::int64_t panel_columns = 64;
inline constexpr std::int64_t column_multiple = 16;

[[gnu::always_inline]] constexpr std::int64_t padded_columns(std::int64_t columns) {
    return (columns + column_multiple - 1) / column_multiple * column_multiple;
}

/// Consecutive pairs of a block that belong to one kernel cell.
struct Segment {
    std::int32_t cell, count;
};

/// Pairs of one block of output rows.
struct BlockView {
    const Segment* segments;
    std::int64_t segment_count;
    const std::int32_t* others;  ///< Input row of each pair.
    const std::uint8_t* own;     ///< Output row within the block.
    std::int64_t rows;
};

/// What happens to a sum before it is stored:
/// y = leaky((sum + bias + residual) scale + shift); `plain` takes what stands in the brackets.
struct Epilogue {
    const float* bias = nullptr;      ///< [columns]
    const float* residual = nullptr;  ///< Row 0 of the block.
    std::int64_t residual_stride = 0;
    const float* scale = nullptr;  ///< [columns]; none: y is the bracket.
    const float* shift = nullptr;  ///< [columns]
    float leak = 1.0F;             ///< Factor of values at or below 0.
    float* plain = nullptr;        ///< Row 0 of the block; may be absent.
    std::int64_t plain_stride = 0;
};

/// y [rows of the block, columns] = sum over pairs of x[other] W_cell.
struct ProductTask {
    BlockView block;
    const float* x;
    std::int64_t x_stride, in;
    /// [cells, panels, in, columns of the panel], padded with zeros.
    const float* weight;
    std::int64_t columns;
    float* y;  ///< Row 0 of the block.
    std::int64_t y_stride;
    Epilogue epilogue;
};

/// grad[cell] += sum over pairs of x[other]^T g[own].
struct WeightTask {
    BlockView block;
    const float* x;
    std::int64_t x_stride, in;
    const float* g;  ///< Row 0 of the block, columns padded with zeros.
    std::int64_t g_stride, columns;
    float* grad;  ///< [cells, in, padded columns]
};

/// One entry of a list of neighbours: a row of the other level and the kernel cell it is seen in.
struct Pair {
    std::int32_t row, cell;
    friend bool operator==(const Pair&, const Pair&) = default;
};

/// y [rows, channels] = sum over pairs of x[row] w[cell], channel by channel.
struct DepthwiseTask {
    const std::int64_t* starts;  ///< [rows + 1]
    const Pair* pairs;
    std::int64_t rows, channels;
    const float* x;          ///< [other rows, channels]
    const float* weight;     ///< [cells, channels]
    std::int64_t last_cell;  ///< -1, or: use cell `last_cell` - cell.
    float* y;                ///< [rows, channels]
};

/// grad[cell] += sum over pairs of x[row] g[own], channel by channel.
struct DepthwiseWeightTask {
    const std::int64_t* starts;
    const Pair* pairs;
    std::int64_t rows, channels;
    const float* x;
    const float* g;  ///< [rows, channels]
    float* grad;     ///< [cells, channels]
};

/// The way back through y = leaky(x scale + shift) where scale and shift depend on the rows; with
/// g' = g where x scale + shift > 0, else leak g:
/// `norm_sums` adds the sums over rows of g' and of g' (x - mean);
/// `norm_gradient` writes g' of_gradient + (x - mean) of_deviation + constant (+ added).
struct NormGradient {
    const float *x, *g;  ///< [rows, channels]
    std::int64_t rows, channels;
    const float *mean, *scale, *shift;  ///< [channels]
    float leak;
    const float* added = nullptr;  ///< Row 0, or none.
    std::int64_t added_stride = 0;
};

/// One variant of all kernels.
struct Kernels {
    std::string_view name;  ///< "portable", "avx2", "avx512"
    /// `scratch` holds `product_scratch` floats.
    void (*product)(const ProductTask& task, float* scratch);
    void (*weight_gradient)(const WeightTask& task);
    void (*depthwise)(const DepthwiseTask& task);
    void (*depthwise_weight_gradient)(const DepthwiseWeightTask& task);
    /// sums[c] += sum over rows of x[., c].
    void (*column_sums)(const float* x, std::int64_t rows, std::int64_t channels, double* sums);
    /// squares[c] += sum over rows of (x - mean)^2.
    void (*column_squares)(const float* x, std::int64_t rows, std::int64_t channels,
                           const double* mean, double* squares);
    /// mean[c] of a few rows and their squares[c], the sum of (x - mean)^2.
    void (*moments)(const float* x, std::int64_t rows, std::int64_t channels, double* mean,
                    double* squares);
    /// y = leaky(x scale + shift), with distances between rows.
    void (*scale_leaky)(const float* x, std::int64_t x_stride, std::int64_t rows,
                        std::int64_t channels, const float* scale, const float* shift, float leak,
                        float* y, std::int64_t y_stride);
    void (*norm_sums)(const NormGradient& task, double* sums, double* products);
    /// `grad_x` may be the `g` of the task.
    void (*norm_gradient)(const NormGradient& task, const float* of_gradient,
                          const float* of_deviation, const float* constant, float* grad_x);
};

/// Floats of scratch that `product` needs for blocks of up to 256 rows.
inline constexpr std::int64_t product_scratch = 256 * panel_columns;

/// The variants this machine can run, the fastest last.
std::span<const Kernels* const> available_kernels();

/// The variant in use: the fastest, or the one chosen.
const Kernels& kernels();

/// Makes all later calls use a variant; for tests and measurements.
void choose_kernels(const Kernels& variant);

}  // namespace hodo::sparse
