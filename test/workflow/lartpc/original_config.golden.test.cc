// The configurations of the published runs are understood key by key.

#include "hodo/workflow/lartpc/original_config.hh"
#include "hodo/workflow/lartpc/train_options.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <iostream>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

TEST(LartpcOriginalConfigGolden, EveryKeyArrives) {
    auto files = test::reference_files("lartpc/pipeline", "*.yaml");
    HODO_REQUIRE_REFERENCE(files, "lartpc/pipeline/*.yaml");
    for (const auto& file : files) {
        std::cout << "case " << file << "\n";
        const auto config = base::Config::read(file);
        ASSERT_TRUE(lartpc::is_original_config(config));
        const auto options =
            lartpc::translate_original(config, "train").value().as<lartpc::TrainOptions>();
        const auto data = config.section("data"), model = config.section("model");
        EXPECT_EQ(options.output, config.text("output_dir"));
        EXPECT_EQ(options.data.data_path.front(), data.text("data_path"));
        EXPECT_EQ(names(options.model.name)[std::size_t(options.model.name)], model.text("name"));
        EXPECT_EQ(std::to_string(options.model.n_channels), model.text("nChannels"));
        EXPECT_EQ(std::to_string(options.model.n_strides), model.text("nStrides"));
        EXPECT_EQ(std::to_string(options.plan.epochs), config.section("train").text("n_epochs"));
        EXPECT_EQ(names(options.loss.name)[std::size_t(options.loss.name)],
                  config.section("loss").text("name"));
        EXPECT_EQ(options.learner.optimizer.rate,
                  base::parse_double(config.section("optimizer").text("lr")));
        EXPECT_EQ(options.target() == lartpc::Target::label, data.has("threshold"));
        EXPECT_EQ(options.store_inference.store, config.text("store_inference") == "True");
        EXPECT_EQ(options.data.train_i.empty(), !data.has("train_i"));
        EXPECT_EQ(options.metrics.size(), config.section("metrics").keys().size());
    }
}
