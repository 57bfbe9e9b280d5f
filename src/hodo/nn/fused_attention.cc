#include "hodo/nn/fused.hh"

#include <algorithm>

#include <c10/core/DeviceGuard.h>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/nn/device_kernels.hh"
#include "hodo/nn/packed.hh"
#include "hodo/nn/saved_mask.hh"

namespace hodo::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// `x` itself when its rows are contiguous.
at::Tensor with_plain_rows(const at::Tensor& x) {
    return x.stride(-1) == 1 ? x : x.contiguous();
}

/// Offsets where the kernels can read them; `held` keeps them alive.
const std::int64_t* offsets_on(at::Device device, const Packing& packing, at::Tensor& held) {
    if (device.is_cpu()) return packing.offsets.data();
    held = at::tensor(packing.offsets, at::TensorOptions().dtype(at::kLong)).to(device);
    return held.data_ptr<std::int64_t>();
}

/// The tensors of an attention and its description for kernels.
struct Call {
    at::Tensor q, k, v, out, log_sums, visible;
    at::Tensor query_offsets, key_offsets;  // on a device only
    AttentionTask task;
    std::int64_t longest_queries, longest_keys, parts;

    Call(variable_list tensors, std::int64_t heads, const Sequences& sequences,
         const DropoutMask& mask)
        : q(tensors[0]),
          k(tensors[1]),
          v(tensors[2]),
          out(tensors[3]),
          log_sums(tensors[4]),
          visible(tensors[5]),
          longest_queries(sequences.queries.longest()),
          longest_keys(sequences.keys.longest()),
          parts(sequences.queries.count() * heads) {
        task.q = const_rows(q);
        task.k = const_rows(k);
        task.v = const_rows(v);
        task.out = rows(out);
        task.storage = storage_of(q);
        task.keys_of =
            sequences.keys.count() == sequences.queries.count() ? KeysOf::own : KeysOf::shared;
        task.sequences = sequences.queries.count();
        task.heads = heads;
        task.head_size = q.size(1) / heads;
        task.query_offsets = offsets_on(q.device(), sequences.queries, query_offsets);
        task.key_offsets = offsets_on(q.device(), sequences.keys, key_offsets);
        if (visible.defined()) {
            task.visible = reinterpret_cast<const std::uint8_t*>(visible.data_ptr<bool>());
        }
        task.mask = stream(mask);
        task.first_sequence = sequences.first_entry;
        task.log_sums = log_sums.data_ptr<float>();
    }
};

/// Shares the parts of an attention among threads in ranges of about equal cost.
template <class Work>
void share_parts(const Sequences& sequences, std::int64_t heads, const Work& work) {
    const auto& [queries, keys, visible, first_entry] = sequences;
    std::vector<std::int64_t> cost{0};  // of all sequences before
    for (std::int64_t s = 0; s < queries.count(); ++s) {
        const auto others = keys.length(keys.count() == 1 ? 0 : s);
        cost.push_back(cost.back() + (queries.length(s) + 8) * (others + 8));
    }
    const auto all = cost.back() * heads, parts = queries.count() * heads;
    const auto border = [&](std::int64_t share, std::int64_t shares) {
        if (share == shares) return parts;
        const auto target = all / shares * share;
        const auto next = std::upper_bound(cost.begin(), cost.end(), target / heads);
        const auto s = next - cost.begin() - 1;
        const auto one = cost[static_cast<std::size_t>(s) + 1] - cost[static_cast<std::size_t>(s)];
        const auto inside = target - cost[static_cast<std::size_t>(s)] * heads;
        return s * heads + std::min(heads, inside / one);
    };
    const auto shares = std::min<std::int64_t>(base::threads(), parts);
    base::parallel_for(shares, 1, [&](std::int64_t begin, std::int64_t end) {
        work(border(begin, shares), border(end, shares));
    });
}

struct AttendFunction : torch::autograd::Function<AttendFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                              const at::Tensor& v, std::int64_t heads, const Sequences& sequences,
                              const DropoutMask& mask) {
        const auto floats = q.options().dtype(at::kFloat);
        variable_list tensors{with_plain_rows(q),
                              with_plain_rows(k),
                              with_plain_rows(v),
                              at::empty(q.sizes(), q.options()),
                              at::empty({heads, q.size(0)}, floats),
                              sequences.visible};
        const Call call(tensors, heads, sequences, mask);
        if (q.device().is_cpu()) {
            const auto size = attention_scratch(call.longest_keys, call.task.head_size);
            share_parts(sequences, heads, [&](std::int64_t begin, std::int64_t end) {
                AlignedFloats scratch(size);
                kernels().attend(call.task, begin, end, scratch.data());
            });
        } else {
            const c10::DeviceGuard here(q.device());
            device_kernels()->attend(call.task, call.longest_queries);
        }
        context->save_for_backward(tensors);
        context->saved_data["heads"] = heads;
        context->saved_data["queries"] = sequences.queries.offsets;
        context->saved_data["keys"] = sequences.keys.offsets;
        context->saved_data["first_entry"] = sequences.first_entry;
        save_mask(context, mask);
        return call.out;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto heads = context->saved_data["heads"].toInt();
        const Sequences sequences{{context->saved_data["queries"].toIntVector()},
                                  {context->saved_data["keys"].toIntVector()},
                                  {},
                                  context->saved_data["first_entry"].toInt()};
        const Call call(context->get_saved_variables(), heads, sequences, saved_mask(context));
        const auto grad_out = gradients[0].contiguous();
        const bool shared = call.task.keys_of == KeysOf::shared;
        const auto copies = shared ? call.task.sequences : 1, channels = call.q.size(1);
        const auto grad_q = at::empty({call.q.size(0), channels}, grad_out.options());
        auto grad_k = at::empty({copies * call.k.size(0), channels}, grad_out.options());
        auto grad_v = at::empty({copies * call.k.size(0), channels}, grad_out.options());
        const AttentionGradient task{call.task, const_rows(grad_out), rows(grad_q), rows(grad_k),
                                     rows(grad_v)};
        if (grad_q.device().is_cpu()) {
            const auto size = attention_gradient_scratch(call.longest_keys, call.task.head_size);
            share_parts(sequences, heads, [&](std::int64_t begin, std::int64_t end) {
                AlignedFloats scratch(size);
                kernels().attend_gradient(task, begin, end, scratch.data());
            });
        } else {
            const c10::DeviceGuard here(grad_q.device());
            device_kernels()->attend_gradient(task,
                                              std::max(call.longest_queries, call.longest_keys));
        }
        if (shared) {
            grad_k = grad_k.reshape({copies, -1, channels}).sum(0);
            grad_v = grad_v.reshape({copies, -1, channels}).sum(0);
        }
        return {grad_q, grad_k, grad_v, at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

}  // namespace

bool head_size_is_fused(std::int64_t head_size) {
    return head_size >= 1 && head_size <= largest_head;
}

at::Tensor attend_fused(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t heads, const Sequences& sequences, const DropoutMask& mask) {
    HODO_DOOR(q.dim() == 2 && k.dim() == 2 && k.sizes() == v.sizes() && q.size(1) == k.size(1));
    HODO_DOOR(q.size(1) % heads == 0 && head_size_is_fused(q.size(1) / heads));
    HODO_DOOR(q.scalar_type() == k.scalar_type() && q.scalar_type() == v.scalar_type());
    HODO_DOOR(q.size(0) == sequences.queries.total() && k.size(0) == sequences.keys.total());
    HODO_DOOR(sequences.keys.count() == sequences.queries.count() || sequences.keys.count() == 1);
    HODO_DOOR(!sequences.visible.defined() ||
              (sequences.visible.scalar_type() == at::kBool &&
               sequences.visible.numel() == k.size(0) && sequences.visible.is_contiguous() &&
               sequences.visible.device() == k.device()));
    return AttendFunction::apply(q, k, v, heads, sequences, mask);
}

}  // namespace hodo::nn
