#pragma once
/// The table of attentions that are checked, differentiated and timed.

#include "hodo/base/random.hh"
#include "hodo/nn/kernels/reference.hh"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

namespace hodo::nn {

enum class Hidden { none, some, all };

struct AttentionCase {
    std::string_view name;
    std::int64_t heads, head_size;
    std::vector<std::int64_t> queries, keys;  ///< Lengths; no keys: the same as the queries.
    double dropout = 0.0;
    Storage storage = Storage::float32;
    Hidden hidden = Hidden::none;
    float width = 1.0F;  ///< Of queries and keys: large ones make one weight dominate.
};

/// What is checked: small sizes with every edge.
inline const std::vector<AttentionCase>& attention_cases() {
    constexpr auto brain = Storage::bfloat16;
    static const std::vector<AttentionCase> cases{
        {"one token", 1, 1, {1}, {}},
        {"one token of a large head", 1, 128, {1}, {}},
        {"om2vec", 4, 4, {70}, {}},
        {"om2vec with dropout", 4, 4, {70, 70}, {}, 0.1},
        {"om2vec in bfloat16", 4, 4, {70, 33}, {}, 0.1, brain},
        {"om2vec, shared memory", 4, 4, {37, 37, 37}, {70}, 0.3},
        {"odd head", 2, 5, {20, 3}, {65, 1}},
        {"head of 8", 4, 8, {33, 0, 17}, {130, 4, 0}, 0.3},
        {"head of 8, one weight dominates",
         4,
         8,
         {33},
         {130},
         0.0,
         Storage::float32,
         Hidden::none,
         3},
        {"head of 8, some hidden", 2, 8, {20, 40, 1}, {}, 0.3, Storage::float32, Hidden::some},
        {"head of 8, all hidden", 2, 8, {5, 18}, {}, 0.0, Storage::float32, Hidden::all},
        {"head of 16", 2, 16, {64}, {200}, 0.1},
        {"head of 24", 3, 24, {33, 7}, {}},
        {"head of 25", 4, 25, {40}, {70}, 0.3},
        {"head of 32", 1, 32, {65, 31}, {}, 0.1},
        {"head of 40, bfloat16", 1, 40, {65, 3}, {}, 0.1, brain},
        {"head of 64, one weight dominates",
         2,
         64,
         {3},
         {129},
         0.0,
         Storage::float32,
         Hidden::none,
         20},
        {"head of 100", 1, 100, {50, 2, 90}, {}, 0.1},
        {"head of 128, packed events", 1, 128, {1, 0, 33, 150, 64}, {}},
        {"head of 128, dropout", 1, 128, {5, 97}, {}, 0.3},
        {"head of 128, bfloat16", 1, 128, {20, 70}, {}, 0.3, brain},
        {"head of 128, cross-attention", 2, 128, {40, 3, 0, 5}, {70, 0, 9, 65}, 0.1},
        {"head of 128, shared memory", 1, 128, {40, 33}, {70}, 0.1},
        {"head of 64, some hidden", 2, 64, {20, 70, 1}, {}, 0.3, Storage::float32, Hidden::some},
        {"head of 64, all hidden", 1, 64, {5, 38}, {}, 0.0, Storage::float32, Hidden::all},
    };
    return cases;
}

/// What is timed: events of the gap reconstruction and the levels of om2vec.
inline const std::vector<AttentionCase>& timed_attentions() {
    static const std::vector<AttentionCase> cases{
        {"gapreco_16_events",
         1,
         128,
         {943, 50, 700, 120, 320, 75, 510, 90, 230, 60, 410, 150, 280, 100, 640, 180},
         {}},
        {"gapreco_16_events_bf16",
         1,
         128,
         {943, 50, 700, 120, 320, 75, 510, 90, 230, 60, 410, 150, 280, 100, 640, 180},
         {},
         0.0,
         Storage::bfloat16},
        {"head_64", 2, 64, {512, 512, 512, 512}, {}},
        {"head_32", 4, 32, {512, 512, 512, 512}, {}},
        {"head_16", 8, 16, {512, 512, 512, 512}, {}},
        {"head_8", 4, 8, {512, 512, 512, 512}, {}},
        {"om2vec_1024", 8, 4, {1024, 1024}, {}},
        {"om2vec_1024_dropout", 8, 4, {1024, 1024}, {}, 0.1},
        {"om2vec_1024_bf16", 8, 4, {1024, 1024}, {}, 0.0, Storage::bfloat16},
    };
    return cases;
}

/// A stored matrix [rows, columns] of random numbers or zeros, rows a little apart.
struct StoredMatrix {
    std::int64_t rows, columns, stride;
    Storage storage;
    std::vector<float> floats;
    std::vector<std::uint16_t> brains;

    StoredMatrix(std::int64_t r, std::int64_t c, Storage s)
        : rows(r), columns(c), stride(c + 3), storage(s) {
        const auto size = static_cast<std::size_t>(r * stride);
        if (s == Storage::float32) {
            floats.resize(size);
        } else {
            brains.resize(size);
        }
    }
    StoredMatrix(std::int64_t r, std::int64_t c, Storage s, std::string_view purpose, float width)
        : StoredMatrix(r, c, s) {
        base::Random random(11, purpose);
        for (std::int64_t i = 0; i < r; ++i) {
            for (std::int64_t j = 0; j < c; ++j) {
                set(i, j, random.normal() * static_cast<double>(width));
            }
        }
    }
    void* data() {
        return storage == Storage::float32 ? static_cast<void*>(floats.data()) : brains.data();
    }
    Rows view() { return {data(), stride}; }
    ConstRows const_view() { return {data(), stride}; }
    double at(std::int64_t i, std::int64_t j) {
        return static_cast<double>(read_number(storage, const_view(), i, j));
    }
    void set(std::int64_t i, std::int64_t j, double value) {
        write_number(storage, view(), i, j, value);
    }
};

inline std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& lengths) {
    std::vector<std::int64_t> offsets{0};
    for (const auto length : lengths) offsets.push_back(offsets.back() + length);
    return offsets;
}

/// Inputs, results and gradients of a case.
struct AttentionData {
    AttentionCase what;
    std::vector<std::int64_t> query_offsets, key_offsets;
    bool is_shared;
    std::int64_t channels, key_copies;
    StoredMatrix q, k, v, grad_out, out, grad_q, grad_k, grad_v;
    std::vector<float> log_sums;
    std::vector<std::uint8_t> visible;
    std::vector<float> memory;
    float* scratch;  ///< In `memory`, at a multiple of 64 bytes.

    AttentionData(const AttentionData&) = delete;
    explicit AttentionData(const AttentionCase& c)
        : what(c),
          query_offsets(offsets_of(c.queries)),
          key_offsets(offsets_of(c.keys.empty() ? c.queries : c.keys)),
          is_shared(key_offsets.size() != query_offsets.size()),
          channels(c.heads * c.head_size),
          key_copies(is_shared ? std::ssize(c.queries) : 1),
          q(queries(), channels, c.storage, "q", c.width),
          k(keys(), channels, c.storage, "k", c.width),
          v(keys(), channels, c.storage, "v", 1),
          grad_out(queries(), channels, c.storage, "gradient", 1),
          out(queries(), channels, c.storage),
          grad_q(queries(), channels, c.storage),
          grad_k(key_copies * keys(), channels, c.storage),
          grad_v(key_copies * keys(), channels, c.storage),
          log_sums(static_cast<std::size_t>(c.heads * queries())),
          memory(
              static_cast<std::size_t>(std::max(attention_scratch(keys(), c.head_size),
                                                attention_gradient_scratch(keys(), c.head_size)) +
                                       16)),
          scratch(memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64 /
                                      sizeof(float)) {
        if (c.hidden == Hidden::none) return;
        for (std::int64_t j = 0; j < keys(); ++j) {
            visible.push_back(c.hidden == Hidden::some && j % 3 != 1 ? 1 : 0);
        }
    }
    std::int64_t queries() const { return query_offsets.back(); }
    std::int64_t keys() const { return key_offsets.back(); }
    std::int64_t parts() const { return std::ssize(what.queries) * what.heads; }

    AttentionTask task() {
        AttentionTask task;
        task.q = q.const_view();
        task.k = k.const_view();
        task.v = v.const_view();
        task.out = out.view();
        task.storage = what.storage;
        task.keys_of = is_shared ? KeysOf::shared : KeysOf::own;
        task.sequences = std::ssize(what.queries);
        task.heads = what.heads;
        task.head_size = what.head_size;
        task.query_offsets = query_offsets.data();
        task.key_offsets = key_offsets.data();
        if (!visible.empty()) task.visible = visible.data();
        if (what.dropout > 0.0) {
            task.mask.key[0] = 0x12345678U;
            task.mask.key[1] = 0x9abcdef0U;
            task.mask.place = 3;
            task.mask.step = 5;
            task.mask.threshold = static_cast<std::uint32_t>(65536.0 * what.dropout);
            task.mask.scale = static_cast<float>(1.0 / (1.0 - what.dropout));
        }
        task.first_sequence = 40;
        task.log_sums = log_sums.data();
        return task;
    }
    AttentionGradient gradient() {
        return {task(), grad_out.const_view(), grad_q.view(), grad_k.view(), grad_v.view()};
    }
    void attend(const Kernels& kernels) { kernels.attend(task(), 0, parts(), scratch); }
    void differentiate(const Kernels& kernels) {
        kernels.attend_gradient(gradient(), 0, parts(), scratch);
    }
    /// Multiplications and additions of the way there.
    double operations() const {
        double pairs = 0;
        for (std::size_t s = 0; s < what.queries.size(); ++s) {
            const auto place = is_shared ? 0 : s;
            pairs += static_cast<double>(what.queries[s] *
                                         (key_offsets[place + 1] - key_offsets[place]));
        }
        return pairs * static_cast<double>(4 * channels);
    }
};

}  // namespace hodo::nn
