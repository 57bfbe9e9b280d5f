#include "hodo/nn/packed.hh"

#include <algorithm>
#include <new>

#include "hodo/base/error.hh"

namespace hodo::nn {

namespace {

constexpr std::align_val_t alignment{64};

std::int64_t padded(std::int64_t channels) {
    return round_up(channels, channel_multiple);
}

/// Rows [first, first + count) of a map.
WeightSpan row_range(const WeightSpan& map, std::int64_t first, std::int64_t count) {
    const auto begin = static_cast<std::size_t>(first), rows = static_cast<std::size_t>(count);
    const auto columns = static_cast<std::size_t>(map.columns);
    return {map.weight.subspan(begin * columns, rows * columns), map.bias.subspan(begin, rows),
            count, map.columns};
}

void check(const WeightSpan& map) {
    HODO_DOOR(std::ssize(map.weight) == map.rows * map.columns);
    HODO_DOOR(std::ssize(map.bias) == map.rows);
}

void normalise(const Kernels& kernels, MatrixView x, const AlignedFloats& change,
               std::int64_t tokens, std::int64_t channels, const PackedNorm& norm) {
    kernels.add_norm(x, {change.data(), padded(channels)}, tokens, channels, norm.scale.data(),
                     norm.shift.data());
}

/// Attention of one sequence of queries to one of keys.
void attend_once(const Kernels& kernels, ConstMatrixView q, std::int64_t queries, ConstMatrixView k,
                 ConstMatrixView v, std::int64_t keys, std::int64_t heads, std::int64_t head_size,
                 MatrixView out, float* scratch) {
    const std::int64_t query_offsets[] = {0, queries}, key_offsets[] = {0, keys};
    AttentionTask task;
    task.q = {q.data, q.stride};
    task.k = {k.data, k.stride};
    task.v = {v.data, v.stride};
    task.out = {out.data, out.stride};
    task.sequences = 1;
    task.heads = heads;
    task.head_size = head_size;
    task.query_offsets = query_offsets;
    task.key_offsets = key_offsets;
    kernels.attend(task, 0, heads, scratch);
}

}  // namespace

AlignedFloats::AlignedFloats(std::int64_t size)
    : data_(new (alignment) float[static_cast<std::size_t>(std::max<std::int64_t>(size, 16))]()),
      size_(size) {}

void AlignedFloats::Free::operator()(float* data) const {
    ::operator delete[](data, alignment);
}

PackedLinear::PackedLinear(const WeightSpan& map) : in_(map.columns), out_(map.rows) {
    check(map);
    const auto outputs = round_up(out_, panel_width);
    panels_ = AlignedFloats(outputs * in_);
    bias_ = AlignedFloats(outputs);
    std::copy(map.bias.begin(), map.bias.end(), bias_.data());
    for (std::int64_t o = 0; o < out_; ++o) {
        float* column = panels_.data() + o / panel_width * panel_width * in_ + o % panel_width;
        const float* row = map.weight.data() + o * in_;
        for (std::int64_t i = 0; i < in_; ++i) column[i * panel_width] = row[i];
    }
}

PackedTokenMap::PackedTokenMap(const WeightSpan& map) : in_(map.columns), out_(map.rows) {
    check(map);
    weight_ = AlignedFloats(round_up(out_, 8) * in_);
    bias_ = AlignedFloats(out_);
    std::copy(map.bias.begin(), map.bias.end(), bias_.data());
    for (std::int64_t o = 0; o < out_; ++o) {
        float* column = weight_.data() + o / 8 * 8 * in_ + o % 8;
        const float* row = map.weight.data() + o * in_;
        for (std::int64_t i = 0; i < in_; ++i) column[i * 8] = row[i];
    }
}

void PackedTokenMap::operator()(const Kernels& kernels, ConstMatrixView x, std::int64_t channels,
                                MatrixView y) const {
    kernels.along_rows(weight_.data(), bias_.data(), in_, out_, x, channels, y);
}

PackedNorm::PackedNorm(std::span<const float> weight, std::span<const float> bias)
    : scale(padded(std::ssize(weight))), shift(padded(std::ssize(bias))) {
    std::copy(weight.begin(), weight.end(), scale.data());
    std::copy(bias.begin(), bias.end(), shift.data());
}

Scratch::Scratch(std::int64_t tokens, std::int64_t memory_tokens, std::int64_t channels,
                 std::int64_t heads)
    : projections(tokens * padded(3 * channels)),
      mixed(tokens * padded(channels)),
      change(tokens * padded(channels)),
      attention(attention_scratch(std::max(tokens, memory_tokens), channels / heads)),
      hidden(feed_forward_scratch) {}

PackedSelfAttention::PackedSelfAttention(const AttentionSpan& weights, std::int64_t heads)
    : in_(weights.in_proj), out_(weights.out_proj), heads_(heads) {
    HODO_DOOR(out_.in() % heads == 0 && out_.in() / heads <= largest_head);
}

void PackedSelfAttention::operator()(const Kernels& kernels, ConstMatrixView x, std::int64_t tokens,
                                     Scratch& scratch) const {
    const auto channels = out_.in();
    const auto stride = padded(3 * channels);
    float* packed = scratch.projections.data();
    kernels.dense(x, tokens, in_.view(), {packed, stride});
    const MatrixView mixed{scratch.mixed.data(), padded(channels)};
    attend_once(kernels, {packed, stride}, tokens, {packed + channels, stride},
                {packed + 2 * channels, stride}, tokens, heads_, channels / heads_, mixed,
                scratch.attention.data());
    kernels.dense(mixed, tokens, out_.view(), {scratch.change.data(), padded(channels)});
}

PackedCrossAttention::PackedCrossAttention(const AttentionSpan& weights, std::int64_t heads,
                                           std::span<const float> memory,
                                           std::int64_t memory_tokens)
    : query_(row_range(weights.in_proj, 0, weights.in_proj.columns)),
      out_(weights.out_proj),
      heads_(heads),
      memory_tokens_(memory_tokens) {
    const auto channels = out_.in();
    HODO_DOOR(channels % heads == 0 && channels / heads <= largest_head);
    HODO_DOOR(std::ssize(memory) == memory_tokens * channels);
    const PackedLinear project(row_range(weights.in_proj, channels, 2 * channels));
    stride_ = padded(2 * channels);
    keys_and_values_ = AlignedFloats(memory_tokens * stride_);
    kernels().dense({memory.data(), channels}, memory_tokens, project.view(),
                    {keys_and_values_.data(), stride_});
}

void PackedCrossAttention::operator()(const Kernels& kernels, ConstMatrixView x,
                                      std::int64_t tokens, Scratch& scratch) const {
    const auto channels = out_.in();
    const MatrixView query{scratch.projections.data(), padded(channels)};
    const MatrixView mixed{scratch.mixed.data(), padded(channels)};
    kernels.dense(x, tokens, query_.view(), query);
    attend_once(kernels, query, tokens, {keys_and_values_.data(), stride_},
                {keys_and_values_.data() + channels, stride_}, memory_tokens_, heads_,
                channels / heads_, mixed, scratch.attention.data());
    kernels.dense(mixed, tokens, out_.view(), {scratch.change.data(), padded(channels)});
}

void PackedFeedForward::operator()(const Kernels& kernels, MatrixView x, std::int64_t tokens,
                                   Scratch& scratch) const {
    const MatrixView change{scratch.change.data(), padded(first.in())};
    kernels.feed_forward({x, tokens, first.view(), second.view(), {}, change, activation},
                         scratch.hidden.data());
    normalise(kernels, x, scratch.change, tokens, first.in(), norm);
}

void PackedEncoderLayer::operator()(const Kernels& kernels, MatrixView x, std::int64_t tokens,
                                    Scratch& scratch) const {
    self_attention(kernels, x, tokens, scratch);
    finish(kernels, x, tokens, scratch);
}

void PackedEncoderLayer::finish(const Kernels& kernels, MatrixView x, std::int64_t tokens,
                                Scratch& scratch) const {
    normalise(kernels, x, scratch.change, tokens, feed_forward.first.in(), norm);
    feed_forward(kernels, x, tokens, scratch);
}

void PackedDecoderLayer::operator()(const Kernels& kernels, MatrixView x, std::int64_t tokens,
                                    Scratch& scratch) const {
    self_attention(kernels, x, tokens, scratch);
    finish(kernels, x, tokens, scratch);
}

void PackedDecoderLayer::finish(const Kernels& kernels, MatrixView x, std::int64_t tokens,
                                Scratch& scratch) const {
    normalise(kernels, x, scratch.change, tokens, feed_forward.first.in(), self_norm);
    cross_attention(kernels, x, tokens, scratch);
    normalise(kernels, x, scratch.change, tokens, feed_forward.first.in(), cross_norm);
    feed_forward(kernels, x, tokens, scratch);
}

}  // namespace hodo::nn
