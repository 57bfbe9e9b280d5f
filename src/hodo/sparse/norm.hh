#pragma once
/// Normalisations of sparse tensors. Statistics are sums in double precision in a fixed order.

#include "hodo/sparse/sparse_tensor.hh"
#include "hodo/tensor/parameters.hh"

#include <vector>

namespace hodo::sparse {

/// Mean and biased variance of each channel over rows.
struct Moments {
    std::vector<double> mean, variance;
};

/// Batch normalisation followed by a leaky ReLU. Statistics are over all rows of the batch, the
/// running variance takes the unbiased one; no rows change nothing, and one row leaves the running
/// variance as it is. The gradient at 0 uses the leak.
///
/// SparseConvNet: epsilon 1e-4, keep 0.99 (its momentum is the weight of the old value), leak 0 for
/// `BatchNormReLU`; MinkowskiEngine: epsilon 1e-5, keep 0.9, leak 1 (none).
struct BatchNorm {
    at::Tensor weight, bias;               ///< [channels]
    at::Tensor running_mean, running_var;  ///< [channels], never with a gradient
    double epsilon = 1e-4;
    double keep = 0.99;  ///< Weight of the old running value.
    double leak = 0.0;   ///< Factor of values at or below 0; 1: no nonlinearity.

    /// Weight 1, bias 0, running mean 0, running variance 1.
    static BatchNorm make(std::int64_t channels, const at::TensorOptions& options);
    void visit(tensor::ParameterVisitor& v);
    /// With the statistics of these rows [rows, channels], which the running ones take note of.
    /// `known`: the moments of `x`, where its maker has found them.
    at::Tensor train(const at::Tensor& x, const Moments* known = nullptr);
    /// With the running statistics.
    at::Tensor evaluate(const at::Tensor& x) const;
    /// `evaluate` as one step: leaky(x scale + shift). For sparse/conv.hh's endings.
    struct Folded {
        at::Tensor scale, shift;
    };
    Folded folded() const;
};

/// y = leaky(x scale + shift), [rows, channels] both, perhaps columns of wider rows; no gradients.
void scale_into(const at::Tensor& x, const BatchNorm::Folded& by, double leak, const at::Tensor& y);

/// Mean 0 and variance 1 of each row, then scale and shift [channels].
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double epsilon = 1e-6);

/// Mean 0 and variance 1 of each channel within each event, then scale and shift [channels].
at::Tensor instance_norm(const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         double epsilon = 1e-8);

/// Which rows a global response norm sums over. With `batch` an event's result depends on the
/// others of its batch.
enum class Scope : std::uint8_t { event, batch };

/// F gamma N + beta + F with N = G / (mean over channels of G + epsilon), G the length of each
/// channel over the scope's rows. Reference: Woo et al., "ConvNeXt V2", CVPR 2023.
at::Tensor global_response_norm(const SparseTensor& x, const at::Tensor& gamma,
                                const at::Tensor& beta, Scope scope, double epsilon = 1e-6);

}  // namespace hodo::sparse
