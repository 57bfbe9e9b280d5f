#include "hodo/tensor/allocator.hh"

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace hodo::tensor {

void set_freed_memory([[maybe_unused]] FreedMemory what) {
#if defined(__GLIBC__)
    // Larger blocks come from the system one by one, whatever is set; glibc knows no higher limit.
    constexpr int largest_block = 32 << 20;
    mallopt(M_MMAP_THRESHOLD, largest_block);
    mallopt(M_TRIM_THRESHOLD, what == FreedMemory::kept ? 1 << 30 : 2 * largest_block);
#endif
}

}  // namespace hodo::tensor
