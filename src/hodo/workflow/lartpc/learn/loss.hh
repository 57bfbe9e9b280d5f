#pragma once
/// What training minimises: means over N voxels; y are the network's answers, t the targets.
///
///   BCELoss                b(y, t) = -[t ln y + (1 - t) ln(1 - y)], logarithms at least -100
///   MSELoss                (y - t)^2
///   BCEL1Loss              b(y, t), plus l1_lambda times the mean of |y|
///   ChargeWeightedBCELoss  w b(y, l): l = 1 and w = t where t > 0, else l = 0, w = negative_weight
///   LabelWeightedBCELoss   w b(y, t): w = positive_weight where t = 1, else 1
///   DownsampleMSELoss      mean of (y - t)^2 over voxels with t > 0 or in a cell without truth,
///                          plus weight times the mean over cells of (truth - sum of y in it)^2
///   L1Loss, SmoothL1Loss, HuberLoss   as PyTorch's
///
/// A mean over nothing is 0.

#include "hodo/tensor/torch.hh"
#include "hodo/workflow/lartpc/model_options.hh"
#include "hodo/workflow/lartpc/voxel_batch.hh"

namespace hodo::lartpc {

/// Targets of a batch on the device and in the type of the answers.
struct Truths {
    at::Tensor target;             ///< [N]
    at::Tensor cell, cell_charge;  ///< [N] (-1: no truth in its cell) and [cells]; may be undefined
};
Truths truths_of(const VoxelBatch& batch, const at::Tensor& answers);

/// The mean loss, a scalar with gradient. Binary losses need answers and labels in [0, 1]: an error
/// names the label that is not.
at::Tensor loss(const at::Tensor& answers, const Truths& truths, const LossOptions& options);

/// Whether answers must be probabilities.
bool is_binary(LossKind kind);
/// Whether targets must be labels, 0 or 1 (not the charges that ChargeWeightedBCELoss weighs by).
bool needs_labels(LossKind kind);

}  // namespace hodo::lartpc
