#pragma once
/// A linear map y = x W^T + b, and layer normalisation.

#include "hodo/base/random.hh"
#include "hodo/nn/pass.hh"
#include "hodo/tensor/parameters.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::nn {

struct Linear {
    at::Tensor weight;  ///< [out, in]
    at::Tensor bias;    ///< [out]

    static Linear make(std::int64_t in, std::int64_t out, const at::TensorOptions& options);
    void visit(tensor::ParameterVisitor& v);
    /// Weight and bias uniform in +-1/sqrt(in).
    void initialise(const base::Random& random);
    /// x [..., in] to [..., out].
    at::Tensor operator()(const at::Tensor& x, const Pass& pass) const;
    /// x [batch, in, channels] to [batch, out, channels]: the map acts along the tokens.
    at::Tensor along_tokens(const at::Tensor& x, const Pass& pass) const;
};

/// a b for matrices or batches of them, in the pass's precision, returned in the type of `a`.
at::Tensor product(const at::Tensor& a, const at::Tensor& b, const Pass& pass);

/// Normalises the last axis to mean 0 and variance 1, then scales and shifts; epsilon 1e-5.
/// Reference: Ba, Kiros, Hinton, arXiv:1607.06450.
struct LayerNorm {
    static constexpr double epsilon = 1e-5;
    at::Tensor weight, bias;  ///< [channels]

    static LayerNorm make(std::int64_t channels, const at::TensorOptions& options);
    void visit(tensor::ParameterVisitor& v);
    /// Weight 1, bias 0.
    void initialise();
    at::Tensor operator()(const at::Tensor& x) const;
};

}  // namespace hodo::nn
