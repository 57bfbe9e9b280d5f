#include "hodo/workflow/lartpc/learn/metrics.hh"

namespace hodo::lartpc {

std::int64_t count_right(MetricKind kind, const at::Tensor& answers, const at::Tensor& target) {
    const auto answer = kind == MetricKind::binary_accuracy
                            ? (answers > 0.5).to(target.scalar_type())
                            : at::zeros_like(target);
    return (answer == target).sum().item<std::int64_t>();
}

}  // namespace hodo::lartpc
