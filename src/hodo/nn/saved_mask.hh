#pragma once
/// What autograd functions over kernels share: masks as plain values, tensors as rows.

#include <torch/csrc/autograd/custom_function.h>

#include "hodo/nn/dropout.hh"
#include "hodo/nn/kernels/kernels.hh"

namespace hodo::nn {

/// A mask survives from the way there to the way back as plain values.
inline void save_mask(torch::autograd::AutogradContext* context, const DropoutMask& mask) {
    context->saved_data["key"] = static_cast<std::int64_t>(mask.key);
    context->saved_data["step"] = static_cast<std::int64_t>(mask.step);
    context->saved_data["place"] = static_cast<std::int64_t>(mask.place);
    context->saved_data["first_row"] = mask.first_row;
    context->saved_data["probability"] = mask.probability;
}

inline DropoutMask saved_mask(torch::autograd::AutogradContext* context) {
    const auto number = [&](const char* name) { return context->saved_data[name].toInt(); };
    return {static_cast<std::uint64_t>(number("key")), static_cast<std::uint32_t>(number("step")),
            static_cast<std::uint32_t>(number("place")), number("first_row"),
            context->saved_data["probability"].toDouble()};
}

inline Storage storage_of(const at::Tensor& x) {
    return x.scalar_type() == at::kBFloat16 ? Storage::bfloat16 : Storage::float32;
}

/// A matrix as kernels see it; its rows must be contiguous.
inline ConstRows const_rows(const at::Tensor& x) {
    return {x.data_ptr(), x.stride(0)};
}
inline Rows rows(const at::Tensor& x) {
    return {x.data_ptr(), x.stride(0)};
}

}  // namespace hodo::nn
