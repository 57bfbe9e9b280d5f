#pragma once
/// What training minimises, and how a reconstruction is judged.
///
/// With integer (or weighted) counts n_k of a module, N = sum of n_k, p = softmax(logits):
///
///   nll  = -sum_k [n_k ln(N p_k + 1e-8) - N p_k - lgamma(n_k + 1)]     per module
///   kl   = -1/2 sum_l (1 + logvar_l - mean_l^2 - exp(logvar_l))         per module, >= 0
///   loss = mean of nll + beta kl, kl summed (`sum`) or averaged (`mean`) over the batch
///
/// Only bins with n_k > 0 contribute to the first and last term, and sum_k N p_k = N. The original
/// uses `sum`, so its weight of kl per module is beta times the batch size; `mean` with
/// beta_mean = beta_sum * batch is the same loss.

#include "hodo/workflow/om2vec/beta_schedule.hh"
#include "hodo/workflow/om2vec/learn/model.hh"

namespace hodo::om2vec {

struct Loss {
    at::Tensor total;           ///< Scalar, double; differentiable.
    at::Tensor reconstruction;  ///< Scalar: mean of `nll`, 0 for an empty batch.
    at::Tensor kl;              ///< Scalar: reduced as asked.
    at::Tensor nll;             ///< [modules]
};

Loss loss(const Output& output, const Batch& batch, double beta, KlReduction reduction);

/// Poisson-like negative log likelihood of each module, [modules] double, from logits.
at::Tensor negative_log_likelihood(const at::Tensor& logits, const Batch& batch);

/// Divergence from the standard normal prior of each module, [modules] double.
at::Tensor kl_divergence(const Latent& latent);

/// Jensen-Shannon distance sqrt(KL(P||M)/2 + KL(Q||M)/2), M = (P + Q)/2, natural logarithm, between
/// each module's normalised counts P and softmax(logits) Q: in [0, sqrt(ln 2)]; NaN for a module
/// without photons. [modules] double.
at::Tensor jensen_shannon_distance(const at::Tensor& logits, const Batch& batch);

}  // namespace hodo::om2vec
