#include "hodo/workflow/lartpc/learn/network.hh"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "hodo/tensor/view.hh"
#include "hodo/tensor/weights.hh"
#include "small_batch.hh"
#include "support/reference.hh"

namespace hodo::lartpc {
namespace {

CellNet fresh(const ModelOptions& options, std::uint64_t seed = 1) {
    CellNet net(options);
    net.initialise(seed);
    return net;
}

/// Batch statistics that are not those of the first values.
void settle(CellNet& net, const VoxelBatch& batch) {
    const at::NoGradGuard no_gradients;
    for (int i = 0; i < 3; ++i) net(batch, nn::Mode::train);
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
    EXPECT_EQ(a.size(), b.size());
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max<double>(most, std::abs(a[i] - b[i]));
    return most;
}

TEST(CellNet, answers_every_input_row_and_equal_voxels_equally) {
    for (const auto kind : {NetworkKind::cellnet_binary, NetworkKind::cellnet_charge}) {
        auto net = fresh(small_model(kind));
        const auto batch = small_batch(200, 5, 6);
        const auto answers = net.predict(batch);
        ASSERT_EQ(std::ssize(answers), batch.size());
        std::int64_t twins = 0;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                const auto* c = batch.coordinates.data();
                if (!std::equal(c + 4 * i, c + 4 * i + 4, c + 4 * j)) continue;
                EXPECT_EQ(answers[i], answers[j]);
                ++twins;
            }
        }
        EXPECT_GT(twins, 0);
    }
}

TEST(CellNet, does_not_mix_events_nor_depend_on_the_order_of_rows) {
    auto net = fresh(small_model());
    const auto batch = small_batch(150);
    const auto together = net.predict(batch);
    VoxelBatch turned = batch;
    const auto rows = static_cast<std::size_t>(batch.size());
    for (std::size_t i = 0; i < rows; ++i) {
        const auto j = rows - 1 - i;
        std::copy_n(batch.coordinates.begin() + 4 * std::ptrdiff_t(j), 4,
                    turned.coordinates.begin() + 4 * std::ptrdiff_t(i));
        std::copy_n(batch.features.begin() + 3 * std::ptrdiff_t(j), 3,
                    turned.features.begin() + 3 * std::ptrdiff_t(i));
    }
    auto backwards = net.predict(turned);
    std::reverse(backwards.begin(), backwards.end());
    EXPECT_LE(largest_difference(together, backwards), 1e-6);

    VoxelBatch first = batch;
    first.coordinates.resize(rows / 2 * 4);
    first.features.resize(rows / 2 * 3);
    first.event_starts = {0, batch.size() / 2};
    const auto alone = net.predict(first);
    EXPECT_LE(largest_difference(std::span(together).first(rows / 2), alone), 1e-6);
}

/// The event of a batch, alone.
VoxelBatch event_of(const VoxelBatch& batch, std::int64_t event) {
    const auto begin = batch.event_starts[std::size_t(event)];
    const auto end = batch.event_starts[std::size_t(event) + 1];
    VoxelBatch alone;
    for (auto row = begin; row < end; ++row) {
        for (const std::int64_t k : {0, 1, 2}) {
            alone.coordinates.push_back(batch.coordinates[std::size_t(4 * row + k)]);
            alone.features.push_back(batch.features[std::size_t(3 * row + k)]);
        }
        alone.coordinates.push_back(0);
    }
    alone.event_starts.push_back(end - begin);
    return alone;
}

TEST(CellNet, answers_each_event_by_the_same_bits_whatever_stands_beside_it) {
    const at::NoGradGuard no_gradients;
    for (const auto kind : {NetworkKind::cellnet_binary, NetworkKind::cellnet_charge}) {
        auto net = fresh(small_model(kind));
        settle(net, small_batch(200, 5, 6));
        for (const std::int64_t voxels : {1, 3, 7, 8, 13, 29, 61, 127, 250}) {
            const auto batch = small_batch(voxels, std::uint64_t(voxels), 8);
            const auto together = net.predict(batch);
            const auto validated = net(batch, nn::Mode::evaluate);
            EXPECT_TRUE(std::ranges::equal(together, tensor::values<float>(validated)));
            for (std::int64_t event = 0; event < batch.events(); ++event) {
                const auto alone = net.predict(event_of(batch, event));
                EXPECT_TRUE(std::ranges::equal(
                    alone, std::span(together).subspan(std::size_t(event * voxels), alone.size())))
                    << voxels << " voxels, event " << event;
            }
        }
    }
}

TEST(CellNet, evaluates_the_same_with_norms_fused_into_convolutions) {
    auto net = fresh(small_model(NetworkKind::cellnet_charge));
    const auto batch = small_batch(200);
    settle(net, batch);
    const auto plain = net(batch, nn::Mode::evaluate).detach().contiguous();
    const std::span<const float> unfused(plain.data_ptr<float>(), plain.numel());
    EXPECT_LE(largest_difference(unfused, net.predict(batch)), 1e-5);
}

TEST(CellNet, answers_nothing_for_no_voxels) {
    auto net = fresh(small_model());
    EXPECT_TRUE(net.predict(VoxelBatch{}).empty());
    VoxelBatch empty;
    EXPECT_EQ(net(empty, nn::Mode::train).numel(), 0);
}

TEST(CellNet, learns_its_head_only_when_frozen_while_statistics_move) {
    auto options = small_model(NetworkKind::cellnet_charge);
    options.freeze = true;
    auto net = fresh(options);
    EXPECT_EQ(net.learning_parameters().size(), 6U);
    EXPECT_GT(net.trainable_parameters().size(), 6U);
    const auto before = tensor::parameter_arrays(tensor::named_parameters(net));
    const auto y = net(small_batch(100), nn::Mode::train);
    y.sum().backward();
    const auto after = tensor::parameter_arrays(tensor::named_parameters(net));
    std::int64_t moved = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
        const bool same = std::ranges::equal(before[i].array.bytes, after[i].array.bytes);
        const bool statistic = before[i].name.find("running_") != std::string::npos;
        EXPECT_TRUE(same || statistic) << before[i].name;
        moved += same ? 0 : 1;
    }
    EXPECT_GT(moved, 0);
    for (const auto& [name, parameter] : net.trainable_parameters()) {
        EXPECT_EQ(parameter->grad().defined(), name.starts_with("linear")) << name;
    }
}

TEST(CellNet, is_recognised_by_the_shapes_of_its_weights) {
    for (const std::int64_t flat : {0, 1, 2}) {
        for (const std::int64_t reps : {1, 2, 3}) {
            for (const auto kind : {NetworkKind::cellnet_binary, NetworkKind::cellnet_charge}) {
                auto options = small_model(kind);
                options.n_2d = flat;
                options.reps = reps;
                options.n_input_features = 5;
                // Levels that are all flat tell nothing about the way along the drift.
                if (flat + 1 < options.n_strides) options.downsample_t = {4, 4};
                if (kind == NetworkKind::cellnet_binary) options.hidden_layers = 1;
                CellNet net(options);
                std::vector<workflow::NamedShape> shapes;
                for (const auto& [name, tensor] : tensor::named_parameters(net)) {
                    shapes.push_back({name, tensor->sizes().vec()});
                }
                EXPECT_EQ(infer_model(shapes, "here"), options) << flat << ' ' << reps;
            }
        }
    }
}

TEST(CellNet, comes_back_from_its_file) {
    const test::TemporaryFolder folder;
    auto options = small_model(NetworkKind::cellnet_charge);
    options.momentum = 0.9;
    auto net = fresh(options);
    const auto batch = small_batch(100);
    settle(net, batch);
    save_network(folder.path(), net, "last", 7);
    const auto loaded = load_network(folder.path());
    EXPECT_EQ(loaded.model.options(), options);
    EXPECT_EQ(loaded.model.predict(batch), net.predict(batch));
    EXPECT_EQ(loaded.fingerprint.size(), 16U);
    EXPECT_EQ(loaded.epoch, 7);
    EXPECT_EQ(epoch_of_weights(folder.path()), 7);
    save_network(folder.path(), net, "last");
    EXPECT_EQ(epoch_of_weights(folder.path()), std::nullopt);
    const auto error = test::error_of([] { load_network("/nowhere/at/all.safetensors"); });
    EXPECT_NE(error.find("/nowhere/at/all"), std::string::npos);
}

TEST(CellNet, takes_the_body_of_another_network_over) {
    const test::TemporaryFolder folder;
    auto ghosts = fresh(small_model(), 1);
    settle(ghosts, small_batch(100));
    save_network(folder.path(), ghosts, "last");
    auto charges = fresh(small_model(NetworkKind::cellnet_charge), 2);
    EXPECT_NE(test::error_of([&] { load_weights(charges, folder.path()); }).find("linear"),
              std::string::npos);
    load_weights(charges, folder.path(), Match::transfer);
    auto from = tensor::parameter_arrays(tensor::named_parameters(ghosts));
    const auto to = tensor::parameter_arrays(tensor::named_parameters(charges));
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (!from[i].name.starts_with("sparseModel")) continue;
        EXPECT_TRUE(std::ranges::equal(from[i].array.bytes, to[i].array.bytes)) << from[i].name;
    }
}

TEST(CellNet, keeps_voxels_beyond_its_spatial_size_unless_asked_to_drop_them) {
    auto options = small_model();
    auto unlimited = fresh(options);
    options.spatial_size = {8, 8, 8};
    auto ignoring = fresh(options);
    options.beyond = Beyond::drop;
    auto dropping = fresh(options);
    // Far enough apart that kernels of no level reach from one part to the other.
    auto batch = small_batch(60, 4, 8);
    const auto rows = static_cast<std::size_t>(batch.size());
    for (std::size_t i = 0; i < rows; i += 2) batch.coordinates[4 * i] += 200;
    const auto all = unlimited.predict(batch);
    EXPECT_EQ(all, ignoring.predict(batch));
    const auto some = dropping.predict(batch);
    std::int64_t differ = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        if (i % 2 == 0) {
            differ += some[i] != all[i] ? 1 : 0;
        } else {
            EXPECT_NEAR(some[i], all[i], 1e-6) << i;
        }
    }
    EXPECT_GT(differ, std::ssize(all) / 4);
    // With gradients recorded the same voxels vanish.
    const auto plain = dropping(batch, nn::Mode::evaluate).detach().contiguous();
    EXPECT_LE(largest_difference({plain.data_ptr<float>(), rows}, some), 1e-5);
}

TEST(CellNet, says_which_number_of_features_does_not_fit) {
    auto options = small_model();
    options.n_input_features = 4;
    const auto net = fresh(options);
    const auto error = test::error_of([&] { net.predict(small_batch(5)); });
    EXPECT_NE(error.find("reads 4 numbers"), std::string::npos);
}

}  // namespace
}  // namespace hodo::lartpc
