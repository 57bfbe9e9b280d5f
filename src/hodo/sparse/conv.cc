#include "hodo/sparse/conv.hh"

#include <torch/csrc/autograd/custom_function.h>

#include "hodo/base/error.hh"
#include "hodo/sparse/detail/device.hh"
#include "hodo/sparse/detail/plan.hh"
#include "hodo/sparse/detail/sums.hh"
#include "hodo/sparse/products.hh"

namespace hodo::sparse {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const Plan& kept(AutogradContext* context, c10::IValue& holder) {
    holder = context->saved_data["plan"];
    return static_cast<const Plan&>(*holder.toCapsule());
}

/// The product along `direction` with weights as they are or transposed.
at::Tensor run_convolve(const Rulebook& book, Direction direction, const at::Tensor& x,
                        const at::Tensor& weight, bool transposed) {
    if (is_on_device(x)) return convolve_on_device(book, direction, x, weight, transposed);
    const auto groups = weight.size(1);
    const auto from = weight.size(transposed ? 3 : 2), to = weight.size(transposed ? 2 : 3);
    const auto y = new_rows(book.rows(direction), groups * to, x.options());
    for_type_of(x, [&](auto number) {
        using T = decltype(number);
        using Form = typename CellMaps<T>::Form;
        for (std::int64_t group = 0; group < groups; ++group) {
            convolve(book, direction, columns<const T>(x, group * from),
                     group_maps<T>(weight, group, transposed ? Form::transposed : Form::plain),
                     columns<T>(y, group * to));
        }
    });
    return y;
}

at::Tensor run_weight_gradient(const Plan& plan, const at::Tensor& x, const at::Tensor& g,
                               const at::Tensor& weight) {
    if (is_on_device(x)) {
        return weight_gradient_on_device(*plan.book, plan.direction, x, g, weight);
    }
    auto grad = at::empty(weight.sizes(), weight.options());
    const auto groups = weight.size(1), in = weight.size(2), out = weight.size(3);
    for_type_of(x, [&](auto number) {
        using T = decltype(number);
        for (std::int64_t group = 0; group < groups; ++group) {
            weight_gradient(*plan.book, plan.direction, columns<const T>(x, group * in),
                            columns<const T>(g, group * out),
                            CellGradients<T>{grad.data_ptr<T>() + group * in * out,
                                             groups * in * out, in, out});
        }
    });
    return grad;
}

struct ConvFunction : torch::autograd::Function<ConvFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& features,
                              const at::Tensor& map, const SharedPlan& plan) {
        const auto x = plain_rows(features), weight = map.contiguous();
        context->save_for_backward({x, weight});
        context->saved_data["plan"] = c10::IValue::make_capsule(plan);
        return run_convolve(*plan->book, plan->direction, x, weight, false);
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1];
        c10::IValue holder;
        const auto& plan = kept(context, holder);
        const auto g = gradients[0].contiguous();
        variable_list result(3);
        if (context->needs_input_grad(0)) {
            result[0] = run_convolve(*plan.book, plan.opposite(), g, weight, true);
        }
        if (context->needs_input_grad(1)) result[1] = run_weight_gradient(plan, x, g, weight);
        return result;
    }
};

struct DepthwiseFunction : torch::autograd::Function<DepthwiseFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& features,
                              const at::Tensor& map, const SharedPlan& plan) {
        const auto x = plain_rows(features), weight = map.contiguous();
        context->save_for_backward({x, weight});
        context->saved_data["plan"] = c10::IValue::make_capsule(plan);
        return run(*plan->book, Direction::there, x, weight);
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1];
        c10::IValue holder;
        const auto& plan = kept(context, holder);
        const auto g = gradients[0].contiguous();
        variable_list result(3);
        if (context->needs_input_grad(0)) {
            result[0] = run(*plan.book, Direction::back, g, weight);
        }
        if (context->needs_input_grad(1)) result[1] = run_gradient(*plan.book, x, g, weight);
        return result;
    }

  private:
    static at::Tensor run_gradient(const Rulebook& book, const at::Tensor& x, const at::Tensor& g,
                                   const at::Tensor& weight) {
        if (is_on_device(x)) return depthwise_weight_gradient_on_device(book, x, g, weight);
        auto grad = at::empty(weight.sizes(), weight.options());
        for_type_of(x, [&](auto number) {
            using T = decltype(number);
            depthwise_weight_gradient(book, x.data_ptr<T>(), g.data_ptr<T>(), x.size(1),
                                      grad.data_ptr<T>());
        });
        return grad;
    }
    static at::Tensor run(const Rulebook& book, Direction direction, const at::Tensor& x,
                          const at::Tensor& weight) {
        if (is_on_device(x)) return depthwise_on_device(book, direction, x, weight);
        auto y = new_rows(book.rows(direction), x.size(1), x.options());
        for_type_of(x, [&](auto number) {
            using T = decltype(number);
            sparse::depthwise(book, direction, x.data_ptr<T>(), weight.data_ptr<T>(), x.size(1),
                              y.data_ptr<T>());
        });
        return y;
    }
};

SparseTensor with_bias(const SparseTensor& x, const at::Tensor& bias) {
    return bias.defined() ? x.with(plus_row(x.features, bias.reshape({-1}))) : x;
}

SparseTensor run_plan(const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      const Kernel& kernel, const SharedPlan& plan) {
    const SparseTensor y{plan->target(),
                         ConvFunction::apply(x.features, grouped(x, weight, kernel), plan), x.maps};
    return with_bias(y, bias);
}

const float* data(const at::Tensor& tensor) {
    return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}

/// `values`, or the tensor they were asked to stand in.
at::Tensor placed(const at::Tensor& values, const at::Tensor& into) {
    if (!into.defined()) return values;
    into.copy_(values);
    return into;
}

at::Tensor plain_or_none(const at::Tensor& tensor) {
    return tensor.defined() ? tensor.contiguous() : tensor;
}

}  // namespace

ConvSpec submanifold(const Triple& size, const Triple& dilation) {
    return {{size, dilation, Alignment::centred}, {1, 1, 1}, Sites::cells};
}

ConvSpec strided(const Triple& size, const Triple& stride) {
    return {{size, {1, 1, 1}, Alignment::forward}, stride, Sites::seeing};
}

ConvSpec minkowski(const Triple& size, const Triple& stride, const Triple& dilation) {
    return {{size, dilation, Alignment::centred}, stride, Sites::cells};
}

SparseTensor conv(const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  const ConvSpec& spec) {
    return run_plan(x, weight, bias, spec.kernel, forward_plan(x, spec));
}

SparseTensor conv_transposed(const SparseTensor& x, const at::Tensor& weight,
                             const at::Tensor& bias, const ConvSpec& spec,
                             const SharedCoordinates& target) {
    return run_plan(x, weight, bias, spec.kernel, transposed_plan(x, spec, target));
}

SparseTensor conv_generative(const SparseTensor& x, const at::Tensor& weight,
                             const at::Tensor& bias, const ConvSpec& spec) {
    return conv_transposed(x, weight, bias, spec,
                           x.maps->generated(x.coordinates, spec.kernel, spec.stride));
}

SparseTensor depthwise(const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const ConvSpec& spec) {
    HODO_CHECK(
        weight.dim() == 2 && weight.size(0) == spec.kernel.volume() &&
            weight.size(1) == x.channels(),
        "depthwise weights for {} cells and {} channels do not match a kernel of {} cells on "
        "{} channels",
        weight.size(0), weight.dim() == 2 ? weight.size(1) : 0, spec.kernel.volume(), x.channels());
    const auto plan = forward_plan(x, spec);
    return with_bias({plan->target(), DepthwiseFunction::apply(x.features, weight, plan), x.maps},
                     bias);
}

Ended conv_ended(const SparseTensor& x, const at::Tensor& weight, const ConvSpec& spec,
                 const Ending& ending, const SharedCoordinates& target) {
    const at::NoGradGuard no_gradients;
    const auto plan = target ? transposed_plan(x, spec, target) : forward_plan(x, spec);
    const auto maps = grouped(x, weight, spec.kernel).contiguous();
    if (x.features.scalar_type() != at::kFloat || maps.size(1) != 1) {
        auto y = run_plan(x, weight, ending.bias, spec.kernel, plan);
        if (ending.residual.defined()) y.features = y.features + ending.residual;
        const auto plain = y;
        if (ending.scale.defined()) {
            y.features = at::leaky_relu(y.features * ending.scale + ending.shift, ending.leak);
        }
        return {y.with(placed(y.features, ending.y_into)),
                plain.with(placed(plain.features, ending.plain_into))};
    }
    const auto input = plain_rows(x.features);
    const auto out = maps.size(3);
    const auto bias = plain_or_none(ending.bias), residual = plain_or_none(ending.residual);
    const auto scale = plain_or_none(ending.scale), shift = plain_or_none(ending.shift);
    const auto rows = plan->target()->size();
    const bool wants_plain = ending.keep_plain || ending.plain_into.defined();
    if (is_on_device(input)) {
        const auto kept = wants_plain ? new_rows(rows, out, input.options()) : at::Tensor();
        const auto made =
            convolve_ended_on_device(*plan->book, plan->direction, input, maps,
                                     {bias, residual, scale, shift, ending.leak, kept});
        return {{plan->target(), placed(made, ending.y_into), x.maps},
                {plan->target(), placed(kept, ending.plain_into), x.maps}};
    }
    const auto y = ending.y_into.defined() ? ending.y_into : new_rows(rows, out, input.options());
    auto plain = ending.plain_into;
    if (!plain.defined() && wants_plain) plain = new_rows(rows, out, input.options());
    Epilogue epilogue{data(bias),  data(residual),
                      out,         data(scale),
                      data(shift), static_cast<float>(ending.leak),
                      nullptr,     0};
    if (plain.defined()) {
        epilogue.plain = plain.data_ptr<float>();
        epilogue.plain_stride = plain.stride(0);
    }
    convolve(*plan->book, plan->direction, columns<const float>(input, 0),
             group_maps<float>(maps, 0, CellMaps<float>::Form::plain), columns<float>(y, 0),
             epilogue);
    return {{plan->target(), y, x.maps}, {plan->target(), plain, x.maps}};
}

}  // namespace hodo::sparse
