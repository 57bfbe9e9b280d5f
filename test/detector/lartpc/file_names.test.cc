#include "hodo/detector/lartpc/file_names.hh"

#include <gtest/gtest.h>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;

TEST(LartpcFileNames, parts_are_found) {
    const auto name = lartpc::parse_file_name("epoch24-batch0-reco_BeamCosmic_001_yinf-TPC1.npy");
    ASSERT_TRUE(name);
    EXPECT_EQ(name->type, "BeamCosmic");
    EXPECT_EQ(name->index, 1);
    EXPECT_EQ(name->product, "yinf");
    EXPECT_EQ(name->tpc, 1);
    EXPECT_EQ(name->batch, 0);
    EXPECT_EQ(name->epoch, 24);
    const auto parsed = lartpc::parse_file_name("reco_singleElectron_701_depoElectron-TPC15.npz");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->type, "Electron");
    EXPECT_EQ(parsed->product, "depoElectron");
    EXPECT_EQ(parsed->tpc, 15);
    EXPECT_EQ(parsed->with_product("xy"), "reco_singleElectron_701_xy-TPC15.npz");
    EXPECT_EQ(parsed->with_tpcs("159"), "reco_singleElectron_701_depoElectron-TPC159.npz");
}

TEST(LartpcFileNames, other_names_are_none) {
    EXPECT_FALSE(lartpc::parse_file_name("events.parquet"));
    EXPECT_FALSE(lartpc::parse_file_name("reco_Kaon_001_wire-TPC1.npz"));
    EXPECT_FALSE(lartpc::parse_file_name("reco_Mu_001_wires-TPC1.npz"));
    EXPECT_FALSE(lartpc::parse_file_name("Mu_1_xy Mu_2_xy.npz"));
}
