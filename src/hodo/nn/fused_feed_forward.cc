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

/// Rows of a feed-forward part that add up their weight gradients together; fixed, so that sums do
/// not depend on threads.
constexpr std::int64_t largest_group_count = 16;
constexpr std::int64_t smallest_group = 512;
/// Rows worth a part of a section on the way there.
constexpr std::int64_t smallest_part = 256;
/// Rows that are turned into padded floats at a time.
constexpr std::int64_t staged_rows = 128;

/// The factor of the elements a mask keeps.
float kept_scale(const DropoutMask& mask) {
    return mask.threshold() == 0 ? 1.0F : mask.scale();
}

std::span<const float> values(const at::Tensor& tensor) {
    return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

/// Packs a matrix [rows, columns] with a bias, or without one.
PackedLinear pack(const at::Tensor& weight, const at::Tensor& bias) {
    const auto matrix = weight.to(at::kFloat).contiguous();
    const auto vector = bias.defined() ? bias.to(at::kFloat).contiguous()
                                       : at::zeros({matrix.size(0)}, matrix.options());
    return PackedLinear(WeightSpan{values(matrix), values(vector), matrix.size(0), matrix.size(1)});
}

/// Whether the kernels can work on the rows where they lie.
bool lies_ready(const at::Tensor& x) {
    return x.scalar_type() == at::kFloat && x.size(1) % channel_multiple == 0;
}

/// Rows of a matrix [rows, channels] as padded floats: where they lie, or in a copy.
class StagedRows {
  public:
    explicit StagedRows(const at::Tensor& matrix)
        : matrix_(matrix),
          stride_(round_up(matrix.size(1), channel_multiple)),
          copy_(lies_ready(matrix) ? 0 : staged_rows * stride_) {}

    /// Room for rows that will be written.
    MatrixView room(std::int64_t row) {
        if (!lies_ready(matrix_)) return {copy_.data(), stride_};
        return {matrix_.data_ptr<float>() + row * stride_, stride_};
    }
    MatrixView read(std::int64_t row, std::int64_t count) {
        const auto view = room(row);
        if (!lies_ready(matrix_)) {
            kernels().read_rows(storage_of(matrix_), const_rows(part(row, count)), count,
                                matrix_.size(1), view);
        }
        return view;
    }
    void write(std::int64_t row, std::int64_t count) {
        if (lies_ready(matrix_)) return;
        kernels().write_rows(storage_of(matrix_), MatrixView{copy_.data(), stride_}, count,
                             matrix_.size(1), rows(part(row, count)));
    }

  private:
    at::Tensor part(std::int64_t row, std::int64_t count) const {
        return matrix_.narrow(0, row, count);
    }
    at::Tensor matrix_;
    std::int64_t stride_;
    AlignedFloats copy_;
};

/// Calls work(first, count) for the rows [begin, end) in as many pieces as can be staged.
template <class Work>
void each_stage(const at::Tensor& x, std::int64_t begin, std::int64_t end, const Work& work) {
    const auto most = lies_ready(x) ? std::max<std::int64_t>(end - begin, 1) : staged_rows;
    for (auto row = begin; row < end; row += most) work(row, std::min(most, end - row));
}

/// What the groups of rows add up, one slice per group.
struct WeightSums {
    std::int64_t matrix, hidden;  // numbers of a slice
    at::Tensor first, second, first_bias;
    WeightSums(std::int64_t groups, std::int64_t hidden_count, std::int64_t padded)
        : matrix(hidden_count * padded),
          hidden(hidden_count),
          first(at::empty({groups, hidden, padded})),
          second(at::empty({groups, hidden, padded})),
          first_bias(at::empty({groups, hidden})) {}
    void clear(std::int64_t group) const {
        std::fill_n(first.data_ptr<float>() + group * matrix, matrix, 0.0F);
        std::fill_n(second.data_ptr<float>() + group * matrix, matrix, 0.0F);
        std::fill_n(first_bias.data_ptr<float>() + group * hidden, hidden, 0.0F);
    }
};

/// The sum over groups, one after the other, without padding.
at::Tensor total(const at::Tensor& sums, std::int64_t channels) {
    const auto groups = sums.size(0), size = sums.size(1) * sums.size(2);
    const auto result = at::empty({sums.size(1), sums.size(2)}, sums.options());
    const float* from = sums.data_ptr<float>();
    float* to = result.data_ptr<float>();
    base::parallel_for(size, 1 << 13, [&](std::int64_t begin, std::int64_t end) {
        std::copy(from + begin, from + end, to + begin);
        for (std::int64_t group = 1; group < groups; ++group) {
            kernels().add_scaled(1.0F, from + group * size + begin, to + begin, end - begin);
        }
    });
    return result.narrow(1, 0, channels).contiguous();
}

/// Weights of a feed-forward part as float32 matrices on a device.
struct DeviceWeights {
    at::Tensor weight1, bias1, weight2, bias2;
    DeviceWeights(const at::Tensor& w1, const at::Tensor& b1, const at::Tensor& w2,
                  const at::Tensor& b2)
        : weight1(w1.to(at::kFloat).contiguous()),
          bias1(b1.to(at::kFloat).contiguous()),
          weight2(w2.to(at::kFloat).contiguous()),
          bias2(b2.defined() ? b2.to(at::kFloat).contiguous() : at::Tensor()) {}

    FeedForwardTask task(const at::Tensor& x, const DropoutMask& mask) const {
        FeedForwardTask task;
        task.x = const_rows(x);
        task.storage = storage_of(x);
        task.rows = x.size(0);
        task.channels = x.size(1);
        task.hidden = weight1.size(0);
        task.weight1 = weight1.data_ptr<float>();
        task.bias1 = bias1.data_ptr<float>();
        task.weight2 = weight2.data_ptr<float>();
        if (bias2.defined()) task.bias2 = bias2.data_ptr<float>();
        task.mask = stream(mask);
        return task;
    }
};

at::Tensor forward_on_device(const at::Tensor& x, const DeviceWeights& weights,
                             const DropoutMask& mask) {
    const c10::DeviceGuard here(x.device());
    const auto y = at::empty(x.sizes(), x.options());
    auto task = weights.task(x, mask);
    task.y = rows(y);
    device_kernels()->feed_forward(task);
    return y;
}

variable_list backward_on_device(const at::Tensor& x, const at::Tensor& grad_y,
                                 const DeviceWeights& weights, const DropoutMask& mask) {
    const c10::DeviceGuard here(x.device());
    const auto grad_x = at::empty(x.sizes(), x.options());
    const auto like = [](const at::Tensor& w) { return at::empty(w.sizes(), w.options()); };
    const auto grad_w1 = like(weights.weight1), grad_b1 = like(weights.bias1);
    const auto grad_w2 = like(weights.weight2);
    const auto grad_b2 = at::empty({x.size(1)}, weights.bias1.options());
    device_kernels()->feed_forward_gradient(
        {weights.task(x, mask), const_rows(grad_y), rows(grad_x), grad_w1.data_ptr<float>(),
         grad_b1.data_ptr<float>(), grad_w2.data_ptr<float>(), grad_b2.data_ptr<float>()});
    return {grad_x, grad_w1, grad_b1, grad_w2, grad_b2, at::Tensor()};
}

at::Tensor forward_on_cpu(const at::Tensor& x, const PackedLinear& first,
                          const PackedLinear& second, const DropoutMask& mask,
                          Activation activation) {
    const auto y = at::empty(x.sizes(), x.options());
    base::parallel_for(x.size(0), smallest_part, [&](std::int64_t begin, std::int64_t end) {
        AlignedFloats scratch(feed_forward_scratch);
        StagedRows input(x), output(y);
        each_stage(x, begin, end, [&](std::int64_t row, std::int64_t count) {
            kernels().feed_forward({input.read(row, count), count, first.view(), second.view(),
                                    stream(mask, row), output.room(row), activation},
                                   scratch.data());
            output.write(row, count);
        });
    });
    return y;
}

variable_list backward_on_cpu(const at::Tensor& x, const at::Tensor& grad_y,
                              const variable_list& weights, const DropoutMask& mask,
                              Activation activation) {
    const double scale = kept_scale(mask);
    const auto grad_x = at::empty(x.sizes(), x.options());
    const auto channels = x.size(1), count = x.size(0), hidden = weights[0].size(0);
    const auto first = pack(weights[0], weights[1]);
    const auto back_second = pack(weights[2].to(at::kFloat).transpose(0, 1) * scale, {});
    const auto back_first = pack(weights[0].transpose(0, 1), {});
    const auto groups = std::clamp<std::int64_t>(count / smallest_group, 1, largest_group_count);
    const auto padded = round_up(channels, channel_multiple);
    const WeightSums sums(groups, hidden, padded);
    base::parallel_for(groups, 1, [&](std::int64_t begin, std::int64_t end) {
        AlignedFloats scratch(feed_forward_gradient_scratch);
        StagedRows input(x), incoming(grad_y), outgoing(grad_x);
        for (auto group = begin; group < end; ++group) {
            sums.clear(group);
            const auto slice = group * hidden * padded;
            const auto work = [&](std::int64_t row, std::int64_t rows_here) {
                kernels().feed_forward_gradient(
                    {input.read(row, rows_here), incoming.read(row, rows_here), rows_here,
                     first.view(), back_second.view(), back_first.view(), stream(mask, row),
                     activation, outgoing.room(row), sums.first.data_ptr<float>() + slice,
                     sums.second.data_ptr<float>() + slice,
                     sums.first_bias.data_ptr<float>() + group * hidden},
                    scratch.data());
                outgoing.write(row, rows_here);
            };
            each_stage(x, count * group / groups, count * (group + 1) / groups, work);
        }
    });
    return {grad_x,
            total(sums.first, channels),
            sums.first_bias.sum(0),
            total(sums.second, channels).transpose(0, 1) * scale,
            grad_y.to(at::kFloat).sum(0),
            at::Tensor()};
}

struct FeedForwardFunction : torch::autograd::Function<FeedForwardFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                              const at::Tensor& weight1, const at::Tensor& bias1,
                              const at::Tensor& weight2, const at::Tensor& bias2,
                              const DropoutMask& mask, Activation activation) {
        const auto x = input.contiguous();
        context->save_for_backward({x, weight1, bias1, weight2});
        context->saved_data["bias2"] = static_cast<std::int64_t>(bias2.scalar_type());
        context->saved_data["activation"] = static_cast<std::int64_t>(activation);
        save_mask(context, mask);
        if (!x.device().is_cpu()) {
            return forward_on_device(x, {weight1, bias1, weight2, bias2}, mask);
        }
        const auto scaled = weight2.to(at::kFloat) * kept_scale(mask);
        return forward_on_cpu(x, pack(weight1, bias1), pack(scaled, bias2), mask, activation);
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto mask = saved_mask(context);
        const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
        const auto& x = saved[0];
        const auto grad_y = gradients[0].contiguous();
        auto result =
            x.device().is_cpu()
                ? backward_on_cpu(x, grad_y, {saved[1], saved[2], saved[3]}, mask, activation)
                : backward_on_device(x, grad_y, {saved[1], saved[2], saved[3], {}}, mask);
        for (std::size_t i = 1; i <= 3; ++i) result[i] = result[i].to(saved[i].scalar_type());
        const auto type = context->saved_data["bias2"].toInt();
        result[4] = result[4].to(static_cast<at::ScalarType>(type));
        result.emplace_back();
        return result;
    }
};

}  // namespace

bool fused_applies(const at::Tensor& x, const Pass& pass) {
    const bool known = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
    const bool here = x.device().is_cpu() || (x.is_cuda() && device_kernels() != nullptr);
    return pass.engine == Engine::fused && known && here && x.numel() > 0;
}

at::Tensor feed_forward_fused(const at::Tensor& x, const Linear& first, const Linear& second,
                              const DropoutMask& mask, Activation activation) {
    HODO_CHECK(x.device().is_cpu() || activation == Activation::relu,
               "the feed-forward kernels on {} know ReLU only; use the plain engine for GELU",
               x.device().str());
    HODO_DOOR(x.size(-1) == first.weight.size(1) && first.weight.size(0) == second.weight.size(1));
    const auto rows = x.reshape({-1, x.size(-1)});
    return FeedForwardFunction::apply(rows, first.weight, first.bias, second.weight, second.bias,
                                      mask, activation)
        .reshape(x.sizes());
}

}  // namespace hodo::nn
