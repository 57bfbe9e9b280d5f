#pragma once
/// Sparse layers on a CUDA device: what conv.cc, sums.cc and norm.cc do there.
///
/// Kernel maps are made on the CPU; their pairs are copied to the device once per rulebook and
/// direction, in the form that a kernel reads. Lists that belong to no rulebook (events, rows of
/// the input) are copied at each use.

#include "hodo/sparse/rulebook.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::sparse {

/// Whether `x` is worked on by the kernels of a device.
bool is_on_device(const at::Tensor& x);

/// y [rows of the level `direction` leads to, groups out] with weights [cells, groups, in, out] as
/// they are, or with `in` and `out` exchanged.
at::Tensor convolve_on_device(const Rulebook& book, Direction direction, const at::Tensor& x,
                              const at::Tensor& weight, bool transposed);

/// What follows a convolution, see `Ending` of conv.hh; undefined parts are left out.
struct DeviceEnding {
    at::Tensor bias, residual, scale, shift;
    double leak = 1.0;
    at::Tensor plain;  ///< Takes what stands in the brackets, if defined.
};
at::Tensor convolve_ended_on_device(const Rulebook& book, Direction direction, const at::Tensor& x,
                                    const at::Tensor& weight, const DeviceEnding& ending);

/// The gradient of weights [cells, groups, in, out].
at::Tensor weight_gradient_on_device(const Rulebook& book, Direction direction, const at::Tensor& x,
                                     const at::Tensor& g, const at::Tensor& weight);

at::Tensor depthwise_on_device(const Rulebook& book, Direction direction, const at::Tensor& x,
                               const at::Tensor& weight);
at::Tensor depthwise_weight_gradient_on_device(const Rulebook& book, const at::Tensor& x,
                                               const at::Tensor& g, const at::Tensor& weight);

at::Tensor sum_on_device(const Neighbours& lists, const at::Tensor& x);
/// The largest values and their rows (int32).
std::pair<at::Tensor, at::Tensor> largest_on_device(const Neighbours& lists, const at::Tensor& x);
at::Tensor largest_gradient_on_device(const Neighbours& reversed_lists, const at::Tensor& g,
                                      const at::Tensor& winners);

}  // namespace hodo::sparse
