#include "hodo/workflow/lartpc/preparation.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/workflow/lartpc/options.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

namespace lartpc = hodo::lartpc;
namespace test = hodo::test;
using testing::HasSubstr;

namespace {

/// A parsed file of some empty events on a small number of ticks.
void write_parsed(const hodo::base::Path& file, int events) {
    lartpc::ParsedWriter writer(file);
    const lartpc::WireSignals nothing{.channels = 2560, .starts = std::vector<std::int64_t>(9)};
    for (int i = 0; i < events; ++i) writer.add(nothing);
    writer.commit();
}

}  // namespace

TEST(Preparation, batches_must_divide_the_events) {
    const test::TemporaryFolder folder;
    const auto file = folder / "reco_Mu_001_wire-TPC1.npz";
    write_parsed(file, 4);
    lartpc::PrepareOptions options;
    options.output = (folder / "xy").string();
    options.box = {20, 20};
    options.batch_size = 3;
    EXPECT_THAT(test::error_of(
                    [&] { lartpc::prepare_files({file}, options, lartpc::Present::keep, [] {}); }),
                HasSubstr("batches of 3"));
    options.batch_size = 2;
    lartpc::prepare_files({file}, options, lartpc::Present::keep, [] {});
    const auto written = lartpc::files_of_product({options.output}, "xy");
    ASSERT_EQ(written.size(), 2u);
    const auto batch = lartpc::read_xy(written.front());
    EXPECT_EQ(batch.cloud.events(), 2);
    EXPECT_EQ(batch.cloud.size(), 0);
    EXPECT_FALSE(batch.has_truth);
}

TEST(Preparation, only_the_tpcs_asked_for_are_prepared) {
    const test::TemporaryFolder folder;
    const auto one = folder / "reco_Mu_001_wire-TPC1.npz",
               five = folder / "reco_Mu_001_wire-TPC5.npz";
    write_parsed(one, 1);
    write_parsed(five, 1);
    lartpc::PrepareOptions options;
    options.output = (folder / "xy").string();
    options.box = {20, 20};
    options.tpcs = {5};
    const auto count = lartpc::prepare_files({one, five}, options, lartpc::Present::keep, [] {});
    EXPECT_EQ(count.written, 1);
    EXPECT_EQ(count.skipped, 1);
    EXPECT_TRUE(std::filesystem::exists(folder / "xy/batch0-reco_Mu_001_xy-TPC5.npz"));
    lartpc::JoinOptions join;
    join.input = options.output;
    join.tpcs = {5, 9};
    EXPECT_THAT(test::error_of([&] { lartpc::join_files(join, lartpc::Present::keep); }),
                HasSubstr("no event has files of all TPCs 5, 9"));
    join.tpcs = {5, 5};
    EXPECT_THAT(test::error_of([&] { lartpc::join_files(join, lartpc::Present::keep); }),
                HasSubstr("TPC 5 twice"));
}
