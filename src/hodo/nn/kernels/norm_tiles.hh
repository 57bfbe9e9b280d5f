#pragma once
/// Layer normalisation of one vector level.

#include "hodo/nn/kernels/tiles.hh"

namespace hodo::nn {
namespace {

void add_norm(MatrixView x, ConstMatrixView change, std::int64_t rows, std::int64_t channels,
              const float* scale, const float* shift) {
    const std::int64_t padded = round_up(channels, channel_multiple);
    const float per_channel = 1.0F / static_cast<float>(channels);
    for (std::int64_t row = 0; row < rows; ++row) {
        float* out = x.data + row * x.stride;
        const float* delta = change.data + row * change.stride;
        Lanes total = spread(0.0F);
        for (std::int64_t c = 0; c < padded; c += width) {
            const Lanes value = load(out + c) + load(delta + c);
            store(out + c, value);
            total = total + value;
        }
        const float mean = sum_lanes(total) * per_channel;
        Lanes squares = spread(0.0F);
        for (std::int64_t c = 0; c < padded; c += width) {
            const Lanes centred = load(out + c) - spread(mean);
            store(out + c, centred);
            if (c + width > channels) {
                for (std::int64_t i = channels > c ? channels : c; i < c + width; ++i) out[i] = 0;
            }
            squares = multiply_add(load(out + c), load(out + c), squares);
        }
        const float variance = sum_lanes(squares) * per_channel;
        const Lanes factor = spread(1.0F / __builtin_sqrtf(variance + 1e-5F));
        for (std::int64_t c = 0; c < padded; c += width) {
            store(out + c, multiply_add(load(out + c) * factor, load(scale + c), load(shift + c)));
        }
    }
}

}  // namespace
}  // namespace hodo::nn
