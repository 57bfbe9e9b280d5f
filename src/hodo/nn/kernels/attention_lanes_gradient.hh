#pragma once
/// The way back through attention of small heads; see attention_lanes.hh for the formulas.

#include "hodo/nn/kernels/attention_lanes.hh"

namespace hodo::nn {
namespace {

/// Operands of the way back through one head; every pointer lies in scratch.
struct HeadGradient {
    const Part& part;
    const float* keys_and_values;        // [keys, 2 D], values times the mask's scale
    const float* queries_and_gradients;  // [queries, 2 D], queries in score units
    const float *log_sums, *deltas;      // [queries rounded up to 16]
    std::uint32_t* kept;                 // [query groups, keys rounded up to 16]: one bit per query
    std::int64_t kept_stride;
};

/// Gradient of up to `width` queries (lanes); notes which weights were kept. Writes D vectors.
template <int D, Dropping dropping>
inline void query_gradient(const HeadGradient& head, std::int64_t first, float* out) {
    const Part& part = head.part;
    const Words mask_rows = part.mask_rows(first);
    alignas(64) float lanes[2 * D * Lanes::width];
    rows_to_lanes<D>(head.queries_and_gradients + first * 2 * D, part.queries - first, lanes);
    Lanes query[D], gradient[D], sum[D];
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        query[c] = load(lanes + c * width);
        gradient[c] = load(lanes + (D + c) * width);
        store(out + c * width, spread(0.0F));
    }
    const Lanes log_sum = load(head.log_sums + first), delta = load(head.deltas + first);
    std::uint32_t* kept = head.kept + first / width * head.kept_stride;
    for (std::int64_t block = 0; block < part.keys; block += key_block) {
        const std::int64_t end = smaller(block + key_block, part.keys);
        if constexpr (dropping == Dropping::yes) {
            for (std::int64_t j = block; j < end; j += 8) {
                kept_columns(part.mask, static_cast<std::uint32_t>(j / 8), mask_rows, kept + j);
            }
        }
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) sum[c] = spread(0.0F);
        for (std::int64_t j = block; j < end; ++j) {
            if (!part.sees(j)) continue;
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
    const Part& part = head.part;
    alignas(64) float lanes[2 * D * Lanes::width];
    rows_to_lanes<D>(head.keys_and_values + first * 2 * D, part.keys - first, lanes);
    Lanes key[D], value[D], key_sum[D], value_sum[D];
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        key[c] = load(lanes + c * width);
        value[c] = load(lanes + (D + c) * width);
        store(out + c * width, spread(0.0F));
        store(out + (D + c) * width, spread(0.0F));
    }
    Words kept = spread(std::uint32_t{0});
    for (std::int64_t block = 0; block < part.queries; block += key_block) {
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) key_sum[c] = value_sum[c] = spread(0.0F);
        for (std::int64_t i = block; i < smaller(block + key_block, part.queries); ++i) {
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

/// Writes D vectors with one row per lane as rows of a stored matrix, times `scale`.
template <int D>
inline void lanes_to_rows(const float* lanes, Storage storage, float scale, Rows target,
                          const Block& block) {
    alignas(64) float rows[D * Lanes::width];
    for (std::int64_t lane = 0; lane < block.rows; ++lane) {
        for (std::int64_t c = 0; c < D; ++c) rows[lane * D + c] = lanes[c * width + lane];
    }
    write_block(storage, rows, D, scale, target, block);
}

/// Clears the lanes of hidden keys.
template <int D>
inline void clear_hidden(const Part& part, std::int64_t first, std::int64_t count, float* lanes) {
    if (part.visible == nullptr) return;
    for (std::int64_t lane = 0; lane < count; ++lane) {
        if (part.sees(first + lane)) continue;
        for (std::int64_t c = 0; c < 2 * D; ++c) lanes[c * width + lane] = 0.0F;
    }
}

/// Scalar products of incoming gradients and results, and log sums; padded rows repeat the last.
template <int D>
inline void gather_deltas(const AttentionGradient& gradient, const Part& part, float* log_sums,
                          float* deltas) {
    alignas(64) float pair[2 * D];
    const std::int64_t padded = round_up(part.queries, 16);
    for (std::int64_t i = 0; i < padded; ++i) {
        const std::int64_t row = smaller(i, part.queries - 1);
        gather_pairs<D>(gradient.task.storage, gradient.grad_out,
                        {gradient.task.out.data, gradient.task.out.stride},
                        {part.first_query + row, 1, part.column, part.size}, 1.0F, 1.0F, pair);
        float sum = 0.0F;
        for (std::int64_t c = 0; c < part.size; ++c) sum += pair[c] * pair[D + c];
        deltas[i] = sum;
        log_sums[i] = part.log_sums[row];
    }
}

template <int D, Dropping dropping>
void gradient_of_part(const AttentionGradient& gradient, const Part& part, float* scratch) {
    const AttentionTask& task = gradient.task;
    const std::int64_t size = part.size, padded_queries = round_up(part.queries, 16);
    float* keys_and_values = scratch;
    float* queries_and_gradients = keys_and_values + part.keys * 2 * D;
    float* log_sums = queries_and_gradients + part.queries * 2 * D;
    float* deltas = log_sums + padded_queries;
    const HeadGradient head{part,
                            keys_and_values,
                            queries_and_gradients,
                            log_sums,
                            deltas,
                            reinterpret_cast<std::uint32_t*>(deltas + padded_queries),
                            round_up(part.keys, 16)};
    alignas(64) float out[2 * D * Lanes::width];
    gather_pairs<D>(task.storage, task.k, task.v, {part.first_key, part.keys, part.column, size},
                    1.0F, task.mask.scale, keys_and_values);
    gather_pairs<D>(task.storage, task.q, gradient.grad_out,
                    {part.first_query, part.queries, part.column, size}, score_scale(size), 1.0F,
                    queries_and_gradients);
    gather_deltas<D>(gradient, part, log_sums, deltas);
    const float plain_scale = 1.0F / __builtin_sqrtf(static_cast<float>(size));
    for (std::int64_t first = 0; first < part.queries; first += width) {
        query_gradient<D, dropping>(head, first, out);
        lanes_to_rows<D>(
            out, task.storage, plain_scale, gradient.grad_q,
            {part.first_query + first, smaller(width, part.queries - first), part.column, size});
    }
    for (std::int64_t first = 0; first < part.keys; first += width) {
        const std::int64_t count = smaller(width, part.keys - first);
        key_gradient<D, dropping>(head, first, out);
        clear_hidden<D>(part, first, count, out);
        const Block block{part.first_key_gradient + first, count, part.column, size};
        lanes_to_rows<D>(out, task.storage, ln2, gradient.grad_k, block);
        lanes_to_rows<D>(out + D * width, task.storage, task.mask.scale, gradient.grad_v, block);
    }
}

template <int D>
void gradient_of_part(const AttentionGradient& gradient, const Part& part, float* scratch) {
    if (gradient.task.mask.threshold == 0) {
        gradient_of_part<D, Dropping::no>(gradient, part, scratch);
    } else {
        gradient_of_part<D, Dropping::yes>(gradient, part, scratch);
    }
}

}  // namespace
}  // namespace hodo::nn
