#include "hodo/sparse/kernel_order.hh"

#include "hodo/base/error.hh"

namespace hodo::sparse {

namespace {

at::Tensor chosen(const at::Tensor& weight, const std::vector<std::int64_t>& cells) {
    const auto count = static_cast<std::int64_t>(cells.size());
    if (count == 1) return weight;
    HODO_CHECK(weight.dim() >= 1 && weight.size(0) == count,
               "weights for {} kernel cells were expected, not for {}", count,
               weight.dim() == 0 ? 1 : weight.size(0));
    const auto index = at::tensor(cells, at::kLong);
    return at::index_select(weight, 0, index.to(weight.device()));
}

}  // namespace

std::vector<std::int64_t> cells_in(KernelOrder order, const Triple& size) {
    std::vector<std::int64_t> cells;
    for (std::int64_t x = 0; x < size[0]; ++x) {
        for (std::int64_t y = 0; y < size[1]; ++y) {
            for (std::int64_t z = 0; z < size[2]; ++z) {
                cells.push_back(order == KernelOrder::first_axis_fastest
                                    ? x + size[0] * (y + size[1] * z)
                                    : (x * size[1] + y) * size[2] + z);
            }
        }
    }
    return cells;
}

at::Tensor from_order(const at::Tensor& weight, KernelOrder order, const Triple& size) {
    return chosen(weight, cells_in(order, size));
}

at::Tensor to_order(const at::Tensor& weight, KernelOrder order, const Triple& size) {
    const auto cells = cells_in(order, size);
    std::vector<std::int64_t> inverse(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        inverse[static_cast<std::size_t>(cells[i])] = static_cast<std::int64_t>(i);
    }
    return chosen(weight, inverse);
}

}  // namespace hodo::sparse
