#include "hodo/io/weights_tools.hh"

#include <gmock/gmock.h>

#include <limits>

#include "hodo/base/error.hh"
#include "support/reference.hh"

namespace {

using hodo::io::diff_weights;
using hodo::io::Json;
using hodo::io::make_array;
using hodo::io::NamedArrays;
using hodo::io::WeightFile;
using hodo::test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;

NamedArrays example() {
    return {{"weight", make_array<float>({3, 4})}, {"bias", make_array<double>({1})}};
}

TEST(WeightsTools, list_names_shapes_norms_totals_and_hyper_parameters) {
    const TemporaryFolder folder;
    auto metadata = Json::object();
    metadata["hyper_parameters"] = Json::parse(R"({"lr": 0.5})", "test");
    hodo::io::write_weights(folder / "a.ckpt", example(), metadata);
    const auto text = hodo::io::list_weights(folder / "a.ckpt");
    EXPECT_THAT(text, AllOf(HasSubstr("pytorch"), HasSubstr("weight  float32  (2)    2         5"),
                            HasSubstr("2 tensors, 3 elements, 16 B"),
                            HasSubstr("hyper_parameters.lr: 0.5")));
}

TEST(WeightsTools, convert_between_all_formats_without_loss) {
    const TemporaryFolder folder;
    auto metadata = Json::object();
    metadata["hyper_parameters"] = Json::parse(R"({"lr": 0.5})", "test");
    hodo::io::write_weights(folder / "a.pt", example(), metadata);
    const char* chain[] = {"a.pt", "b.safetensors", "c.npz", "d.pth", "e.safetensors"};
    for (std::size_t i = 0; i + 1 < std::size(chain); ++i) {
        hodo::io::convert_weights(folder / chain[i], folder / chain[i + 1]);
        EXPECT_TRUE(diff_weights(folder / chain[i], folder / chain[i + 1]).is_equal) << chain[i];
    }
    const auto file = WeightFile::open(folder / "b.safetensors");
    EXPECT_EQ(Json::parse(file.metadata().at("hyper_parameters").text(), "x").at("lr").number(),
              0.5);
}

TEST(WeightsTools, diff_reports_names_shapes_and_values) {
    const TemporaryFolder folder;
    hodo::io::write_weights(folder / "a.pt", {{"only_a", make_array<float>({1})},
                                              {"shape", make_array<float>({1, 2})},
                                              {"value", make_array<float>({1, -4})},
                                              {"same", make_array<float>({5})}});
    hodo::io::write_weights(folder / "b.npz", {{"shape", make_array<float>({1})},
                                               {"value", make_array<float>({1.5, -4})},
                                               {"same", make_array<double>({5})},
                                               {"only_b", make_array<float>({1})}});
    const auto difference = diff_weights(folder / "a.pt", folder / "b.npz");
    EXPECT_FALSE(difference.is_equal);
    EXPECT_THAT(difference.report,
                AllOf(HasSubstr("only_a"), HasSubstr("only_b"), HasSubstr("shape (2) and (1)"),
                      HasSubstr("0.125"), HasSubstr("1 of 3 shared tensors agree exactly"),
                      HasSubstr("4 differences")));
}

TEST(WeightsTools, diff_allows_a_tolerance_relative_to_the_largest_value) {
    const TemporaryFolder folder;
    hodo::io::write_weights(folder / "a.pt", {{"w", make_array<double>({100, 0})}});
    hodo::io::write_weights(folder / "b.pt", {{"w", make_array<double>({100, 0.01})}});
    EXPECT_FALSE(diff_weights(folder / "a.pt", folder / "b.pt", {0.9e-4}).is_equal);
    EXPECT_TRUE(diff_weights(folder / "a.pt", folder / "b.pt", {1.1e-4}).is_equal);
    EXPECT_THROW(diff_weights(folder / "a.pt", folder / "b.pt", {-1}), hodo::base::Error);
}

TEST(WeightsTools, diff_overlooks_single_numbers_below_the_floor) {
    const TemporaryFolder folder;
    hodo::io::write_weights(folder / "a.pt", {{"small", make_array<double>({1e-9, 0})},
                                              {"large", make_array<double>({100, 0})}});
    hodo::io::write_weights(folder / "b.pt", {{"small", make_array<double>({3e-9, 0})},
                                              {"large", make_array<double>({100.0005, 0})}});
    const auto diff = [&](hodo::io::Tolerance tolerance) {
        return diff_weights(folder / "a.pt", folder / "b.pt", tolerance);
    };
    EXPECT_FALSE(diff({.relative = 1e-5}).is_equal) << "the small one is three times as large";
    EXPECT_FALSE(diff({.floor = 1e-8}).is_equal) << "the large one is no matter of the floor";
    EXPECT_FALSE(diff({.relative = 1e-5, .floor = 1e-9}).is_equal);
    const auto both = diff({.relative = 1e-5, .floor = 1e-8});
    EXPECT_TRUE(both.is_equal) << both.report;
    EXPECT_THAT(both.report, HasSubstr("within 1e-05 or the floor 1e-08"));
    EXPECT_THROW(diff({.floor = -1}), hodo::base::Error);
}

TEST(WeightsTools, diff_treats_not_a_number_as_a_value) {
    const TemporaryFolder folder;
    constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
    hodo::io::write_weights(folder / "a.pt", {{"w", make_array<double>({nan, 1})}});
    hodo::io::write_weights(folder / "b.pt", {{"w", make_array<double>({2, 1})}});
    EXPECT_TRUE(diff_weights(folder / "a.pt", folder / "a.pt").is_equal);
    EXPECT_FALSE(diff_weights(folder / "a.pt", folder / "b.pt", {100}).is_equal);
}

}  // namespace
