#pragma once
/// Threads: OpenMP for kernels, few large sections; errors inside come out as one exception.

#include <cstdint>
#include <functional>

namespace hodo::base {

/// How many threads a parallel section uses; set once from `--threads` (default: all cores).
void set_threads(int count);
int threads();

/// From now on parallel sections that this thread starts run on it alone, LibTorch's included: for
/// threads that read data beside others that compute.
void use_this_thread_alone();

/// Runs `body(begin, end)` over a partition of [0, count) into at most `threads()` contiguous
/// parts of at least `grain`. Runs in the caller when one part is enough. The first exception of
/// any part is rethrown after all parts ended.
void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body);

}  // namespace hodo::base
