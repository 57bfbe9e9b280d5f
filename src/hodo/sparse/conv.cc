#include "hodo/sparse/conv.hh"

#include <torch/csrc/autograd/custom_function.h>

#include "hodo/base/error.hh"
#include "hodo/sparse/detail/device.hh"
#include "hodo/sparse/detail/sums.hh"
#include "hodo/sparse/products.hh"

namespace hodo::sparse {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// A rulebook and the way through it: what a convolution's gradient must remember.
struct Plan : torch::CustomClassHolder {
    Plan(SharedRulebook b, Direction d) : book(std::move(b)), direction(d) {}
    SharedRulebook book;
    Direction direction;

    Direction opposite() const {
        return direction == Direction::there ? Direction::back : Direction::there;
    }
    const SharedCoordinates& target() const {
        return direction == Direction::there ? book->output() : book->input();
    }
};
using SharedPlan = c10::intrusive_ptr<Plan>;

const Plan& kept(AutogradContext* context, c10::IValue& holder) {
    holder = context->saved_data["plan"];
    return static_cast<const Plan&>(*holder.toCapsule());
}

/// Weights [cells, groups, in / groups, out / groups] as one group's maps.
template <class T>
CellMaps<T> group_maps(const at::Tensor& weight, std::int64_t group,
                       typename CellMaps<T>::Form form) {
    const auto in = weight.size(2), out = weight.size(3);
    return {weight.data_ptr<T>() + group * in * out, weight.size(1) * in * out, in, out, form};
}

template <class T>
Rows<T> columns(const at::Tensor& x, std::int64_t first) {
    return {x.data_ptr<std::remove_const_t<T>>() + first, x.size(1)};
}

/// The product along `direction` with weights as they are or transposed.
at::Tensor run_convolve(const Rulebook& book, Direction direction, const at::Tensor& x,
                        const at::Tensor& weight, bool transposed) {
    if (is_on_device(x)) return convolve_on_device(book, direction, x, weight, transposed);
    const auto groups = weight.size(1);
    const auto from = weight.size(transposed ? 3 : 2), to = weight.size(transposed ? 2 : 3);
    const auto y = new_rows(book.neighbours(direction).rows(), groups * to, x.options());
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
        auto y = new_rows(book.neighbours(direction).rows(), x.size(1), x.options());
        for_type_of(x, [&](auto number) {
            using T = decltype(number);
            sparse::depthwise(book, direction, x.data_ptr<T>(), weight.data_ptr<T>(), x.size(1),
                              y.data_ptr<T>());
        });
        return y;
    }
};

/// Weights as [cells, groups, in / groups, out / groups], checked against input and kernel.
at::Tensor grouped(const SparseTensor& x, const at::Tensor& weight, const Kernel& kernel) {
    auto view = weight;
    if (view.dim() == 2) view = view.unsqueeze(0);
    if (view.dim() == 3) view = view.unsqueeze(1);
    HODO_CHECK(view.dim() == 4 && view.size(0) == kernel.volume(),
               "a kernel of {} x {} x {} cells does not match weights for {} cells", kernel.size[0],
               kernel.size[1], kernel.size[2], weight.size(0));
    HODO_CHECK(view.size(1) * view.size(2) == x.channels(),
               "weights for {} channels do not match an input with {}", view.size(1) * view.size(2),
               x.channels());
    HODO_CHECK(weight.scalar_type() == x.features.scalar_type(),
               "weights and input of a sparse layer have different types");
    return view;
}

SparseTensor with_bias(const SparseTensor& x, const at::Tensor& bias) {
    return bias.defined() ? x.with(x.features + bias.reshape({-1})) : x;
}

SharedPlan forward_plan(const SparseTensor& x, const ConvSpec& spec) {
    const auto output = x.maps->coarser(x.coordinates, spec.kernel, spec.stride, spec.sites);
    return c10::make_intrusive<Plan>(x.maps->rulebook(output, x.coordinates, spec.kernel),
                                     Direction::there);
}

/// The map of the strided layer from `target` to `x`, the other way.
SharedPlan transposed_plan(const SparseTensor& x, const ConvSpec& spec,
                           const SharedCoordinates& target) {
    for (std::size_t a = 0; a < 3; ++a) {
        HODO_CHECK(target->stride()[a] * spec.stride[a] == x.coordinates->stride()[a],
                   "a transposed layer of stride {} leads from a level of stride {} to one of "
                   "stride {} on axis {}; give the level it came from",
                   spec.stride[a], x.coordinates->stride()[a], target->stride()[a], a);
    }
    return c10::make_intrusive<Plan>(x.maps->rulebook(x.coordinates, target, spec.kernel),
                                     Direction::back);
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
        return {y, plain};
    }
    const auto input = plain_rows(x.features);
    const auto out = maps.size(3);
    const auto bias = plain_or_none(ending.bias), residual = plain_or_none(ending.residual);
    const auto scale = plain_or_none(ending.scale), shift = plain_or_none(ending.shift);
    const auto rows = plan->target()->size();
    const auto plain = ending.keep_plain ? new_rows(rows, out, input.options()) : at::Tensor();
    if (is_on_device(input)) {
        const auto y = convolve_ended_on_device(*plan->book, plan->direction, input, maps,
                                                {bias, residual, scale, shift, ending.leak, plain});
        return {{plan->target(), y, x.maps}, {plan->target(), plain, x.maps}};
    }
    const auto y = new_rows(rows, out, input.options());
    Epilogue epilogue{data(bias),  data(residual),
                      out,         data(scale),
                      data(shift), static_cast<float>(ending.leak),
                      nullptr,     out};
    if (plain.defined()) epilogue.plain = plain.data_ptr<float>();
    convolve(*plan->book, plan->direction, columns<const float>(input, 0),
             group_maps<float>(maps, 0, CellMaps<float>::Form::plain), columns<float>(y, 0),
             epilogue);
    return {{plan->target(), y, x.maps}, {plan->target(), plain, x.maps}};
}

}  // namespace hodo::sparse
