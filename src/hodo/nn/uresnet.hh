#pragma once
/// A sparse residual U-Net: one feature vector per voxel from voxels of several events.
///
/// With m channels and levels i = 0, 1, ... of P_i = (i + 1) m channels:
///
///   start   submanifold convolution inputs -> m
///   U(i)    residual blocks P_i -> P_i; but on the deepest level then
///             d = Up(BNReLU(U(i + 1)(Down(BNReLU(x))))), P_i -> P_{i+1} -> P_i
///             x = concat(x, d), residual blocks 2 P_i -> P_i -> P_i
///   end     BNReLU
///   block   out = shortcut(x) + Conv(BNReLU(Conv(BNReLU(x)))), shortcut the identity or a
///           pointwise map where the number of channels changes
///
/// On the first `flat_levels` levels kernels do not reach along the first axis (drift time) and it
/// is not downsampled. Names, shapes and order of parameters and running statistics are those of
/// SparseConvNet's containers for this network.
///
/// Reference: Graham, Engelcke, van der Maaten, CVPR 2018; Domine and Terao, arXiv:1903.05663.

#include "hodo/base/random.hh"
#include "hodo/nn/pass.hh"
#include "hodo/sparse/norm.hh"
#include "hodo/sparse/pool.hh"

#include <memory>
#include <optional>
#include <vector>

namespace hodo::nn {

struct UResNetOptions {
    std::int64_t channels = 16;  ///< m
    std::int64_t levels = 4;
    std::int64_t flat_levels = 0;         ///< Levels without reach along the first axis.
    std::int64_t inputs = 3;              ///< Features of a voxel.
    std::int64_t repetitions = 2;         ///< Blocks before and after each deeper level.
    std::int64_t kernel = 3;              ///< Size of submanifold kernels.
    std::int64_t filter = 2, stride = 2;  ///< Of the way down.
    std::int64_t drift_filter = 2, drift_stride = 2;  ///< The same along the first axis.
    double keep = 0.99;  ///< Weight of the old value in running statistics.
    /// Size of the finest level. SparseConvNet drops voxels of a coarse level outside of it without
    /// a word; what they would have told the finer levels is then 0. Nothing: no limit.
    std::optional<sparse::Triple> extent;
};

struct ResidualBlock {
    at::Tensor shortcut;  ///< [in, out]; undefined: the identity.
    sparse::BatchNorm first_norm, second_norm;
    at::Tensor first, second;  ///< [cells, 1, in, out]
    sparse::ConvSpec spec;
    void visit(tensor::ParameterVisitor& v);
};

struct UResNetLevel {
    std::vector<ResidualBlock> before, after;
    /// The deeper level and the way there and back; absent on the deepest.
    std::unique_ptr<UResNetLevel> deeper;
    sparse::BatchNorm down_norm, up_norm;
    at::Tensor down, up;
    sparse::ConvSpec spec;
    /// Voxels of the deeper level have coordinates from 0 to below this.
    std::optional<sparse::Triple> deeper_end;
    void visit(tensor::ParameterVisitor& v);
};

class UResNet {
  public:
    /// Allocates parameters (float32 or float64); weights hold no values until `initialise` or a
    /// weight file fills them.
    explicit UResNet(const UResNetOptions& options,
                     const at::TensorOptions& tensor_options = at::kFloat);
    void visit(tensor::ParameterVisitor& v);
    /// Convolutions normal of width sqrt(2 / (in cells)), norms at 1 and 0.
    void initialise(const base::Random& random);

    /// The same voxels with m channels. Training uses the statistics of the batch and notes them.
    sparse::SparseTensor operator()(const sparse::SparseTensor& x, Mode mode);
    /// Evaluation without gradients: norms, nonlinearities and residual sums are done while the
    /// sums of the convolutions are at hand.
    sparse::SparseTensor evaluate(const sparse::SparseTensor& x) const;

    const UResNetOptions& options() const { return options_; }

  private:
    UResNetOptions options_;
    at::Tensor start_;
    sparse::ConvSpec start_spec_;
    UResNetLevel top_;
    sparse::BatchNorm end_;
};

}  // namespace hodo::nn
