#include "hodo/workflow/om2vec/learn/network.hh"

#include "hodo/tensor/weights.hh"
#include "small_network.hh"
#include "support/reference.hh"

#include <algorithm>

namespace hodo::om2vec {
namespace {

using testing::HasSubstr;

const optical::Binning some_binning{.bins = 64, .window = 640, .time_zero = "quantile:0.1"};

Model random_model() {
    ModelOptions options{.bins = 64, .latent = 4, .embed = 8, .heads = 2, .feedforward = 16};
    options.tokens = {16, 8};
    Model model(options);
    model.initialise(3);
    return model;
}

TEST(Network, comes_back_from_its_file_with_its_binning) {
    const test::TemporaryFolder folder;
    auto model = random_model();
    save_network(folder.path(), model, some_binning, "best");
    const auto network =
        load_network({.weights = folder.path().string()}, {}, BinningChoice::by_default);
    EXPECT_EQ(network.binning, some_binning);
    EXPECT_EQ(network.model.options(), model.options());
    auto copy = network.model;
    const auto before = tensor::named_parameters(model), after = tensor::named_parameters(copy);
    ASSERT_EQ(before.size(), after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
        EXPECT_TRUE(before[i].tensor->equal(*after[i].tensor)) << before[i].name;
    }
}

TEST(Network, another_binning_than_the_weights_were_trained_with_is_an_error) {
    const test::TemporaryFolder folder;
    auto model = random_model();
    save_network(folder.path(), model, some_binning, "last");
    const optical::Binning other{.bins = 64, .window = 64};
    EXPECT_THAT(test::error_of([&] {
                    load_network({.weights = folder.path().string()}, other, BinningChoice::given);
                }),
                HasSubstr("trained with another binning"));
    EXPECT_NO_THROW(
        load_network({.weights = folder.path().string()}, some_binning, BinningChoice::given));
}

TEST(Network, a_run_that_has_not_ended_has_no_network_yet) {
    const test::TemporaryFolder folder;
    EXPECT_THAT(test::error_of([&] {
                    load_network({.weights = folder.path().string()}, {},
                                 BinningChoice::by_default);
                }),
                HasSubstr("has no model.safetensors"));
}

TEST(Network, the_fingerprint_tells_weights_apart) {
    const test::TemporaryFolder first, second;
    auto model = random_model();
    save_network(first.path(), model, some_binning, "last");
    model.fc_mu.bias.data_ptr<float>()[0] += 1.0f;
    save_network(second.path(), model, some_binning, "last");
    const auto fingerprint = [](const test::TemporaryFolder& folder) {
        return load_network({.weights = folder.path().string()}, {}, BinningChoice::by_default)
            .fingerprint;
    };
    EXPECT_EQ(fingerprint(first), fingerprint(first));
    EXPECT_NE(fingerprint(first), fingerprint(second));
}

TEST(Network, the_originals_architecture_is_also_written_for_the_original) {
    const test::TemporaryFolder folder;
    ModelOptions options;
    options.bins = 640;
    options.latent = 32;
    Model model(options);
    model.initialise(1);
    save_network(folder.path(), model, {.bins = 640, .window = 640}, "last");
    const auto file = io::WeightFile::open(folder / "model.ckpt");
    EXPECT_EQ(file.metadata().at("hyper_parameters").at("in_features").integer(), 640);
    const auto network =
        load_network({.weights = (folder / "model.ckpt").string()}, {}, BinningChoice::by_default);
    EXPECT_EQ(network.model.options(), options);
    EXPECT_EQ(network.binning.rule, optical::BinningRule::om2vec);
}

}  // namespace
}  // namespace hodo::om2vec
