#pragma once
/// The way back through attention of small heads; see attention_lanes.hh for the formulas.

#include "hodo/nn/kernels/attention_lanes.hh"

namespace hodo::nn {
namespace {

/// The transpose of up to `width` rows [rows, 2 D]: 2 D vectors with one row per lane, zeros in the
/// lanes beyond.
template <int D>
inline void rows_to_lanes(const float* pairs, std::int64_t rows, float* lanes) {
    for (std::int64_t lane = 0; lane < width; ++lane) {
        for (std::int64_t c = 0; c < 2 * D; ++c) {
            lanes[c * width + lane] = lane < rows ? pairs[lane * 2 * D + c] : 0.0F;
        }
    }
}

/// Operands of the way back through one head, in scratch: keys stand in the lanes, in groups of
/// `width`, and a tile of queries passes by all groups.
template <int D>
struct HeadGradient {
    const Part& part;
    std::int64_t groups, words;  // of `width` keys; of 64 keys
    float* keys_and_values;      // [groups, 2 D, width], values times the mask's scale
    float* sums;                 // the same: gradients of keys and values
    float* pairs;                // [queries of a tile, 2 D]: query in score units, gradient
    float *starts, *deltas;      // [queries of a tile]: -log sum and -delta
    float* query_sums;           // [queries of a tile, D, width]
    std::uint64_t* kept;         // [queries of a tile, words]: one bit per key

    HeadGradient(const Part& head, float* scratch)
        : part(head), groups((head.keys + width - 1) / width), words((head.keys + 63) / 64) {
        const std::int64_t matrix = groups * 2 * D * width;
        keys_and_values = scratch;
        sums = keys_and_values + matrix;
        query_sums = sums + matrix;
        pairs = query_sums + lane_gradient_queries * D * width;
        starts = pairs + lane_gradient_queries * 2 * D;
        deltas = starts + lane_gradient_queries;
        kept = reinterpret_cast<std::uint64_t*>(deltas + lane_gradient_queries);
    }
    /// One bit for each key of a group that is there and visible.
    unsigned seen(std::int64_t group) const {
        unsigned bits = 0;
        for (std::int64_t lane = 0; lane < width && group * width + lane < part.keys; ++lane) {
            if (part.sees(group * width + lane)) bits |= 1U << lane;
        }
        return bits;
    }
};

/// Whether all keys of a group are there and visible.
enum class Seen { all, some };

/// A tile of queries passes by a group of keys: adds to the gradients of all of them.
template <int D, Dropping dropping, Seen seen>
inline void gradient_of_group(const HeadGradient<D>& head, std::int64_t queries, std::int64_t group,
                              unsigned seen_keys) {
    const float* lanes = head.keys_and_values + group * 2 * D * width;
    Lanes key[D], value[D], key_sum[D], value_sum[D];
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        key[c] = load(lanes + c * width);
        value[c] = load(lanes + (D + c) * width);
        key_sum[c] = value_sum[c] = spread(0.0F);
    }
    const std::uint64_t* kept = head.kept + group * width / 64;
    const std::int64_t first_bit = group * width % 64;
    for (std::int64_t i = 0; i < queries; ++i) {
        const float* pair = head.pairs + i * 2 * D;
        Lanes score = spread(head.starts[i]);
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) score = multiply_add(key[c], spread(pair[c]), score);
        Lanes p = power_of_two(score);
        if constexpr (seen == Seen::some) p = keep(seen_keys, p);
        const Lanes product = scalar_product<D>(value, pair + D);
        Lanes weight = p, slope = spread(head.deltas[i]);
        if constexpr (dropping == Dropping::yes) {
            const unsigned bits = bits_of_lanes(kept[i * head.words], first_bit);
            weight = keep(bits, p);
            slope = add_where(bits, slope, product);
        } else {
            slope = slope + product;
        }
        const Lanes change = p * slope;
        add_row<D>(weight, pair + D, value_sum);
        add_row<D>(change, pair, key_sum);
        float* query_sum = head.query_sums + i * D * width;
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) {
            store(query_sum + c * width, multiply_add(change, key[c], load(query_sum + c * width)));
        }
    }
    add_lanes<D>(key_sum, head.sums + group * 2 * D * width);
    add_lanes<D>(value_sum, head.sums + (group * 2 * D + D) * width);
}

/// Queries, incoming gradients, log sums and deltas of a tile of queries; clears its sums.
template <int D>
inline void gather_queries(const AttentionGradient& gradient, const HeadGradient<D>& head,
                           const Block& block) {
    const AttentionTask& task = gradient.task;
    float* results = head.query_sums;  // for the moment
    gather_pairs<D>(task.storage, task.q, gradient.grad_out, block, score_scale(block.columns),
                    1.0F, head.pairs);
    read_block(task.storage, {task.out.data, task.out.stride}, block, 1.0F, results, D, D);
    const float* log_sums = head.part.log_sums + (block.row - head.part.first_query);
    for (std::int64_t i = 0; i < block.rows; ++i) {
        float sum = 0.0F;
        for (std::int64_t c = 0; c < D; ++c)
            sum += head.pairs[(2 * i + 1) * D + c] * results[i * D + c];
        head.deltas[i] = -sum;
        head.starts[i] = -log_sums[i];
    }
    clear(head.query_sums, block.rows * D * width);
}

/// Which weights of a tile of queries were kept.
template <int D>
inline void gather_kept(const HeadGradient<D>& head, std::int64_t first, std::int64_t queries) {
    const MaskRounds& rounds = head.part.rounds;
    for (std::int64_t word = 0; word < head.words; ++word) {
        const MaskColumns columns(rounds, static_cast<std::uint32_t>(8 * word));
        for (std::int64_t i = 0; i < queries; ++i) {
            const RowTerms row = mask_row(rounds, head.part.mask_row(first + i));
            head.kept[i * head.words + word] = kept_in_row(rounds, columns, row);
        }
    }
}

/// rows [rows, D] = sums over the lanes of vectors [rows, D, width], which change.
template <int D>
inline void sum_over_lanes(float* vectors, std::int64_t rows, float* sums) {
    for (std::int64_t i = 0; i < rows; ++i) {
        float* x = vectors + i * D * width;
        for (std::int64_t half = width / 2; half > 0; half /= 2) {
            for (std::int64_t c = 0; c < D; ++c) {
                for (std::int64_t lane = 0; lane < half; ++lane) {
                    x[c * width + lane] += x[c * width + lane + half];
                }
            }
        }
        for (std::int64_t c = 0; c < D; ++c) sums[i * D + c] = x[c * width];
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

/// Puts keys and values into lanes and clears their gradients.
template <int D>
inline void gather_keys(const AttentionTask& task, const HeadGradient<D>& head) {
    const Part& part = head.part;
    alignas(64) float pairs[2 * D * Lanes::width];
    for (std::int64_t group = 0; group < head.groups; ++group) {
        const std::int64_t first = group * width, count = smaller(width, part.keys - first);
        const Block block{part.first_key + first, count, part.column, part.size};
        gather_pairs<D>(task.storage, task.k, task.v, block, 1.0F, task.mask.scale, pairs);
        rows_to_lanes<D>(pairs, count, head.keys_and_values + first * 2 * D);
    }
    clear(head.sums, head.groups * 2 * D * width);
}

template <int D, Dropping dropping>
void gradient_of_part(const AttentionGradient& gradient, const Part& part, float* scratch) {
    const AttentionTask& task = gradient.task;
    const HeadGradient<D> head(part, scratch);
    const std::int64_t size = part.size;
    const unsigned all = (1U << width) - 1U;
    alignas(64) float rows[lane_gradient_queries * D];
    gather_keys<D>(task, head);
    for (std::int64_t first = 0; first < part.queries; first += lane_gradient_queries) {
        const std::int64_t queries = smaller(lane_gradient_queries, part.queries - first);
        const Block block{part.first_query + first, queries, part.column, size};
        gather_queries<D>(gradient, head, block);
        if constexpr (dropping == Dropping::yes) gather_kept<D>(head, first, queries);
        for (std::int64_t group = 0; group < head.groups; ++group) {
            const unsigned seen = head.seen(group);
            if (seen == all) {
                gradient_of_group<D, dropping, Seen::all>(head, queries, group, seen);
            } else {
                gradient_of_group<D, dropping, Seen::some>(head, queries, group, seen);
            }
        }
        sum_over_lanes<D>(head.query_sums, queries, rows);
        write_block(task.storage, rows, D, 1.0F / __builtin_sqrtf(static_cast<float>(size)),
                    gradient.grad_q, block);
    }
    for (std::int64_t group = 0; group < head.groups; ++group) {
        const std::int64_t first = group * width, count = smaller(width, part.keys - first);
        const float* sums = head.sums + first * 2 * D;
        const Block block{part.first_key_gradient + first, count, part.column, size};
        lanes_to_rows<D>(sums, task.storage, ln2, gradient.grad_k, block);
        lanes_to_rows<D>(sums + D * width, task.storage, task.mask.scale, gradient.grad_v, block);
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
