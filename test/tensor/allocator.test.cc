#include "hodo/tensor/allocator.hh"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <vector>

#include "hodo/tensor/torch.hh"

namespace hodo::tensor {
namespace {

/// Pages the system had to provide while ten times the same tensors were made and freed.
long pages_of_ten_rounds() {
    const auto round = [] {
        std::vector<at::Tensor> tensors;
        for (int i = 0; i < 40; ++i) tensors.push_back(at::ones({1 << 20}));
    };
    round();
    round();
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < 10; ++i) round();
    getrusage(RUSAGE_SELF, &after);
    return after.ru_minflt - before.ru_minflt;
}

TEST(FreedMemory, is_used_again_without_asking_the_system_when_it_is_kept) {
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "the allocator here is not glibc's";
#else
    set_freed_memory(FreedMemory::kept);
    const long kept = pages_of_ten_rounds();
    set_freed_memory(FreedMemory::returned);
    const long returned = pages_of_ten_rounds();
    // 160 MB in every round, of which 64 MB may stay.
    EXPECT_GT(returned, 10 * 4096);
    EXPECT_LT(2 * kept, returned);
#endif
}

}  // namespace
}  // namespace hodo::tensor
