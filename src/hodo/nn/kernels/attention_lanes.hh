#pragma once
/// Attention of small heads, there and back, without ever storing the weights.
///
/// There: one query per lane, keys in blocks with a running maximum m, sum l and weighted values.
/// Where the lengths of queries and keys show that scores stay small, no maximum is needed.
/// With p = softmax(s), s = q k^T / sqrt(D), kept weights w = p mask, o = w v, and the incoming
/// gradient g of o:
///
///   grad v_j = sum_i w_ij g_i;    delta_i = g_i o_i
///   ds_ij = p_ij (mask_ij g_i v_j - delta_i)
///   grad q_i = sum_j ds_ij k_j / sqrt(D);    grad k_j = sum_i ds_ij q_i / sqrt(D)
///
/// Back: weights are recomputed from the stored log sums, once. Keys stand in the lanes, their sums
/// in registers; a tile of queries passes by, whose sums over lanes stay in the innermost cache.
///
/// Reference: Dao, Fu, Ermon, Rudra, Re, "FlashAttention", NeurIPS 2022.

#include "hodo/nn/kernels/attention_parts.hh"

namespace hodo::nn {
namespace {

constexpr std::int64_t key_block = 64;
static_assert(key_block % 8 == 0);

/// Rows of two vectors [rows, 2 D] from two stored matrices, padded with zeros.
template <int D>
inline void gather_pairs(Storage storage, ConstRows a, ConstRows b, const Block& block,
                         float scale_a, float scale_b, float* pairs) {
    read_block(storage, a, block, scale_a, pairs, 2 * D, D);
    read_block(storage, b, block, scale_b, pairs + D, 2 * D, D);
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

/// Adds D vectors to memory.
template <int D>
inline void add_lanes(const Lanes* sums, float* out) {
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) store(out + c * width, load(out + c * width) + sums[c]);
}

/// Scores of a block of keys; returns the largest of each lane, at least `maximum`.
template <int D>
inline Lanes score_block(const Lanes* query, const float* pairs, std::int64_t count,
                         const std::uint8_t* visible, Lanes maximum, float* scores) {
    for (std::int64_t j = 0; j < count; ++j) {
        if (visible != nullptr && visible[j] == 0) {
            store(scores + j * width, spread(hidden_score));
            continue;
        }
        const Lanes score = scalar_product<D>(query, pairs + j * 2 * D);
        store(scores + j * width, score);
        maximum = larger(maximum, score);
    }
    return maximum;
}

/// Powers of two of scores below this, their sums and those times values stay well inside the
/// range of floats, and so does the largest of them: no maximum has to be taken off.
constexpr float small_score = 64.0F;

/// The largest square of a key's length.
template <int D>
inline float largest_square(const float* pairs, std::int64_t keys) {
    float largest = 0.0F;
    for (std::int64_t j = 0; j < keys; ++j) {
        float square = 0.0F;
        for (int c = 0; c < D; ++c) square += pairs[j * 2 * D + c] * pairs[j * 2 * D + c];
        largest = square > largest ? square : largest;
    }
    return largest;
}

/// Whether all scores of these queries are small, by the Cauchy-Schwarz inequality.
template <int D>
inline bool scores_are_small(const float* q, float largest_key_square) {
    Lanes square = spread(0.0F);
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        square = multiply_add(load(q + c * width), load(q + c * width), square);
    }
    return largest_lane(square) * largest_key_square < small_score * small_score;
}

/// `attend_lanes` for small scores: the maximum is taken to be zero.
template <int D, Dropping dropping>
inline void attend_small_scores(const float* q, const float* pairs, const Part& part,
                                std::int64_t first_query, float* out) {
    Lanes query[D], value[D];
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        query[c] = load(q + c * width);
        store(out + c * width, spread(0.0F));
    }
    Lanes sum = spread(0.0F);
    alignas(64) float scores[key_block * Lanes::width];
    unsigned kept[key_block];
    const LaneRows mask_rows = part.mask_rows(first_query);
    for (std::int64_t first = 0; first < part.keys; first += key_block) {
        const std::int64_t end = smaller(first + key_block, part.keys);
        // Apart from the sums below: chains of dependent operations stay short.
        for (std::int64_t j = first; j < end; ++j) {
            store(scores + (j - first) * width, scalar_product<D>(query, pairs + j * 2 * D));
        }
        if constexpr (dropping == Dropping::yes) {
            const SpreadColumns columns(part.rounds, static_cast<std::uint32_t>(first / 8));
            for (std::int64_t j = 0; j < end - first; j += 8) {
                kept_columns(part.rounds, columns[j / 8], mask_rows, kept + j);
            }
        }
        Lanes block_sum = spread(0.0F);
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) value[c] = spread(0.0F);
        for (std::int64_t j = first; j < end; ++j) {
            if (!part.sees(j)) continue;
            Lanes weight = power_of_two(load(scores + (j - first) * width));
            block_sum = block_sum + weight;
            if constexpr (dropping == Dropping::yes) weight = keep(kept[j - first], weight);
            add_row<D>(weight, pairs + j * 2 * D + D, value);
        }
        sum = sum + block_sum;
        add_lanes<D>(value, out);
    }
    store(out + D * width, sum);
    store(out + (D + 1) * width, spread(0.0F));
}

/// Up to `width` queries (one per lane) against all keys. `pairs` holds [keys, 2 D]: key, value.
/// Writes D + 2 vectors: weighted values, sum, maximum.
template <int D, Dropping dropping>
inline void attend_lanes(const float* q, const float* pairs, const Part& part,
                         std::int64_t first_query, float* out) {
    Lanes query[D], value[D];
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        query[c] = load(q + c * width);
        store(out + c * width, spread(0.0F));
    }
    Lanes maximum = spread(lowest_score), sum = spread(0.0F);
    alignas(64) float scores[key_block * Lanes::width];
    unsigned kept[key_block];
    const LaneRows mask_rows = part.mask_rows(first_query);
    for (std::int64_t first = 0; first < part.keys; first += key_block) {
        const std::int64_t count = smaller(key_block, part.keys - first);
        const float* pair = pairs + first * 2 * D;
        const std::uint8_t* visible = part.visible == nullptr ? nullptr : part.visible + first;
        const Lanes block_maximum = score_block<D>(query, pair, count, visible, maximum, scores);
        const Lanes shrink = power_of_two(maximum - block_maximum);
        maximum = block_maximum;
        Lanes block_sum = spread(0.0F);
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) value[c] = spread(0.0F);
        if constexpr (dropping == Dropping::yes) {
            const SpreadColumns columns(part.rounds, static_cast<std::uint32_t>(first / 8));
            for (std::int64_t j = 0; j < count; j += 8) {
                kept_columns(part.rounds, columns[j / 8], mask_rows, kept + j);
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

/// The weighted values, sums and maxima of up to `width` queries, whichever way.
template <int D>
inline void attend_some(const float* q, const float* pairs, float key_square, const Part& part,
                        std::int64_t first, float* out) {
    const bool drops = part.mask.threshold != 0;
    if (scores_are_small<D>(q, key_square)) {
        if (drops) return attend_small_scores<D, Dropping::yes>(q, pairs, part, first, out);
        return attend_small_scores<D, Dropping::no>(q, pairs, part, first, out);
    }
    if (drops) return attend_lanes<D, Dropping::yes>(q, pairs, part, first, out);
    attend_lanes<D, Dropping::no>(q, pairs, part, first, out);
}

/// One head of one sequence; head sizes are padded with zeros to D.
template <int D>
void attend_part(const AttentionTask& task, const Part& part, float* pairs) {
    const std::int64_t size = part.size;
    const float scale = score_scale(size);
    alignas(64) float q[D * Lanes::width];
    alignas(64) float rows[D * Lanes::width];
    alignas(64) float out[(D + 2) * Lanes::width];
    gather_pairs<D>(task.storage, task.k, task.v, {part.first_key, part.keys, part.column, size},
                    1.0F, task.mask.scale, pairs);
    const float key_square = largest_square<D>(pairs, part.keys);
    for (std::int64_t first = 0; first < part.queries; first += width) {
        const std::int64_t count = smaller(width, part.queries - first);
        const Block block{part.first_query + first, count, part.column, size};
        read_block(task.storage, task.q, block, scale, rows, D, D);
        for (std::int64_t lane = 0; lane < width; ++lane) {
            const float* row = rows + smaller(lane, count - 1) * D;
            for (std::int64_t c = 0; c < D; ++c) q[c * width + lane] = row[c];
        }
        attend_some<D>(q, pairs, key_square, part, first, out);
        for (std::int64_t lane = 0; lane < count; ++lane) {
            const float sum = out[D * width + lane];
            const float norm = sum > 0.0F ? 1.0F / sum : 0.0F;
            for (std::int64_t c = 0; c < D; ++c) rows[lane * D + c] = out[c * width + lane] * norm;
            if (part.log_sums == nullptr) continue;
            part.log_sums[first + lane] = log_sum(out[(D + 1) * width + lane], sum);
        }
        write_block(task.storage, rows, D, 1.0F, task.out, block);
    }
}

}  // namespace
}  // namespace hodo::nn
