#include "hodo/sparse/detail/memory.hh"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace hodo::sparse {
namespace {

TEST(RecycledMemory, GivesAFreedBlockAgainAndNeverOneInUse) {
    constexpr std::size_t bytes = 37 << 20;  // a size of which no other test leaves blocks
    void* first = take_memory(bytes);
    void* second = take_memory(bytes);
    EXPECT_NE(first, second);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0U);
    std::memset(first, 1, bytes);
    std::memset(second, 2, bytes);
    EXPECT_EQ(static_cast<const unsigned char*>(first)[bytes - 1], 1);
    give_memory(first, bytes);
    void* third = take_memory(bytes - 100);
    EXPECT_EQ(third, first);
    give_memory(third, bytes - 100);
    give_memory(second, bytes);
}

TEST(RecycledMemory, VectorsGrowAndKeepTheirNumbers) {
    RecycledVector<int> numbers;
    for (int i = 0; i < 300000; ++i) numbers.push_back(i);
    for (int i = 0; i < 300000; ++i) ASSERT_EQ(numbers[static_cast<std::size_t>(i)], i);
    const RecycledVector<int> zeros(10, 0);
    EXPECT_EQ(zeros.back(), 0);
}

}  // namespace
}  // namespace hodo::sparse
