/// Every test draws the same numbers from LibTorch in every run, whichever tests ran before it.

#include "hodo/tensor/torch.hh"

#include <gtest/gtest.h>

namespace hodo::test {
namespace {

class Seed : public testing::EmptyTestEventListener {
    void OnTestStart(const testing::TestInfo&) override { at::manual_seed(1); }
};

[[maybe_unused]] const bool is_added = [] {
    testing::UnitTest::GetInstance()->listeners().Append(new Seed);  // gtest deletes it
    return true;
}();

}  // namespace
}  // namespace hodo::test
