#pragma once
/// Weights made from names: the rule behind the golden files of om2vec, exact in float32 and
/// bfloat16.
///
///   h = fnv1a(name) xor seed;  for the flat row-major index i, modulo 2^64:
///   z = h + i 0x9E3779B97F4A7C15;  z = (z ^ z>>30) 0xBF58476D1CE4E5B9;
///   z = (z ^ z>>27) 0x94D049BB133111EB;  z = z ^ z>>31;  k = z >> 60;  u = (2k - 15)/16
///
///   mem_embedding: u;  weight of a layer norm (".norm" in its name): 1 + u/8;  other vectors: u/16
///   other weights: u 2^-floor(log2(in)/2 + 1/2), in = size of the last dimension

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hodo::test {

std::vector<float> hash_weights(std::string_view name, std::span<const std::int64_t> shape,
                                std::uint64_t seed);

}  // namespace hodo::test
