#pragma once
/// Products of float32 matrices by the tile registers of AMX, which multiply bfloat16.
///
/// A float32 has 24 significant bits, so it is exactly the sum of three numbers of 8 bits: high,
/// middle and low. Of the nine products of parts the six largest are made, smallest first; those
/// left out are below 2^-22 of the product. Sums are float32, as everywhere else.
///
/// Everything here works on bricks: 32 rows of 32 numbers, in three parts of two tiles of 16 rows
/// and 64 bytes each. A row holds numbers k and 16 + k beside each other, as pairs. On the right
/// side of a product a brick is 32 inputs of 32 outputs: tile t has the outputs 16 t ... 16 t + 15,
/// its row k the inputs k and 16 + k. Both sides agree on the order of the inputs.

#if defined(__AMX_BF16__)

#include "hodo/nn/kernels/tiles.hh"

namespace hodo::nn {
namespace {

constexpr std::int64_t brick_side = 32;
constexpr std::int64_t tile_words = 16 * 16;  // 32-bit words of a tile
constexpr std::int64_t part_words = 2 * tile_words, brick_words = 3 * part_words;
static_assert(panel_width == brick_side && width == 16);

/// Turns the tile registers on for a scope: eight tiles of 16 rows of 64 bytes.
class TileScope {
  public:
    TileScope() {
        struct alignas(64) {
            std::uint8_t palette = 1, start = 0, none[14] = {};
            std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
            std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
        } shapes;
        asm volatile("ldtilecfg %0" : : "m"(shapes));
    }
    ~TileScope() { asm volatile("tilerelease"); }
    TileScope(const TileScope&) = delete;
    TileScope& operator=(const TileScope&) = delete;
};

// Tile registers have no type in C++; the clobbers keep loads behind the stores they read.
template <int tile>
inline void load_tile(const void* first, std::int64_t row_bytes) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2"
                 :
                 : "r"(first), "r"(row_bytes), "i"(tile)
                 : "memory");
}
template <int tile>
inline void store_tile(void* first, std::int64_t row_bytes) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)"
                 :
                 : "r"(first), "r"(row_bytes), "i"(tile)
                 : "memory");
}
template <int tile>
inline void clear_tile() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
}
/// sum += left right
template <int sum, int left, int right>
inline void multiply_tiles() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(left), "i"(right));
}

/// The three parts of two vectors as pairs of bfloat16, `part_words` words apart.
inline void split_pair(Lanes a, Lanes b, std::uint32_t* parts) {
    const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF0000U));
    const auto pairs = [&](Lanes low, Lanes high) {
        const __m512i shifted = _mm512_srli_epi32(_mm512_castps_si512(low.v), 16);
        // (high & upper) | shifted
        return _mm512_ternarylogic_epi32(_mm512_castps_si512(high.v), upper, shifted, 0xEA);
    };
    const auto rest = [&](Lanes x) {
        const __m512i bits = _mm512_and_si512(_mm512_castps_si512(x.v), upper);
        return Lanes{_mm512_sub_ps(x.v, _mm512_castsi512_ps(bits))};
    };
    _mm512_store_si512(parts, pairs(a, b));
    const Lanes middle_a = rest(a), middle_b = rest(b);
    _mm512_store_si512(parts + part_words, pairs(middle_a, middle_b));
    _mm512_store_si512(parts + 2 * part_words, pairs(rest(middle_a), rest(middle_b)));
}

/// The brick of up to 32 rows of 32 numbers, as the left side of a product.
inline void make_left_brick(const float* rows, std::int64_t stride, std::int64_t count,
                            std::uint32_t* brick) {
    for (std::int64_t r = 0; r < brick_side; ++r) {
        const bool is_there = r < count;
        const float* row = rows + (is_there ? r : 0) * stride;
        const Lanes none = spread(0.0F);
        split_pair(is_there ? load(row) : none, is_there ? load(row + 16) : none, brick + 16 * r);
    }
}

/// The brick of up to 32 inputs of a panel, as the right side of a product.
inline void make_right_brick(const float* panel, std::int64_t inputs, std::uint32_t* brick) {
    const auto row = [&](std::int64_t input, std::int64_t tile) {
        return input < inputs ? load(panel + input * panel_width + 16 * tile) : spread(0.0F);
    };
    for (std::int64_t tile = 0; tile < 2; ++tile) {
        for (std::int64_t k = 0; k < 16; ++k) {
            split_pair(row(k, tile), row(16 + k, tile), brick + tile * tile_words + 16 * k);
        }
    }
}

/// Tile registers: 0 to 3 sums of row tile r and column tile c at 2 r + c; 4 and 5 the left side,
/// 6 and 7 the right side.
template <int tile>
inline void load_half(const std::uint32_t* brick, std::int64_t part) {
    load_tile<tile>(brick + part * part_words, 64);
    load_tile<tile + 1>(brick + part * part_words + tile_words, 64);
}
inline void multiply_halves() {
    multiply_tiles<0, 4, 6>();
    multiply_tiles<1, 4, 7>();
    multiply_tiles<2, 5, 6>();
    multiply_tiles<3, 5, 7>();
}

/// Adds the product of two bricks to the sums; `between` is called six times, for work of the
/// vector units while the tiles are busy.
template <class Between>
inline void add_product(const std::uint32_t* left, const std::uint32_t* right, Between between) {
    load_half<4>(left, 0);
    load_half<6>(right, 2);
    multiply_halves();
    between();
    load_half<6>(right, 1);
    multiply_halves();
    between();
    load_half<4>(left, 1);
    multiply_halves();
    between();
    load_half<6>(right, 0);
    multiply_halves();
    between();
    load_half<4>(left, 2);
    multiply_halves();
    between();
    load_half<4>(left, 0);
    multiply_halves();
    between();
}

inline void clear_sums() {
    clear_tile<0>(), clear_tile<1>(), clear_tile<2>(), clear_tile<3>();
}
/// Sums begin with a row of 32 numbers, the same for all rows.
inline void begin_sums(const float* row) {
    load_tile<0>(row, 0), load_tile<1>(row + 16, 0);
    load_tile<2>(row, 0), load_tile<3>(row + 16, 0);
}
/// Sums to a matrix [32, stride].
inline void store_sums(float* target, std::int64_t stride) {
    const auto bytes = stride * static_cast<std::int64_t>(sizeof(float));
    store_tile<0>(target, bytes), store_tile<1>(target + 16, bytes);
    store_tile<2>(target + 16 * stride, bytes), store_tile<3>(target + 16 * stride + 16, bytes);
}

}  // namespace
}  // namespace hodo::nn

#endif
