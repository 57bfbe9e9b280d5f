#pragma once
/// bfloat16 for kernels that run on the CPU.

#include <cstdint>
#include <cstring>

struct __nv_bfloat16 {
    std::uint16_t bits;
};
inline float __bfloat162float(__nv_bfloat16 value) {
    const std::uint32_t wide = std::uint32_t{value.bits} << 16;
    float number = 0.0F;
    std::memcpy(&number, &wide, sizeof number);
    return number;
}
inline __nv_bfloat16 __float2bfloat16_rn(float number) {
    std::uint32_t wide = 0;
    std::memcpy(&wide, &number, sizeof wide);
    wide += 0x7fffU + (wide >> 16 & 1U);
    return {static_cast<std::uint16_t>(wide >> 16)};
}
