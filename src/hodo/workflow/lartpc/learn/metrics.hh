#pragma once
/// How answers are judged besides the loss.
///
///   BinAccuracy  voxels whose answer is above 0.5 (strictly) exactly where the label is 1
///   Accuracy     voxels whose most likely class is the label; a network of one output knows class
///                0 only, so this is the part of voxels with label 0
/// Both are sums over all voxels of an epoch, divided once.

#include "hodo/tensor/torch.hh"
#include "hodo/workflow/lartpc/model_options.hh"

#include <cstdint>

namespace hodo::lartpc {

/// How many of the voxels [N] are right.
std::int64_t count_right(MetricKind kind, const at::Tensor& answers, const at::Tensor& target);

}  // namespace hodo::lartpc
