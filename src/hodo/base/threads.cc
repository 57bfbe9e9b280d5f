#include "hodo/base/threads.hh"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include <omp.h>

namespace hodo::base {

namespace {
std::atomic<int> thread_count{0};
thread_local bool alone = false;
}  // namespace

void set_threads(int count) {
    thread_count = std::max(1, count);
    omp_set_num_threads(std::max(1, count));
}

int threads() {
    const int count = thread_count;
    return count > 0 ? count : omp_get_num_procs();
}

void use_this_thread_alone() {
    alone = true;
    omp_set_num_threads(1);
}

void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t, std::int64_t)>& body) {
    if (count <= 0) return;
    const auto parts =
        std::clamp<std::int64_t>(count / std::max<std::int64_t>(1, grain), 1, threads());
    if (parts == 1 || alone || omp_in_parallel() != 0) {
        body(0, count);
        return;
    }
    std::exception_ptr first;
    std::mutex lock;
#pragma omp parallel for num_threads(static_cast <int>(parts)) schedule(static, 1)
    for (std::int64_t part = 0; part < parts; ++part) {
        try {
            body(count * part / parts, count * (part + 1) / parts);
        } catch (...) {
            const std::lock_guard guard(lock);
            if (!first) first = std::current_exception();
        }
    }
    if (first) std::rethrow_exception(first);
}

}  // namespace hodo::base
