#pragma once
/// Computing kernels over raw memory, in variants for the vector level of the machine.
///
/// Matrices are row-major with an explicit row stride (in numbers). Weights are packed once, see
/// packed.hh: the output side of a matrix is cut into panels of `panel_width` columns, each panel
/// stored contiguously by rows of the input side and padded with zeros. Every element of a result
/// is made by one fixed sequence of operations that depends on neither its row's neighbours nor the
/// number of rows; so results do not depend on batching or threads. They may differ in the last
/// bits between variants.
///
/// Kernels allocate nothing and are thread safe; the caller owns scratch memory.

#include <cstdint>
#include <span>
#include <string_view>

#include "hodo/nn/kernels/tasks.hh"

namespace hodo::nn {

inline constexpr std::int64_t panel_width = 32;

/// Row strides of activations are multiples of this; padding columns hold zeros.
inline constexpr std::int64_t channel_multiple = 16;

// Functions of this header are always inlined: sources for different vector levels share it.
[[gnu::always_inline]] constexpr std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

/// A matrix [rows, stride] of which some columns are used. Scratch and matrices begin at multiples
/// of 64 bytes for full speed; nothing depends on it.
struct MatrixView {
    float* data = nullptr;
    std::int64_t stride = 0;
};
struct ConstMatrixView {
    const float* data;
    std::int64_t stride;
    [[gnu::always_inline]] ConstMatrixView(const float* first, std::int64_t row_stride)
        : data(first), stride(row_stride) {}
    [[gnu::always_inline]] ConstMatrixView(const MatrixView& view)
        : data(view.data), stride(view.stride) {}
};

/// A packed linear map y = x W^T + b.
struct PackedView {
    const float* panels = nullptr;  ///< [out / panel_width, in, panel_width]
    const float* bias = nullptr;    ///< [out rounded up to panel_width]
    std::int64_t in = 0, out = 0;
};

/// c [rows, columns] = a [rows, inner] b [inner, columns], plus a number for each row, or added to
/// what is there. Columns are a multiple of `channel_multiple` and come in groups of `panel_width`.
struct Product {
    const float* a = nullptr;
    std::int64_t a_row = 0, a_inner = 1;  ///< Strides.
    const float* b = nullptr;
    std::int64_t b_row = 0, b_panel = panel_width;  ///< Strides of rows and groups of columns.
    float* c = nullptr;
    std::int64_t c_row = 0;
    std::int64_t rows = 0, inner = 0, columns = 0;
    const float* row_bias = nullptr;  ///< [rows] or null; not together with `adds`.
    bool adds = false;
    std::int64_t inner_at_a_time = 256;  ///< Sums are made of sums of so many terms.
};

/// y [rows, second.out] = second(Drop(act(first(x)))); the hidden numbers stay in the cache. The
/// mask's scale is not applied: `second` carries it.
struct FeedForwardCall {
    ConstMatrixView x;  ///< [rows, first.in]
    std::int64_t rows = 0;
    PackedView first, second;
    MaskStream mask;  ///< Row = row, column = hidden number.
    MatrixView y;     ///< Written.
    Activation activation = Activation::relu;
};

/// The way back through a feed-forward part. The maps that lead back are packed like maps:
/// `back_second` from channels to hidden (times the mask's scale), `back_first` from hidden to
/// channels.
struct FeedForwardGradient {
    ConstMatrixView x, grad_y;  ///< [rows, channels]
    std::int64_t rows = 0;
    PackedView first, back_second, back_first;
    MaskStream mask;  ///< Row = row, column = hidden number.
    Activation activation = Activation::relu;
    MatrixView grad_x;  ///< [rows, channels], written.
    /// Added to: [hidden, channels padded] each, the second transposed and without the mask's
    /// scale; and [hidden].
    float *grad_first = nullptr, *grad_second = nullptr, *grad_first_bias = nullptr;
};

/// The key of the attention masks of a sequence: distinct for distinct sequences.
[[gnu::always_inline]] inline MaskStream sequence_mask(MaskStream mask, std::int64_t sequence) {
    std::uint64_t key = std::uint64_t{mask.key[1]} << 32 | mask.key[0];
    key += 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(sequence);
    mask.key[0] = static_cast<std::uint32_t>(key);
    mask.key[1] = static_cast<std::uint32_t>(key >> 32);
    return mask;
}

/// Largest head size of the attention kernels.
inline constexpr std::int64_t largest_head = 128;

/// Heads of at most this size have one query or key in each lane, their vectors in registers; on
/// the way back four vectors have to fit. Larger ones are products of matrices in tiles.
inline constexpr std::int64_t largest_lane_head = 16, largest_lane_gradient = 8;
/// Queries of a tile on the way back through small heads.
inline constexpr std::int64_t lane_gradient_queries = 32;
/// Keys and queries of a tile of large heads.
inline constexpr std::int64_t tile_keys = 64, tile_queries = 32;

/// Floats of scratch that `attend` needs for sequences of up to `keys` keys.
[[gnu::always_inline]] constexpr std::int64_t attention_scratch(std::int64_t keys,
                                                                std::int64_t head_size) {
    const auto size = round_up(head_size, channel_multiple);
    const auto padded = round_up(keys, tile_keys);
    return 2 * padded * size + tile_queries * (2 * size + tile_keys);
}
/// Floats of scratch that `attend_gradient` needs for sequences of up to `keys` keys.
[[gnu::always_inline]] constexpr std::int64_t attention_gradient_scratch(std::int64_t keys,
                                                                         std::int64_t head_size) {
    const auto size = round_up(head_size, channel_multiple);
    if (head_size <= largest_lane_gradient) {
        return 4 * round_up(keys, 16) * size + lane_gradient_queries * (18 * size + 4) +
               2 * lane_gradient_queries * (round_up(keys, 64) / 64);
    }
    return 5 * round_up(keys, tile_keys) * size + tile_queries * (3 * size + 2 * tile_keys);
}
/// Floats of scratch that `feed_forward` needs: the hidden numbers of a tile.
inline constexpr std::int64_t feed_forward_scratch = 8 * 128;
/// Floats of scratch that `feed_forward_gradient` needs.
inline constexpr std::int64_t feed_forward_gradient_scratch = 2 * 32 * 128 + 8 * 128;

/// One variant of all kernels.
struct Kernels {
    std::string_view name;  ///< "reference", "portable", "avx2", "avx512", "amx"

    /// y [rows, out] = x [rows, in] W^T + b. Columns of y up to the next channel multiple are
    /// written (with zeros beyond `out`), so y.stride must be at least that.
    void (*dense)(ConstMatrixView x, std::int64_t rows, const PackedView& map, MatrixView y);
    /// y [out, channels] = W x + b for x [in, channels]: the map acts along the rows. `weight` is
    /// packed with the *output* rows in groups of 8: [out / 8, in, 8]. Channels padded.
    void (*along_rows)(const float* weight, const float* bias, std::int64_t in, std::int64_t out,
                       ConstMatrixView x, std::int64_t channels, MatrixView y);
    void (*product)(const Product& task);
    void (*feed_forward)(const FeedForwardCall& call, float* scratch);
    void (*feed_forward_gradient)(const FeedForwardGradient& task, float* scratch);
    /// The parts [begin, end) of an attention, where part s heads + h is head h of sequence s.
    void (*attend)(const AttentionTask& task, std::int64_t begin, std::int64_t end, float* scratch);
    void (*attend_gradient)(const AttentionGradient& gradient, std::int64_t begin, std::int64_t end,
                            float* scratch);
    /// means_i = sum_j x_j w_ij / sum_j w_ij with w_ij = 2^(slopes_i x_j), for numbers x_j: all
    /// that is left of an attention whose queries, keys and values are affine functions of one
    /// number. keys >= 1.
    void (*scalar_means)(const float* slopes, std::int64_t queries, const float* numbers,
                         std::int64_t keys, float* means);
    /// sums_i = sum_k series_k T_k((x_i - middle) per_half) for the Chebyshev polynomials T_k.
    void (*chebyshev_sums)(const float* series, std::int64_t terms, const float* x,
                           std::int64_t count, float middle, float per_half, float* sums);
    /// x = LayerNorm(x + change) scale + shift, row by row; scale and shift padded with zeros.
    void (*add_norm)(MatrixView x, ConstMatrixView change, std::int64_t rows, std::int64_t channels,
                     const float* scale, const float* shift);
    /// y += a x for vectors of `size` numbers.
    void (*add_scaled)(float a, const float* x, float* y, std::int64_t size);
    /// Stored rows to floats and back, rounding to nearest; columns of `target` up to the next
    /// channel multiple become zero.
    void (*read_rows)(Storage storage, ConstRows source, std::int64_t rows, std::int64_t columns,
                      MatrixView target);
    void (*write_rows)(Storage storage, ConstMatrixView source, std::int64_t rows,
                       std::int64_t columns, Rows target);
};

/// The variants this machine can run, the readable reference first, the fastest last.
std::span<const Kernels* const> available_kernels();

/// The fastest variant of this machine.
const Kernels& kernels();

}  // namespace hodo::nn
