#pragma once
/// Row kernels of one vector level; see residual.hh.

#include "hodo/nn/kernels/residual.hh"

// Of the tiles only the masks and lanes are needed here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "hodo/nn/kernels/mask_tiles.hh"
#pragma GCC diagnostic pop

namespace hodo::nn {
namespace {

constexpr std::int64_t mask_block = 256;  // columns drawn at a time

void fill_mask(const MaskStream& mask, std::int64_t rows, std::int64_t columns, float* values) {
    alignas(64) float block[mask_block];
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t first = 0; first < columns; first += mask_block) {
            const std::int64_t count = smaller(mask_block, columns - first);
            for (std::int64_t c = 0; c < mask_block; c += width) {
                store(block + c, spread(mask.scale));
            }
            drop_in_row(mask, static_cast<std::uint32_t>(first / 8),
                        mask.first_row + static_cast<std::uint32_t>(row), block,
                        round_up(count, 8));
            __builtin_memcpy(values + row * columns + first, block,
                             static_cast<unsigned long>(count) * sizeof(float));
        }
    }
}

void residual(const ResidualTask& task) {
    const std::int64_t channels = task.channels;
    const float per_channel = 1.0F / static_cast<float>(channels);
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const float* x = task.x + row * channels;
        const float* change = task.change + row * channels;
        float* normal = task.normal + row * channels;
        for (std::int64_t c = 0; c < channels; c += width) store(normal + c, load(change + c));
        if (task.mask.threshold != 0) {
            drop_in_row(task.mask, 0, task.mask.first_row + static_cast<std::uint32_t>(row), normal,
                        channels);
        }
        Lanes total = spread(0.0F), squares = spread(0.0F);
        for (std::int64_t c = 0; c < channels; c += width) {
            const Lanes sum = multiply_add(load(normal + c), spread(task.mask.scale), load(x + c));
            store(normal + c, sum);
            total = total + sum;
        }
        const Lanes mean = spread(sum_lanes(total) * per_channel);
        for (std::int64_t c = 0; c < channels; c += width) {
            const Lanes centred = load(normal + c) - mean;
            squares = multiply_add(centred, centred, squares);
        }
        const float factor = 1.0F / __builtin_sqrtf(sum_lanes(squares) * per_channel + 1e-5F);
        task.factor[row] = factor;
        for (std::int64_t c = 0; c < channels; c += width) {
            const Lanes value = (load(normal + c) - mean) * spread(factor);
            store(normal + c, value);
            store(task.y + row * channels + c,
                  multiply_add(value, load(task.scale + c), load(task.shift + c)));
        }
    }
}

void residual_gradient(const ResidualGradient& task) {
    const std::int64_t channels = task.channels;
    const float per_channel = 1.0F / static_cast<float>(channels);
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const float* gradient = task.grad_y + row * channels;
        const float* normal = task.normal + row * channels;
        Lanes total = spread(0.0F), along = spread(0.0F);
        for (std::int64_t c = 0; c < channels; c += width) {
            const Lanes g = load(gradient + c), n = load(normal + c);
            const Lanes scaled = g * load(task.scale + c);
            total = total + scaled;
            along = multiply_add(scaled, n, along);
            store(task.grad_scale + c, multiply_add(g, n, load(task.grad_scale + c)));
            store(task.grad_shift + c, g + load(task.grad_shift + c));
        }
        const Lanes mean = spread(sum_lanes(total) * per_channel);
        const Lanes slope = spread(sum_lanes(along) * per_channel);
        const Lanes factor = spread(task.factor[row]);
        float* grad_x = task.grad_x + row * channels;
        float* grad_change =
            task.grad_change == nullptr ? nullptr : task.grad_change + row * channels;
        for (std::int64_t c = 0; c < channels; c += width) {
            const Lanes scaled = load(gradient + c) * load(task.scale + c);
            const Lanes value = factor * (scaled - mean - load(normal + c) * slope);
            store(grad_x + c, value);
            if (grad_change != nullptr) store(grad_change + c, value * spread(task.mask.scale));
        }
        if (grad_change == nullptr || task.mask.threshold == 0) continue;
        drop_in_row(task.mask, 0, task.mask.first_row + static_cast<std::uint32_t>(row),
                    grad_change, channels);
    }
}

}  // namespace
}  // namespace hodo::nn
