// The files of a published run: tables of epochs, outputs and events that belong together.

#include "hodo/io/atomic_file.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/npz_archive.hh"
#include "hodo/workflow/lartpc/dataset.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/summaries.hh"
#include "workflow/lartpc/published_pipeline.hh"

#include <gtest/gtest.h>

#include <iostream>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

TEST(LartpcRunFiles, TablesOfEpochsAreWrittenAsTheyWereRead) {
    std::vector<base::Path> tables;
    for (const auto& run : test::published_run_folders()) {
        const auto found = test::published_files(run, "summaries_*.csv");
        tables.insert(tables.end(), found.begin(), found.end());
    }
    HODO_REQUIRE_REFERENCE(tables, "lartpc/pipeline/run/*/summaries_*.csv");
    for (const auto& file : tables) {
        std::cout << "case " << file << "\n";
        const auto summaries = lartpc::Summaries::read(file);
        EXPECT_FALSE(summaries.epochs().empty());
        EXPECT_EQ(summaries.text(), io::read_text(file));
    }
}

TEST(LartpcRunFiles, OutputsHaveTheNameAndSizeOfTheirEvents) {
    std::vector<base::Path> outputs;
    for (const auto& run : test::published_run_folders()) {
        const auto found = test::published_files(run / "inference", "*yinf*.npy");
        outputs.insert(outputs.end(), found.begin(), found.end());
    }
    HODO_REQUIRE_REFERENCE(outputs, "lartpc/pipeline/run/*/inference/*yinf*.npy");
    const test::TemporaryFolder folder;
    for (const auto& file : outputs) {
        std::cout << "case " << file << "\n";
        const auto values = lartpc::read_inference(file);
        lartpc::write_inference(folder / "written.npy", values);
        EXPECT_EQ(io::read_text(folder / "written.npy"), io::read_text(file)) << "byte by byte";
        const auto xy = test::published_files("xy", lartpc::xy_name(file));
        if (xy.empty()) continue;
        const auto batch = lartpc::VoxelDataset({{xy.front()}}, {.label_above = 0.001,
                                                                 .truth = lartpc::Truth::optional,
                                                                 .cells = {},
                                                                 .transforms = {}})
                               .load(std::vector<std::int64_t>{0});
        EXPECT_EQ(batch.size(), std::ssize(values));
    }
}

TEST(LartpcRunFiles, BatchesHoldWhatTheFilesHold) {
    const auto files = test::published_files("xy", "*_xy-*.npz");
    HODO_REQUIRE_REFERENCE(files, "lartpc/pipeline/xy/*_xy-*.npz");
    for (const auto& file : files) {
        std::cout << "case " << file << "\n";
        const auto batch = lartpc::VoxelDataset({{file}}, {.label_above = std::nullopt,
                                                           .truth = lartpc::Truth::optional,
                                                           .cells = {5, 5, 5},
                                                           .transforms = {}})
                               .load(std::vector<std::int64_t>{0});
        const auto archive = io::NpzArchive::open(file);
        const auto x = archive.read("X").floats();
        ASSERT_EQ(std::size_t(batch.size()) * 7, x.size());
        for (std::size_t i = 0; i < std::size_t(batch.size()); ++i) {
            for (std::size_t k = 0; k < 4; ++k) {
                ASSERT_EQ(float(batch.coordinates[4 * i + k]), x[7 * i + k]);
            }
            for (std::size_t k = 0; k < 3; ++k) {
                ASSERT_EQ(batch.features[3 * i + k], x[7 * i + 4 + k]);
            }
        }
        if (!archive.has("Y")) continue;
        EXPECT_EQ(batch.targets, archive.read("Y").floats());
        // Every voxel with truth stands in a cell with at least that much.
        for (std::size_t i = 0; i < batch.targets.size(); ++i) {
            if (batch.targets[i] <= 0) continue;
            ASSERT_GE(batch.cell[i], 0);
            EXPECT_GE(batch.cell_charge[std::size_t(batch.cell[i])], batch.targets[i] * 0.9999F);
        }
    }
}
