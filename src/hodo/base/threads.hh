#pragma once
/// Threads: few large sections, shared among the caller and a pool of workers.
///
/// Caller and workers each have a piece of a section's range of their own, the same of every range,
/// so that they find in their cores' caches what they wrote in the section before. They take it
/// part by part, and then parts of what others have left. The caller works too and never waits for
/// a worker that has not begun: on a machine whose other cores are busy it does everything itself.
/// At the end it waits only for parts that are being worked on; a kind of section in which such
/// waiting takes longer than sharing saves is not shared for a while. Workers keep off their
/// caller's core and let other programs have their own once a millisecond, between two parts.
/// Without work they look for some for a millisecond and then sleep. They are made when first
/// needed and live as long as the process.
///
/// Errors inside a section come out as one exception.

#include <cstdint>
#include <functional>
#include <span>

namespace hodo::base {

/// How many threads a parallel section uses; set once from `--threads` (default: all cores).
void set_threads(int count);
int threads();

/// From now on parallel sections that this thread starts run on it alone, LibTorch's included: for
/// threads that read data beside others that compute. The pool's workers are such threads.
void use_this_thread_alone();

/// Runs `body(begin, end)` over a partition of [0, count) into contiguous parts of at least
/// `grain`: one part when one thread works, else large ones at first and small ones at the end, so
/// that a slow thread does not keep the others waiting. Which thread takes which part, and when, is
/// left to chance, and how the range is cut depends on the number of threads: a body must write the
/// same numbers however its range is cut, and parts must not wait for one another.
///
/// May be called from several threads at once; inside a part it runs in one part on the same
/// thread. While a part runs, LibTorch's operators in it use one thread.
///
/// After an exception no parts behind the one that failed are begun. When the others have ended,
/// the exception of the first one in the order of the range is rethrown.
void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body);

/// A range and what is to be done with it, as `parallel_for` takes them.
struct Work {
    std::int64_t count = 0, grain = 1;
    std::function<void(std::int64_t begin, std::int64_t end)> body;
};

/// Several ranges in one section, each cut as if it were alone; their parts are handed out in the
/// order given and work at the same time. Short parts that come last fill the end of long ones.
void parallel_for(std::span<const Work> works);
inline void parallel_for(const Work& work) {
    parallel_for(work.count, work.grain, work.body);
}

}  // namespace hodo::base
