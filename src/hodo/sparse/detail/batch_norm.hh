#pragma once
/// Pieces of batch normalisation that layers of a training share.

#include "hodo/base/threads.hh"
#include "hodo/sparse/kernels/kernels.hh"
#include "hodo/sparse/norm.hh"

#include <vector>

namespace hodo::sparse {

/// Normalising with the statistics of a batch, by channel: y = leaky(x scale + shift).
struct ChannelMap {
    std::vector<double> mean, inverse, scale, shift;  ///< inverse = 1 / deviation.
    double leak = 1.0;
};
ChannelMap channel_map(const Moments& moments, const at::Tensor& weight, const at::Tensor& bias,
                       double epsilon, double leak);

/// The same in single precision, as kernels read it.
struct FloatMap {
    explicit FloatMap(const ChannelMap& map);
    /// Rows [first, end) of the way back; `x` and `g` are [rows, channels].
    NormGradient rows(const at::Tensor& x, const at::Tensor& g, std::int64_t first,
                      std::int64_t end) const;
    std::vector<float> mean, scale, shift;
    float leak;
};

Moments row_moments(const at::Tensor& x);
/// Writes the map of `x` to `y`, [rows, channels] both.
void apply(const ChannelMap& map, const at::Tensor& x, const at::Tensor& y);
/// The same as work to be done; the tensors must live until then.
base::Work applying(const ChannelMap& map, const at::Tensor& x, const at::Tensor& y);
/// Takes note of a batch's statistics in the running ones.
void note(BatchNorm& norm, const Moments& moments, std::int64_t rows);

struct ParameterGradients {
    std::vector<double> weight, bias;
};
/// From g, the gradient of y, and the sums over rows of g' and of g' (x - mean) [2 channels] (see
/// `NormGradient`): the gradient of x, to which `added` is added where it is defined. float32 only;
/// `grad_x` may be `g`. Threads do `meanwhile` in the same section.
ParameterGradients norm_gradient(const ChannelMap& map, const std::vector<double>& sums,
                                 const at::Tensor& x, const at::Tensor& g, const at::Tensor& added,
                                 const at::Tensor& grad_x, const base::Work& meanwhile = {});

at::Tensor to_tensor(const std::vector<double>& values, const at::TensorOptions& options);
std::vector<double> to_doubles(const at::Tensor& tensor);

}  // namespace hodo::sparse
