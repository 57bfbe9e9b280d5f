#pragma once
/// Random damage for readers of foreign files: every damaged copy gives an error or values.

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace hodo::test {

/// Reads `trials` copies of `content`, each with one to four bytes changed at random; returns how
/// many of them `read` refused with a `base::Error`. Any other exception goes to the caller.
template <class Read>
int refusals_of_damaged_copies(std::string_view content, int trials, base::Random& random,
                               Read read) {
    int refused = 0;
    for (int trial = 0; trial < trials; ++trial) {
        std::string damaged(content);
        for (std::uint64_t flips = 1 + random.below(4); flips > 0; --flips) {
            damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
        }
        try {
            read(damaged);
        } catch (const base::Error&) {
            ++refused;
        }
    }
    return refused;
}

}  // namespace hodo::test
