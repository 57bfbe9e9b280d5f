#include <torch/csrc/autograd/custom_function.h>

#include "hodo/base/error.hh"
#include "hodo/sparse/detail/device.hh"
#include "hodo/sparse/detail/memory.hh"
#include "hodo/sparse/detail/sums.hh"

namespace hodo::sparse {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct ListsHolder : torch::CustomClassHolder {
    explicit ListsHolder(RowLists l) : lists(std::move(l)) {}
    RowLists lists;
};
using SharedLists = c10::intrusive_ptr<ListsHolder>;

void keep(AutogradContext* context, const SharedLists& lists) {
    context->saved_data["lists"] = c10::IValue::make_capsule(lists);
}
const RowLists& kept(AutogradContext* context) {
    const auto holder = context->saved_data["lists"].toCapsule();
    return static_cast<const ListsHolder&>(*holder).lists;
}

at::Tensor run_sum(const RowLists& lists, const at::Tensor& x) {
    if (is_on_device(x)) {
        if (lists.there_order == SumOrder::listed) return sum_on_device(*lists.there, x);
        if (!x.is_cpu()) return run_sum(lists, x.cpu()).to(x.device());
    }
    const auto y = new_rows(lists.there->rows(), x.size(1), x.options());
    for_type_of(x, [&](auto number) {
        using T = decltype(number);
        sum_rows(*lists.there, x.data_ptr<T>(), x.size(1), lists.there_order, y.data_ptr<T>());
    });
    return y;
}

struct SumFunction : torch::autograd::Function<SumFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                              const SharedLists& lists) {
        keep(context, lists);
        return run_sum(lists->lists, plain_rows(x));
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        return {sum_over(kept(context).turned(), gradients[0]), {}};
    }
};

struct LargestFunction : torch::autograd::Function<LargestFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& values,
                              const SharedLists& lists) {
        const auto x = plain_rows(values);
        const auto& there = *lists->lists.there;
        keep(context, lists);
        if (is_on_device(x)) {
            const auto [largest, rows] = largest_on_device(there, x);
            context->save_for_backward({rows});
            return largest;
        }
        auto y = at::empty({there.rows(), x.size(1)}, x.options());
        auto winners = at::empty(y.sizes(), x.options().dtype(at::kInt));
        for_type_of(x, [&](auto number) {
            using T = decltype(number);
            largest_rows(there, x.data_ptr<T>(), x.size(1), y.data_ptr<T>(),
                         winners.data_ptr<std::int32_t>());
        });
        context->save_for_backward({winners});
        return y;
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto winners = context->get_saved_variables()[0];
        const auto g = plain_rows(gradients[0]);
        const auto& back = *kept(context).back;
        if (is_on_device(g)) return {largest_gradient_on_device(back, g, winners), {}};
        auto grad = at::empty({back.rows(), g.size(1)}, g.options());
        for_type_of(g, [&](auto number) {
            using T = decltype(number);
            largest_gradient(back, g.data_ptr<T>(), g.size(1), winners.data_ptr<std::int32_t>(),
                             grad.data_ptr<T>());
        });
        return {grad, {}};
    }
};

/// The sum of all rows, one after the other in double precision.
at::Tensor sum_of_rows(const at::Tensor& x) {
    if (!x.is_cpu()) return x.sum(0);
    const auto plain = x.contiguous();
    const auto sums = at::zeros({x.size(1)}, at::kDouble);
    for_type_of(plain, [&](auto number) {
        const auto* values = plain.data_ptr<decltype(number)>();
        auto* into = sums.data_ptr<double>();
        for (std::int64_t row = 0; row < plain.size(0); ++row) {
            for (std::int64_t c = 0; c < plain.size(1); ++c) {
                into[c] += static_cast<double>(*values++);
            }
        }
    });
    return sums.to(x.scalar_type());
}

struct PlusRowFunction : torch::autograd::Function<PlusRowFunction> {
    static at::Tensor forward(AutogradContext*, const at::Tensor& x, const at::Tensor& row) {
        return x + row;
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto& g = gradients[0];
        return {g, context->needs_input_grad(1) ? sum_of_rows(g) : at::Tensor()};
    }
};

struct TimesRowFunction : torch::autograd::Function<TimesRowFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                              const at::Tensor& row) {
        context->save_for_backward({x, row});
        return x * row;
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto& g = gradients[0];
        return {g * saved[1],
                context->needs_input_grad(1) ? sum_of_rows(g * saved[0]) : at::Tensor()};
    }
};

}  // namespace

at::Tensor plus_row(const at::Tensor& x, const at::Tensor& row) {
    return PlusRowFunction::apply(x, row);
}

at::Tensor times_row(const at::Tensor& x, const at::Tensor& row) {
    return TimesRowFunction::apply(x, row);
}

at::Tensor plain_rows(const at::Tensor& x) {
    HODO_CHECK(x.device().is_cpu() || is_on_device(x),
               "this build runs sparse layers on the CPU only, but their input is elsewhere; "
               "use --device cpu, or build with HODO_CUDA=ON");
    HODO_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble,
               "sparse layers compute in float32 or float64, but their input is of another type; "
               "use --precision float32");
    return x.contiguous();
}

at::Tensor new_rows(std::int64_t rows, std::int64_t channels, const at::TensorOptions& options) {
    const auto bytes = static_cast<std::size_t>(rows * channels) * options.dtype().itemsize();
    const auto give_back = [bytes](void* memory) { give_memory(memory, bytes); };
    return at::from_blob(take_memory(bytes), {rows, channels}, give_back,
                         at::TensorOptions().dtype(options.dtype()));
}

at::Tensor sum_over(const RowLists& lists, const at::Tensor& x) {
    return SumFunction::apply(x, c10::make_intrusive<ListsHolder>(lists));
}

at::Tensor largest_over(const RowLists& lists, const at::Tensor& x) {
    return LargestFunction::apply(x, c10::make_intrusive<ListsHolder>(lists));
}

at::Tensor list_lengths(const Neighbours& lists, const at::Tensor& like) {
    auto lengths = at::empty({lists.rows(), 1}, at::kDouble);
    for (std::int64_t row = 0; row < lists.rows(); ++row) {
        const auto count = std::max<std::size_t>(1, lists.of(row).size());
        lengths.data_ptr<double>()[row] = static_cast<double>(count);
    }
    return lengths.to(like.device(), like.scalar_type());
}

namespace {

/// Lists that take consecutive ranges of rows to one row each.
RowLists range_lists(std::span<const std::int64_t> starts) {
    auto there = std::make_shared<Neighbours>();
    auto back = std::make_shared<Neighbours>();
    there->starts.assign(starts.begin(), starts.end());
    for (std::size_t range = 0; range + 1 < starts.size(); ++range) {
        for (auto row = starts[range]; row < starts[range + 1]; ++row) {
            there->entries.push_back({static_cast<std::int32_t>(row), 0});
            back->entries.push_back({static_cast<std::int32_t>(range), 0});
            back->starts.push_back(row + 1);
        }
    }
    return {there, back};
}

}  // namespace

RowLists event_lists(const Coordinates& coordinates) {
    return range_lists(coordinates.event_starts());
}

RowLists batch_list(const Coordinates& coordinates) {
    const std::array<std::int64_t, 2> starts{0, coordinates.size()};
    return range_lists(starts);
}

}  // namespace hodo::sparse
