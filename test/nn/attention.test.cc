#include "hodo/nn/attention.hh"

#include <gtest/gtest.h>

#include "hodo/nn/fused.hh"

namespace hodo::nn {
namespace {

at::Tensor attend_with(Engine engine, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       double dropout = 0.0) {
    Pass pass;
    pass.mode = Mode::train;
    pass.dropout = dropout;
    pass.key = 77;
    pass.engine = engine;
    return attend(q, k, v, 2, pass);
}

at::Tensor input(std::int64_t batch, std::int64_t tokens) {
    return at::randn({batch, tokens, 16}).requires_grad_(true);
}

TEST(Attention, of_one_key_is_its_value) {
    const auto q = input(2, 5), k = input(2, 1), v = input(2, 1);
    for (const auto engine : {Engine::plain, Engine::fused}) {
        EXPECT_TRUE(at::allclose(attend_with(engine, q, k, v), v.expand({2, 5, 16})));
    }
}

TEST(Attention, of_equal_keys_is_the_mean_of_the_values) {
    const auto q = input(2, 5), v = input(2, 9);
    const auto k = at::ones({2, 9, 16});
    for (const auto engine : {Engine::plain, Engine::fused}) {
        EXPECT_TRUE(at::allclose(attend_with(engine, q, k, v), v.mean(1, true).expand({2, 5, 16}),
                                 1e-5, 1e-6));
    }
}

struct Gradients {
    at::Tensor out, q, k, v;
};

Gradients gradients(Engine engine, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    double dropout) {
    for (const auto* x : {&q, &k, &v}) x->mutable_grad() = at::Tensor();
    const auto out = attend_with(engine, q, k, v, dropout);
    (out * at::linspace(-1, 1, out.numel()).reshape(out.sizes())).sum().backward();
    return {out.detach(), q.grad().clone(), k.grad().clone(), v.grad().clone()};
}

TEST(Attention, kernels_and_plain_operations_agree_with_their_gradients_and_masks) {
    const auto q = input(3, 37), k = input(3, 70), v = input(3, 70);
    const auto shared_k = input(1, 70), shared_v = input(1, 70);
    for (const double dropout : {0.0, 0.1, 0.5}) {
        for (const bool is_shared : {false, true}) {
            const auto& keys = is_shared ? shared_k : k;
            const auto& values = is_shared ? shared_v : v;
            const auto plain = gradients(Engine::plain, q, keys, values, dropout);
            const auto fused = gradients(Engine::fused, q, keys, values, dropout);
            EXPECT_TRUE(at::allclose(fused.out, plain.out, 1e-4, 1e-6));
            EXPECT_TRUE(at::allclose(fused.q, plain.q, 1e-4, 1e-6));
            EXPECT_TRUE(at::allclose(fused.k, plain.k, 1e-4, 1e-5));
            EXPECT_TRUE(at::allclose(fused.v, plain.v, 1e-4, 1e-5));
        }
    }
}

TEST(Attention, entries_of_a_batch_do_not_see_each_other) {
    const auto options = at::TensorOptions().dtype(at::kFloat);
    auto attention = Attention::make(16, 2, options);
    attention.initialise(base::Random(1, "attention"));
    const auto x = input(4, 20);
    Pass pass;
    const auto all = attention(x, pass);
    EXPECT_TRUE(at::allclose(all.narrow(0, 2, 1), attention(x.narrow(0, 2, 1), pass), 1e-5, 1e-6));
    const auto order = at::tensor({3, 1, 0, 2}).to(at::kLong);
    EXPECT_TRUE(at::allclose(attention(x.index_select(0, order), pass), all.index_select(0, order),
                             1e-5, 1e-6));
}

TEST(Attention, without_positions_commutes_with_a_permutation_of_tokens) {
    auto attention = Attention::make(16, 2, at::TensorOptions().dtype(at::kFloat));
    attention.initialise(base::Random(1, "attention"));
    const auto x = input(2, 6);
    const auto order = at::tensor({5, 3, 0, 1, 2, 4}).to(at::kLong);
    Pass pass;
    EXPECT_TRUE(at::allclose(attention(x.index_select(1, order), pass),
                             attention(x, pass).index_select(1, order), 1e-5, 1e-6));
}

TEST(Fused, applies_to_float32_in_full_precision_only) {
    Pass pass;
    EXPECT_TRUE(fused_applies(at::zeros({1, 2, 16}), pass));
    EXPECT_FALSE(fused_applies(at::zeros({1, 2, 8}), pass));
    EXPECT_FALSE(fused_applies(at::zeros({1, 2, 16}).to(at::kDouble), pass));
    pass.precision = tensor::Precision::bf16;
    EXPECT_FALSE(fused_applies(at::zeros({1, 2, 16}), pass));
}

}  // namespace
}  // namespace hodo::nn
