#pragma once
/// Numbers of tensors to floats and back.

#include "hodo/nn/kernels/tiles.hh"

namespace hodo::nn {
namespace {

/// A number in bfloat16: the upper half of a float.
struct Brain {
    std::uint16_t bits;
};

inline float to_float(float value) {
    return value;
}
inline float to_float(Brain value) {
    const std::uint32_t bits = std::uint32_t{value.bits} << 16;
    float result;
    __builtin_memcpy(&result, &bits, sizeof result);
    return result;
}
inline void from_float(float value, float& target) {
    target = value;
}
/// Rounds to nearest, ties to even; what is no number stays none.
inline void from_float(float value, Brain& target) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const std::uint32_t rounded = bits + 0x7FFFU + ((bits >> 16) & 1U);
    target.bits = static_cast<std::uint16_t>((value != value ? bits | 0x400000U : rounded) >> 16);
}

template <class Number>
inline const Number* place_of(ConstRows rows, std::int64_t row, std::int64_t column) {
    return static_cast<const Number*>(rows.data) + row * rows.stride + column;
}
template <class Number>
inline Number* place_of(Rows rows, std::int64_t row, std::int64_t column) {
    return static_cast<Number*>(rows.data) + row * rows.stride + column;
}

/// A block of a stored matrix: rows [row, row + rows), columns [column, column + columns).
struct Block {
    std::int64_t row, rows, column, columns;
};

/// target [rows, stride] = scale source; columns beyond the block's, up to `padded`, become zero.
template <class Number>
inline void read_block_of(ConstRows source, const Block& block, float scale, float* target,
                          std::int64_t stride, std::int64_t padded) {
    for (std::int64_t r = 0; r < block.rows; ++r) {
        const Number* from = place_of<Number>(source, block.row + r, block.column);
        float* to = target + r * stride;
        for (std::int64_t c = 0; c < block.columns; ++c) to[c] = to_float(from[c]) * scale;
        for (std::int64_t c = block.columns; c < padded; ++c) to[c] = 0.0F;
    }
}
inline void read_block(Storage storage, ConstRows source, const Block& block, float scale,
                       float* target, std::int64_t stride, std::int64_t padded) {
    if (storage == Storage::float32) {
        read_block_of<float>(source, block, scale, target, stride, padded);
    } else {
        read_block_of<Brain>(source, block, scale, target, stride, padded);
    }
}

/// A block of a stored matrix = scale source [rows, stride].
template <class Number>
inline void write_block_of(const float* source, std::int64_t stride, float scale, Rows target,
                           const Block& block) {
    for (std::int64_t r = 0; r < block.rows; ++r) {
        Number* to = place_of<Number>(target, block.row + r, block.column);
        for (std::int64_t c = 0; c < block.columns; ++c) {
            from_float(source[r * stride + c] * scale, to[c]);
        }
    }
}
inline void write_block(Storage storage, const float* source, std::int64_t stride, float scale,
                        Rows target, const Block& block) {
    if (storage == Storage::float32) {
        write_block_of<float>(source, stride, scale, target, block);
    } else {
        write_block_of<Brain>(source, stride, scale, target, block);
    }
}

void read_rows(Storage storage, ConstRows source, std::int64_t rows, std::int64_t columns,
               MatrixView target) {
    read_block(storage, source, {0, rows, 0, columns}, 1.0F, target.data, target.stride,
               round_up(columns, channel_multiple));
}
void write_rows(Storage storage, ConstMatrixView source, std::int64_t rows, std::int64_t columns,
                Rows target) {
    write_block(storage, source.data, source.stride, 1.0F, target, {0, rows, 0, columns});
}

}  // namespace
}  // namespace hodo::nn
