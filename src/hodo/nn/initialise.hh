#pragma once
/// First values of parameters: the conventions of the common frameworks, from named streams.
///
/// Each parameter has its own stream of random numbers, so its values depend on the seed and its
/// name only. Values are drawn in double precision and rounded to the parameter's type.

#include "hodo/base/random.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::nn {

/// Uniform in [-bound, bound).
void fill_uniform(at::Tensor& parameter, double bound, base::Random random);
/// Normal of mean 0 and the given width.
void fill_normal(at::Tensor& parameter, double width, base::Random random);
void fill_constant(at::Tensor& parameter, double value);

/// A parameter that learns; its values are undefined until initialised or loaded.
at::Tensor make_parameter(at::IntArrayRef shape, const at::TensorOptions& options);

}  // namespace hodo::nn
