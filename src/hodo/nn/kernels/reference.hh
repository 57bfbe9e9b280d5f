#pragma once
/// Kernels as one would write them on a blackboard, in double precision: the measure of the fast
/// variants and, with the same descriptions of their tasks, the CPU twins of the CUDA kernels.

#include "hodo/nn/kernels/kernels.hh"

namespace hodo::nn {

/// Whether the mask keeps an element.
bool is_kept(const MaskStream& mask, std::int64_t row, std::int64_t column);

/// A stored number, and how one is stored (rounded to nearest, ties to even).
float read_number(Storage storage, ConstRows rows, std::int64_t row, std::int64_t column);
void write_number(Storage storage, Rows rows, std::int64_t row, std::int64_t column, double value);

/// An activation and its slope.
struct ActivatedNumber {
    double value, slope;
};
ActivatedNumber activated(Activation activation, double x);

void attend_reference(const AttentionTask& task, std::int64_t begin, std::int64_t end,
                      float* scratch);
void attend_gradient_reference(const AttentionGradient& gradient, std::int64_t begin,
                               std::int64_t end, float* scratch);

void feed_forward_reference(const FeedForwardTask& task);
void feed_forward_gradient_reference(const FeedForwardTaskGradient& gradient);

}  // namespace hodo::nn
