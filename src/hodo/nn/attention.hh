#pragma once
/// Multi-head attention with packed projections.
///
/// q, k, v are rows [0, d), [d, 2d), [2d, 3d) of the packed projection; head h uses channels
/// [h D, (h + 1) D) with D = d / heads:
///
///     head_h = Drop(softmax(q_h k_h^T / sqrt(D))) v_h;   out = W_o concat(head_h) + b_o
///
/// Reference: Vaswani et al., arXiv:1706.03762.

#include "hodo/nn/fused.hh"
#include "hodo/nn/linear.hh"

namespace hodo::nn {

/// Drop(softmax(q_h k_h^T / sqrt(D))) v_h of every head, concatenated, for q [batch, queries, d]
/// and k, v [batch or 1, keys, d]: result [batch, queries, d].
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads,
                  Pass& pass);

/// The same for sequences of different lengths without padding, q [queries, d] and k, v [keys, d]:
/// result [queries, d]. Queries that see no key get zeros and no gradient. `sequences.first_entry`
/// is taken from the pass.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads,
                  const Sequences& sequences, Pass& pass);

/// The same by plain tensor operations, whatever the pass's engine: the reference. Sequences of
/// different lengths are done one by one.
at::Tensor attend_plain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t heads, Pass& pass);
at::Tensor attend_plain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t heads, const Sequences& sequences, Pass& pass);

/// The first of these through LibTorch's attention operator, without dropout: what `attend` does on
/// a device where LibTorch has fused kernels for it (2.x). In bfloat16 if the pass says so.
at::Tensor attend_by_library(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             std::int64_t heads, const Pass& pass);

/// Keys and values of a memory that is the same for all batch entries, [1, tokens, d].
struct Memory {
    at::Tensor keys, values;
};

struct Attention {
    at::Tensor in_proj_weight;  ///< [3 d, d]
    at::Tensor in_proj_bias;    ///< [3 d]
    Linear out_proj;
    std::int64_t heads = 1;

    static Attention make(std::int64_t channels, std::int64_t heads,
                          const at::TensorOptions& options);
    void visit(tensor::ParameterVisitor& v);
    /// in_proj_weight Xavier uniform, biases zero, out_proj.weight as Linear.
    void initialise(const base::Random& random);

    /// Self-attention of x [batch, tokens, d].
    at::Tensor operator()(const at::Tensor& x, Pass& pass) const;
    /// Self-attention of each sequence of x [tokens, d]; hidden tokens are seen by none.
    at::Tensor operator()(const at::Tensor& x, const Packing& packing, Pass& pass,
                          const at::Tensor& visible = {}) const;
    /// Projects a memory [tokens, d].
    Memory remember(const at::Tensor& memory, const Pass& pass) const;
    /// Attention of x [batch, tokens, d] to a memory.
    at::Tensor operator()(const at::Tensor& x, const Memory& memory, Pass& pass) const;

  private:
    at::Tensor project(const at::Tensor& x, std::int64_t first, std::int64_t count,
                       const Pass& pass) const;
};

}  // namespace hodo::nn
