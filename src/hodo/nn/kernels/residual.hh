#pragma once
/// Kernels over rows of channels: dropout masks, and y = LayerNorm(x + Drop(change)) there and
/// back, each in one pass over memory.
///
/// Rows lie one after the other, `channels` numbers each. As in kernels.hh a row's result depends
/// on nothing but the row, and masks have the same bits in all variants.

#include "hodo/nn/kernels/kernels.hh"

namespace hodo::nn {

/// n = (s - mean(s)) factor with s = x + Drop(change) and factor = 1 / sqrt(var(s) + 1e-5);
/// y = n scale + shift. `channels` is a multiple of `channel_multiple`.
struct ResidualTask {
    const float *x = nullptr, *change = nullptr;  ///< [rows, channels]
    std::int64_t rows = 0, channels = 0;
    MaskStream mask;                                 ///< Row = row, column = channel.
    const float *scale = nullptr, *shift = nullptr;  ///< [channels]
    float *y = nullptr, *normal = nullptr;           ///< [rows, channels]: y and n, written.
    float* factor = nullptr;                         ///< [rows], written.
};

/// With h = grad_y scale:  grad_x = factor (h - mean(h) - n mean(h n)), grad_change = Drop(grad_x).
struct ResidualGradient {
    const float *grad_y = nullptr, *normal = nullptr, *factor = nullptr;
    std::int64_t rows = 0, channels = 0;
    MaskStream mask;
    const float* scale = nullptr;
    float* grad_x = nullptr;       ///< Written.
    float* grad_change = nullptr;  ///< Written unless null (when the mask drops nothing).
    float *grad_scale = nullptr, *grad_shift = nullptr;  ///< [channels], added to.
};

struct RowKernels {
    std::string_view name;  ///< "reference", "portable", "avx2", "avx512"
    /// 0 or the mask's scale for `rows` rows of `columns` elements each.
    void (*fill_mask)(const MaskStream& mask, std::int64_t rows, std::int64_t columns,
                      float* values);
    void (*residual)(const ResidualTask& task);
    void (*residual_gradient)(const ResidualGradient& task);
};

/// The variants this machine can run, the readable reference first, the fastest last.
std::span<const RowKernels* const> available_row_kernels();

/// The fastest variant of this machine.
const RowKernels& row_kernels();

extern const RowKernels reference_row_kernels, portable_row_kernels, avx2_row_kernels,
    avx512_row_kernels;

}  // namespace hodo::nn
