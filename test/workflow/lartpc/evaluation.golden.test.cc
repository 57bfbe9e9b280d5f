// The published code's outputs are judged file by file.

#include "hodo/workflow/lartpc/evaluation.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <iostream>

namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

TEST(LartpcEvaluationGolden, published_outputs_and_their_voxels_are_judged) {
    const auto xy = test::reference_files("lartpc/pipeline/xy", "*_xy-TPC?.npz");
    HODO_REQUIRE_REFERENCE(xy, "lartpc/pipeline/xy");
    int judged = 0;
    for (const char* kind : {"ghost_small", "charge_small"}) {
        const auto folder = std::string("lartpc/pipeline/run/") + kind + "/inference";
        const auto outputs = test::reference_files(folder, "epoch*.npy");
        if (outputs.empty()) continue;
        const auto files = lartpc::judged_files({outputs.front().parent_path().string()},
                                                {xy.front().parent_path().string()}, {}, -1);
        lartpc::GhostEvaluation ghosts({});
        lartpc::ChargeEvaluation charges({.scale = 0.001});
        std::int64_t voxels = 0, truth = 0;
        for (const auto& file : files) {
            const auto batch = lartpc::read_xy(file.xy);
            const auto values = lartpc::read_inference(file.inference);
            ASSERT_EQ(std::ssize(values), batch.cloud.size());
            const auto name = lartpc::parse_file_name(file.xy.filename().string()).value();
            voxels += batch.cloud.size();
            for (const auto& image : batch.truth) truth += image.size();
            if (std::string_view(kind) == "ghost_small") {
                ghosts.add(name, batch, values);
            } else {
                charges.add(batch, values, {});
            }
        }
        std::cout << kind << ": " << files.size() << " files, " << voxels << " voxels\n";
        if (!ghosts.events().empty()) {
            const auto& counts = ghosts.confusion();
            EXPECT_EQ(
                counts.true_kept + counts.true_lost + counts.ghosts_kept + counts.ghosts_removed,
                voxels);
            EXPECT_EQ(counts.true_kept + counts.true_lost + counts.not_active, truth);
            EXPECT_GT(ghosts.mean(lartpc::CurveKind::active).area(), 0);
            EXPECT_LE(ghosts.mean(lartpc::CurveKind::active).area(), 1);
        } else {
            EXPECT_EQ(charges.quality().voxels(), voxels);
        }
        ++judged;
    }
    EXPECT_GT(judged, 0);
}
