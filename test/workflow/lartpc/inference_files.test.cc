// Names and content of yinf files.

#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

using testing::ElementsAre;
using testing::HasSubstr;

TEST(LartpcInferenceFiles, AreNamedAfterTheirEvents) {
    const base::Path xy = "some/xy/batch0-reco_BeamCosmic_001_xy-TPC1.npz";
    const auto name = lartpc::inference_name(xy, 24);
    EXPECT_EQ(name, "epoch24-batch0-reco_BeamCosmic_001_yinf-TPC1.npy");
    EXPECT_EQ(lartpc::xy_name(base::Path("run/inference") / name), xy.filename());
    EXPECT_THAT(test::error_of([] { lartpc::inference_name("voxels.npz", 0); }),
                HasSubstr("voxels.npz"));
    EXPECT_THAT(test::error_of([&] { lartpc::xy_name(xy); }), HasSubstr("product 'yinf'"));
}

TEST(LartpcInferenceFiles, HoldOneValuePerVoxel) {
    const test::TemporaryFolder folder;
    const auto file = folder / "epoch0-reco_Mu_1_yinf-TPC1.npy";
    const std::vector<float> values{0.5F, 0.25F, -1.0F};
    for (const auto count : {std::size_t{3}, std::size_t{0}}) {
        const auto some = std::span<const float>(values).first(count);
        lartpc::write_inference(file, some);
        EXPECT_THAT(io::read_npy(file).shape, ElementsAre(1, std::int64_t(count), 1));
        EXPECT_EQ(io::read_npy(file).dtype, io::DType::f32);
        EXPECT_EQ(lartpc::read_inference(file), std::vector<float>(some.begin(), some.end()));
    }
    const std::span<const float> span = values;
    EXPECT_EQ(lartpc::inference_values(io::make_array(span, {3, 1}), "x"), values);
    EXPECT_EQ(lartpc::inference_values(io::make_array(span, {3}), "x"), values);
    EXPECT_THAT(test::error_of([&] {
                    lartpc::inference_values(io::make_array(span, {1, 1, 3}), "x");
                }),
                HasSubstr("one value per voxel"));
}
