#pragma once
/// Batch normalisation through LibTorch's operators: what runs on devices.

#include "hodo/tensor/torch.hh"

namespace hodo::sparse {

/// Mean and variance of each channel over all rows, [channels] in double precision.
struct ColumnMoments {
    at::Tensor mean, variance;
};

/// y = leaky((x - mean) / deviation weight + bias) with the moments of x's own rows, which go to
/// `found`. With gradients.
at::Tensor norm_by_operators(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             double epsilon, double leak, ColumnMoments& found);

}  // namespace hodo::sparse
