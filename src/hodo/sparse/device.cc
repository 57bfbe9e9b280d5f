#include "hodo/sparse/detail/device.hh"

#include <algorithm>

#include <c10/core/DeviceGuard.h>

#include "hodo/base/error.hh"
#include "hodo/sparse/detail/sums.hh"
#include "hodo/sparse/device_kernels.hh"
#include "hodo/sparse/device_lists.hh"

namespace hodo::sparse {

namespace {

constexpr std::int64_t pairs_per_group = 4096;  // of a cell, that share a sum of gradients
constexpr std::int64_t largest_group_count = 64;
constexpr std::int64_t gradient_budget = 1 << 26;  // numbers in all partial sums

/// Queues a task by the launcher that `Launcher` names, on the device of `x`.
template <class T, class Task>
void run(int (*DeviceKernels<T>::*launcher)(const Task&, void*), const Task& task,
         const at::Tensor& x) {
    const c10::DeviceGuard here(x.device());
    const auto* table = device_kernels();
    int code = 0;
    if constexpr (std::is_same_v<T, float>) {
        code = (table->floats.*launcher)(task, table->stream());
    } else {
        code = (table->doubles.*launcher)(task, table->stream());
    }
    if (code == 0) return;
    base::fail(
        "a CUDA kernel of a sparse layer could not be started: {} (the device may be too old for "
        "this build, or out of memory); use --device cpu, or build for this device with "
        "CMAKE_CUDA_ARCHITECTURES",
        table->error_text(code));
}

template <class T>
T* data(const at::Tensor& tensor, std::int64_t offset = 0) {
    return tensor.defined() ? tensor.data_ptr<T>() + offset : nullptr;
}

/// The cell from which mirrored ones count down, or -1.
std::int64_t last_cell(const Rulebook& book, Direction direction) {
    return book.is_mirrored() && direction == Direction::back ? book.cells() - 1 : -1;
}

template <class T>
cuda::Ending<T> ending_of(const DeviceEnding& ending, std::int64_t columns) {
    return {data<T>(ending.bias),
            data<T>(ending.residual),
            data<T>(ending.scale),
            data<T>(ending.shift),
            columns,
            columns,
            data<T>(ending.plain),
            static_cast<T>(ending.leak)};
}

at::Tensor convolve(const Rulebook& book, Direction direction, const at::Tensor& x,
                    const at::Tensor& weight, bool transposed, const DeviceEnding& ending) {
    const auto groups = weight.size(1), in = weight.size(2), out = weight.size(3);
    const auto from = transposed ? out : in, to = transposed ? in : out;
    const auto& pairs = DevicePairs::of(book, direction, x.device());
    const auto y = at::empty({book.rows(direction), groups * to}, x.options());
    if (from == 0) return y.zero_();
    for_type_of(x, [&](auto number) {
        using T = decltype(number);
        cuda::Product<T> task;
        task.pairs = pairs.by_block();
        task.x_stride = x.size(1);
        task.in = from;
        task.out = to;
        task.cell_stride = groups * in * out;
        task.in_stride = transposed ? 1 : out;
        task.out_stride = transposed ? out : 1;
        task.last_cell = last_cell(book, direction);
        task.y_stride = y.size(1);
        task.ending = ending_of<T>(ending, to);
        for (std::int64_t group = 0; group < groups; ++group) {
            task.x = data<T>(x, group * from);
            task.weight = data<T>(weight, group * in * out);
            task.y = data<T>(y, group * to);
            run(&DeviceKernels<T>::product, task, x);
        }
    });
    return y;
}

}  // namespace

bool is_on_device(const at::Tensor& x) {
    const auto* table = device_kernels();
    return table != nullptr && (x.is_cuda() || table->reads_host_memory);
}

at::Tensor convolve_on_device(const Rulebook& book, Direction direction, const at::Tensor& x,
                              const at::Tensor& weight, bool transposed) {
    return convolve(book, direction, x, weight, transposed, {});
}

at::Tensor convolve_ended_on_device(const Rulebook& book, Direction direction, const at::Tensor& x,
                                    const at::Tensor& weight, const DeviceEnding& ending) {
    HODO_DOOR(weight.size(1) == 1);
    return convolve(book, direction, x, weight, false, ending);
}

at::Tensor weight_gradient_on_device(const Rulebook& book, Direction direction, const at::Tensor& x,
                                     const at::Tensor& g, const at::Tensor& weight) {
    const auto groups = weight.size(1), in = weight.size(2), out = weight.size(3);
    const auto& pairs = DevicePairs::of(book, direction, x.device());
    const auto grad = at::empty(weight.sizes(), weight.options());
    const auto numbers = std::max<std::int64_t>(1, book.cells() * in * out);
    const auto most = std::min(largest_group_count, gradient_budget / numbers);
    const auto parts = std::clamp<std::int64_t>(pairs.pairs() / book.cells() / pairs_per_group, 1,
                                                std::max<std::int64_t>(1, most));
    const auto partial = at::empty({parts * numbers}, x.options());
    for_type_of(x, [&](auto number) {
        using T = decltype(number);
        cuda::WeightGradient<T> task;
        task.pairs = pairs.by_cell();
        task.groups = parts;
        task.x_stride = x.size(1);
        task.g_stride = g.size(1);
        task.in = in;
        task.out = out;
        task.last_cell = last_cell(book, direction);
        task.partial = data<T>(partial);
        task.cell_stride = groups * in * out;
        for (std::int64_t group = 0; group < groups; ++group) {
            task.x = data<T>(x, group * in);
            task.g = data<T>(g, group * out);
            task.grad = data<T>(grad, group * in * out);
            run(&DeviceKernels<T>::weight_gradient, task, x);
        }
    });
    return grad;
}

at::Tensor depthwise_on_device(const Rulebook& book, Direction direction, const at::Tensor& x,
                               const at::Tensor& weight) {
    const auto& pairs = DevicePairs::of(book, direction, x.device());
    const auto y = at::empty({book.rows(direction), x.size(1)}, x.options());
    for_type_of(x, [&](auto number) {
        using T = decltype(number);
        run(&DeviceKernels<T>::depthwise,
            cuda::Depthwise<T>{pairs.by_row(), data<T>(x), data<T>(weight), x.size(1),
                               last_cell(book, direction), data<T>(y)},
            x);
    });
    return y;
}

at::Tensor depthwise_weight_gradient_on_device(const Rulebook& book, const at::Tensor& x,
                                               const at::Tensor& g, const at::Tensor& weight) {
    const auto& pairs = DevicePairs::of(book, Direction::there, x.device());
    const auto grad = at::empty(weight.sizes(), weight.options());
    for_type_of(x, [&](auto number) {
        using T = decltype(number);
        run(&DeviceKernels<T>::depthwise_weight_gradient,
            cuda::DepthwiseWeightGradient<T>{pairs.by_cell(), data<T>(x), data<T>(g), x.size(1),
                                             data<T>(grad)},
            x);
    });
    return grad;
}

at::Tensor sum_on_device(const Neighbours& lists, const at::Tensor& x) {
    const auto copy = copy_lists(lists, x.device());
    const auto y = at::empty({lists.rows(), x.size(1)}, x.options());
    for_type_of(x, [&](auto number) {
        using T = decltype(number);
        run(&DeviceKernels<T>::sum_rows,
            cuda::RowSums<T>{copy.view(), data<T>(x), x.size(1), data<T>(y)}, x);
    });
    return y;
}

std::pair<at::Tensor, at::Tensor> largest_on_device(const Neighbours& lists, const at::Tensor& x) {
    const auto copy = copy_lists(lists, x.device());
    const auto y = at::empty({lists.rows(), x.size(1)}, x.options());
    const auto winners = at::empty(y.sizes(), x.options().dtype(at::kInt));
    for_type_of(x, [&](auto number) {
        using T = decltype(number);
        run(&DeviceKernels<T>::largest_rows,
            cuda::LargestRows<T>{copy.view(), data<T>(x), x.size(1), data<T>(y),
                                 data<std::int32_t>(winners)},
            x);
    });
    return {y, winners};
}

at::Tensor largest_gradient_on_device(const Neighbours& reversed_lists, const at::Tensor& g,
                                      const at::Tensor& winners) {
    const auto copy = copy_lists(reversed_lists, g.device());
    const auto grad = at::empty({reversed_lists.rows(), g.size(1)}, g.options());
    for_type_of(g, [&](auto number) {
        using T = decltype(number);
        run(&DeviceKernels<T>::largest_gradient,
            cuda::LargestGradient<T>{copy.view(), data<T>(g), g.size(1),
                                     data<std::int32_t>(winners), data<T>(grad)},
            g);
    });
    return grad;
}

}  // namespace hodo::sparse
