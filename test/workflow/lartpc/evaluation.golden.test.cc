// The published code's outputs are judged file by file.

#include "hodo/workflow/lartpc/evaluation.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "workflow/lartpc/published_pipeline.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

namespace {

/// The answers of a recorded training whose voxels are there too.
std::vector<std::string> answers_of(const base::Path& run) {
    std::vector<std::string> answers;
    for (const auto& file : test::published_files(run / "inference", "epoch*yinf*.npy")) {
        if (!test::published_files("xy", lartpc::xy_name(file)).empty()) {
            answers.push_back(file.string());
        }
    }
    return answers;
}

/// Outputs of a ghost network are probabilities.
bool are_probabilities(const std::vector<std::string>& answers) {
    return std::all_of(answers.begin(), answers.end(), [](const std::string& file) {
        const auto values = lartpc::read_inference(file);
        return std::all_of(values.begin(), values.end(),
                           [](float value) { return value >= 0 && value <= 1; });
    });
}

}  // namespace

TEST(LartpcEvaluationGolden, published_outputs_and_their_voxels_are_judged) {
    std::vector<std::vector<std::string>> runs;
    for (const auto& run : test::published_run_folders()) {
        runs.push_back(answers_of(run));
        std::cout << "case " << run << ": " << runs.back().size() << " files of answers\n";
    }
    std::erase_if(runs, [](const auto& answers) { return answers.empty(); });
    HODO_REQUIRE_REFERENCE(runs, "lartpc/pipeline/run/*/inference/epoch*yinf*.npy with voxels");
    const auto xy = (test::reference_folder() / test::published_pipeline / "xy").string();
    for (const auto& answers : runs) {
        const auto files = lartpc::judged_files(answers, {xy}, {}, -1);
        lartpc::GhostEvaluation ghosts({});
        lartpc::ChargeEvaluation charges({.scale = 0.001});
        std::int64_t voxels = 0, truth = 0;
        const bool is_ghost_network = are_probabilities(answers);
        for (const auto& file : files) {
            const auto batch = lartpc::read_xy(file.xy);
            const auto values = lartpc::read_inference(file.inference);
            ASSERT_EQ(std::ssize(values), batch.cloud.size());
            const auto name = lartpc::parse_file_name(file.xy.filename().string()).value();
            voxels += batch.cloud.size();
            for (const auto& image : batch.truth) truth += image.size();
            if (is_ghost_network) {
                ghosts.add(name, batch, values);
            } else {
                charges.add(batch, values, {});
            }
        }
        std::cout << (is_ghost_network ? "ghosts: " : "charges: ") << files.size() << " files, "
                  << voxels << " voxels\n";
        if (!is_ghost_network) {
            EXPECT_EQ(charges.quality().voxels(), voxels);
            continue;
        }
        const auto& counts = ghosts.confusion();
        EXPECT_EQ(counts.true_kept + counts.true_lost + counts.ghosts_kept + counts.ghosts_removed,
                  voxels);
        EXPECT_EQ(counts.true_kept + counts.true_lost + counts.not_active, truth);
        EXPECT_GT(ghosts.mean(lartpc::CurveKind::active).area(), 0);
        EXPECT_LE(ghosts.mean(lartpc::CurveKind::active).area(), 1);
    }
}
