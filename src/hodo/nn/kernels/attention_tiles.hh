#pragma once
/// Attention of one vector level: chooses the way by the size of the heads.

#include "hodo/nn/kernels/attention_lanes_gradient.hh"
#include "hodo/nn/kernels/attention_products.hh"

namespace hodo::nn {
namespace {

void attend(const AttentionTask& task, std::int64_t begin, std::int64_t end, float* scratch) {
    for (std::int64_t number = begin; number < end; ++number) {
        const Part part = part_of(task, number);
        if (task.head_size <= 4) {
            attend_part<4>(task, part, scratch);
        } else if (task.head_size <= 8) {
            attend_part<8>(task, part, scratch);
        } else if (task.head_size <= largest_lane_head) {
            attend_part<16>(task, part, scratch);
        } else {
            attend_wide(task, part, scratch);
        }
    }
}

void attend_gradient(const AttentionGradient& gradient, std::int64_t begin, std::int64_t end,
                     float* scratch) {
    for (std::int64_t number = begin; number < end; ++number) {
        const Part part = part_of(gradient.task, number);
        const std::int64_t size = gradient.task.head_size;
        if (size <= 4) {
            gradient_of_part<4>(gradient, part, scratch);
        } else if (size <= largest_lane_gradient) {
            gradient_of_part<8>(gradient, part, scratch);
        } else {
            gradient_of_wide_part(gradient, part, scratch);
        }
    }
}

}  // namespace
}  // namespace hodo::nn
