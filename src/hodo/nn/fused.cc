#include "hodo/nn/fused.hh"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/nn/kernels/kernels.hh"
#include "hodo/nn/packed.hh"

namespace hodo::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows of a feed-forward part that add up their weight gradients together; fixed, so that sums do
/// not depend on threads.
constexpr std::int64_t largest_group_count = 16;
constexpr std::int64_t smallest_group = 256;

MaskStream stream(const DropoutMask& mask, std::int64_t row) {
    if (mask.threshold() == 0) return {};
    return {{static_cast<std::uint32_t>(mask.key), static_cast<std::uint32_t>(mask.key >> 32)},
            mask.place,
            mask.step,
            static_cast<std::uint32_t>(mask.first_row + row),
            mask.threshold(),
            mask.scale()};
}

/// Entry `entry` of [batch or 1, tokens, channels] as a matrix.
MatrixView entry_view(const at::Tensor& x, std::int64_t entry) {
    const auto offset = x.size(0) == 1 ? 0 : entry * x.stride(0);
    return {x.data_ptr<float>() + offset, x.stride(1)};
}

/// `x` itself when its rows are contiguous.
at::Tensor with_plain_rows(const at::Tensor& x) {
    return x.stride(-1) == 1 ? x : x.contiguous();
}

struct AttentionTensors {
    at::Tensor q, k, v, out, log_sums;

    AttentionTask task(std::int64_t entry, std::int64_t heads, const DropoutMask& mask) const {
        const auto queries = q.size(1);
        return {entry_view(q, entry),
                entry_view(k, entry),
                entry_view(v, entry),
                entry_view(out, entry),
                queries,
                k.size(1),
                heads,
                q.size(2) / heads,
                stream(mask, entry * heads * queries),
                log_sums.data_ptr<float>() + entry * heads * queries};
    }
};

/// A mask survives from the way there to the way back as plain values.
void save_mask(AutogradContext* context, const DropoutMask& mask) {
    context->saved_data["key"] = static_cast<std::int64_t>(mask.key);
    context->saved_data["step"] = static_cast<std::int64_t>(mask.step);
    context->saved_data["place"] = static_cast<std::int64_t>(mask.place);
    context->saved_data["first_row"] = mask.first_row;
    context->saved_data["probability"] = mask.probability;
}

DropoutMask saved_mask(AutogradContext* context) {
    const auto number = [&](const char* name) { return context->saved_data[name].toInt(); };
    return {static_cast<std::uint64_t>(number("key")), static_cast<std::uint32_t>(number("step")),
            static_cast<std::uint32_t>(number("place")), number("first_row"),
            context->saved_data["probability"].toDouble()};
}

/// The factor of the elements a mask keeps.
float kept_scale(const DropoutMask& mask) {
    return mask.threshold() == 0 ? 1.0F : mask.scale();
}

struct AttendFunction : torch::autograd::Function<AttendFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                              const at::Tensor& v, std::int64_t heads, const DropoutMask& mask) {
        AttentionTensors tensors{with_plain_rows(q), with_plain_rows(k), with_plain_rows(v),
                                 at::empty(q.sizes(), q.options()),
                                 at::empty({q.size(0), heads, q.size(1)}, q.options())};
        const auto head_size = q.size(2) / heads;
        base::parallel_for(q.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
            AlignedFloats scratch(attention_scratch(k.size(1), head_size));
            for (auto entry = begin; entry < end; ++entry) {
                kernels().attend(tensors.task(entry, heads, mask), scratch.data());
            }
        });
        context->save_for_backward(
            {tensors.q, tensors.k, tensors.v, tensors.out, tensors.log_sums});
        context->saved_data["heads"] = heads;
        save_mask(context, mask);
        return tensors.out;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const AttentionTensors tensors{saved[0], saved[1], saved[2], saved[3], saved[4]};
        const auto heads = context->saved_data["heads"].toInt();
        const auto mask = saved_mask(context);
        const auto grad_out = gradients[0].contiguous();
        const auto batch = tensors.q.size(0), queries = tensors.q.size(1);
        const auto keys = tensors.k.size(1), channels = tensors.q.size(2);
        const auto grad_q = at::empty({batch, queries, channels}, grad_out.options());
        auto grad_k = at::empty({batch, keys, channels}, grad_out.options());
        auto grad_v = at::empty({batch, keys, channels}, grad_out.options());
        const auto head_size = channels / heads;
        base::parallel_for(batch, 1, [&](std::int64_t begin, std::int64_t end) {
            AlignedFloats scratch(attention_gradient_scratch(queries, keys, head_size));
            for (auto entry = begin; entry < end; ++entry) {
                kernels().attend_gradient({tensors.task(entry, heads, mask),
                                           entry_view(grad_out, entry), entry_view(grad_q, entry),
                                           entry_view(grad_k, entry), entry_view(grad_v, entry)},
                                          scratch.data());
            }
        });
        if (tensors.k.size(0) != batch) {  // one memory for all entries
            grad_k = grad_k.sum(0, true);
            grad_v = grad_v.sum(0, true);
        }
        return {grad_q, grad_k, grad_v, at::Tensor(), at::Tensor()};
    }
};

std::span<const float> values(const at::Tensor& tensor) {
    return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

/// Packs a matrix [rows, columns] with a bias, or without one.
PackedLinear pack(const at::Tensor& weight, const at::Tensor& bias) {
    const auto matrix = weight.contiguous();
    const auto vector =
        bias.defined() ? bias.contiguous() : at::zeros({matrix.size(0)}, matrix.options());
    return PackedLinear(WeightSpan{values(matrix), values(vector), matrix.size(0), matrix.size(1)});
}

/// What the groups of rows add up, one slice per group.
struct WeightSums {
    at::Tensor first, second, first_bias;
    WeightSums(std::int64_t groups, std::int64_t hidden, std::int64_t channels,
               const at::TensorOptions& options)
        : first(at::zeros({groups, hidden, channels}, options)),
          second(at::zeros({groups, hidden, channels}, options)),
          first_bias(at::zeros({groups, hidden}, options)) {}
};

struct FeedForwardFunction : torch::autograd::Function<FeedForwardFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                              const at::Tensor& weight1, const at::Tensor& bias1,
                              const at::Tensor& weight2, const at::Tensor& bias2,
                              const DropoutMask& mask) {
        const auto x = input.contiguous();
        const auto y = at::empty(x.sizes(), x.options());
        const auto channels = x.size(2), rows = x.size(0) * x.size(1);
        const auto first = pack(weight1, bias1);
        const auto second = pack(weight2 * kept_scale(mask), bias2);
        base::parallel_for(rows, smallest_group, [&](std::int64_t begin, std::int64_t end) {
            AlignedFloats scratch(feed_forward_scratch);
            kernels().feed_forward({x.data_ptr<float>() + begin * channels, channels}, end - begin,
                                   first.view(), second.view(), stream(mask, begin),
                                   {y.data_ptr<float>() + begin * channels, channels},
                                   scratch.data());
        });
        context->save_for_backward({x, weight1, bias1, weight2});
        save_mask(context, mask);
        return y;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto& x = saved[0];
        const auto mask = saved_mask(context);
        const double scale = kept_scale(mask);
        const auto grad_y = gradients[0].contiguous();
        const auto grad_x = at::empty(x.sizes(), x.options());
        const auto channels = x.size(2), rows = x.size(0) * x.size(1);
        const auto hidden = saved[1].size(0);
        const auto first = pack(saved[1], saved[2]);
        const auto back_second = pack(saved[3].transpose(0, 1) * scale, {});
        const auto back_first = pack(saved[1].transpose(0, 1), {});
        const auto groups = std::clamp<std::int64_t>(rows / smallest_group, 1, largest_group_count);
        const WeightSums sums(groups, hidden, channels, x.options());
        base::parallel_for(groups, 1, [&](std::int64_t begin, std::int64_t end) {
            AlignedFloats scratch(feed_forward_gradient_scratch);
            for (auto group = begin; group < end; ++group) {
                const auto row = rows * group / groups;
                FeedForwardGradient task{{x.data_ptr<float>() + row * channels, channels},
                                         {grad_y.data_ptr<float>() + row * channels, channels},
                                         rows * (group + 1) / groups - row,
                                         first.view(),
                                         back_second.view(),
                                         back_first.view(),
                                         stream(mask, row),
                                         {grad_x.data_ptr<float>() + row * channels, channels},
                                         sums.first.data_ptr<float>() + group * hidden * channels,
                                         sums.second.data_ptr<float>() + group * hidden * channels,
                                         sums.first_bias.data_ptr<float>() + group * hidden};
                kernels().feed_forward_gradient(task, scratch.data());
            }
        });
        return {grad_x,
                sums.first.sum(0),
                sums.first_bias.sum(0),
                sums.second.sum(0).transpose(0, 1) * scale,
                grad_y.reshape({rows, channels}).sum(0),
                at::Tensor()};
    }
};

}  // namespace

bool fused_applies(const at::Tensor& x, const Pass& pass) {
    return pass.engine == Engine::fused && pass.precision == tensor::Precision::float32 &&
           x.device().is_cpu() && x.scalar_type() == at::kFloat &&
           x.size(-1) % channel_multiple == 0 && x.numel() > 0;
}

at::Tensor attend_fused(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t heads, const DropoutMask& mask) {
    HODO_DOOR(q.size(2) % heads == 0 && q.size(2) / heads <= largest_head);
    HODO_DOOR(k.sizes() == v.sizes() && (k.size(0) == q.size(0) || k.size(0) == 1));
    return AttendFunction::apply(q, k, v, heads, mask);
}

at::Tensor feed_forward_fused(const at::Tensor& x, const Linear& first, const Linear& second,
                              const DropoutMask& mask) {
    return FeedForwardFunction::apply(x, first.weight, first.bias, second.weight, second.bias,
                                      mask);
}

}  // namespace hodo::nn
