#include "support/hash_weights.hh"

#include <cmath>

#include "hodo/base/text.hh"

namespace hodo::test {

namespace {

double unit(std::uint64_t hash, std::uint64_t index) {
    std::uint64_t z = hash + index * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z = z ^ (z >> 31);
    return (2.0 * static_cast<double>(z >> 60) - 15.0) / 16.0;
}

}  // namespace

std::vector<float> hash_weights(std::string_view name, std::span<const std::int64_t> shape,
                                std::uint64_t seed) {
    const std::uint64_t hash = base::fnv1a(name) ^ seed;
    const bool is_norm_weight =
        name.find(".norm") != std::string_view::npos && name.ends_with(".weight");
    double offset = 0.0, factor = 1.0 / 16.0;
    if (name == "mem_embedding") {
        factor = 1.0;
    } else if (is_norm_weight) {
        offset = 1.0;
        factor = 1.0 / 8.0;
    } else if (shape.size() > 1) {
        const auto in = static_cast<double>(shape.back());
        factor = std::exp2(-std::floor(0.5 * std::log2(in) + 0.5));
    }
    std::int64_t size = 1;
    for (const auto length : shape) size *= length;
    std::vector<float> values(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(offset + factor * unit(hash, i));
    }
    return values;
}

}  // namespace hodo::test
