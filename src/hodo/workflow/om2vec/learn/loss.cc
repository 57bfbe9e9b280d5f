#include "hodo/workflow/om2vec/learn/loss.hh"

#include <algorithm>
#include <cmath>

namespace hodo::om2vec {

namespace {

constexpr double rate_floor = 1e-8;

/// Softmax over the bins at the batch's entries, [entries] double.
at::Tensor probability_at_entries(const at::Tensor& logits, const Batch& batch) {
    const auto p = at::softmax(logits, -1).reshape({-1});
    return p.index_select(0, batch.row * batch.bins + batch.bin).to(at::kDouble);
}

/// Sums entries [entries] to modules.
at::Tensor sum_by_module(const at::Tensor& values, const Batch& batch) {
    return at::zeros({batch.modules}, batch.count.options()).index_add(0, batch.row, values);
}

}  // namespace

at::Tensor negative_log_likelihood(const at::Tensor& logits, const Batch& batch) {
    const auto expected =
        probability_at_entries(logits, batch) * batch.total.index_select(0, batch.row);
    const auto log_rate = batch.count * at::log(expected + rate_floor);
    return batch.total + batch.log_factorials - sum_by_module(log_rate, batch);
}

at::Tensor kl_divergence(const Latent& latent) {
    const auto mean = latent.mean.to(at::kDouble);
    const auto log_variance = latent.log_variance.to(at::kDouble);
    return ((mean * mean + at::exp(log_variance) - 1.0 - log_variance) * 0.5).sum(-1);
}

Loss loss(const Output& output, const Batch& batch, double beta, KlReduction reduction) {
    const auto modules = static_cast<double>(std::max<std::int64_t>(batch.modules, 1));
    Loss result;
    result.nll = negative_log_likelihood(output.logits, batch);
    result.reconstruction = result.nll.sum() / modules;
    result.kl = kl_divergence(output.latent).sum();
    if (reduction == KlReduction::mean) result.kl = result.kl / modules;
    result.total = result.reconstruction + beta * result.kl;
    return result;
}

at::Tensor jensen_shannon_distance(const at::Tensor& logits, const Batch& batch) {
    // Bins without photons add Q/2 ln 2 each, so their sum needs only the entries.
    const auto p = batch.count / batch.total.index_select(0, batch.row);
    const auto q = probability_at_entries(logits.to(at::kDouble), batch);
    const auto m = (p + q) * 0.5;
    const auto terms = at::xlogy(p, p / m) + at::xlogy(q, q / m);
    const auto elsewhere = (1.0 - sum_by_module(q, batch)) * std::log(2.0);
    const auto divergence = 0.5 * (sum_by_module(terms, batch) + elsewhere);
    const auto distance = at::sqrt(at::clamp_min(divergence, 0.0));
    return at::where(batch.total > 0.0, distance, at::full_like(distance, std::nan("")));
}

}  // namespace hodo::om2vec
