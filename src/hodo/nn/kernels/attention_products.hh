#pragma once
/// Attention of large heads as products of matrices in tiles: `tile_queries` queries against
/// `tile_keys` keys at a time. The formulas are those of attention_lanes.hh.

#include "hodo/nn/kernels/attention_parts.hh"

namespace hodo::nn {
namespace {

/// Sizes of a head and places of its matrices in scratch.
struct WideHead {
    std::int64_t size, padded;  // numbers of a vector, and rounded up
    std::int64_t keys;          // rounded up to whole blocks

    explicit WideHead(const Part& part)
        : size(part.size),
          padded(round_up(part.size, channel_multiple)),
          keys(round_up(part.keys, tile_keys)) {}
};

/// Blocks of `tile_keys` rows [keys, D], each transposed: [D, tile_keys], padded with zeros.
/// `row` holds one vector.
inline void read_transposed(Storage storage, ConstRows source, const Part& part, float scale,
                            float* row, float* target) {
    const std::int64_t size = part.size;
    for (std::int64_t first = 0; first < part.keys; first += tile_keys) {
        float* block = target + first * size;
        const std::int64_t count = smaller(tile_keys, part.keys - first);
        for (std::int64_t j = 0; j < count; ++j) {
            read_block(storage, source, {part.first_key + first + j, 1, part.column, size}, scale,
                       row, size, size);
            for (std::int64_t c = 0; c < size; ++c) block[c * tile_keys + j] = row[c];
        }
        for (std::int64_t j = count; j < tile_keys; ++j) {
            for (std::int64_t c = 0; c < size; ++c) block[c * tile_keys + j] = 0.0F;
        }
    }
}

/// products [rows, tile_keys] = vectors [rows, D] times a transposed block.
inline void block_products(const float* vectors, std::int64_t rows, const float* transposed,
                           const WideHead& head, float* products) {
    const TileTask task{vectors,   head.padded, 1,        transposed, tile_keys,
                        head.size, nullptr,     products, tile_keys};
    some_columns<Begin::zero, End::store>(task, rows, tile_keys);
}

/// sums [rows, D] += weights [rows, tile_keys] times `count` rows of a matrix [count, D].
inline void add_products(const float* weights, std::int64_t rows, const float* matrix,
                         std::int64_t count, const WideHead& head, float* sums) {
    const TileTask task{weights, tile_keys, 1,    matrix,     head.padded,
                        count,   nullptr,   sums, head.padded};
    some_columns<Begin::zero, End::add>(task, rows, head.padded);
}

/// sums [keys, D] += transposed weights [rows, tile_keys] times `rows` rows of a matrix.
inline void add_transposed(const float* weights, std::int64_t rows, const float* matrix,
                           std::int64_t count, const WideHead& head, float* sums) {
    for (std::int64_t j = 0; j < count; j += 8) {
        const TileTask task{weights + j, 1,    tile_keys, matrix,
                            head.padded, rows, nullptr,   sums + j * head.padded,
                            head.padded};
        some_columns<Begin::zero, End::add>(task, smaller(8, count - j), head.padded);
    }
}

/// Gives missing and hidden keys of a block the score of hidden ones.
inline void hide_keys(const Part& part, std::int64_t first, std::int64_t rows, float* scores) {
    const std::int64_t count = smaller(tile_keys, part.keys - first);
    if (count == tile_keys && part.visible == nullptr) return;
    for (std::int64_t j = 0; j < tile_keys; ++j) {
        if (j < count && part.sees(first + j)) continue;
        for (std::int64_t r = 0; r < rows; ++r) scores[r * tile_keys + j] = hidden_score;
    }
}

inline void drop_row(const Part& part, const MaskColumns& columns, std::int64_t query,
                     float* values) {
    const RowTerms row = mask_row(part.rounds, part.mask_row(query));
    keep_in_row(kept_in_row(part.rounds, columns, row), values, tile_keys);
}

/// Sums of a tile of queries so far.
struct RunningSums {
    float maximum[tile_queries], sum[tile_queries];
};

/// Scores of one block to weights, which count relative to the new maximum; what was summed before
/// shrinks accordingly.
inline void weigh_block(const Part& part, std::int64_t query, std::int64_t first, std::int64_t rows,
                        const WideHead& head, float* scores, float* sums, RunningSums& running) {
    const MaskColumns columns(part.rounds, static_cast<std::uint32_t>(first / 8));
    for (std::int64_t r = 0; r < rows; ++r) {
        float* row = scores + r * tile_keys;
        Lanes largest = spread(running.maximum[r]);
        for (std::int64_t j = 0; j < tile_keys; j += width)
            largest = larger(largest, load(row + j));
        const float maximum = largest_lane(largest);
        Lanes total = spread(0.0F);
        for (std::int64_t j = 0; j < tile_keys; j += width) {
            const Lanes weight = power_of_two(load(row + j) - spread(maximum));
            total = total + weight;
            store(row + j, weight);
        }
        float shrink[Lanes::width];
        store(shrink, power_of_two(spread(running.maximum[r] - maximum)));
        running.maximum[r] = maximum;
        running.sum[r] = running.sum[r] * shrink[0] + sum_lanes(total);
        float* value = sums + r * head.padded;
        if (shrink[0] != 1.0F) {
            for (std::int64_t c = 0; c < head.padded; c += width) {
                store(value + c, load(value + c) * spread(shrink[0]));
            }
        }
        if (part.mask.threshold != 0) drop_row(part, columns, query + r, row);
    }
}

void attend_wide(const AttentionTask& task, const Part& part, float* scratch) {
    const WideHead head(part);
    float* keys = scratch;
    float* values = keys + head.keys * head.padded;
    float* queries = values + head.keys * head.padded;
    float* sums = queries + tile_queries * head.padded;
    float* scores = sums + tile_queries * head.padded;
    read_transposed(task.storage, task.k, part, 1.0F, sums, keys);
    read_block(task.storage, task.v, {part.first_key, part.keys, part.column, part.size},
               task.mask.scale, values, head.padded, head.padded);
    for (std::int64_t query = 0; query < part.queries; query += tile_queries) {
        const std::int64_t rows = smaller(tile_queries, part.queries - query);
        const Block block{part.first_query + query, rows, part.column, part.size};
        read_block(task.storage, task.q, block, score_scale(part.size), queries, head.padded,
                   head.padded);
        clear(sums, rows * head.padded);
        RunningSums running;
        for (std::int64_t r = 0; r < rows; ++r) {
            running.maximum[r] = lowest_score;
            running.sum[r] = 0.0F;
        }
        for (std::int64_t first = 0; first < part.keys; first += tile_keys) {
            block_products(queries, rows, keys + first * head.size, head, scores);
            hide_keys(part, first, rows, scores);
            weigh_block(part, query, first, rows, head, scores, sums, running);
            add_products(scores, rows, values + first * head.padded,
                         smaller(tile_keys, part.keys - first), head, sums);
        }
        for (std::int64_t r = 0; r < rows; ++r) {
            const float sum = running.sum[r];
            const Lanes norm = spread(sum > 0.0F ? 1.0F / sum : 0.0F);
            float* value = sums + r * head.padded;
            for (std::int64_t c = 0; c < head.padded; c += width) {
                store(value + c, load(value + c) * norm);
            }
            if (part.log_sums == nullptr) continue;
            part.log_sums[query + r] = log_sum(running.maximum[r], sum);
        }
        write_block(task.storage, sums, head.padded, 1.0F, task.out, block);
    }
}

/// Scores and products g v of a tile become kept weights and gradients of the scores.
inline void gradient_of_scores(const Part& part, std::int64_t query, std::int64_t first,
                               std::int64_t rows, const float* deltas, float* scores,
                               float* products) {
    const MaskColumns columns(part.rounds, static_cast<std::uint32_t>(first / 8));
    for (std::int64_t r = 0; r < rows; ++r) {
        float* score = scores + r * tile_keys;
        float* product = products + r * tile_keys;
        const Lanes log_sum = spread(part.log_sums[query + r]), delta = spread(deltas[r]);
        if (part.mask.threshold != 0) drop_row(part, columns, query + r, product);
        for (std::int64_t j = 0; j < tile_keys; j += width) {
            const Lanes weight = power_of_two(load(score + j) - log_sum);
            store(score + j, weight);
            store(product + j, weight * (load(product + j) - delta));
        }
        if (part.mask.threshold != 0) drop_row(part, columns, query + r, score);
    }
}

/// The matrices of a head on the way back; every pointer lies in scratch.
struct WideGradient {
    WideHead head;
    float *keys, *key_rows, *values;          // transposed; [keys, D]; transposed
    float *key_sums, *value_sums;             // [keys, D]
    float *queries, *gradients, *query_sums;  // [tile_queries, D]
    float *scores, *products;                 // [tile_queries, tile_keys]

    WideGradient(const Part& part, float* scratch) : head(part) {
        const std::int64_t matrix = head.keys * head.padded, tile = tile_queries * head.padded;
        keys = scratch;
        key_rows = keys + matrix;
        values = key_rows + matrix;
        key_sums = values + matrix;
        value_sums = key_sums + matrix;
        queries = value_sums + matrix;
        gradients = queries + tile;
        query_sums = gradients + tile;
        scores = query_sums + tile;
        products = scores + tile_queries * tile_keys;
    }
};

/// The way back of one tile of queries.
inline void gradient_of_queries(const AttentionGradient& gradient, const Part& part,
                                std::int64_t query, const WideGradient& g) {
    const AttentionTask& task = gradient.task;
    const std::int64_t padded = g.head.padded;
    const std::int64_t rows = smaller(tile_queries, part.queries - query);
    const Block block{part.first_query + query, rows, part.column, part.size};
    read_block(task.storage, gradient.grad_out, block, 1.0F, g.gradients, padded, padded);
    read_block(task.storage, {task.out.data, task.out.stride}, block, 1.0F, g.query_sums, padded,
               padded);
    float deltas[tile_queries];
    for (std::int64_t r = 0; r < rows; ++r) {
        Lanes sum = spread(0.0F);
        for (std::int64_t c = r * padded; c < (r + 1) * padded; c += width) {
            sum = multiply_add(load(g.gradients + c), load(g.query_sums + c), sum);
        }
        deltas[r] = sum_lanes(sum);
    }
    read_block(task.storage, task.q, block, score_scale(part.size), g.queries, padded, padded);
    clear(g.query_sums, rows * padded);
    for (std::int64_t first = 0; first < part.keys; first += tile_keys) {
        const std::int64_t count = smaller(tile_keys, part.keys - first);
        block_products(g.queries, rows, g.keys + first * g.head.size, g.head, g.scores);
        hide_keys(part, first, rows, g.scores);
        block_products(g.gradients, rows, g.values + first * g.head.size, g.head, g.products);
        gradient_of_scores(part, query, first, rows, deltas, g.scores, g.products);
        add_transposed(g.scores, rows, g.gradients, count, g.head, g.value_sums + first * padded);
        add_transposed(g.products, rows, g.queries, count, g.head, g.key_sums + first * padded);
        add_products(g.products, rows, g.key_rows + first * padded, count, g.head, g.query_sums);
    }
    write_block(task.storage, g.query_sums, padded,
                1.0F / __builtin_sqrtf(static_cast<float>(part.size)), gradient.grad_q, block);
}

void gradient_of_wide_part(const AttentionGradient& gradient, const Part& part, float* scratch) {
    const AttentionTask& task = gradient.task;
    const WideGradient g(part, scratch);
    const Block keys{part.first_key, part.keys, part.column, part.size};
    read_transposed(task.storage, task.k, part, 1.0F, g.queries, g.keys);
    read_transposed(task.storage, task.v, part, task.mask.scale, g.queries, g.values);
    read_block(task.storage, task.k, keys, 1.0F, g.key_rows, g.head.padded, g.head.padded);
    clear(g.key_sums, part.keys * g.head.padded);
    clear(g.value_sums, part.keys * g.head.padded);
    for (std::int64_t query = 0; query < part.queries; query += tile_queries) {
        gradient_of_queries(gradient, part, query, g);
    }
    const Block target{part.first_key_gradient, part.keys, part.column, part.size};
    write_block(task.storage, g.key_sums, g.head.padded, ln2, gradient.grad_k, target);
    write_block(task.storage, g.value_sums, g.head.padded, task.mask.scale, gradient.grad_v,
                target);
}

}  // namespace
}  // namespace hodo::nn
