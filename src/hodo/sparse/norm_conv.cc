#include "hodo/sparse/norm_conv.hh"

#include <torch/csrc/autograd/custom_function.h>

#include "hodo/sparse/detail/batch_norm.hh"
#include "hodo/sparse/detail/device.hh"
#include "hodo/sparse/detail/memory.hh"
#include "hodo/sparse/detail/plan.hh"
#include "hodo/sparse/detail/sums.hh"

namespace hodo::sparse {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Numbers that blocks of rows contribute, added up in the order of blocks.
class BlockNumbers {
  public:
    BlockNumbers(std::int64_t rows, std::int64_t count)
        : rows_(rows),
          count_(count),
          numbers_(static_cast<std::size_t>((rows + block_rows - 1) / block_rows * count)) {}

    double* of(std::int64_t first_row) { return numbers_.data() + first_row / block_rows * count_; }

    std::vector<double> sums() const {
        std::vector<double> all(static_cast<std::size_t>(count_));
        double* sums = all.data();
        for_blocks([&](const double* block, double) {
#pragma omp simd
            for (std::int64_t i = 0; i < count_; ++i) sums[i] += block[i];
        });
        return all;
    }

    /// Of means and squares of blocks [2 channels].
    Moments moments() const {
        const auto channels = count_ / 2;
        const auto size = static_cast<std::size_t>(channels);
        Moments all{std::vector<double>(size), std::vector<double>(size)};
        double *mean = all.mean.data(), *variance = all.variance.data();
        for_blocks([&](const double* block, double rows) {
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c) mean[c] += block[c] * rows;
        });
        for (auto& value : all.mean) value /= static_cast<double>(rows_);
        for_blocks([&](const double* block, double rows) {
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c) {
                const double apart = block[c] - mean[c];
                variance[c] += block[channels + c] + rows * apart * apart;
            }
        });
        for (auto& value : all.variance) value /= static_cast<double>(rows_);
        return all;
    }

  private:
    /// `visit(numbers of a block, how many rows it has)` in order.
    template <class Visit>
    void for_blocks(const Visit& visit) const {
        std::int64_t first = 0;
        for (const double* block = numbers_.data(); first < rows_; block += count_) {
            visit(block, static_cast<double>(std::min(block_rows, rows_ - first)));
            first += block_rows;
        }
    }

    std::int64_t rows_, count_;
    RecycledVector<double> numbers_;
};

/// What the way back must remember. Without a norm the map is empty.
struct Layer : torch::CustomClassHolder {
    Layer(SharedPlan p, ChannelMap m) : plan(std::move(p)), map(std::move(m)) {}
    SharedPlan plan;
    ChannelMap map;
    bool is_normed() const { return !map.mean.empty(); }
};
using SharedLayer = c10::intrusive_ptr<Layer>;

/// Rows whose columns lie side by side.
at::Tensor dense_rows(const at::Tensor& x) {
    return x.stride(1) == 1 ? x : x.contiguous();
}

struct NormConvFunction : torch::autograd::Function<NormConvFunction> {
    static variable_list forward(AutogradContext* context, const at::Tensor& features,
                                 const at::Tensor& /*norm_weight*/, const at::Tensor& /*norm_bias*/,
                                 const at::Tensor& map, const at::Tensor& residual,
                                 const SharedLayer& layer, Moments& found) {
        const auto x = plain_rows(features), weight = map.contiguous();
        const auto& plan = *layer->plan;
        auto normed = x;
        Meanwhile norm;
        if (layer->is_normed()) {
            normed = new_rows(x.size(0), x.size(1), x.options());
            norm.packing = applying(layer->map, x, normed);
        }
        const auto rows = plan.target()->size(), out = weight.size(3);
        const auto y = new_rows(rows, out, x.options());
        Epilogue epilogue;
        const auto added = residual.dim() == 2 ? dense_rows(residual) : at::Tensor();
        if (added.defined()) {
            epilogue.residual = added.data_ptr<float>();
            epilogue.residual_stride = added.stride(0);
        }
        BlockNumbers moments(rows, 2 * out);
        const float* sums = y.data_ptr<float>();
        convolve(*plan.book, plan.direction, columns<const float>(normed, 0),
                 group_maps<float>(weight, 0, CellMaps<float>::Form::plain), columns<float>(y, 0),
                 epilogue,
                 {[&](std::int64_t first, std::int64_t end) {
                      double* numbers = moments.of(first);
                      kernels().moments(sums + first * out, end - first, out, numbers,
                                        numbers + out);
                  },
                  {}},
                 norm);
        found = moments.moments();
        context->save_for_backward({x, normed, weight});
        context->saved_data["layer"] = c10::IValue::make_capsule(layer);
        context->set_materialize_grads(false);
        return {y, features};
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &normed = saved[1], &weight = saved[2];
        const auto holder = context->saved_data["layer"].toCapsule();
        const auto& layer = static_cast<const Layer&>(*holder);
        const auto& passed = gradients[1];
        variable_list result(7);
        if (!gradients[0].defined()) {
            result[0] = passed;
            return result;
        }
        const auto g = dense_rows(gradients[0]);
        GradientSteps of_weight;
        if (context->needs_input_grad(3)) {
            result[3] = at::empty(weight.sizes(), weight.options());
            of_weight = weight_gradient_of(layer, normed, g, result[3]);
        }
        if (layer.is_normed()) {
            const auto found = back_through_norm(layer, x, weight, g, passed, of_weight, result[0]);
            result[1] = to_tensor(found.weight, x.options());
            result[2] = to_tensor(found.bias, x.options());
        } else if (context->needs_input_grad(0)) {
            result[0] = new_rows(x.size(0), x.size(1), x.options());
            convolve_back(layer, g, weight, result[0], {}, of_weight.sums);
            base::parallel_for(of_weight.total);
            if (passed.defined()) result[0] += passed;
        } else {
            base::parallel_for(of_weight.sums);
            base::parallel_for(of_weight.total);
        }
        if (context->needs_input_grad(4)) result[4] = g;
        return result;
    }

  private:
    /// The steps to `grad`, a tensor like the weights.
    static GradientSteps weight_gradient_of(const Layer& layer, const at::Tensor& normed,
                                            const at::Tensor& g, const at::Tensor& grad) {
        const auto in = grad.size(2), out = grad.size(3);
        return weight_gradient_steps(
            *layer.plan->book, layer.plan->direction, columns<const float>(normed, 0),
            columns<const float>(g, 0),
            CellGradients<float>{grad.data_ptr<float>(), in * out, in, out});
    }

    static void convolve_back(const Layer& layer, const at::Tensor& g, const at::Tensor& weight,
                              const at::Tensor& grad_x, const AfterBlock& after,
                              const base::Work& meanwhile) {
        convolve(*layer.plan->book, layer.plan->opposite(), columns<const float>(g, 0),
                 group_maps<float>(weight, 0, CellMaps<float>::Form::transposed),
                 columns<float>(grad_x, 0), {}, after, {{}, meanwhile});
    }

    static ParameterGradients back_through_norm(const Layer& layer, const at::Tensor& x,
                                                const at::Tensor& weight, const at::Tensor& g,
                                                const at::Tensor& passed,
                                                const GradientSteps& of_weight,
                                                at::Tensor& grad_x) {
        const auto channels = x.size(1);
        grad_x = new_rows(x.size(0), channels, x.options());
        const FloatMap map(layer.map);
        BlockNumbers sums(x.size(0), 2 * channels);
        convolve_back(layer, g, weight, grad_x,
                      {[&](std::int64_t first, std::int64_t end) {
                           double* numbers = sums.of(first);
                           std::fill_n(numbers, 2 * channels, 0.0);
                           kernels().norm_sums(map.rows(x, grad_x, first, end), numbers,
                                               numbers + channels);
                       },
                       columns<const float>(x, 0)},
                      of_weight.sums);
        const auto added = passed.defined() ? dense_rows(passed) : passed;
        return norm_gradient(layer.map, sums.sums(), x, grad_x, added, grad_x, of_weight.total);
    }
};

/// What stands for a tensor that there is not: nodes want them all to exist.
at::Tensor or_nothing(const at::Tensor& tensor, const at::Tensor& like) {
    return tensor.defined() ? tensor : at::empty({0}, like.options());
}

/// Whether the layer can run as one: on the CPU, in single precision, ungrouped, with rows to take
/// moments of.
bool runs_as_one(const SparseTensor& x, const at::Tensor& weight, const SharedPlan& plan) {
    return !is_on_device(x.features) && x.features.scalar_type() == at::kFloat &&
           weight.size(1) == 1 && x.voxels() > 0 && plan->target()->size() > 0;
}

}  // namespace

NormConvolved norm_conv(const Measured& x, BatchNorm& norm, const at::Tensor& weight,
                        const ConvSpec& spec, const at::Tensor& residual,
                        const SharedCoordinates& target) {
    const auto plan =
        target ? transposed_plan(x.tensor, spec, target) : forward_plan(x.tensor, spec);
    const auto maps = grouped(x.tensor, weight, spec.kernel);
    if (!runs_as_one(x.tensor, maps, plan)) {
        const auto normed = x.tensor.with(norm.train(x.tensor.features));
        auto y = target ? conv_transposed(normed, weight, {}, spec, target)
                        : conv(normed, weight, {}, spec);
        if (residual.defined()) y.features = y.features + residual;
        return {{y, {}}, x};
    }
    const auto moments =
        x.moments.mean.empty() ? row_moments(plain_rows(x.tensor.features)) : x.moments;
    note(norm, moments, x.tensor.voxels());
    const auto layer = c10::make_intrusive<Layer>(
        plan, channel_map(moments, norm.weight, norm.bias, norm.epsilon, norm.leak));
    Moments found;
    const auto made =
        NormConvFunction::apply(x.tensor.features, norm.weight, norm.bias, maps,
                                or_nothing(residual, x.tensor.features), layer, found);
    return {{{plan->target(), made[0], x.tensor.maps}, std::move(found)},
            {x.tensor.with(made[1]), moments}};
}

Measured measured_conv(const SparseTensor& x, const at::Tensor& weight, const ConvSpec& spec) {
    const auto plan = forward_plan(x, spec);
    const auto maps = grouped(x, weight, spec.kernel);
    if (!runs_as_one(x, maps, plan)) return {conv(x, weight, {}, spec), {}};
    Moments found;
    const auto none = or_nothing({}, x.features);
    const auto layer = c10::make_intrusive<Layer>(plan, ChannelMap());
    const auto made = NormConvFunction::apply(x.features, none, none, maps, none, layer, found);
    return {{plan->target(), made[0], x.maps}, std::move(found)};
}

Measured concatenate(const Measured& a, const Measured& b) {
    auto moments = a.moments;
    const auto append = [](std::vector<double>& values, const std::vector<double>& more) {
        values.insert(values.end(), more.begin(), more.end());
    };
    append(moments.mean, b.moments.mean);
    append(moments.variance, b.moments.variance);
    if (a.moments.mean.empty() || b.moments.mean.empty()) moments = {};
    return {concatenate(a.tensor, b.tensor), std::move(moments)};
}

}  // namespace hodo::sparse
