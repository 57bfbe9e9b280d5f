#pragma once
/// Norm, leaky ReLU, convolution and residual sum as one layer of a training.
///
/// The same numbers as layer by layer, with fewer ways through memory: a convolution's sums are
/// added to the residual and enter the moments of their channels before they leave the nearest
/// cache, and on the way back the sums that the norm needs are made where its gradient is.

#include "hodo/sparse/conv.hh"
#include "hodo/sparse/norm.hh"

namespace hodo::sparse {

/// A tensor with the moments of its channels; empty ones are not known.
struct Measured {
    SparseTensor tensor;
    Moments moments;
};

struct NormConvolved {
    Measured y;
    /// The input. Give this one to what else uses the input: its gradient is then added to the
    /// layer's in one step.
    Measured x;
};

/// y = conv(leaky(norm(x))) + residual with the statistics of x's rows, which the running ones take
/// note of. `residual` [voxels of y, out] may be undefined; `target` as in `conv_transposed`, or
/// null for `conv`.
NormConvolved norm_conv(const Measured& x, BatchNorm& norm, const at::Tensor& weight,
                        const ConvSpec& spec, const at::Tensor& residual = {},
                        const SharedCoordinates& target = nullptr);

/// `conv` with the moments of its result.
Measured measured_conv(const SparseTensor& x, const at::Tensor& weight, const ConvSpec& spec);

/// As `concatenate` of tensors.
Measured concatenate(const Measured& a, const Measured& b);

}  // namespace hodo::sparse
