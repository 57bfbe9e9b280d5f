#include "hodo/nn/dropout.hh"

#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/nn/device_kernels.hh"
#include "hodo/nn/kernels/residual.hh"

namespace hodo::nn {

std::uint32_t DropoutMask::threshold() const {
    return static_cast<std::uint32_t>(std::min(65535L, std::lround(65536.0 * probability)));
}

DropoutMask next_mask(Pass& pass, std::int64_t rows_per_entry) {
    return {pass.key, pass.step, pass.next_place(), pass.first_entry * rows_per_entry,
            pass.dropout};
}

MaskStream stream(const DropoutMask& mask, std::int64_t row) {
    if (mask.threshold() == 0) return {};
    return {{static_cast<std::uint32_t>(mask.key), static_cast<std::uint32_t>(mask.key >> 32)},
            mask.place,
            mask.step,
            static_cast<std::uint32_t>(mask.first_row + row),
            mask.threshold(),
            mask.scale()};
}

void fill_mask(const DropoutMask& mask, std::int64_t rows, std::int64_t columns,
               std::span<float> values) {
    HODO_DOOR(static_cast<std::int64_t>(values.size()) == rows * columns);
    HODO_DOOR(mask.first_row + rows <= (std::int64_t{1} << 32));
    if (mask.threshold() == 0) {
        std::fill(values.begin(), values.end(), mask.scale());
        return;
    }
    // A thread is worth waking for some tenths of a millisecond of work.
    const auto rows_per_thread =
        std::max<std::int64_t>(16, 1'000'000 / std::max<std::int64_t>(1, columns));
    base::parallel_for(rows, rows_per_thread, [&](std::int64_t begin, std::int64_t end) {
        row_kernels().fill_mask(stream(mask, begin), end - begin, columns,
                                values.data() + begin * columns);
    });
}

DropoutMask DropoutMask::of_sequence(std::int64_t sequence) const {
    auto mask = *this;
    mask.key += 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(sequence);
    mask.first_row = 0;
    return mask;
}

at::Tensor drop_weights(const at::Tensor& weights, const DropoutMask& mask, std::int64_t first) {
    HODO_DOOR(weights.dim() == 4);
    const auto heads = weights.size(1), queries = weights.size(2), columns = weights.size(3);
    const auto rows = heads * queries;
    const auto factors = at::empty({weights.size(0), queries, heads, columns},
                                   at::TensorOptions().dtype(at::kFloat));
    const auto size = static_cast<std::size_t>(rows * columns);
    for (std::int64_t s = 0; s < weights.size(0); ++s) {
        fill_mask(mask.of_sequence(first + s), rows, columns,
                  {factors.data_ptr<float>() + s * rows * columns, size});
    }
    return weights * factors.transpose(1, 2).to(weights.options());
}

at::Tensor dropout(const at::Tensor& x, Pass& pass) {
    if (!pass.drops()) return x;
    if (pass.engine == Engine::as_written) return at::dropout(x, pass.dropout, true);
    HODO_DOOR(x.dim() >= 2);
    const auto entries = x.size(0);
    const auto columns = x.size(-1);
    const auto rows_per_entry = entries == 0 ? 0 : x.numel() / columns / entries;
    const auto mask = next_mask(pass, rows_per_entry);
    if (x.is_cuda() && device_kernels() != nullptr) {
        const c10::DeviceGuard here(x.device());
        const auto factors = at::empty(x.sizes(), x.options().dtype(at::kFloat));
        device_kernels()->fill_mask(stream(mask), entries * rows_per_entry, columns,
                                    factors.data_ptr<float>());
        return x * factors.to(x.scalar_type());
    }
    at::Tensor values = at::empty(x.sizes(), at::TensorOptions().dtype(at::kFloat));
    fill_mask(mask, entries * rows_per_entry, columns,
              {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
    return x * values.to(x.options());
}

}  // namespace hodo::nn
