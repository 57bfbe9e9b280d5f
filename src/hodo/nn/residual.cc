#include "hodo/nn/residual.hh"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "hodo/base/threads.hh"
#include "hodo/nn/dropout.hh"
#include "hodo/nn/kernels/residual.hh"

namespace hodo::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows that add up their gradients together; fixed, so that sums do not depend on threads.
constexpr std::int64_t rows_of_group = 512;
/// Rows worth waking a thread for.
constexpr std::int64_t smallest_share = 1024;

MaskStream from_row(MaskStream mask, std::int64_t row) {
    mask.first_row += static_cast<std::uint32_t>(row);
    return mask;
}

/// A mask survives from the way there to the way back as a blob of plain numbers.
at::Tensor kept(const MaskStream& mask) {
    const auto bytes = at::empty({static_cast<std::int64_t>(sizeof mask)}, at::kByte);
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&mask), sizeof mask,
                bytes.data_ptr<std::uint8_t>());
    return bytes;
}

MaskStream kept_mask(const at::Tensor& bytes) {
    MaskStream mask;
    std::copy_n(bytes.data_ptr<std::uint8_t>(), sizeof mask,
                reinterpret_cast<std::uint8_t*>(&mask));
    return mask;
}

struct ResidualFunction : torch::autograd::Function<ResidualFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                              const at::Tensor& input_change, const at::Tensor& scale,
                              const at::Tensor& shift, const DropoutMask& dropout_mask) {
        const auto x = input.contiguous(), change = input_change.contiguous();
        const auto channels = x.size(-1), rows = x.numel() / channels;
        const auto y = at::empty(x.sizes(), x.options());
        const auto normal = at::empty(x.sizes(), x.options());
        const auto factor = at::empty({rows}, x.options());
        const auto mask = stream(dropout_mask);
        const auto *px = x.data_ptr<float>(), *pc = change.data_ptr<float>();
        auto *py = y.data_ptr<float>(), *pn = normal.data_ptr<float>();
        base::parallel_for(rows, smallest_share, [&](std::int64_t begin, std::int64_t end) {
            const auto first = begin * channels;
            row_kernels().residual({px + first, pc + first, end - begin, channels,
                                    from_row(mask, begin), scale.data_ptr<float>(),
                                    shift.data_ptr<float>(), py + first, pn + first,
                                    factor.data_ptr<float>() + begin});
        });
        context->save_for_backward({normal, factor, scale});
        context->saved_data["mask"] = kept(mask);
        return y;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &normal = saved[0], &factor = saved[1], &scale = saved[2];
        const auto mask = kept_mask(context->saved_data["mask"].toTensor());
        const auto grad_y = gradients[0].contiguous();
        const auto channels = normal.size(-1), rows = normal.numel() / channels;
        const auto groups = (rows + rows_of_group - 1) / rows_of_group;
        const auto grad_x = at::empty(normal.sizes(), normal.options());
        const bool drops = mask.threshold != 0;
        const auto grad_change = drops ? at::empty(normal.sizes(), normal.options()) : grad_x;
        const auto sums = at::zeros({groups, 2, channels}, normal.options());
        const auto *pg = grad_y.data_ptr<float>(), *pn = normal.data_ptr<float>();
        auto *px = grad_x.data_ptr<float>(), *pc = grad_change.data_ptr<float>();
        base::parallel_for(groups, smallest_share / rows_of_group,
                           [&](std::int64_t begin, std::int64_t end) {
                               for (auto group = begin; group < end; ++group) {
                                   const auto row = group * rows_of_group, first = row * channels;
                                   auto* sum = sums.data_ptr<float>() + group * 2 * channels;
                                   row_kernels().residual_gradient(
                                       {pg + first, pn + first, factor.data_ptr<float>() + row,
                                        std::min(rows_of_group, rows - row), channels,
                                        from_row(mask, row), scale.data_ptr<float>(), px + first,
                                        drops ? pc + first : nullptr, sum, sum + channels});
                               }
                           });
        const auto total = sums.sum(0);
        return {grad_x, grad_change, total[0], total[1], at::Tensor()};
    }
};

bool kernel_applies(const at::Tensor& x, const at::Tensor& change, const Pass& pass) {
    const auto plain = [](const at::Tensor& t) {
        return t.device().is_cpu() && t.scalar_type() == at::kFloat;
    };
    return pass.engine == Engine::fused && pass.drops() && plain(x) && plain(change) &&
           x.numel() > 0 && x.sizes() == change.sizes() && x.size(-1) % channel_multiple == 0;
}

}  // namespace

at::Tensor residual_norm_plain(const at::Tensor& x, const at::Tensor& change, const LayerNorm& norm,
                               Pass& pass) {
    return norm(x + dropout(change, pass));
}

at::Tensor residual_norm(const at::Tensor& x, const at::Tensor& change, const LayerNorm& norm,
                         Pass& pass) {
    if (!kernel_applies(x, change, pass)) return residual_norm_plain(x, change, norm, pass);
    const auto rows_per_entry = x.numel() / x.size(-1) / x.size(0);
    const auto mask = next_mask(pass, rows_per_entry);
    return ResidualFunction::apply(x, change, norm.weight, norm.bias, mask);
}

}  // namespace hodo::nn
