#include "hodo/train/optimizer.hh"

#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/view.hh"

namespace hodo::train {

namespace {

constexpr std::int64_t grain = 1 << 16;

/// The numbers of one step of Adam, as float32 like the parameters.
struct AdamNumbers {
    float scale, coupled_decay, kept, beta1, rest1, beta2, rest2, step_size, root, epsilon;
};

/// One pass over a float32 parameter. Element by element and without fused operations (this source
/// is compiled so), so any partition and any vector level give the same bits; without errno for
/// square roots, so that it becomes vectors.
[[gnu::always_inline]] inline void adam_elements(float* p, const float* gradient, float* m,
                                                 float* v, std::int64_t begin, std::int64_t end,
                                                 const AdamNumbers& n) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) {
        const float decayed = p[i] * n.kept;
        const float g = gradient[i] * n.scale + n.coupled_decay * p[i];
        m[i] = m[i] * n.beta1 + n.rest1 * g;
        v[i] = v[i] * n.beta2 + n.rest2 * g * g;
        const float denominator = std::sqrt(v[i]) / n.root + n.epsilon;
        p[i] = decayed - n.step_size * m[i] / denominator;
    }
}

using AdamPass = void (*)(float* p, const float* gradient, float* m, float* v, std::int64_t begin,
                          std::int64_t end, const AdamNumbers& n);

void adam_everywhere(float* p, const float* gradient, float* m, float* v, std::int64_t begin,
                     std::int64_t end, const AdamNumbers& n) {
    adam_elements(p, gradient, m, v, begin, end, n);
}

/// Sum of squares in eight lanes, added in order: the same for every vector level.
[[gnu::always_inline]] inline double sum_in_lanes(const float* values, std::int64_t begin,
                                                  std::int64_t end) {
    double lanes[8] = {};
    auto i = begin;
    for (; i + 8 <= end; i += 8) {
#pragma omp simd
        for (int lane = 0; lane < 8; ++lane) {
            const double value = values[i + lane];
            lanes[lane] += value * value;
        }
    }
    double sum = 0;
    for (const double lane : lanes) sum += lane;
    for (; i < end; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    return sum;
}

double sum_everywhere(const float* values, std::int64_t begin, std::int64_t end) {
    return sum_in_lanes(values, begin, end);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void adam_avx2(float* p, const float* gradient, float* m, float* v,
                                       std::int64_t begin, std::int64_t end, const AdamNumbers& n) {
    adam_elements(p, gradient, m, v, begin, end, n);
}
[[gnu::target("avx512f,prefer-vector-width=512")]] void adam_avx512(float* p, const float* gradient,
                                                                    float* m, float* v,
                                                                    std::int64_t begin,
                                                                    std::int64_t end,
                                                                    const AdamNumbers& n) {
    adam_elements(p, gradient, m, v, begin, end, n);
}
[[gnu::target("avx2")]] double sum_avx2(const float* values, std::int64_t begin, std::int64_t end) {
    return sum_in_lanes(values, begin, end);
}
[[gnu::target("avx512f,prefer-vector-width=512")]] double sum_avx512(const float* values,
                                                                     std::int64_t begin,
                                                                     std::int64_t end) {
    return sum_in_lanes(values, begin, end);
}
#endif

/// The passes of the fastest vector level of this machine.
struct Passes {
    AdamPass adam = adam_everywhere;
    double (*square_sum)(const float* values, std::int64_t begin,
                         std::int64_t end) = sum_everywhere;
};

const Passes& passes() {
    static const Passes fastest = [] {
        Passes found;
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx512f")) {
            found = {adam_avx512, sum_avx512};
        } else if (__builtin_cpu_supports("avx2")) {
            found = {adam_avx2, sum_avx2};
        }
#endif
        return found;
    }();
    return fastest;
}

bool fits_fused_pass(const at::Tensor& parameter) {
    return parameter.device().is_cpu() && parameter.scalar_type() == at::kFloat &&
           parameter.is_contiguous();
}

/// Sum of squares of a contiguous float32 array: blocks in double, added in order.
double square_sum(const float* values, std::int64_t count) {
    const auto blocks = (count + grain - 1) / grain;
    std::vector<double> sums(static_cast<std::size_t>(blocks));
    base::parallel_for(blocks, 1, [&](std::int64_t first, std::int64_t last) {
        for (auto block = first; block < last; ++block) {
            const auto end = std::min(count, (block + 1) * grain);
            sums[static_cast<std::size_t>(block)] = passes().square_sum(values, block * grain, end);
        }
    });
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
}

}  // namespace

struct Optimizer::Body {
    std::vector<tensor::NamedParameter> parameters;
    OptimizerOptions options;
    std::vector<at::Tensor> first, second;  ///< m and v; second is empty for sgd.
    std::vector<std::int64_t> steps;

    double decay_of(const at::Tensor& parameter) const {
        const bool decays = options.decayed == Decayed::all || parameter.dim() >= 2;
        return decays ? options.weight_decay : 0.0;
    }

    void adam(std::size_t i, const at::Tensor& gradient, double rate, double scale) {
        auto& parameter = *parameters[i].tensor;
        const auto t = static_cast<double>(++steps[i]);
        const double root = std::sqrt(1 - std::pow(options.beta2, t));
        const double step_size = rate / (1 - std::pow(options.beta1, t));
        const double decay = decay_of(parameter);
        const bool decoupled = options.kind == OptimizerKind::adamw;
        if (fits_fused_pass(parameter)) {
            const auto number = [](double value) { return static_cast<float>(value); };
            const AdamNumbers numbers{number(scale),
                                      number(decoupled ? 0.0 : decay),
                                      number(decoupled ? 1 - rate * decay : 1.0),
                                      number(options.beta1),
                                      number(1 - options.beta1),
                                      number(options.beta2),
                                      number(1 - options.beta2),
                                      number(step_size),
                                      number(root),
                                      number(options.epsilon)};
            const auto dense = gradient.contiguous();
            auto* p = parameter.data_ptr<float>();
            const auto* g = dense.data_ptr<float>();
            auto* m = first[i].data_ptr<float>();
            auto* v = second[i].data_ptr<float>();
            base::parallel_for(parameter.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
                passes().adam(p, g, m, v, begin, end, numbers);
            });
            return;
        }
        auto g = scale == 1.0 ? gradient : gradient * scale;
        if (decoupled) {
            parameter.mul_(1 - rate * decay);
        } else if (decay != 0) {
            g = g.add(parameter, decay);
        }
        first[i].mul_(options.beta1).add_(g, 1 - options.beta1);
        second[i].mul_(options.beta2).addcmul_(g, g, 1 - options.beta2);
        const auto denominator = second[i].sqrt().div_(root).add_(options.epsilon);
        parameter.addcdiv_(first[i], denominator, -step_size);
    }

    void sgd(std::size_t i, const at::Tensor& gradient, double rate, double scale) {
        auto& parameter = *parameters[i].tensor;
        auto g = scale == 1.0 ? gradient : gradient * scale;
        const double decay = decay_of(parameter);
        if (decay != 0) g = g.add(parameter, decay);
        if (options.momentum != 0) {
            if (steps[i] == 0) {
                first[i].copy_(g);
            } else {
                first[i].mul_(options.momentum).add_(g);
            }
            g = first[i];
        }
        ++steps[i];
        parameter.add_(g, -rate);
    }
};

Optimizer::Optimizer(std::vector<tensor::NamedParameter> parameters,
                     const OptimizerOptions& options)
    : body_(std::make_unique<Body>()) {
    body_->parameters = std::move(parameters);
    body_->options = options;
    body_->steps.assign(body_->parameters.size(), 0);
    const at::NoGradGuard no_gradients;
    for (const auto& parameter : body_->parameters) {
        HODO_DOOR(parameter.tensor->defined());
        const auto zeros = [&] { return at::zeros_like(*parameter.tensor).detach(); };
        body_->first.push_back(zeros());
        if (options.kind != OptimizerKind::sgd) body_->second.push_back(zeros());
    }
}

Optimizer::~Optimizer() = default;
Optimizer::Optimizer(Optimizer&&) noexcept = default;

void Optimizer::step(double rate, double gradient_scale) {
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < body_->parameters.size(); ++i) {
        const auto& gradient = body_->parameters[i].tensor->grad();
        if (!gradient.defined()) continue;
        if (body_->options.kind == OptimizerKind::sgd) {
            body_->sgd(i, gradient, rate, gradient_scale);
        } else {
            body_->adam(i, gradient, rate, gradient_scale);
        }
    }
}

void Optimizer::adopt(const io::OptimizerState& stored) {
    auto& body = *body_;
    const at::NoGradGuard no_gradients;
    HODO_CHECK(
        body.options.kind != OptimizerKind::sgd,
        "the checkpoint's optimizer keeps Adam's moments, but kind is sgd; use adam or adamw");
    for (const auto& slot : stored.slots) {
        HODO_CHECK(slot.parameter >= 0 && slot.parameter < std::ssize(body.parameters),
                   "the checkpoint's optimizer has a parameter {} but the network has {}",
                   slot.parameter, body.parameters.size());
        const auto i = static_cast<std::size_t>(slot.parameter);
        const auto take = [&](const char* name, at::Tensor& moment) {
            const auto value = tensor::from_array(slot.moment(name));
            HODO_CHECK(value.sizes() == moment.sizes(),
                       "the checkpoint's optimizer state of '{}' has another shape than the "
                       "parameter; is it a checkpoint of this network?",
                       body.parameters[i].name);
            moment.copy_(value);
        };
        take("exp_avg", body.first[i]);
        take("exp_avg_sq", body.second[i]);
        body.steps[i] = static_cast<std::int64_t>(slot.step);
    }
}

io::OptimizerState Optimizer::exported() const {
    const auto& body = *body_;
    io::OptimizerState state;
    for (std::size_t i = 0; i < body.parameters.size(); ++i) {
        if (body.steps[i] == 0) continue;
        io::OptimizerSlot slot;
        slot.parameter = static_cast<std::int64_t>(i);
        slot.step = static_cast<double>(body.steps[i]);
        const auto add = [&](const char* name, const at::Tensor& moment) {
            slot.moments.push_back({name, tensor::to_array(moment.clone())});
        };
        if (body.options.kind != OptimizerKind::sgd) {
            add("exp_avg", body.first[i]);
            add("exp_avg_sq", body.second[i]);
        } else if (body.options.momentum != 0) {
            add("momentum_buffer", body.first[i]);
        }
        state.slots.push_back(std::move(slot));
    }
    return state;
}

void Optimizer::state(Archive& archive) {
    archive("steps", body_->steps);
    HODO_CHECK(body_->steps.size() == body_->parameters.size(),
               "the saved optimizer has {} parameters, this network has {}; start a new run",
               body_->steps.size(), body_->parameters.size());
    for (std::size_t i = 0; i < body_->parameters.size(); ++i) {
        const auto& name = body_->parameters[i].name;
        archive("first." + name, body_->first[i]);
        if (!body_->second.empty()) archive("second." + name, body_->second[i]);
    }
}

double gradient_norm(const std::vector<tensor::NamedParameter>& parameters) {
    const at::NoGradGuard no_gradients;
    double total = 0;
    std::vector<at::Tensor> elsewhere;
    for (const auto& parameter : parameters) {
        const auto& gradient = parameter.tensor->grad();
        if (!gradient.defined()) continue;
        if (gradient.device().is_cpu() && gradient.scalar_type() == at::kFloat) {
            const auto dense = gradient.contiguous();
            total += square_sum(dense.data_ptr<float>(), dense.numel());
        } else {
            elsewhere.push_back(gradient.to(at::kDouble).square().sum());
        }
    }
    // One transfer for all parameters of a device.
    if (!elsewhere.empty()) total += at::stack(elsewhere).sum().item<double>();
    return std::sqrt(total);
}

double clip_factor(double norm, double limit) {
    return std::min(1.0, limit / (norm + 1e-6));
}

}  // namespace hodo::train
