#include "hodo/workflow/om2vec/one_photon_table.hh"

#include <gtest/gtest.h>

#include <vector>

namespace hodo::om2vec {
namespace {

TEST(OnePhotonTable, gives_back_the_first_row_of_a_bin) {
    OnePhotonTable table(5, 2);
    std::vector<float> mean(2), log_variance(2);
    EXPECT_FALSE(table.find(4, mean.data(), log_variance.data()));
    const std::vector<float> row{1, 2}, spread{3, 4}, other{9, 9};
    table.add(4, row.data(), spread.data());
    table.add(4, other.data(), other.data());
    EXPECT_TRUE(table.find(4, mean.data(), log_variance.data()));
    EXPECT_EQ(mean, row);
    EXPECT_EQ(log_variance, spread);
    EXPECT_FALSE(table.find(3, mean.data(), nullptr));
    EXPECT_TRUE(table.find(4, mean.data(), nullptr));
    EXPECT_EQ(table.size(), 1);
}

}  // namespace
}  // namespace hodo::om2vec
