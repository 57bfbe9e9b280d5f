// Sums and largest values over lists of rows on a CUDA device.

#include "hodo/sparse/cuda/launch.hh"
#include "hodo/tensor/cuda/start.cuh"

namespace hodo::sparse::cuda {

namespace {

using tensor::cuda::parts;
using tensor::cuda::start;

constexpr int threads = 256;
constexpr int lanes = 8;  // interleaved parts of a sum
constexpr std::int64_t at_most = std::int64_t{1} << 30;

/// A number of the result: a thread each.
struct Element {
    std::int64_t row, channel;
    bool there;
    __device__ Element(const Lists& lists, std::int64_t channels) {
        const std::int64_t place = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x;
        row = place / channels;
        channel = place % channels;
        there = row < lists.count;
    }
};

/// The sum of part `lane` of a list.
template <class T>
__device__ double part_sum(const RowSums<T>& task, std::int64_t row, std::int64_t channel,
                           int lane) {
    double sum = 0.0;
    for (auto p = task.lists.starts[row] + lane; p < task.lists.starts[row + 1]; p += lanes) {
        sum += static_cast<double>(task.x[task.lists.pairs[p].row * task.channels + channel]);
    }
    return sum;
}

/// For short lists: a thread makes all parts of its sum.
template <class T>
__global__ void short_sums_kernel(RowSums<T> task) {
    const Element element(task.lists, task.channels);
    if (!element.there) return;
    double sum = part_sum(task, element.row, element.channel, 0);
    for (int lane = 1; lane < lanes; ++lane) {
        sum += part_sum(task, element.row, element.channel, lane);
    }
    task.y[element.row * task.channels + element.channel] = static_cast<T>(sum);
}

/// For long lists: a block makes the sums of one row for `threads / lanes` channels. The same
/// parts in the same order as above.
template <class T>
__global__ void long_sums_kernel(RowSums<T> task) {
    __shared__ double partial[threads];
    constexpr int channels = threads / lanes;
    const int lane = static_cast<int>(threadIdx.x) / channels;
    const std::int64_t channel =
        static_cast<std::int64_t>(blockIdx.y) * channels + threadIdx.x % channels;
    const std::int64_t row = blockIdx.x;
    partial[threadIdx.x] = channel < task.channels ? part_sum(task, row, channel, lane) : 0.0;
    __syncthreads();
    if (lane > 0 || channel >= task.channels) return;
    double sum = partial[threadIdx.x];
    for (int other = 1; other < lanes; ++other) sum += partial[other * channels + threadIdx.x];
    task.y[row * task.channels + channel] = static_cast<T>(sum);
}

template <class T>
__global__ void largest_kernel(LargestRows<T> task) {
    const Element element(task.lists, task.channels);
    if (!element.there) return;
    T largest{0};
    std::int32_t winner = -1;
    for (auto p = task.lists.starts[element.row]; p < task.lists.starts[element.row + 1]; ++p) {
        const std::int32_t row = task.lists.pairs[p].row;
        const T value = task.x[row * task.channels + element.channel];
        if (winner >= 0 && !(value > largest)) continue;
        largest = value;
        winner = row;
    }
    task.y[element.row * task.channels + element.channel] = largest;
    task.winners[element.row * task.channels + element.channel] = winner;
}

template <class T>
__global__ void largest_gradient_kernel(LargestGradient<T> task) {
    const Element element(task.lists, task.channels);
    if (!element.there) return;
    T sum{0};
    for (auto p = task.lists.starts[element.row]; p < task.lists.starts[element.row + 1]; ++p) {
        const auto place = task.lists.pairs[p].row * task.channels + element.channel;
        if (task.winners[place] == element.row) sum += task.g[place];
    }
    task.grad_x[element.row * task.channels + element.channel] = sum;
}

template <class Task>
int start_elements(void (*kernel)(Task), const Task& task, void* stream) {
    const auto numbers = task.lists.count * task.channels;
    if (numbers > at_most * threads) return static_cast<int>(cudaErrorInvalidValue);
    return start(kernel, parts(numbers, threads), threads, 0, task, stream);
}

template <class T>
int start_sums(const RowSums<T>& task, void* stream) {
    // Which kernel runs is a matter of speed alone.
    constexpr std::int64_t many_rows = 4096;
    if (task.lists.count >= many_rows) return start_elements(short_sums_kernel<T>, task, stream);
    const dim3 blocks(parts(task.lists.count, 1), parts(task.channels, threads / lanes));
    return start(long_sums_kernel<T>, blocks, threads, 0, task, stream);
}

}  // namespace

int sum_rows(const RowSums<float>& task, void* stream) {
    return start_sums(task, stream);
}
int sum_rows(const RowSums<double>& task, void* stream) {
    return start_sums(task, stream);
}
int largest_rows(const LargestRows<float>& task, void* stream) {
    return start_elements(largest_kernel<float>, task, stream);
}
int largest_rows(const LargestRows<double>& task, void* stream) {
    return start_elements(largest_kernel<double>, task, stream);
}
int largest_gradient(const LargestGradient<float>& task, void* stream) {
    return start_elements(largest_gradient_kernel<float>, task, stream);
}
int largest_gradient(const LargestGradient<double>& task, void* stream) {
    return start_elements(largest_gradient_kernel<double>, task, stream);
}

}  // namespace hodo::sparse::cuda
