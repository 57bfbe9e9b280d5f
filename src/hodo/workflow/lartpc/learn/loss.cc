#include "hodo/workflow/lartpc/learn/loss.hh"

#include "hodo/base/error.hh"
#include "hodo/tensor/view.hh"

#include <cmath>

namespace hodo::lartpc {

namespace {

/// Which voxels DownsampleMSELoss compares one by one.
at::Tensor downsample_mse(const at::Tensor& y, const Truths& truths, const LossOptions& options) {
    HODO_CHECK(truths.cell.defined(),
               "DownsampleMSELoss needs the truth of coarse cells, which the data does not have; "
               "prepare xy files with Y_truth");
    const auto in_cell = truths.cell >= 0;
    const auto single = ((truths.target > 0) | in_cell.logical_not()).nonzero().reshape({-1});
    auto total = y.sum() * 0.0;
    if (single.numel() > 0) {
        total =
            total + at::mse_loss(y.index_select(0, single), truths.target.index_select(0, single));
    }
    if (truths.cell_charge.numel() == 0) return total;
    const auto rows = in_cell.nonzero().reshape({-1});
    const auto sums = at::zeros_like(truths.cell_charge)
                          .index_add(0, truths.cell.index_select(0, rows), y.index_select(0, rows));
    return total + options.weight * at::mse_loss(sums, truths.cell_charge);
}

void require_labels(const at::Tensor& labels, LossKind kind) {
    const auto low = labels.min().item<double>(), high = labels.max().item<double>();
    HODO_CHECK(low >= 0 && high <= 1,
               "{} compares probabilities with labels between 0 and 1, but a target is {:g}; set "
               "data.target to label",
               names(kind)[static_cast<std::size_t>(kind)], low < 0 ? low : high);
}

}  // namespace

bool is_binary(LossKind kind) {
    return needs_labels(kind) || kind == LossKind::charge_weighted_bce;
}

bool needs_labels(LossKind kind) {
    return kind == LossKind::bce || kind == LossKind::bce_l1 ||
           kind == LossKind::label_weighted_bce;
}

Truths truths_of(const VoxelBatch& batch, const at::Tensor& answers) {
    const auto move = [&](const at::Tensor& x, at::ScalarType type) {
        return x.to(answers.device(), type);
    };
    const auto floats = [&](const std::vector<float>& x) {
        return move(tensor::copy(std::span<const float>(x), {std::ssize(x)}),
                    answers.scalar_type());
    };
    Truths truths{floats(batch.targets), {}, {}};
    if (batch.cell.size() == batch.targets.size() && !batch.cell.empty()) {
        truths.cell =
            move(tensor::copy(std::span<const std::int32_t>(batch.cell), {std::ssize(batch.cell)}),
                 at::kLong);
        truths.cell_charge = floats(batch.cell_charge);
    }
    return truths;
}

at::Tensor loss(const at::Tensor& answers, const Truths& truths, const LossOptions& options) {
    const auto& t = truths.target;
    HODO_DOOR(answers.sizes() == t.sizes());
    // The loop keeps the batch of a loss that is not finite; cross entropy would throw first.
    const auto sum = answers.sum();
    if (answers.numel() == 0 || !std::isfinite(sum.item<double>())) return sum;
    if (needs_labels(options.name)) require_labels(t, options.name);
    switch (options.name) {
        case LossKind::bce:
            return at::binary_cross_entropy(answers, t);
        case LossKind::mse:
            return at::mse_loss(answers, t);
        case LossKind::bce_l1:
            return at::binary_cross_entropy(answers, t) + options.l1_lambda * answers.abs().mean();
        case LossKind::charge_weighted_bce: {
            const auto positive = t > 0;
            const auto weight = at::where(positive, t, at::full_like(t, options.negative_weight));
            return at::binary_cross_entropy(answers, positive.to(t.scalar_type()), weight);
        }
        case LossKind::label_weighted_bce: {
            const auto weight = at::ones_like(t).masked_fill(t == 1, options.positive_weight);
            return at::binary_cross_entropy(answers, t, weight);
        }
        case LossKind::downsample_mse:
            return downsample_mse(answers, truths, options);
        case LossKind::l1:
            return at::l1_loss(answers, t);
        case LossKind::smooth_l1:
            return at::smooth_l1_loss(answers, t, at::Reduction::Mean, options.beta);
        case LossKind::huber:
            return at::huber_loss(answers, t, at::Reduction::Mean, options.beta);
    }
    return {};
}

}  // namespace hodo::lartpc
