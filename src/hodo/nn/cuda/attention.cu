// Attention on a CUDA device, without ever storing the weights. The formulas are those of
// nn/kernels/attention_lanes.hh.
//
// A block works on a few queries of one head of one sequence, some per warp. Keys and values come
// in tiles of one key per lane through shared memory; scores are summed by lane, results with one
// channel per lane. On the way back the same again for queries, then with queries and keys in
// exchanged roles for keys and values; so no sum needs atomic additions.

#include "hodo/nn/cuda/device.cuh"

namespace hodo::nn::cuda {

namespace {

constexpr int warps = 4;
constexpr int tile = warp;                          // rows of a tile: one per lane
constexpr int forward_rows = 4, backward_rows = 2;  // rows per warp

constexpr float lowest_score = -1e29F, hidden_score = -1e30F, empty_log_sum = 1e30F;
constexpr float ln2 = 0.693147180559945309F, log2e = 1.44269504088896341F;

/// One head of one sequence.
struct Part {
    std::int64_t first_query, queries, first_key, keys, first_key_gradient;
    int column, size;
    const std::uint8_t* visible;
    float* log_sums;
    MaskStream mask;
    std::uint32_t head, heads;

    __device__ Part(const AttentionTask& task, std::int64_t number) {
        const std::int64_t sequence = number / task.heads;
        const bool shared = task.keys_of == KeysOf::shared;
        const std::int64_t* offsets = task.key_offsets + (shared ? 0 : sequence);
        head = static_cast<std::uint32_t>(number % task.heads);
        heads = static_cast<std::uint32_t>(task.heads);
        first_query = task.query_offsets[sequence];
        queries = task.query_offsets[sequence + 1] - first_query;
        first_key = offsets[0];
        keys = offsets[1] - first_key;
        first_key_gradient = shared ? sequence * keys : first_key;
        size = static_cast<int>(task.head_size);
        column = static_cast<int>(head) * size;
        visible = task.visible == nullptr ? nullptr : task.visible + first_key;
        log_sums = task.log_sums == nullptr
                       ? nullptr
                       : task.log_sums + head * task.query_offsets[task.sequences] + first_query;
        mask = task.mask;
        std::uint64_t key = std::uint64_t{mask.key[1]} << 32 | mask.key[0];
        key += 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(task.first_sequence + sequence);
        mask.key[0] = static_cast<std::uint32_t>(key);
        mask.key[1] = static_cast<std::uint32_t>(key >> 32);
        mask.first_row = 0;
    }
    __device__ bool sees(std::int64_t key) const {
        return key < keys && (visible == nullptr || visible[key] != 0);
    }
    __device__ float factor(std::int64_t query, std::int64_t key) const {
        return mask_factor(mask, static_cast<std::uint32_t>(query) * heads + head,
                           static_cast<std::uint32_t>(key));
    }
};

/// Up to `rows` rows from `first` of a sequence of `length` rows that begins at row `begin` of a
/// stored matrix, to shared memory; missing rows and channels become zero. All threads together.
template <class Number>
__device__ void load_rows(ConstRows source, std::int64_t begin, std::int64_t length,
                          std::int64_t first, int rows, const Part& part, float scale,
                          float* target, int stride) {
    for (int i = threadIdx.x; i < rows * stride; i += warps * warp) {
        const int row = i / stride, c = i % stride;
        const bool there = first + row < length && c < part.size;
        target[i] =
            there ? read<Number>(source, begin + first + row, part.column + c) * scale : 0.0F;
    }
}

/// sums[slot] += the weights of all lanes times the rows of a tile, one channel per lane and slot.
template <int slots>
__device__ void add_rows(float weight, const float* rows, int stride, int lane, float* sums) {
    for (int j = 0; j < tile; ++j) {
        const float w = __shfl_sync(0xffffffffU, weight, j);
        for (int slot = 0; slot < slots; ++slot) {
            sums[slot] = fmaf(w, rows[j * stride + slot * warp + lane], sums[slot]);
        }
    }
}

template <class Number, int slots>
__device__ void write_row(const float* sums, float scale, const Part& part, int lane, Rows target,
                          std::int64_t row) {
    for (int slot = 0; slot < slots; ++slot) {
        const int c = slot * warp + lane;
        if (c < part.size) write<Number>(sums[slot] * scale, target, row, part.column + c);
    }
}

/// Padded rows of a tile: one number more than channels, so that lanes hit different banks.
template <int slots>
constexpr int padded = slots* warp + 1;

template <class Number, int slots>
__global__ void attend_kernel(AttentionTask task) {
    constexpr int rows = warps * forward_rows, stride = padded<slots>;
    __shared__ float keys[tile * stride], values[tile * stride], queries[rows * stride];
    const Part part(task, blockIdx.x);
    const std::int64_t first_query = static_cast<std::int64_t>(blockIdx.y) * rows;
    if (first_query >= part.queries) return;
    const int lane = threadIdx.x % warp, first_row = threadIdx.x / warp * forward_rows;
    const float scale = log2e / sqrtf(static_cast<float>(part.size));
    load_rows<Number>(task.q, part.first_query, part.queries, first_query, rows, part, scale,
                      queries, stride);
    float maximum[forward_rows], sum[forward_rows], value[forward_rows][slots];
    for (int r = 0; r < forward_rows; ++r) {
        maximum[r] = lowest_score;
        sum[r] = 0.0F;
        for (int slot = 0; slot < slots; ++slot) value[r][slot] = 0.0F;
    }
    for (std::int64_t first = 0; first < part.keys; first += tile) {
        __syncthreads();
        load_rows<Number>(task.k, part.first_key, part.keys, first, tile, part, 1.0F, keys, stride);
        load_rows<Number>(task.v, part.first_key, part.keys, first, tile, part, 1.0F, values,
                          stride);
        __syncthreads();
        const bool seen = part.sees(first + lane);
        for (int r = 0; r < forward_rows; ++r) {
            const float* query = queries + (first_row + r) * stride;
            const float score = seen ? dot(query, keys + lane * stride, part.size) : hidden_score;
            const float largest = fmaxf(maximum[r], warp_maximum(score));
            const float shrink = exp2f(maximum[r] - largest);
            float weight = exp2f(score - largest);
            maximum[r] = largest;
            sum[r] = sum[r] * shrink + warp_sum(weight);
            weight *= part.factor(first_query + first_row + r, first + lane);
            for (int slot = 0; slot < slots; ++slot) value[r][slot] *= shrink;
            add_rows<slots>(weight, values, stride, lane, value[r]);
        }
    }
    for (int r = 0; r < forward_rows; ++r) {
        const std::int64_t query = first_query + first_row + r;
        if (query >= part.queries) return;
        write_row<Number, slots>(value[r], sum[r] > 0.0F ? 1.0F / sum[r] : 0.0F, part, lane,
                                 task.out, part.first_query + query);
        if (part.log_sums == nullptr || lane != 0) continue;
        part.log_sums[query] = sum[r] > 0.0F ? maximum[r] + log2f(sum[r]) : empty_log_sum;
    }
}

template <class Number, int slots>
__global__ void query_gradient_kernel(AttentionGradient gradient) {
    constexpr int rows = warps * backward_rows, stride = padded<slots>;
    __shared__ float keys[tile * stride], values[tile * stride];
    __shared__ float queries[rows * (stride - 1)], incoming[rows * (stride - 1)];
    const AttentionTask& task = gradient.task;
    const Part part(task, blockIdx.x);
    const std::int64_t first_query = static_cast<std::int64_t>(blockIdx.y) * rows;
    if (first_query >= part.queries) return;
    const int lane = threadIdx.x % warp, first_row = threadIdx.x / warp * backward_rows;
    const float root = sqrtf(static_cast<float>(part.size));
    load_rows<Number>(task.q, part.first_query, part.queries, first_query, rows, part, log2e / root,
                      queries, stride - 1);
    load_rows<Number>(gradient.grad_out, part.first_query, part.queries, first_query, rows, part,
                      1.0F, incoming, stride - 1);
    __syncthreads();
    float log_sum[backward_rows], delta[backward_rows], sums[backward_rows][slots];
    for (int r = 0; r < backward_rows; ++r) {
        const std::int64_t query = first_query + first_row + r;
        float product = 0.0F;
        for (int c = lane; c < part.size && query < part.queries; c += warp) {
            product += incoming[(first_row + r) * (stride - 1) + c] *
                       read<Number>({task.out.data, task.out.stride}, part.first_query + query,
                                    part.column + c);
        }
        delta[r] = warp_sum(product);
        log_sum[r] = query < part.queries ? part.log_sums[query] : empty_log_sum;
        for (int slot = 0; slot < slots; ++slot) sums[r][slot] = 0.0F;
    }
    for (std::int64_t first = 0; first < part.keys; first += tile) {
        __syncthreads();
        load_rows<Number>(task.k, part.first_key, part.keys, first, tile, part, 1.0F, keys, stride);
        load_rows<Number>(task.v, part.first_key, part.keys, first, tile, part, 1.0F, values,
                          stride);
        __syncthreads();
        const bool seen = part.sees(first + lane);
        for (int r = 0; r < backward_rows; ++r) {
            const int row = (first_row + r) * (stride - 1);
            const float score = dot(queries + row, keys + lane * stride, part.size);
            const float weight = seen ? exp2f(score - log_sum[r]) : 0.0F;
            const float product = dot(incoming + row, values + lane * stride, part.size) *
                                  part.factor(first_query + first_row + r, first + lane);
            add_rows<slots>(weight * (product - delta[r]), keys, stride, lane, sums[r]);
        }
    }
    for (int r = 0; r < backward_rows; ++r) {
        const std::int64_t query = first_query + first_row + r;
        if (query >= part.queries) return;
        write_row<Number, slots>(sums[r], 1.0F / root, part, lane, gradient.grad_q,
                                 part.first_query + query);
    }
}

template <class Number, int slots>
__global__ void key_gradient_kernel(AttentionGradient gradient) {
    constexpr int rows = warps * backward_rows, stride = padded<slots>;
    __shared__ float queries[tile * stride], incoming[tile * stride], delta[tile];
    __shared__ float keys[rows * (stride - 1)], values[rows * (stride - 1)];
    const AttentionTask& task = gradient.task;
    const Part part(task, blockIdx.x);
    const std::int64_t first_key = static_cast<std::int64_t>(blockIdx.y) * rows;
    if (first_key >= part.keys) return;
    const int lane = threadIdx.x % warp, first_row = threadIdx.x / warp * backward_rows;
    const float scale = log2e / sqrtf(static_cast<float>(part.size));
    load_rows<Number>(task.k, part.first_key, part.keys, first_key, rows, part, 1.0F, keys,
                      stride - 1);
    load_rows<Number>(task.v, part.first_key, part.keys, first_key, rows, part, 1.0F, values,
                      stride - 1);
    float key_sums[backward_rows][slots], value_sums[backward_rows][slots];
    for (int r = 0; r < backward_rows; ++r) {
        for (int slot = 0; slot < slots; ++slot) key_sums[r][slot] = value_sums[r][slot] = 0.0F;
    }
    for (std::int64_t first = 0; first < part.queries; first += tile) {
        __syncthreads();
        load_rows<Number>(task.q, part.first_query, part.queries, first, tile, part, scale, queries,
                          stride);
        load_rows<Number>(gradient.grad_out, part.first_query, part.queries, first, tile, part,
                          1.0F, incoming, stride);
        __syncthreads();
        for (int i = threadIdx.x / warp; i < tile; i += warps) {
            float product = 0.0F;
            for (int c = lane; c < part.size && first + i < part.queries; c += warp) {
                product += incoming[i * stride + c] * read<Number>({task.out.data, task.out.stride},
                                                                   part.first_query + first + i,
                                                                   part.column + c);
            }
            product = warp_sum(product);
            if (lane == 0) delta[i] = product;
        }
        __syncthreads();
        const std::int64_t query = first + lane;
        const float log_sum = query < part.queries ? part.log_sums[query] : empty_log_sum;
        for (int r = 0; r < backward_rows; ++r) {
            const std::int64_t key = first_key + first_row + r;
            const int row = (first_row + r) * (stride - 1);
            const float score = dot(keys + row, queries + lane * stride, part.size);
            const float weight = part.sees(key) ? exp2f(score - log_sum) : 0.0F;
            const float factor = part.factor(query, key);
            const float product = dot(values + row, incoming + lane * stride, part.size) * factor;
            add_rows<slots>(weight * factor, incoming, stride, lane, value_sums[r]);
            add_rows<slots>(weight * (product - delta[lane]), queries, stride, lane, key_sums[r]);
        }
    }
    for (int r = 0; r < backward_rows; ++r) {
        const std::int64_t key = first_key + first_row + r;
        if (key >= part.keys) return;
        write_row<Number, slots>(key_sums[r], ln2, part, lane, gradient.grad_k,
                                 part.first_key_gradient + key);
        write_row<Number, slots>(value_sums[r], 1.0F, part, lane, gradient.grad_v,
                                 part.first_key_gradient + key);
    }
}

/// Channels per lane.
template <int channels>
struct Slots {
    static constexpr int count = channels;
};

/// Blocks for all heads of all sequences, `rows` rows of the longest each.
dim3 blocks(const AttentionTask& task, std::int64_t longest, int rows) {
    return dim3(static_cast<unsigned>(task.sequences * task.heads), parts(longest, rows));
}

template <class Number, int slots>
int attend_as(const AttentionTask& task, std::int64_t longest, void* stream) {
    return start(attend_kernel<Number, slots>, blocks(task, longest, warps * forward_rows),
                 warps * warp, 0, task, stream);
}

template <class Number, int slots>
int gradient_as(const AttentionGradient& gradient, std::int64_t longest, void* stream) {
    const dim3 grid = blocks(gradient.task, longest, warps * backward_rows);
    const int code =
        start(query_gradient_kernel<Number, slots>, grid, warps * warp, 0, gradient, stream);
    if (code != 0) return code;
    return start(key_gradient_kernel<Number, slots>, grid, warps * warp, 0, gradient, stream);
}

/// Calls `run` with a number of the stored type and the slots that heads of this size take.
template <class Run>
int for_shape(const AttentionTask& task, const Run& run) {
    if (task.head_size > largest_head) return static_cast<int>(cudaErrorInvalidValue);
    return for_storage(task.storage, [&](auto number) {
        if (task.head_size <= warp) return run(number, Slots<1>());
        if (task.head_size <= 2 * warp) return run(number, Slots<2>());
        return run(number, Slots<4>());
    });
}

bool is_empty(const AttentionTask& task, std::int64_t longest) {
    return task.sequences * task.heads == 0 || longest == 0;
}

}  // namespace

int attend(const AttentionTask& task, std::int64_t longest, void* stream) {
    if (is_empty(task, longest)) return 0;
    return for_shape(task, [&](auto number, auto slots) {
        return attend_as<decltype(number), slots.count>(task, longest, stream);
    });
}

int attend_gradient(const AttentionGradient& gradient, std::int64_t longest, void* stream) {
    if (is_empty(gradient.task, longest)) return 0;
    return for_shape(gradient.task, [&](auto number, auto slots) {
        return gradient_as<decltype(number), slots.count>(gradient, longest, stream);
    });
}

}  // namespace hodo::nn::cuda
