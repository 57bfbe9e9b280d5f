// The published configurations, by the keys and values that they have, as our options.

#include "hodo/workflow/lartpc/original_config.hh"
#include "hodo/workflow/lartpc/train_options.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;
namespace train = hodo::train;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

/// The parts of a configuration; each test replaces what is particular.
struct Parts {
    std::string trainer = "trainer: basic";
    std::string output = "output_dir: $HODO_TEST_SCRATCH/ghost3d";
    std::string store = "store_inference: {everyNepoch: 5, everyNsample: 2}";
    std::string data =
        "data:\n"
        "    name: sparse\n"
        "    data_path: [singles, cosmics]\n"
        "    train_i: [[0, 79], [0, 159]]\n"
        "    inference_i: [[80, 99], [160, 199]]\n"
        "    tpcs: [1]\n"
        "    batch_size: 1\n"
        "    threshold: 0.001";
    std::string model =
        "model:\n"
        "    name: cellnet_binary\n"
        "    spatial_size: [1024, 1024, 512]\n"
        "    nChannels: 16\n"
        "    nStrides: 4\n"
        "    n_2D: 0\n"
        "    downsample_t: [2, 2]";
    std::string loss = "loss: {name: BCELoss}";
    std::string optimizer = "optimizer: {name: Adam, lr: 0.01}";
    std::string train = "train: {n_epochs: 25}";
    std::string metrics = "metrics: {acc: BinAccuracy}";

    std::string text() const {
        std::string all;
        for (const auto& part :
             {trainer, output, store, data, model, loss, optimizer, train, metrics}) {
            all += part + "\n";
        }
        return all;
    }
    lartpc::TrainOptions options() const {
        const auto file = base::Config::parse(text(), "original.yaml");
        return lartpc::translate_original(file, "train").value().as<lartpc::TrainOptions>();
    }
    std::string error() const {
        return test::error_of([this] { options(); });
    }
};

}  // namespace

TEST(LartpcOriginalConfig, Ghost3dTrainsABinaryNetOnTwoPaths) {
    ::setenv("HODO_TEST_SCRATCH", "/scratch", 1);
    const auto options = Parts{}.options();
    EXPECT_EQ(options.output, "/scratch/ghost3d");
    EXPECT_THAT(options.data.data_path, ElementsAre("singles", "cosmics"));
    EXPECT_THAT(options.data.train_i, ElementsAre(ElementsAre(0, 79), ElementsAre(0, 159)));
    EXPECT_THAT(options.data.inference_i, ElementsAre(ElementsAre(80, 99), ElementsAre(160, 199)));
    EXPECT_THAT(options.data.tpcs, ElementsAre(ElementsAre(1)));
    EXPECT_EQ(options.target(), lartpc::Target::label);
    EXPECT_EQ(options.data.threshold, 0.001);
    EXPECT_EQ(options.feed.batch_size, 1);
    EXPECT_EQ(options.model.name, lartpc::NetworkKind::cellnet_binary);
    EXPECT_THAT(options.model.spatial_size, ElementsAre(1024, 1024, 512));
    EXPECT_EQ(options.model.n_channels, 16);
    EXPECT_EQ(options.model.n_strides, 4);
    EXPECT_THAT(options.model.downsample_t, ElementsAre(2, 2));
    EXPECT_EQ(options.model.momentum, 0.99);
    EXPECT_EQ(options.loss.name, lartpc::LossKind::bce);
    EXPECT_EQ(options.learner.optimizer.kind, train::OptimizerKind::adam);
    EXPECT_EQ(options.learner.optimizer.rate, 0.01);
    EXPECT_EQ(options.learner.optimizer.weight_decay, 0);
    EXPECT_EQ(options.learner.clip, 0);
    EXPECT_EQ(options.learner.schedule.kind, train::ScheduleKind::constant);
    EXPECT_EQ(options.plan.epochs, 25);
    EXPECT_THAT(options.metrics, ElementsAre("acc=BinAccuracy"));
    EXPECT_TRUE(options.store_inference.store);
    EXPECT_EQ(options.store_inference.every_epoch, 5);
    EXPECT_EQ(options.store_inference.every_sample, 2);
    EXPECT_EQ(options.store_inference.folder, "inference");
}

TEST(LartpcOriginalConfig, MissingKeysHaveThePublishedDefaults) {
    Parts parts;
    parts.model = "model: {name: cellnet_binary, spatial_size: [32, 64, 32]}";
    parts.store = "store_inference:";
    const auto options = parts.options();
    EXPECT_THAT(options.model.downsample_t, ElementsAre(4, 4));
    EXPECT_EQ(options.model.reps, 2);
    EXPECT_FALSE(options.store_inference.store);
    parts.store = "store_inference: True";
    EXPECT_TRUE(parts.options().store_inference.store);
    parts.store = "store_inference: yes";
    EXPECT_TRUE(parts.options().store_inference.store);
    parts.store = "store_inference: off";
    EXPECT_FALSE(parts.options().store_inference.store);
    parts.store = "store_inference: sometimes";
    EXPECT_THAT(parts.error(), HasSubstr("sometimes"));
}

TEST(LartpcOriginalConfig, WithoutAThresholdTheTruthItselfIsLearnt) {
    const std::string data = "data: {name: sparse, data_path: xy, train_i: [0, 9], threshold: ";
    Parts parts;
    parts.loss = "loss: {name: MSELoss}";
    parts.data = data + "}";
    EXPECT_EQ(parts.options().target(), lartpc::Target::value);
    parts.data = data + "null}";
    EXPECT_EQ(parts.options().target(), lartpc::Target::value);
    parts.data = data + "0.5}";
    EXPECT_EQ(parts.options().target(), lartpc::Target::label);
    EXPECT_EQ(parts.options().data.threshold, 0.5);
    parts.data = data + "[0.5, 1]}";
    EXPECT_THAT(parts.error(), HasSubstr("data.threshold must be one number"));
}

TEST(LartpcOriginalConfig, Ghost3dTwoAndThreeChangeTheLoss) {
    Parts two;
    two.loss = "loss: {name: BCEL1Loss, L1_lambda: 1}";
    two.optimizer = "optimizer: {name: Adam, lr: 0.1}";
    EXPECT_EQ(two.options().loss.name, lartpc::LossKind::bce_l1);
    EXPECT_EQ(two.options().loss.l1_lambda, 1);
    EXPECT_EQ(two.options().learner.optimizer.rate, 0.1);
    Parts three;
    three.data = "data: {name: sparse, data_path: xy, train_i: [0, 9], inference_i: [10, 12]}";
    three.loss = "loss: {name: WeightedBCELoss, negative_weight: 0.5}";
    EXPECT_EQ(three.options().loss.name, lartpc::LossKind::charge_weighted_bce);
    EXPECT_EQ(three.options().loss.negative_weight, 0.5);
    EXPECT_EQ(three.options().target(), lartpc::Target::value);
    three.data = Parts{}.data;
    EXPECT_EQ(three.options().target(), lartpc::Target::value);
}

TEST(LartpcOriginalConfig, Ghost2AndGhostDownsampleChangeTheNet) {
    Parts two;
    two.model =
        "model: {name: cellnet_binary, spatial_size: [1024, 1024, 512], nChannels: 16, "
        "nStrides: 5, n_2D: 2, reps: 4, nInputFeatures: 3, conv_kernel: 3, downsample: [2, 2]}";
    two.optimizer = "optimizer: {name: Adam, lr: 0.001}";
    EXPECT_EQ(two.options().model.n_2d, 2);
    EXPECT_EQ(two.options().model.reps, 4);
    EXPECT_EQ(two.options().model.n_strides, 5);
    Parts downsample;
    downsample.model =
        "model: {name: cellnet_binary, spatial_size: [2048, 2048, 1024], nChannels: 16, "
        "nStrides: 5, n_2D: 0, downsample_t: [2, 2], momentum: 0.9}";
    downsample.loss = "loss: {name: LabelWeightedBCELoss, positive_weight: 100}";
    EXPECT_EQ(downsample.options().model.momentum, 0.9);
    EXPECT_EQ(downsample.options().loss.name, lartpc::LossKind::label_weighted_bce);
    EXPECT_EQ(downsample.options().loss.positive_weight, 100);
}

TEST(LartpcOriginalConfig, GhostScheduleWaitsForAPlateau) {
    Parts parts;
    parts.trainer =
        "trainer: {name: schedule_plateau, metric: acc, patience: 2, factor: 0.2, mode: max}";
    parts.optimizer = "optimizer: {name: Adam, lr: 0.02}";
    const auto schedule = parts.options().learner.schedule;
    EXPECT_EQ(schedule.kind, train::ScheduleKind::plateau);
    EXPECT_EQ(schedule.metric, "acc");
    EXPECT_EQ(schedule.better, train::Better::larger);
    EXPECT_EQ(schedule.patience, 2);
    EXPECT_EQ(schedule.factor, 0.2);
    EXPECT_EQ(schedule.floor, 0);
    parts.trainer = "trainer: {name: schedule_plateau, metric: acc, min_lr: 0.001}";
    EXPECT_DOUBLE_EQ(parts.options().learner.schedule.floor, 0.05);
    parts.trainer = "trainer: {name: schedule_plateau, metric: acc, cooldown: 3}";
    EXPECT_THAT(parts.error(), HasSubstr("cooldown"));
    parts.trainer = "trainer: hello";
    EXPECT_THAT(parts.error(), HasSubstr("'hello'"));
}

TEST(LartpcOriginalConfig, GhostInfOnlyEvaluates) {
    Parts parts;
    parts.data =
        "data:\n    name: sparse\n    data_path: [a, b]\n    inference_i: [null, [0, 9]]\n"
        "    tpcs: [[1, 5, 9], null]\n    threshold: 0.001";
    parts.train = "train: {n_epochs: 25, start_epoch: 24}";
    const auto options = parts.options();
    EXPECT_THAT(options.data.train_i, IsEmpty());
    EXPECT_THAT(options.data.inference_i, ElementsAre(IsEmpty(), ElementsAre(0, 9)));
    EXPECT_THAT(options.data.tpcs, ElementsAre(ElementsAre(1, 5, 9), IsEmpty()));
    EXPECT_EQ(options.resume_from, 24);
    parts.data = "data: {name: sparse, data_path: a}";
    EXPECT_THAT(parts.error(), HasSubstr("nothing to do"));
}

TEST(LartpcOriginalConfig, ChargeAndChargeDownsampleRegress) {
    Parts parts;
    parts.data =
        "data:\n    name: sparse\n    data_path: xy\n    train_i: [0, 9]\n"
        "    inference_i: [10, 12]\n    transforms: {scale: 0.001, round: 3, noise: {mean: 0, sd: "
        "0.1},\n        coord_lim: [null, [0, 374], null, [0, 2]]}";
    parts.model =
        "model: {name: cellnet_charge, spatial_size: [1024, 1024, 512], nChannels: 16, "
        "nStrides: 4, n_2D: 0, downsample_t: [2, 2], nHiddenLayers: 2, freeze: true}";
    parts.loss = "loss: {name: MSELoss}";
    parts.train = "train: {n_epochs: 38, transfer: true}";
    parts.metrics = "";
    const auto charge = parts.options();
    EXPECT_EQ(charge.model.name, lartpc::NetworkKind::cellnet_charge);
    EXPECT_EQ(charge.model.hidden_layers, 2);
    EXPECT_TRUE(charge.model.freeze);
    EXPECT_EQ(charge.loss.name, lartpc::LossKind::mse);
    EXPECT_EQ(charge.target(), lartpc::Target::value);
    EXPECT_THAT(charge.data.transforms.scale, ElementsAre(0.001));
    EXPECT_EQ(charge.data.transforms.round, 3);
    EXPECT_EQ(charge.data.transforms.noise.sd, 0.1);
    EXPECT_THAT(charge.data.transforms.coord_lim,
                ElementsAre(IsEmpty(), ElementsAre(0, 374), IsEmpty(), ElementsAre(0, 2)));
    EXPECT_EQ(charge.plan.epochs, 38);
    EXPECT_TRUE(charge.transfer);
    EXPECT_EQ(charge.resume_from, -1);
    EXPECT_THAT(charge.metrics, IsEmpty());
    parts.data += "\n    full_y: true";
    parts.loss = "loss: {name: DownsampleMSELoss, downsample: [5, 5, 5], weight: 2}";
    EXPECT_EQ(parts.options().loss.name, lartpc::LossKind::downsample_mse);
    EXPECT_THAT(parts.options().loss.downsample, ElementsAre(5, 5, 5));
    EXPECT_EQ(parts.options().loss.weight, 2);
}

TEST(LartpcOriginalConfig, UnknownKeysAndNamesAreReported) {
    Parts parts;
    parts.model = "model: {name: cellnet_binary, nChanels: 4}";
    EXPECT_THAT(parts.error(), HasSubstr("did you mean 'nChannels'"));
    parts = {};
    parts.metrics = "metrics: {acc: BinAccuracy}\nloading: fast";
    EXPECT_THAT(parts.error(), HasSubstr("loading"));
    parts = {};
    parts.model = "model: {name: resnet18}";
    EXPECT_THAT(parts.error(), HasSubstr("'resnet18'"));
    parts = {};
    parts.loss = "loss: {name: CrossEntropyLoss}";
    EXPECT_THAT(parts.error(), HasSubstr("'CrossEntropyLoss'"));
    parts = {};
    parts.optimizer = "optimizer: {name: LBFGS, lr: 1}";
    EXPECT_THAT(parts.error(), HasSubstr("'LBFGS'"));
    parts = {};
    parts.data = "data: {name: random, data_path: xy, train_i: [0, 3]}";
    EXPECT_THAT(parts.error(), HasSubstr("lartpc simulate"));
}

TEST(LartpcOriginalConfig, OtherFilesAndVerbsAreLeftAlone) {
    const auto file = base::Config::parse(Parts{}.text(), "original.yaml");
    EXPECT_FALSE(lartpc::translate_original(file, "prepare").has_value());
    for (const char* text :
         {"workflow: lartpc\ntrain: {}\n", "model_options: {}\n", "data: {}\n"}) {
        const auto other = base::Config::parse(text, "other.yaml");
        EXPECT_FALSE(lartpc::is_original_config(other));
        EXPECT_FALSE(lartpc::translate_original(other, "train").has_value());
    }
}
