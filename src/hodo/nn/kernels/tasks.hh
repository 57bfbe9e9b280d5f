#pragma once
/// What kernels are asked to do, as plain pointers and sizes in C++17: the same descriptions serve
/// the CPU's kernels, their readable reference and the CUDA kernels.

#include <cstdint>

namespace hodo::nn {

/// How tensors keep their numbers. Kernels compute in float32 whatever the storage.
enum class Storage : std::int32_t { float32, bfloat16 };

/// Rows of numbers: number c of row r is number r stride + c.
struct Rows {
    void* data = nullptr;
    std::int64_t stride = 0;
};
struct ConstRows {
    const void* data = nullptr;
    std::int64_t stride = 0;
};

/// Names the dropout mask of a matrix: see nn/dropout.hh for the rule. Row r of the matrix here is
/// row first_row + r of the mask.
struct MaskStream {
    std::uint32_t key[2] = {0, 0};
    std::uint32_t place = 0, step = 0;
    std::uint32_t first_row = 0;
    std::uint32_t threshold = 0;  ///< Words below it drop their element; 0 drops none.
    float scale = 1.0F;           ///< Factor of the elements kept.
};

/// Whose keys a sequence of queries sees.
enum class KeysOf : std::int32_t {
    own,    ///< Sequence s of the keys.
    shared  ///< All sequences of queries see the only sequence of keys.
};

/// Attention of sequences that lie one after the other without padding: sequence s of the queries
/// is rows [query_offsets[s], query_offsets[s + 1]), that of the keys likewise. Head h of every row
/// is at columns h D, D = head_size.
///
///     out_i = sum_j mask_ij p_ij v_j,   p_ij = softmax over the visible keys j of q_i k_j /
///     sqrt(D)
///
/// A query that sees no key gets zeros. The mask of sequence s has the key of `sequence_key`; its
/// row is query heads + head, its column the key's place in the sequence.
struct AttentionTask {
    ConstRows q;     ///< [queries, heads D]
    ConstRows k, v;  ///< [keys, heads D]
    Rows out;        ///< [queries, heads D]
    Storage storage = Storage::float32;
    KeysOf keys_of = KeysOf::own;
    std::int64_t sequences = 0, heads = 0, head_size = 0;
    const std::int64_t* query_offsets = nullptr;  ///< [sequences + 1]
    const std::int64_t* key_offsets = nullptr;    ///< [sequences + 1], or [2] if shared
    const std::uint8_t* visible = nullptr;        ///< [keys], 0 hides a key; null: all are visible.
    MaskStream mask;                              ///< Drops weights.
    std::int64_t first_sequence = 0;              ///< Number of sequence 0 in the whole batch.
    /// [heads, queries]: base-2 logarithm of the softmax's denominator; written unless null.
    float* log_sums = nullptr;
};

/// The way back through `AttentionTask`; `out` and `log_sums` are those of the way there. With
/// shared keys the gradients of keys and values are [sequences keys, heads D]: one copy each.
struct AttentionGradient {
    AttentionTask task;
    ConstRows grad_out;           ///< [queries, heads D]
    Rows grad_q, grad_k, grad_v;  ///< Written.
};

/// What a feed-forward part does to its hidden numbers: max(x, 0); x Phi(x) with the normal
/// distribution's Phi; or the latter's usual approximation
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
/// Reference: Hendrycks and Gimpel, "Gaussian error linear units", arXiv:1606.08415.
enum class Activation : std::int32_t { relu, gelu, gelu_tanh };

/// y = W2 Drop(act(W1 x + b1)) + b2 for rows x [rows, channels]; weights as matrices.
struct FeedForwardTask {
    ConstRows x;  ///< [rows, channels]
    Rows y;       ///< [rows, channels]
    Storage storage = Storage::float32;
    std::int64_t rows = 0, channels = 0, hidden = 0;
    const float *weight1 = nullptr, *bias1 = nullptr;  ///< [hidden, channels], [hidden]
    const float *weight2 = nullptr, *bias2 = nullptr;  ///< [channels, hidden], [channels]
    MaskStream mask;  ///< Row = row, column = number of the hidden number.
    Activation activation = Activation::relu;
};

/// The way back through `FeedForwardTask`. Everything is written.
struct FeedForwardTaskGradient {
    FeedForwardTask task;
    ConstRows grad_y;  ///< [rows, channels]
    Rows grad_x;       ///< [rows, channels]
    float *grad_weight1 = nullptr, *grad_bias1 = nullptr;
    float *grad_weight2 = nullptr, *grad_bias2 = nullptr;
};

}  // namespace hodo::nn
