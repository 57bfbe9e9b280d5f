#pragma once
/// The head of a trained network, row by row.
///
/// LibTorch computes the last rows of a tensor, which do not fill a vector register, by other
/// instructions than those before, so a voxel's answer would depend in its last bit on how many
/// others stand beside it. Here every row is computed alike: sums in the order of the features, in
/// double precision.

#include "hodo/nn/linear.hh"

#include <vector>

namespace hodo::lartpc {

enum class Answer { number, probability };

/// Whether the maps and rows are of the kind that `head_answers` takes: float32 on the CPU.
bool head_answers_apply(const std::vector<nn::Linear>& maps, const at::Tensor& rows);

/// Maps with ReLU between them on rows [n, features] of contiguous float32, the last to one number,
/// then for a probability its sigmoid; [n]. Without gradients.
at::Tensor head_answers(const std::vector<nn::Linear>& maps, const at::Tensor& rows, Answer answer);

}  // namespace hodo::lartpc
