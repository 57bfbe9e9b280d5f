#include <cmath>
#include <vector>

#include "hodo/base/random.hh"
#include "hodo/nn/kernels/residual.hh"

// The row kernels as one would write them on a blackboard.

namespace hodo::nn {

namespace {

/// 0 or the mask's scale.
float mask_factor(const MaskStream& mask, std::int64_t row, std::int64_t column) {
    if (mask.threshold == 0) return mask.scale;
    const auto block =
        base::philox4x32({static_cast<std::uint32_t>(column / 8),
                          mask.first_row + static_cast<std::uint32_t>(row), mask.place, mask.step},
                         {mask.key[0], mask.key[1]});
    const auto pair = block[static_cast<std::size_t>(column % 8 / 2)];
    const std::uint32_t word = column % 2 == 0 ? pair & 0xffffU : pair >> 16;
    return word < mask.threshold ? 0.0F : mask.scale;
}

void fill_mask(const MaskStream& mask, std::int64_t rows, std::int64_t columns, float* values) {
    for (std::int64_t i = 0; i < rows * columns; ++i) {
        values[i] = mask_factor(mask, i / columns, i % columns);
    }
}

void residual(const ResidualTask& task) {
    const auto channels = task.channels;
    std::vector<double> sum(static_cast<std::size_t>(channels));
    for (std::int64_t row = 0; row < task.rows; ++row) {
        double mean = 0, variance = 0;
        for (std::int64_t c = 0; c < channels; ++c) {
            const auto i = row * channels + c;
            const auto kept = static_cast<double>(mask_factor(task.mask, row, c));
            auto& s = sum[static_cast<std::size_t>(c)];
            s = static_cast<double>(task.x[i]) + static_cast<double>(task.change[i]) * kept;
            mean += s / static_cast<double>(channels);
        }
        for (const double s : sum) {
            variance += (s - mean) * (s - mean) / static_cast<double>(channels);
        }
        const double factor = 1 / std::sqrt(variance + 1e-5);
        task.factor[row] = static_cast<float>(factor);
        for (std::int64_t c = 0; c < channels; ++c) {
            const auto i = row * channels + c;
            const double normal = (sum[static_cast<std::size_t>(c)] - mean) * factor;
            task.normal[i] = static_cast<float>(normal);
            task.y[i] = static_cast<float>(normal * static_cast<double>(task.scale[c]) +
                                           static_cast<double>(task.shift[c]));
        }
    }
}

void residual_gradient(const ResidualGradient& task) {
    const auto channels = task.channels;
    for (std::int64_t row = 0; row < task.rows; ++row) {
        double mean = 0, slope = 0;
        for (std::int64_t c = 0; c < channels; ++c) {
            const auto i = row * channels + c;
            const double g = task.grad_y[i], n = task.normal[i], scale = task.scale[c];
            mean += g * scale / static_cast<double>(channels);
            slope += g * scale * n / static_cast<double>(channels);
            task.grad_scale[c] += task.grad_y[i] * task.normal[i];
            task.grad_shift[c] += task.grad_y[i];
        }
        for (std::int64_t c = 0; c < channels; ++c) {
            const auto i = row * channels + c;
            const double g = task.grad_y[i], n = task.normal[i], scale = task.scale[c];
            const double gradient =
                static_cast<double>(task.factor[row]) * (g * scale - mean - n * slope);
            task.grad_x[i] = static_cast<float>(gradient);
            if (task.grad_change == nullptr) continue;
            task.grad_change[i] =
                static_cast<float>(gradient * static_cast<double>(mask_factor(task.mask, row, c)));
        }
    }
}

}  // namespace

const RowKernels reference_row_kernels{"reference", fill_mask, residual, residual_gradient};

std::span<const RowKernels* const> available_row_kernels() {
    static const auto found = [] {
        std::vector<const RowKernels*> kernels;
        for (const auto* level : available_kernels()) {
            for (const auto* rows : {&reference_row_kernels, &portable_row_kernels,
                                     &avx2_row_kernels, &avx512_row_kernels}) {
                if (rows->name == level->name) kernels.push_back(rows);
            }
        }
        return kernels;
    }();
    return found;
}

const RowKernels& row_kernels() {
    return *available_row_kernels().back();
}

}  // namespace hodo::nn
