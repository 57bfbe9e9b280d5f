#include "hodo/workflow/om2vec/model_options.hh"

#include <gtest/gtest.h>

#include "support/reference.hh"

namespace hodo::om2vec {
namespace {

TEST(ModelOptions, parameter_counts_are_the_published_ones) {
    ModelOptions options;
    EXPECT_EQ(parameter_count(options), 15'475'618);
    options.latent = 32;
    EXPECT_EQ(parameter_count(options), 15'437'602);
    options.latent = 128;
    EXPECT_EQ(parameter_count(options), 15'576'226);
    options.latent = 32;
    options.bins = 640;
    EXPECT_EQ(parameter_count(options), 3'635'362);
}

TEST(ModelOptions, are_found_again_from_shapes) {
    for (const auto size : {Preset::toy, Preset::small, Preset::paper}) {
        auto options = preset(size);
        for (const bool is_positional : {false, true}) {
            options.sensor_positional_encoding = is_positional;
            auto expected = options;
            expected.heads = 4;  // leaves no trace
            EXPECT_EQ(infer_options(parameter_shapes(options), "file"), expected);
        }
    }
}

TEST(ModelOptions, files_of_other_networks_are_refused_in_a_sentence) {
    const auto shapes = parameter_shapes(preset(Preset::toy));
    const auto message = [](const std::vector<workflow::NamedShape>& tensors) {
        return test::error_of([&] { infer_options(tensors, "weights.pt"); });
    };
    EXPECT_NE(message({}).find("weights.pt: tensor 'initial_downsample.0.weight' is missing"),
              std::string::npos);
    auto missing = shapes;
    missing.pop_back();
    EXPECT_NE(message(missing).find("tensor 'output.bias' is missing"), std::string::npos);
    auto wrong = shapes;
    wrong.back().shape = {3};
    EXPECT_NE(message(wrong).find("'output.bias' has shape (3) where (1) is expected"),
              std::string::npos);
    auto extra = shapes;
    extra.push_back({"output.bia", {1}});
    EXPECT_NE(message(extra).find("did you mean 'output.bias'?"), std::string::npos);
    auto flat = shapes;
    flat[0].shape = {64};
    EXPECT_NE(message(flat).find("2 dimensions are expected"), std::string::npos);
}

}  // namespace
}  // namespace hodo::om2vec
