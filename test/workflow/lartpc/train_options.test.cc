#include "hodo/workflow/lartpc/train_options.hh"

#include <gtest/gtest.h>

#include "hodo/base/config.hh"
#include "support/reference.hh"

namespace hodo::lartpc {
namespace {

TrainOptions read(const std::string& yaml) {
    return base::Config::parse(yaml, "test").as<TrainOptions>();
}

TEST(LartpcTrainOptions, learn_labels_or_charges_by_the_network_and_its_loss) {
    EXPECT_EQ(read("{}").target(), Target::label);
    EXPECT_EQ(read("{model: {name: cellnet_charge}, loss: {name: MSELoss}}").target(),
              Target::value);
    EXPECT_EQ(read("{loss: {name: ChargeWeightedBCELoss}}").target(), Target::value);
    EXPECT_EQ(read("{data: {target: value}}").target(), Target::value);
}

TEST(LartpcTrainOptions, judge_labels_by_their_accuracy_unless_told_otherwise) {
    ASSERT_EQ(read("{}").judged_by().size(), 1U);
    EXPECT_EQ(read("{}").judged_by()[0].column, "acc");
    EXPECT_TRUE(read("{model: {name: cellnet_charge}}").judged_by().empty());
    EXPECT_EQ(read("{metrics: [right=Accuracy]}").judged_by()[0].column, "right");
}

TEST(LartpcTrainOptions, refuse_what_contradicts_itself) {
    const auto error = [](const std::string& yaml) { return test::error_of([&] { read(yaml); }); };
    EXPECT_NE(error("{optimizer_state: true}").find("weights"), std::string::npos);
    EXPECT_NE(error("{weights: a, transfer: true, optimizer_state: true}").find("another network"),
              std::string::npos);
    EXPECT_NE(error("{data: {transforms: {z_segments: [10]}}}").find("n_input_features"),
              std::string::npos);
    EXPECT_NE(error("{loss: {name: ChargeWeightedBCELoss}, data: {target: label}}").find("value"),
              std::string::npos);
    EXPECT_NE(error("{model: {conv_kernel: 4}}").find("odd"), std::string::npos);
    EXPECT_NE(error("{model: {beyond: drop}}").find("spatial_size"), std::string::npos);
}

}  // namespace
}  // namespace hodo::lartpc
