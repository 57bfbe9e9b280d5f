#include "hodo/workflow/om2vec/learn/model.hh"

#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>

#include "hodo/base/random.hh"
#include "hodo/workflow/om2vec/learn/loss.hh"
#include "small_network.hh"

namespace hodo::om2vec {
namespace {

using test::make_model;
using test::random_counts;
using test::tiny_options;

at::Tensor noise(const Model& model, std::int64_t modules) {
    return latent_noise(1, 0, 0, modules, model.options().latent, model.type());
}

TEST(Model, parameters_have_the_names_shapes_and_order_of_the_options) {
    for (const bool is_positional : {false, true}) {
        ModelOptions options;
        options.sensor_positional_encoding = is_positional;
        Model model(options);
        const auto parameters = tensor::named_parameters(model);
        const auto expected = parameter_shapes(options);
        ASSERT_EQ(parameters.size(), is_positional ? 139U : 137U);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_EQ(parameters[i].name, expected[i].name);
            EXPECT_EQ(parameters[i].tensor->sizes().vec(), expected[i].shape);
        }
    }
}

TEST(Model, first_values_depend_on_the_seed_only) {
    const auto options = tiny_options();
    Model first(options), second(options), other(options);
    first.initialise(3);
    second.initialise(3);
    other.initialise(4);
    const auto a = tensor::named_parameters(first), b = tensor::named_parameters(second);
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_TRUE(at::equal(*a[i].tensor, *b[i].tensor)) << a[i].name;
    }
    EXPECT_FALSE(at::equal(first.mem_embedding, other.mem_embedding));
    EXPECT_FALSE(at::equal(first.encoder[0].downsample.bias, first.encoder[1].downsample.bias));
}

TEST(Model, sparse_input_equals_dense_input) {
    const auto model = make_model(tiny_options(), at::kDouble);
    const auto counts = random_counts(5, tiny_options().bins, 6);
    const auto batch = make_batch(counts.view(), tiny_options().bins);
    const nn::Pass pass;
    const auto dense =
        at::leaky_relu(at::linear(dense_input(batch, at::kDouble), model.initial_downsample.weight,
                                  model.initial_downsample.bias),
                       0.01);
    EXPECT_TRUE(at::allclose(model.first_map(batch, pass), dense));
}

TEST(Model, positions_enter_as_a_shift_of_the_dense_input) {
    auto options = tiny_options();
    options.sensor_positional_encoding = true;
    const auto model = make_model(options, at::kDouble);
    auto counts = random_counts(3, options.bins, 4);
    for (int i = 0; i < 3; ++i) counts.positions.push_back({10.0 * i, -3.0, 0.5 * i});
    const auto batch = make_batch(counts.view(), options.bins);
    const auto& shift = model.sensor_positional_encoding;
    const auto x =
        dense_input(batch, at::kDouble) + at::linear(batch.position, shift.weight, shift.bias);
    const auto dense = at::leaky_relu(
        at::linear(x, model.initial_downsample.weight, model.initial_downsample.bias), 0.01);
    EXPECT_TRUE(at::allclose(model.first_map(batch, {}), dense));
}

TEST(Model, a_network_that_reads_positions_refuses_input_without_them) {
    auto options = tiny_options();
    options.sensor_positional_encoding = true;
    const auto model = make_model(options, at::kDouble);
    const auto batch = make_batch(random_counts(1, options.bins, 2).view(), options.bins);
    EXPECT_NE(test::error_of([&] { model.first_map(batch, {}); }).find("positions"),
              std::string::npos);
}

TEST(Model, commuted_last_maps_equal_the_published_order) {
    const auto model = make_model(tiny_options(), at::kDouble);
    const auto counts = random_counts(4, tiny_options().bins, 5);
    const auto batch = make_batch(counts.view(), tiny_options().bins);
    nn::Pass pass;
    const auto h = model.encoder_tokens(model.first_map(batch, pass), pass);
    const auto code =
        model.latent_output(model.encoder.back().downsample.along_tokens(h, pass), pass)
            .squeeze(-1);
    const auto latent = model.encode(batch, pass);
    EXPECT_TRUE(at::allclose(latent.mean, model.fc_mu(code, pass)));
    EXPECT_TRUE(at::allclose(latent.log_variance, model.fc_logvar(code, pass)));
    const auto decoded =
        model.decoder.back().upsample.along_tokens(model.decoder_tokens(latent.mean, pass), pass);
    EXPECT_TRUE(
        at::allclose(model.decode(latent.mean, pass), model.output(decoded, pass).squeeze(-1)));
}

TEST(Model, formulas_as_written_give_the_same_and_drop_by_chance) {
    auto model = make_model(tiny_options(), at::kDouble);
    const auto counts = random_counts(4, tiny_options().bins, 5);
    const auto batch = make_batch(counts.view(), tiny_options().bins);
    const auto output_of = [&](nn::Engine engine, nn::Mode mode) {
        auto pass = make_pass(model, mode);
        pass.engine = engine;
        return model.forward(batch, noise(model, 4), pass).logits;
    };
    EXPECT_TRUE(at::allclose(output_of(nn::Engine::as_written, nn::Mode::evaluate),
                             output_of(nn::Engine::plain, nn::Mode::evaluate)));
    EXPECT_FALSE(at::allclose(output_of(nn::Engine::as_written, nn::Mode::train),
                              output_of(nn::Engine::as_written, nn::Mode::train)));
}

TEST(Model, fused_and_plain_engines_agree_with_their_gradients_and_masks) {
    for (const double dropout : {0.0, 0.1}) {
        std::vector<at::Tensor> results[2];
        for (const auto engine : {nn::Engine::plain, nn::Engine::fused}) {
            auto model = make_model(tiny_options(), at::kFloat);
            const auto counts = random_counts(3, tiny_options().bins, 5);
            const auto batch = make_batch(counts.view(), tiny_options().bins);
            auto pass = make_pass(model, nn::Mode::train);
            pass.dropout = dropout;
            pass.engine = engine;
            const auto output = model.forward(batch, noise(model, 3), pass);
            const auto result = loss(output, batch, 0.1, KlReduction::sum);
            result.total.backward();
            auto& list = results[engine == nn::Engine::plain ? 0 : 1];
            list.push_back(output.logits.detach());
            for (const auto& [name, tensor] : tensor::named_parameters(model)) {
                list.push_back(tensor->grad());
            }
        }
        for (std::size_t i = 0; i < results[0].size(); ++i) {
            const auto scale = results[0][i].abs().max().item<double>();
            const auto difference = (results[1][i] - results[0][i]).abs().max().item<double>();
            EXPECT_LE(difference, 1e-3 * scale + 1e-4) << "result " << i;
        }
    }
}

TEST(Model, gradients_agree_with_finite_differences) {
    auto model = make_model(tiny_options(), at::kDouble);
    const auto counts = random_counts(2, tiny_options().bins, 4);
    const auto batch = make_batch(counts.view(), tiny_options().bins);
    const auto value = [&] {
        auto pass = make_pass(model, nn::Mode::train);
        return loss(model.forward(batch, noise(model, 2), pass), batch, 0.1, KlReduction::mean)
            .total;
    };
    value().backward();
    for (const auto& [name, tensor] : tensor::named_parameters(model)) {
        const at::NoGradGuard no_gradients;
        auto flat = tensor->reshape({-1});
        const auto gradient = tensor->grad().reshape({-1});
        const auto i = flat.numel() / 2;
        const double step = 1e-5, before = flat[i].item<double>();
        flat[i] = before + step;
        const double up = value().item<double>();
        flat[i] = before - step;
        const double down = value().item<double>();
        flat[i] = before;
        EXPECT_NEAR((up - down) / (2 * step), gradient[i].item<double>(), 1e-6) << name;
    }
}

TEST(Model, rows_of_a_batch_are_independent_and_may_be_permuted) {
    const auto model = make_model(tiny_options(), at::kDouble);
    const auto counts = random_counts(4, tiny_options().bins, 5);
    nn::Pass pass;
    const auto all = model.encode(make_batch(counts.view(), tiny_options().bins), pass).mean;
    for (const std::int64_t module : {3, 0, 2}) {
        const auto alone = make_batch(counts.view().part(module, module + 1), tiny_options().bins);
        EXPECT_TRUE(at::allclose(model.encode(alone, pass).mean, all.narrow(0, module, 1)));
    }
}

TEST(Model, takes_batches_of_none_and_of_one) {
    const auto model = make_model(tiny_options(), at::kFloat);
    for (const std::int64_t modules : {0, 1}) {
        const auto counts = random_counts(modules, tiny_options().bins, 3);
        const auto batch = make_batch(counts.view(), tiny_options().bins);
        for (const auto engine : {nn::Engine::plain, nn::Engine::fused}) {
            auto pass = make_pass(model, nn::Mode::train);
            pass.engine = engine;
            const auto output = model.forward(batch, noise(model, modules), pass);
            EXPECT_EQ(output.latent.mean.sizes(),
                      (std::vector<std::int64_t>{modules, tiny_options().latent}));
            EXPECT_EQ(output.logits.sizes(),
                      (std::vector<std::int64_t>{modules, tiny_options().bins}));
            const auto result = loss(output, batch, 1e-5, KlReduction::mean);
            EXPECT_TRUE(std::isfinite(result.total.item<double>()));
            result.total.backward();
        }
    }
}

TEST(Model, an_empty_histogram_has_finite_latents_and_loss) {
    const auto model = make_model(tiny_options(), at::kFloat);
    const std::vector<std::int64_t> offsets{0, 0};
    const auto batch = make_batch({offsets, {}, {}, {}}, tiny_options().bins);
    nn::Pass pass;
    const auto output = model.forward(batch, noise(model, 1), pass);
    const auto result = loss(output, batch, 1.0, KlReduction::sum);
    EXPECT_EQ(result.reconstruction.item<double>(), 0.0);
    EXPECT_TRUE(std::isfinite(result.total.item<double>()));
}

TEST(Model, dropout_acts_in_training_only) {
    const auto model = make_model(tiny_options(), at::kFloat);
    const auto counts = random_counts(2, tiny_options().bins, 4);
    const auto batch = make_batch(counts.view(), tiny_options().bins);
    auto first = make_pass(model, nn::Mode::train), again = first, other = first;
    other.step = 1;
    auto quiet = make_pass(model, nn::Mode::evaluate), silent = quiet;
    silent.dropout = 0.0;
    const auto mean = [&](nn::Pass& pass) { return model.encode(batch, pass).mean; };
    const auto reference = mean(first);
    EXPECT_TRUE(at::equal(reference, mean(again)));
    EXPECT_FALSE(at::allclose(reference, mean(other)));
    EXPECT_TRUE(at::equal(mean(quiet), mean(silent)));
}

TEST(LatentNoise, is_standard_normal_and_named_by_step_and_module) {
    const auto whole = latent_noise(5, 3, 0, 400, 64, at::kDouble);
    EXPECT_NEAR(whole.mean().item<double>(), 0.0, 4.0 / std::sqrt(400.0 * 64));
    EXPECT_NEAR(whole.var().item<double>(), 1.0, 4.0 * std::sqrt(2.0 / (400.0 * 64)));
    EXPECT_TRUE(at::equal(latent_noise(5, 3, 100, 7, 64, at::kDouble), whole.narrow(0, 100, 7)));
    EXPECT_FALSE(at::equal(latent_noise(5, 4, 0, 400, 64, at::kDouble), whole));
}

}  // namespace
}  // namespace hodo::om2vec
