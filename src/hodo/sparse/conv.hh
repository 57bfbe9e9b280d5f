#pragma once
/// Convolutions of sparse tensors, there and back.
///
/// Weights are held in one order: [cells, in, out], or [cells, groups, in / groups, out / groups],
/// cells with the last axis fastest (sparse/kernel_order.hh turns others into it). A row vector is
/// multiplied from the right, and no kernel is flipped:
///
///     y(u) = bias + sum over k of x(u + o_k) W_k
///
/// Voxels that do not exist count as zero. A transposed layer makes
/// y(v) = bias + sum over (u, k) with u + o_k = v of x(u) W_k.

#include "hodo/sparse/sparse_tensor.hh"

namespace hodo::sparse {

struct ConvSpec {
    Kernel kernel;
    Triple stride{1, 1, 1};
    Sites sites = Sites::cells;
};

/// Output voxels are the input voxels.
ConvSpec submanifold(const Triple& size, const Triple& dilation = {1, 1, 1});
/// SparseConvNet's `Convolution`, and with `conv_transposed` its `Deconvolution`.
ConvSpec strided(const Triple& size, const Triple& stride);
/// MinkowskiEngine's convolution of any kernel and stride.
ConvSpec minkowski(const Triple& size, const Triple& stride, const Triple& dilation = {1, 1, 1});

/// `weight` as above, also [in, out] for a kernel of one cell; `bias` [out] or undefined.
SparseTensor conv(const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  const ConvSpec& spec);

/// From a coarse level to the voxels of `target`, the level whose stride is that of `x` divided by
/// the spec's.
SparseTensor conv_transposed(const SparseTensor& x, const at::Tensor& weight,
                             const at::Tensor& bias, const ConvSpec& spec,
                             const SharedCoordinates& target);

/// As `conv_transposed`, to every position that the kernel reaches.
SparseTensor conv_generative(const SparseTensor& x, const at::Tensor& weight,
                             const at::Tensor& bias, const ConvSpec& spec);

/// Channel by channel; `weight` [cells, channels].
SparseTensor depthwise(const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const ConvSpec& spec);

/// What follows a convolution when nothing is learnt, done while its sums are at hand:
/// y = leaky((conv + bias + residual) scale + shift). All parts may be undefined.
struct Ending {
    at::Tensor bias, residual, scale, shift;
    double leak = 1.0;
    /// Also return what stands in the brackets.
    bool keep_plain = false;
    /// Where to write the result and the brackets: [voxels, out], perhaps columns of wider rows.
    /// Undefined: new tensors.
    at::Tensor y_into, plain_into;
};
struct Ended {
    SparseTensor y, plain;
};
/// No gradients. `target` as in `conv_transposed`, or null for `conv`.
Ended conv_ended(const SparseTensor& x, const at::Tensor& weight, const ConvSpec& spec,
                 const Ending& ending, const SharedCoordinates& target = nullptr);

}  // namespace hodo::sparse
