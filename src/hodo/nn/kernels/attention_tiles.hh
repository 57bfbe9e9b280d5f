#pragma once
/// Attention of one vector level, there and back, without ever storing the weights.
///
/// There: one query per lane, keys in blocks with a running maximum m, sum l and weighted values.
/// With p = softmax(s), s = q k^T / sqrt(D), kept weights w = p mask, o = w v, and the incoming
/// gradient g of o:
///
///   grad v_j = sum_i w_ij g_i;    delta_i = g_i o_i
///   ds_ij = p_ij (mask_ij g_i v_j - delta_i)
///   grad q_i = sum_j ds_ij k_j / sqrt(D);    grad k_j = sum_i ds_ij q_i / sqrt(D)
///
/// Weights are recomputed from the stored log sums; first with queries, then with keys in the
/// lanes, so that all sums stay in registers.
///
/// Reference: Dao, Fu, Ermon, Rudra, Re, "FlashAttention", NeurIPS 2022.

#include "hodo/nn/kernels/mask_tiles.hh"

namespace hodo::nn {
namespace {

constexpr std::int64_t key_block = 64;
static_assert(key_block % 8 == 0);

enum class Dropping { no, yes };

/// Scores are kept in units of log2(e), because weights are made as powers of two.
inline float score_scale(std::int64_t head_size) {
    return 1.44269504088896341F / __builtin_sqrtf(static_cast<float>(head_size));
}

/// Rows of two vectors [rows, 2 D] from columns `column` ... of two matrices, padded with zeros.
template <int D>
inline void gather_pairs(ConstMatrixView a, ConstMatrixView b, std::int64_t rows,
                         std::int64_t column, std::int64_t size, float scale_a, float scale_b,
                         float* pairs) {
    for (std::int64_t j = 0; j < rows; ++j) {
        const float* left = a.data + j * a.stride + column;
        const float* right = b.data + j * b.stride + column;
        for (std::int64_t c = 0; c < D; ++c) {
            pairs[j * 2 * D + c] = c < size ? left[c] * scale_a : 0.0F;
            pairs[j * 2 * D + D + c] = c < size ? right[c] * scale_b : 0.0F;
        }
    }
}

/// The transpose of up to `width` rows [rows, 2 D]: 2 D vectors with one row per lane. Missing
/// rows repeat the last.
template <int D>
inline void rows_to_lanes(const float* pairs, std::int64_t rows, float* lanes) {
    for (std::int64_t lane = 0; lane < width; ++lane) {
        const float* row = pairs + smaller(lane, rows - 1) * 2 * D;
        for (std::int64_t c = 0; c < 2 * D; ++c) lanes[c * width + lane] = row[c];
    }
}

/// vector . row, lane by lane.
template <int D>
inline Lanes scalar_product(const Lanes* vector, const float* row) {
    Lanes sum = vector[0] * spread(row[0]);
#pragma GCC unroll 64
    for (int c = 1; c < D; ++c) sum = multiply_add(vector[c], spread(row[c]), sum);
    return sum;
}

/// sums += weight row, lane by lane.
template <int D>
inline void add_row(Lanes weight, const float* row, Lanes* sums) {
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) sums[c] = multiply_add(weight, spread(row[c]), sums[c]);
}

/// Up to `width` queries (one per lane) against all keys. `pairs` holds [keys, 2 D]: key, value.
/// Writes D + 2 vectors: weighted values, sum, maximum.
template <int D, Dropping dropping>
inline void attend_lanes(const float* q, const float* pairs, std::int64_t keys,
                         const MaskStream& mask, std::uint32_t row, float* out) {
    Lanes query[D], value[D];
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        query[c] = load(q + c * width);
        store(out + c * width, spread(0.0F));
    }
    Lanes maximum = spread(-1e30F), sum = spread(0.0F);
    alignas(64) float scores[key_block * Lanes::width];
    unsigned kept[key_block];
    for (std::int64_t first = 0; first < keys; first += key_block) {
        const std::int64_t count = smaller(key_block, keys - first);
        const float* pair = pairs + first * 2 * D;
        Lanes block_maximum = maximum;
        for (std::int64_t j = 0; j < count; ++j) {
            const Lanes score = scalar_product<D>(query, pair + j * 2 * D);
            store(scores + j * width, score);
            block_maximum = larger(block_maximum, score);
        }
        const Lanes shrink = power_of_two(maximum - block_maximum);
        maximum = block_maximum;
        Lanes block_sum = spread(0.0F);
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) value[c] = spread(0.0F);
        if constexpr (dropping == Dropping::yes) {
            for (std::int64_t j = 0; j < count; j += 8) {
                kept_columns(mask, static_cast<std::uint32_t>((first + j) / 8), row, kept + j);
            }
        }
        for (std::int64_t j = 0; j < count; ++j) {
            Lanes weight = power_of_two(load(scores + j * width) - maximum);
            block_sum = block_sum + weight;
            if constexpr (dropping == Dropping::yes) weight = keep(kept[j], weight);
            add_row<D>(weight, pair + j * 2 * D + D, value);
        }
        sum = multiply_add(sum, shrink, block_sum);
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) {
            store(out + c * width, multiply_add(load(out + c * width), shrink, value[c]));
        }
    }
    store(out + D * width, sum);
    store(out + (D + 1) * width, maximum);
}

/// All heads; head sizes are padded with zeros to D.
template <int D>
void attend_heads(const AttentionTask& task, float* scratch) {
    const std::int64_t size = task.head_size;
    const float scale = score_scale(size);
    alignas(64) float q[D * Lanes::width];
    alignas(64) float out[(D + 2) * Lanes::width];
    for (std::int64_t head = 0; head < task.heads; ++head) {
        const std::int64_t column = head * size;
        gather_pairs<D>(task.k, task.v, task.keys, column, size, 1.0F, task.mask.scale, scratch);
        for (std::int64_t first = 0; first < task.queries; first += width) {
            const std::int64_t count = smaller(width, task.queries - first);
            for (std::int64_t lane = 0; lane < width; ++lane) {
                const float* row =
                    task.q.data + (first + smaller(lane, count - 1)) * task.q.stride + column;
                for (std::int64_t c = 0; c < D; ++c) {
                    q[c * width + lane] = c < size ? row[c] * scale : 0.0F;
                }
            }
            const std::int64_t mask_row = head * task.queries + first;
            const auto row = task.mask.first_row + static_cast<std::uint32_t>(mask_row);
            if (task.mask.threshold == 0) {
                attend_lanes<D, Dropping::no>(q, scratch, task.keys, task.mask, row, out);
            } else {
                attend_lanes<D, Dropping::yes>(q, scratch, task.keys, task.mask, row, out);
            }
            for (std::int64_t lane = 0; lane < count; ++lane) {
                float* target = task.out.data + (first + lane) * task.out.stride + column;
                const float norm = 1.0F / out[D * width + lane];
                for (std::int64_t c = 0; c < size; ++c) target[c] = out[c * width + lane] * norm;
                if (task.log_sums == nullptr) continue;
                task.log_sums[mask_row + lane] =
                    out[(D + 1) * width + lane] + __builtin_log2f(out[D * width + lane]);
            }
        }
    }
}

/// Adds D vectors to memory.
template <int D>
inline void add_lanes(const Lanes* sums, float* out) {
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) store(out + c * width, load(out + c * width) + sums[c]);
}

/// Operands of the way back through one head; every pointer lies in scratch.
struct HeadGradient {
    std::int64_t queries, keys;
    const float* keys_and_values;        // [keys, 2 D], values times the mask's scale
    const float* queries_and_gradients;  // [queries, 2 D], queries in score units
    const float *log_sums, *deltas;      // [queries rounded up to 16]
    std::uint32_t* kept;                 // [query groups, keys rounded up to 16]: one bit per query
    std::int64_t kept_stride;
};

/// Gradient of up to `width` queries (lanes); notes which weights were kept. Writes D vectors.
template <int D, Dropping dropping>
inline void query_gradient(const HeadGradient& head, std::int64_t first, const MaskStream& mask,
                           std::uint32_t row, float* out) {
    alignas(64) float lanes[2 * D * Lanes::width];
    rows_to_lanes<D>(head.queries_and_gradients + first * 2 * D, head.queries - first, lanes);
    Lanes query[D], gradient[D], sum[D];
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        query[c] = load(lanes + c * width);
        gradient[c] = load(lanes + (D + c) * width);
        store(out + c * width, spread(0.0F));
    }
    const Lanes log_sum = load(head.log_sums + first), delta = load(head.deltas + first);
    std::uint32_t* kept = head.kept + first / width * head.kept_stride;
    for (std::int64_t block = 0; block < head.keys; block += key_block) {
        const std::int64_t end = smaller(block + key_block, head.keys);
        if constexpr (dropping == Dropping::yes) {
            for (std::int64_t j = block; j < end; j += 8) {
                kept_columns(mask, static_cast<std::uint32_t>(j / 8), row, kept + j);
            }
        }
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) sum[c] = spread(0.0F);
        for (std::int64_t j = block; j < end; ++j) {
            const float* pair = head.keys_and_values + j * 2 * D;
            const Lanes p = power_of_two(scalar_product<D>(query, pair) - log_sum);
            Lanes dp = scalar_product<D>(gradient, pair + D);
            if constexpr (dropping == Dropping::yes) dp = keep(kept[j], dp);
            add_row<D>(p * (dp - delta), pair, sum);
        }
        add_lanes<D>(sum, out);
    }
}

/// Gradients of up to `width` keys and their values (lanes). Writes 2 D vectors.
template <int D, Dropping dropping>
inline void key_gradient(const HeadGradient& head, std::int64_t first, float* out) {
    alignas(64) float lanes[2 * D * Lanes::width];
    rows_to_lanes<D>(head.keys_and_values + first * 2 * D, head.keys - first, lanes);
    Lanes key[D], value[D], key_sum[D], value_sum[D];
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        key[c] = load(lanes + c * width);
        value[c] = load(lanes + (D + c) * width);
        store(out + c * width, spread(0.0F));
        store(out + (D + c) * width, spread(0.0F));
    }
    Words kept = spread(std::uint32_t{0});
    for (std::int64_t block = 0; block < head.queries; block += key_block) {
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) key_sum[c] = value_sum[c] = spread(0.0F);
        for (std::int64_t i = block; i < smaller(block + key_block, head.queries); ++i) {
            const float* pair = head.queries_and_gradients + i * 2 * D;
            const Lanes p = power_of_two(scalar_product<D>(key, pair) - spread(head.log_sums[i]));
            Lanes dp = scalar_product<D>(value, pair + D), weight = p;
            if constexpr (dropping == Dropping::yes) {
                if (i % width == 0) kept = load(head.kept + i / width * head.kept_stride + first);
                const unsigned bits = any_common(kept, spread(1U << (i % width)));
                dp = keep(bits, dp);
                weight = keep(bits, p);
            }
            add_row<D>(weight, pair + D, value_sum);
            add_row<D>(p * (dp - spread(head.deltas[i])), pair, key_sum);
        }
        add_lanes<D>(key_sum, out);
        add_lanes<D>(value_sum, out + D * width);
    }
}

/// Columns `column` ... of `rows` rows of a matrix from lanes, times `scale`.
inline void lanes_to_rows(const float* lanes, std::int64_t rows, std::int64_t column,
                          std::int64_t size, float scale, MatrixView matrix, std::int64_t first) {
    for (std::int64_t lane = 0; lane < rows; ++lane) {
        float* row = matrix.data + (first + lane) * matrix.stride + column;
        for (std::int64_t c = 0; c < size; ++c) row[c] = lanes[c * width + lane] * scale;
    }
}

template <int D, Dropping dropping>
void gradient_heads(const AttentionGradient& gradient, float* scratch) {
    const AttentionTask& task = gradient.task;
    const std::int64_t size = task.head_size;
    const std::int64_t padded_queries = round_up(task.queries, 16);
    float* keys_and_values = scratch;
    float* queries_and_gradients = keys_and_values + task.keys * 2 * D;
    float* log_sums = queries_and_gradients + task.queries * 2 * D;
    float* deltas = log_sums + padded_queries;
    const HeadGradient head{task.queries,
                            task.keys,
                            keys_and_values,
                            queries_and_gradients,
                            log_sums,
                            deltas,
                            reinterpret_cast<std::uint32_t*>(deltas + padded_queries),
                            round_up(task.keys, 16)};
    const float plain_scale = 1.0F / __builtin_sqrtf(static_cast<float>(size));
    const float ln2 = 0.693147180559945309F;
    alignas(64) float out[2 * D * Lanes::width];
    for (std::int64_t h = 0; h < task.heads; ++h) {
        const std::int64_t column = h * size;
        gather_pairs<D>(task.k, task.v, task.keys, column, size, 1.0F, task.mask.scale,
                        keys_and_values);
        gather_pairs<D>(task.q, gradient.grad_out, task.queries, column, size, score_scale(size),
                        1.0F, queries_and_gradients);
        for (std::int64_t i = 0; i < padded_queries; ++i) {
            const std::int64_t row = smaller(i, task.queries - 1);
            const float* g = gradient.grad_out.data + row * gradient.grad_out.stride + column;
            const float* o = task.out.data + row * task.out.stride + column;
            float sum = 0.0F;
            for (std::int64_t c = 0; c < size; ++c) sum += g[c] * o[c];
            deltas[i] = sum;
            log_sums[i] = task.log_sums[h * task.queries + row];
        }
        for (std::int64_t first = 0; first < task.queries; first += width) {
            const auto row =
                task.mask.first_row + static_cast<std::uint32_t>(h * task.queries + first);
            query_gradient<D, dropping>(head, first, task.mask, row, out);
            lanes_to_rows(out, smaller(width, task.queries - first), column, size, plain_scale,
                          gradient.grad_q, first);
        }
        for (std::int64_t first = 0; first < task.keys; first += width) {
            const std::int64_t count = smaller(width, task.keys - first);
            key_gradient<D, dropping>(head, first, out);
            lanes_to_rows(out, count, column, size, ln2, gradient.grad_k, first);
            lanes_to_rows(out + D * width, count, column, size, task.mask.scale, gradient.grad_v,
                          first);
        }
    }
}

template <int D>
void gradient_any(const AttentionGradient& gradient, float* scratch) {
    if (gradient.task.mask.threshold == 0) {
        gradient_heads<D, Dropping::no>(gradient, scratch);
    } else {
        gradient_heads<D, Dropping::yes>(gradient, scratch);
    }
}

void attend(const AttentionTask& task, float* scratch) {
    if (task.head_size <= 4) return attend_heads<4>(task, scratch);
    if (task.head_size <= 8) return attend_heads<8>(task, scratch);
    if (task.head_size <= 16) return attend_heads<16>(task, scratch);
    if (task.head_size <= 32) return attend_heads<32>(task, scratch);
    attend_heads<64>(task, scratch);
}

void attend_gradient(const AttentionGradient& gradient, float* scratch) {
    const std::int64_t size = gradient.task.head_size;
    if (size <= 4) return gradient_any<4>(gradient, scratch);
    if (size <= 8) return gradient_any<8>(gradient, scratch);
    if (size <= 16) return gradient_any<16>(gradient, scratch);
    if (size <= 32) return gradient_any<32>(gradient, scratch);
    gradient_any<64>(gradient, scratch);
}

}  // namespace
}  // namespace hodo::nn
