#include "hodo/nn/transformer.hh"

#include <gtest/gtest.h>

#include <cmath>

#include "hodo/base/threads.hh"

namespace hodo::nn {
namespace {

const auto doubles = at::TensorOptions().dtype(at::kDouble);
const auto floats = at::TensorOptions().dtype(at::kFloat);

/// Largest relative difference between the gradient by autograd and by central differences over a
/// few elements of every parameter and of the input.
template <class Layer, class Call>
void expect_true_gradients(Layer& layer, at::Tensor x, const Call& call) {
    const auto weight = at::linspace(-1, 1, x.numel(), doubles).reshape(x.sizes());
    const auto value = [&] { return (call(x) * weight).sum(); };
    value().backward();
    auto tensors = tensor::named_parameters(layer);
    tensors.push_back({"input", &x});
    for (auto& [name, tensor] : tensors) {
        const auto gradient = tensor->grad().reshape({-1});
        auto flat = tensor->detach().reshape({-1});
        for (std::int64_t i = 0; i < flat.numel(); i += 1 + flat.numel() / 3) {
            const double step = 1e-5, before = flat[i].template item<double>();
            flat[i] = before + step;
            const double up = value().template item<double>();
            flat[i] = before - step;
            const double down = value().template item<double>();
            flat[i] = before;
            EXPECT_NEAR((up - down) / (2 * step), gradient[i].template item<double>(), 1e-7)
                << name << " " << i;
        }
    }
}

TEST(EncoderLayer, gradients_agree_with_finite_differences) {
    auto layer = EncoderLayer::make({8, 2, 16}, doubles);
    layer.initialise(base::Random(1, "encoder"));
    const auto x = at::linspace(-2, 2, 2 * 5 * 8, doubles).sin().reshape({2, 5, 8});
    expect_true_gradients(layer, x.clone().requires_grad_(true), [&](const at::Tensor& input) {
        Pass pass;
        pass.mode = Mode::train;
        pass.dropout = 0.2;  // the same masks in every call
        return layer(input, pass);
    });
}

TEST(DecoderLayer, gradients_agree_with_finite_differences) {
    auto layer = DecoderLayer::make({8, 2, 16}, doubles);
    layer.initialise(base::Random(1, "decoder"));
    const auto memory = at::linspace(-1, 1, 3 * 8, doubles).cos().reshape({3, 8});
    const auto x = at::linspace(-2, 2, 2 * 5 * 8, doubles).sin().reshape({2, 5, 8});
    expect_true_gradients(layer, x.clone().requires_grad_(true), [&](const at::Tensor& input) {
        Pass pass;
        return layer(input, memory, pass);
    });
}

at::Tensor feed_forward_with(Engine engine, const at::Tensor& x, const Linear& first,
                             const Linear& second, double dropout) {
    Pass pass;
    pass.mode = Mode::train;
    pass.dropout = dropout;
    pass.engine = engine;
    return feed_forward(x, first, second, pass);
}

TEST(FeedForward, kernels_and_plain_operations_agree_with_their_gradients_and_masks) {
    auto first = Linear::make(32, 200, floats), second = Linear::make(200, 32, floats);
    first.initialise(base::Random(1, "first"));
    second.initialise(base::Random(1, "second"));
    const auto x = at::randn({3, 150, 32}).requires_grad_(true);
    const auto weight = at::linspace(-1, 1, x.numel()).reshape(x.sizes());
    const at::Tensor* tensors[] = {&x, &first.weight, &first.bias, &second.weight, &second.bias};
    for (const double dropout : {0.0, 0.1}) {
        std::vector<at::Tensor> results[2];
        for (const auto engine : {Engine::plain, Engine::fused}) {
            for (const auto* tensor : tensors) tensor->mutable_grad() = at::Tensor();
            const auto y = feed_forward_with(engine, x, first, second, dropout);
            (y * weight).sum().backward();
            auto& result = results[engine == Engine::plain ? 0 : 1];
            result.push_back(y.detach());
            for (const auto* tensor : tensors) result.push_back(tensor->grad().clone());
        }
        for (std::size_t i = 0; i < results[0].size(); ++i) {
            EXPECT_TRUE(at::allclose(results[1][i], results[0][i], 1e-4, 1e-4)) << i;
        }
    }
}

TEST(FeedForward, gradients_have_the_same_bits_for_any_number_of_threads) {
    auto first = Linear::make(32, 100, floats), second = Linear::make(100, 32, floats);
    first.initialise(base::Random(1, "first"));
    second.initialise(base::Random(1, "second"));
    const auto x = at::randn({5, 300, 32});
    const int before = base::threads();
    std::vector<at::Tensor> gradients;
    for (const int threads : {1, 2, 3}) {
        base::set_threads(threads);
        first.weight.mutable_grad() = at::Tensor();
        feed_forward_with(Engine::fused, x, first, second, 0.1).square().sum().backward();
        gradients.push_back(first.weight.grad().clone());
    }
    base::set_threads(before);
    EXPECT_TRUE(at::equal(gradients[0], gradients[1]));
    EXPECT_TRUE(at::equal(gradients[0], gradients[2]));
}

// Dropout acts at four places of an encoder layer and, with the cross-attention, at six of a
// decoder layer: on the weights of each attention, after each attention, inside and after the
// feed-forward part.
TEST(TransformerLayers, drop_at_the_places_of_the_original) {
    Pass pass;
    pass.mode = Mode::train;
    pass.dropout = 0.1;
    auto encoder = EncoderLayer::make({16, 2, 32}, floats);
    encoder.initialise(base::Random(1, "encoder"));
    encoder(at::randn({2, 5, 16}), pass);
    EXPECT_EQ(pass.next_place(), 4U);
    auto decoder = DecoderLayer::make({16, 2, 32}, floats);
    decoder.initialise(base::Random(1, "decoder"));
    decoder(at::randn({2, 5, 16}), at::randn({3, 16}), pass);
    EXPECT_EQ(pass.next_place(), 5U + 6U);
}

}  // namespace
}  // namespace hodo::nn
