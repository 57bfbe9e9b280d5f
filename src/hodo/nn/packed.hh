#pragma once
/// Layers for inference: weights packed for the kernels, forward only, one batch entry at a time.
///
/// Activations are matrices [tokens, stride] with stride = channels rounded up to
/// `channel_multiple`; padding columns hold zeros and stay zero. All tensors of an entry live in
/// the caller's `Scratch`, so any number of threads may use the same layers.

#include "hodo/nn/kernels/kernels.hh"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace hodo::nn {

/// Floats that begin at a multiple of 64 bytes; zero at first.
class AlignedFloats {
  public:
    AlignedFloats() = default;
    explicit AlignedFloats(std::int64_t size);
    float* data() { return data_.get(); }
    const float* data() const { return data_.get(); }
    std::int64_t size() const { return size_; }

  private:
    struct Free {
        void operator()(float* data) const;
    };
    std::unique_ptr<float[], Free> data_;
    std::int64_t size_ = 0;
};

/// A matrix of weights as it lies in memory, row-major [rows, columns], and a bias [rows].
struct WeightSpan {
    std::span<const float> weight, bias;
    std::int64_t rows = 0, columns = 0;
};

/// y = x W^T + b, packed for `Kernels::dense`.
class PackedLinear {
  public:
    PackedLinear() = default;
    explicit PackedLinear(const WeightSpan& map);
    PackedView view() const { return {panels_.data(), bias_.data(), in_, out_}; }
    std::int64_t in() const { return in_; }
    std::int64_t out() const { return out_; }

  private:
    AlignedFloats panels_, bias_;
    std::int64_t in_ = 0, out_ = 0;
};

/// A map along the tokens, packed for `Kernels::along_rows`.
class PackedTokenMap {
  public:
    PackedTokenMap() = default;
    explicit PackedTokenMap(const WeightSpan& map);
    /// x [in, channels] to y [out, channels].
    void operator()(const Kernels& kernels, ConstMatrixView x, std::int64_t channels,
                    MatrixView y) const;
    std::int64_t in() const { return in_; }
    std::int64_t out() const { return out_; }

  private:
    AlignedFloats weight_, bias_;
    std::int64_t in_ = 0, out_ = 0;
};

/// Scale and shift of a layer norm, padded.
struct PackedNorm {
    AlignedFloats scale, shift;
    PackedNorm() = default;
    PackedNorm(std::span<const float> weight, std::span<const float> bias);
};

/// Working memory of one thread for entries of up to `tokens` tokens.
struct Scratch {
    Scratch(std::int64_t tokens, std::int64_t memory_tokens, std::int64_t channels,
            std::int64_t heads);
    AlignedFloats projections;  ///< [tokens, 3 channels padded]
    AlignedFloats mixed;        ///< [tokens, channels padded]
    AlignedFloats change;       ///< [tokens, channels padded]
    AlignedFloats attention;    ///< keys and values of a head
    AlignedFloats hidden;       ///< tile of the feed-forward part
};

struct AttentionSpan {
    WeightSpan in_proj;  ///< [3 channels, channels]
    WeightSpan out_proj;
};

class PackedSelfAttention {
  public:
    PackedSelfAttention() = default;
    PackedSelfAttention(const AttentionSpan& weights, std::int64_t heads);
    /// Writes the attention's output for x [tokens, channels] to `scratch.change`.
    void operator()(const Kernels& kernels, ConstMatrixView x, std::int64_t tokens,
                    Scratch& scratch) const;

  private:
    PackedLinear in_, out_;
    std::int64_t heads_ = 1;
};

/// Attention to a memory that depends on weights only: its keys and values are made once.
class PackedCrossAttention {
  public:
    PackedCrossAttention() = default;
    /// `memory` is [memory_tokens, channels].
    PackedCrossAttention(const AttentionSpan& weights, std::int64_t heads,
                         std::span<const float> memory, std::int64_t memory_tokens);
    void operator()(const Kernels& kernels, ConstMatrixView x, std::int64_t tokens,
                    Scratch& scratch) const;

  private:
    PackedLinear query_, out_;
    AlignedFloats keys_and_values_;
    std::int64_t heads_ = 1, memory_tokens_ = 0, stride_ = 0;
};

/// The second half of a transformer layer: x = LN(x + W2 act(W1 x + b1) + b2).
struct PackedFeedForward {
    PackedLinear first, second;
    PackedNorm norm;
    Activation activation = Activation::relu;
    void operator()(const Kernels& kernels, MatrixView x, std::int64_t tokens,
                    Scratch& scratch) const;
};

struct PackedEncoderLayer {
    PackedSelfAttention self_attention;
    PackedNorm norm;
    PackedFeedForward feed_forward;
    /// Transforms x [tokens, channels] in place.
    void operator()(const Kernels& kernels, MatrixView x, std::int64_t tokens,
                    Scratch& scratch) const;
    /// What follows the self-attention, whose output is in `scratch.change`.
    void finish(const Kernels& kernels, MatrixView x, std::int64_t tokens, Scratch& scratch) const;
};

struct PackedDecoderLayer {
    PackedSelfAttention self_attention;
    PackedCrossAttention cross_attention;
    PackedNorm self_norm, cross_norm;
    PackedFeedForward feed_forward;
    /// Transforms x [tokens, channels] in place.
    void operator()(const Kernels& kernels, MatrixView x, std::int64_t tokens,
                    Scratch& scratch) const;
    /// What follows the self-attention, whose output is in `scratch.change`.
    void finish(const Kernels& kernels, MatrixView x, std::int64_t tokens, Scratch& scratch) const;
};

}  // namespace hodo::nn
