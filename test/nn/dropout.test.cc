#include "hodo/nn/dropout.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"

namespace hodo::nn {
namespace {

DropoutMask mask_of(double probability) {
    return {base::stream_key(11, "dropout"), 2, 7, 40, probability};
}

std::vector<float> filled(const DropoutMask& mask, std::int64_t rows, std::int64_t columns) {
    std::vector<float> values(static_cast<std::size_t>(rows * columns));
    fill_mask(mask, rows, columns, values);
    return values;
}

TEST(Dropout, keeps_the_asked_share_and_rescales_it) {
    const std::int64_t rows = 500, columns = 1000;
    const auto values = filled(mask_of(0.1), rows, columns);
    double kept = 0;
    for (const float value : values) {
        ASSERT_TRUE(value == 0.0F || value == static_cast<float>(1.0 / 0.9));
        kept += value > 0.0F ? 1.0 : 0.0;
    }
    const double count = static_cast<double>(rows * columns);
    EXPECT_NEAR(kept / count, 0.9, 4.0 * std::sqrt(0.9 * 0.1 / count));
}

TEST(Dropout, follows_the_published_counter_rule) {
    const auto mask = mask_of(0.25);
    const auto values = filled(mask, 3, 19);
    const std::int64_t row = 2, column = 13;
    const auto block = base::philox4x32(
        {1, 42, 7, 2},
        {static_cast<std::uint32_t>(mask.key), static_cast<std::uint32_t>(mask.key >> 32)});
    const bool dropped = (block[2] >> 16) < 16384;
    EXPECT_EQ(values[row * 19 + column] == 0.0F, dropped);
}

TEST(Dropout, masks_do_not_depend_on_threads_or_on_how_rows_are_cut) {
    const auto whole = filled(mask_of(0.5), 64, 33);
    const int before = base::threads();
    base::set_threads(3);
    EXPECT_EQ(filled(mask_of(0.5), 64, 33), whole);
    base::set_threads(before);
    auto mask = mask_of(0.5);
    mask.first_row += 10;
    EXPECT_EQ(filled(mask, 5, 33),
              std::vector<float>(whole.begin() + 10 * 33, whole.begin() + 15 * 33));
}

TEST(Dropout, every_step_and_place_has_its_own_mask) {
    std::set<std::vector<float>> seen;
    for (std::uint32_t i = 0; i < 10; ++i) {
        auto mask = mask_of(0.5);
        mask.step += i;
        seen.insert(filled(mask, 8, 16));
        mask = mask_of(0.5);
        mask.place += i + 1;
        seen.insert(filled(mask, 8, 16));
    }
    EXPECT_EQ(seen.size(), 20U);
}

TEST(Dropout, is_the_identity_outside_training_and_passes_gradients_of_kept_elements) {
    Pass pass;
    pass.dropout = 0.5;
    const auto x = at::randn({4, 3, 8}).requires_grad_(true);
    EXPECT_TRUE(dropout(x, pass).is_same(x));
    pass.mode = Mode::train;
    const auto y = dropout(x, pass);
    y.sum().backward();
    EXPECT_TRUE(at::equal(x.grad() * x, y));
    EXPECT_EQ(pass.next_place(), 1U);
}

TEST(Dropout, batch_entries_have_the_same_mask_in_parts_and_in_whole) {
    const auto x = at::ones({6, 5, 8});
    Pass whole;
    whole.mode = Mode::train;
    whole.dropout = 0.5;
    Pass part = whole;
    part.first_entry = 4;
    EXPECT_TRUE(at::equal(dropout(x, whole).narrow(0, 4, 2), dropout(x.narrow(0, 4, 2), part)));
}

}  // namespace
}  // namespace hodo::nn
