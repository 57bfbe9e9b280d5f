#pragma once
/// One head of one sequence of an attention task.

#include "hodo/nn/kernels/mask_tiles.hh"
#include "hodo/nn/kernels/number_tiles.hh"

namespace hodo::nn {
namespace {

enum class Dropping { no, yes };

/// Scores below all real ones: the running maximum begins here ...
constexpr float lowest_score = -1e29F;
/// ... and hidden keys lie below, so that their weight is zero whatever the maximum.
constexpr float hidden_score = -1e30F;
/// Log sum of a query that sees nothing: its weights are zero on the way back too.
constexpr float empty_log_sum = 1e30F;

struct Part {
    std::int64_t first_query, queries, first_key, keys;
    std::int64_t first_key_gradient;  ///< Row of the gradients of key 0.
    std::int64_t column, size;        ///< Of the head.
    const std::uint8_t* visible;      ///< Of key 0, or null.
    float* log_sums;                  ///< Of query 0, or null.
    MaskStream mask;
    MaskRounds rounds;  ///< Of the mask.
    std::uint32_t head, heads;

    /// The mask's row of a query, and those of a query and its successors in the lanes.
    std::uint32_t mask_row(std::int64_t query) const {
        return static_cast<std::uint32_t>(query) * heads + head;
    }
    LaneRows mask_rows(std::int64_t query) const { return {rounds, mask_row(query), heads}; }
    bool sees(std::int64_t key) const { return visible == nullptr || visible[key] != 0; }
};

inline Part part_of(const AttentionTask& task, std::int64_t number) {
    const std::int64_t sequence = number / task.heads, head = number % task.heads;
    const bool shared = task.keys_of == KeysOf::shared;
    const std::int64_t* keys = task.key_offsets + (shared ? 0 : sequence);
    Part part;
    part.first_query = task.query_offsets[sequence];
    part.queries = task.query_offsets[sequence + 1] - part.first_query;
    part.first_key = keys[0];
    part.keys = keys[1] - keys[0];
    part.first_key_gradient = shared ? sequence * part.keys : part.first_key;
    part.column = head * task.head_size;
    part.size = task.head_size;
    part.visible = task.visible == nullptr ? nullptr : task.visible + part.first_key;
    const std::int64_t all_queries = task.query_offsets[task.sequences];
    part.log_sums =
        task.log_sums == nullptr ? nullptr : task.log_sums + head * all_queries + part.first_query;
    part.mask = sequence_mask(task.mask, task.first_sequence + sequence);
    part.rounds = MaskRounds(part.mask);
    part.head = static_cast<std::uint32_t>(head);
    part.heads = static_cast<std::uint32_t>(task.heads);
    return part;
}

/// Scores are kept in units of log2(e), because weights are made as powers of two.
inline float score_scale(std::int64_t head_size) {
    return 1.44269504088896341F / __builtin_sqrtf(static_cast<float>(head_size));
}
constexpr float ln2 = 0.693147180559945309F;

/// The largest of all lanes.
inline float largest_lane(Lanes a) {
    float x[Lanes::width];
    store(x, a);
    float result = x[0];
    for (int i = 1; i < Lanes::width; ++i) result = x[i] > result ? x[i] : result;
    return result;
}

inline void clear(float* values, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) values[i] = 0.0F;
}

/// Base-2 logarithm of a sum of weights relative to a maximum.
inline float log_sum(float maximum, float sum) {
    return sum > 0.0F ? maximum + __builtin_log2f(sum) : empty_log_sum;
}

}  // namespace
}  // namespace hodo::nn
