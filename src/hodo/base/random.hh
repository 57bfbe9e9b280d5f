#pragma once
/// Counter-based random numbers: Philox4x32-10.
///
/// A stream is named by (seed, purpose, index). Draw number n of a stream depends on nothing but
/// those and n: not on threads, ranks, batch mates or what other streams did.
///
/// Reference: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

#include <array>
#include <cstdint>
#include <string_view>

namespace hodo::base {

/// Ten rounds of Philox4x32: 128 counter bits and 64 key bits to 128 random bits.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// The key of a stream: a 64-bit hash of (seed, purpose).
std::uint64_t stream_key(std::uint64_t seed, std::string_view purpose);

/// One stream of random numbers. A value type; copying copies the position. Not thread safe:
/// every thread makes its own with its own index.
class Random {
  public:
    Random(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0);

    /// A stream for a part of this stream's task; independent of this stream's position.
    Random child(std::string_view purpose, std::uint64_t index = 0) const;

    std::uint32_t bits32();
    std::uint64_t bits64();
    /// Uniform in [0, 1), 53 bits.
    double uniform();
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    /// Uniform integer in [0, bound); bound >= 1. Unbiased.
    std::uint64_t below(std::uint64_t bound);
    /// Standard normal (Box-Muller).
    double normal();
    /// Exponential of mean 1.
    double exponential();
    /// Poisson of the given mean >= 0.
    std::int64_t poisson(double mean);
    /// Gamma of the given shape > 0 and scale 1 (Marsaglia and Tsang 2000).
    double gamma(double shape);

    /// How many 128-bit blocks were drawn: with the constructor's arguments the whole state of a
    /// stream that is asked for at a block boundary; `seek` goes there.
    std::uint64_t position() const { return block_; }
    void seek(std::uint64_t block);

  private:
    Random(std::uint64_t key, std::uint64_t index, int);
    std::uint64_t key_;
    std::uint64_t index_;
    std::uint64_t block_ = 0;
    std::array<std::uint32_t, 4> words_{};
    int used_ = 4;
};

}  // namespace hodo::base
