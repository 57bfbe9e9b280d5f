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

/// Sets the dropped ones of a row of numbers (a multiple of the channel multiple) to zero.
inline void drop_row(const MaskRounds& m, std::uint32_t row, float* values, std::int64_t count) {
    const RowTerms terms = mask_row(m, row);
    for (std::int64_t first = 0; first < count; first += mask_columns) {
        const MaskColumns columns(m, static_cast<std::uint32_t>(first / 8));
        keep_in_row(kept_in_row(m, columns, terms), values + first,
                    smaller(mask_columns, count - first));
    }
}

void fill_mask(const MaskStream& mask, std::int64_t rows, std::int64_t columns, float* values) {
    const MaskRounds m(mask);
    for (std::int64_t first = 0; first < columns; first += mask_columns) {
        const MaskColumns here(m, static_cast<std::uint32_t>(first / 8));
        const std::int64_t count = smaller(mask_columns, columns - first);
        for (std::int64_t row = 0; row < rows; ++row) {
            const auto number = mask.first_row + static_cast<std::uint32_t>(row);
            const std::uint64_t bits = kept_in_row(m, here, mask_row(m, number));
            float* target = values + row * columns + first;
            std::int64_t c = 0;
            for (; c + width <= count; c += width) {
                store(target + c, keep(bits_of_lanes(bits, c), spread(mask.scale)));
            }
            for (; c < count; ++c) target[c] = (bits >> c & 1U) != 0 ? mask.scale : 0.0F;
        }
    }
}

void residual(const ResidualTask& task) {
    const std::int64_t channels = task.channels;
    const float per_channel = 1.0F / static_cast<float>(channels);
    const MaskRounds rounds(task.mask);
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const float* x = task.x + row * channels;
        const float* change = task.change + row * channels;
        float* normal = task.normal + row * channels;
        for (std::int64_t c = 0; c < channels; c += width) store(normal + c, load(change + c));
        if (task.mask.threshold != 0) {
            drop_row(rounds, task.mask.first_row + static_cast<std::uint32_t>(row), normal,
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
    const MaskRounds rounds(task.mask);
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
        drop_row(rounds, task.mask.first_row + static_cast<std::uint32_t>(row), grad_change,
                 channels);
    }
}

}  // namespace
}  // namespace hodo::nn
