#include "hodo/base/count.hh"

#include <gtest/gtest.h>

namespace hodo::base {
namespace {

TEST(Count, one_thing_is_singular_and_no_other_number_is) {
    EXPECT_EQ(counted(1, "files"), "1 file");
    EXPECT_EQ(counted(0, "files"), "0 files");
    EXPECT_EQ(counted(2, "events"), "2 events");
    EXPECT_EQ(counted(12'345, "voxels"), "12,345 voxels");
}

}  // namespace
}  // namespace hodo::base
