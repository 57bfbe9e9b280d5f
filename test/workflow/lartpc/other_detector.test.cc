#include "detector/lartpc/detectors.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/detector/lartpc/simulate.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/workflow/lartpc/preparation.hh"
#include "hodo/workflow/lartpc/solution.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

namespace lartpc = hodo::lartpc;
namespace test = hodo::test;
using testing::HasSubstr;

TEST(OtherDetector, another_tpc_is_simulated_tiled_and_solved_by_its_table_alone) {
    const test::TemporaryFolder folder;
    const auto file = folder / "small.yaml";
    hodo::io::write_text(file, lartpc::small_table);
    const auto detector = lartpc::read_detector(file);
    lartpc::SimulationOptions simulation{.sample = lartpc::Sample::muon, .events = 2};
    simulation.tpcs = {0};
    EXPECT_THAT(test::error_of([&] { lartpc::EventSimulator(simulation, detector); }),
                HasSubstr("small has no beam"));
    simulation.start = lartpc::Start::anywhere;
    const lartpc::EventSimulator simulator(simulation, detector);
    EXPECT_EQ(simulator.options().ticks, 64);
    const auto written = lartpc::simulate_file(simulator, 0, folder.path());

    lartpc::PrepareOptions prepare;
    prepare.output = (folder / "xy").string();
    prepare.truth = {"depo"};
    prepare.detector = file.string();
    lartpc::prepare_files({written.front()}, prepare, lartpc::Present::keep, [] {});
    const auto xy = lartpc::files_of_product({prepare.output}, "xy");
    ASSERT_EQ(xy.size(), 1u);
    const auto batch = lartpc::read_xy(xy.front());
    ASSERT_GT(batch.cloud.size(), 0);
    std::int64_t true_voxels = 0;
    for (const auto& voxel : batch.cloud.voxels) {
        EXPECT_LT(voxel[0], 64 / 8);
        EXPECT_LT(voxel[1], 90 / 4 + 1);
        EXPECT_LT(voxel[2], 80 / 4);
    }
    for (const auto value : batch.cloud.truth) true_voxels += value > 0 ? 1 : 0;
    EXPECT_GT(true_voxels, 0);

    lartpc::SolveOptions solve;
    solve.parsed = folder.path().string();
    solve.detector = file.string();
    const auto count =
        lartpc::solve_files(lartpc::charge_sources(xy, solve), folder / "charges", solve, [] {});
    EXPECT_EQ(count.voxels, batch.cloud.size());
}
