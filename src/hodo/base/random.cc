#include "hodo/base/random.hh"

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

#include <cmath>
#include <numbers>

namespace hodo::base {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
    // Multipliers and Weyl constants of the reference (table 2).
    constexpr std::uint64_t multiplier0 = 0xD2511F53, multiplier1 = 0xCD9E8D57;
    constexpr std::uint32_t weyl0 = 0x9E3779B9, weyl1 = 0xBB67AE85;
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t product0 = multiplier0 * counter[0];
        const std::uint64_t product1 = multiplier1 * counter[2];
        counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
                   static_cast<std::uint32_t>(product1),
                   static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
                   static_cast<std::uint32_t>(product0)};
        key[0] += weyl0;
        key[1] += weyl1;
    }
    return counter;
}

namespace {

/// Finalizer of splitmix64: a bijection whose output bits all depend on all input bits.
std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

}  // namespace

std::uint64_t stream_key(std::uint64_t seed, std::string_view purpose) {
    return mix(mix(seed + 0x9E3779B97F4A7C15ULL) ^ fnv1a(purpose));
}

Random::Random(std::uint64_t seed, std::string_view purpose, std::uint64_t index)
    : Random(stream_key(seed, purpose), index, 0) {}

Random::Random(std::uint64_t key, std::uint64_t index, int) : key_(key), index_(index) {}

Random Random::child(std::string_view purpose, std::uint64_t index) const {
    return Random(stream_key(mix(key_ ^ mix(index_ + 1)), purpose), index, 0);
}

std::uint32_t Random::bits32() {
    if (used_ == 4) {
        const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
        const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
        words_ = philox4x32({low(block_), high(block_), low(index_), high(index_)},
                            {low(key_), high(key_)});
        ++block_;
        used_ = 0;
    }
    return words_[static_cast<std::size_t>(used_++)];
}

std::uint64_t Random::bits64() {
    const std::uint64_t low = bits32();
    return low | (static_cast<std::uint64_t>(bits32()) << 32);
}

double Random::uniform() {
    return static_cast<double>(bits64() >> 11) * 0x1p-53;
}

std::uint64_t Random::below(std::uint64_t bound) {
    HODO_EXPECT(bound >= 1);
    const std::uint64_t biased = (0 - bound) % bound;  // 2^64 mod bound
    while (true) {
        const auto bits = bits64();
        if (bits >= biased) return bits % bound;
    }
}

double Random::normal() {
    const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double Random::exponential() {
    return -std::log1p(-uniform());
}

std::int64_t Random::poisson(double mean) {
    HODO_EXPECT(mean >= 0);
    if (mean < 30.0) {  // Knuth's product of uniforms: exact, cost grows with the mean.
        const double limit = std::exp(-mean);
        std::int64_t count = 0;
        for (double product = uniform(); product > limit; product *= uniform()) ++count;
        return count;
    }
    // The gamma reduction of Ahrens and Dieter (1974): the time of the m-th arrival is a gamma
    // number; before it there are m-1 arrivals, or it lies beyond and they are binomial.
    const auto m = static_cast<std::int64_t>(mean * 7.0 / 8.0);
    const double arrival = gamma(static_cast<double>(m));
    if (arrival <= mean) return m + poisson(mean - arrival);
    std::int64_t count = 0;
    const double fraction = mean / arrival;
    for (std::int64_t i = 0; i < m - 1; ++i) count += uniform() < fraction ? 1 : 0;
    return count;
}

double Random::gamma(double shape) {
    HODO_EXPECT(shape > 0);
    if (shape < 1.0) {
        const double boosted = gamma(shape + 1.0);
        return boosted * std::pow(1.0 - uniform(), 1.0 / shape);
    }
    const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
    while (true) {
        const double x = normal(), cube_root = 1.0 + c * x;
        if (cube_root <= 0) continue;
        const double v = cube_root * cube_root * cube_root;
        if (std::log1p(-uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
}

void Random::seek(std::uint64_t block) {
    block_ = block;
    used_ = 4;
}

}  // namespace hodo::base
