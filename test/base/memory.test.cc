#include "hodo/base/memory.hh"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "support/reference.hh"

namespace hodo::base {
namespace {

class Memory : public testing::Test {
  protected:
    void put(const std::string& name, const std::string& text) const {
        const auto file = folder_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    std::uint64_t available() const {
        return available_memory(folder_ / "proc", folder_ / "groups");
    }
    test::TemporaryFolder folder_;
};

TEST_F(Memory, IsUnlimitedWhereNothingIsKnown) {
    EXPECT_EQ(available(), std::numeric_limits<std::uint64_t>::max());
}

TEST_F(Memory, IsWhatTheMachineCanGive) {
    put("proc/meminfo", "MemTotal: 900 kB\nMemAvailable:     300 kB\nBuffers: 7 kB\n");
    EXPECT_EQ(available(), 300u << 10);
    put("proc/self/cgroup", "0::/job/step\n");
    put("groups/job/step/memory.max", "max\n");
    EXPECT_EQ(available(), 300u << 10);
}

TEST_F(Memory, IsNoMoreThanTheGroupsAroundLeave) {
    put("proc/meminfo", "MemAvailable: 300 kB\n");
    put("proc/self/cgroup", "0::/job/step\n");
    put("groups/job/memory.max", "50000\n");
    put("groups/job/memory.current", "30000\n");
    put("groups/job/memory.stat", "anon 5\ninactive_file 10000\n");
    put("groups/job/step/memory.max", "max\n");
    EXPECT_EQ(available(), 30000u);
    put("groups/job/step/memory.max", "4000\n");
    put("groups/job/step/memory.current", "5000\n");
    EXPECT_EQ(available(), 0u);
}

TEST_F(Memory, IsNoMoreThanGroupsOfTheFirstVersionLeave) {
    put("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/job\n");
    put("groups/memory/job/memory.limit_in_bytes", "8000\n");
    put("groups/memory/job/memory.usage_in_bytes", "1500\n");
    put("groups/memory/job/memory.stat", "inactive_file 9\ntotal_inactive_file 500\n");
    EXPECT_EQ(available(), 7000u);
}

TEST(MemoryHere, IsSome) {
    EXPECT_GT(available_memory(), 1u << 20);
}

}  // namespace
}  // namespace hodo::base
