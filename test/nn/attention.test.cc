#include "hodo/nn/attention.hh"

#include <gtest/gtest.h>

#include "hodo/base/threads.hh"
#include "hodo/nn/fused.hh"
#include "nn/attention_cases.hh"

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

/// The rows of an attention as a tensor in float64.
at::Tensor doubles(StoredMatrix& matrix, bool is_variable = true) {
    auto result = at::empty({matrix.rows, matrix.columns}, at::TensorOptions().dtype(at::kDouble));
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        for (std::int64_t j = 0; j < matrix.columns; ++j) result[i][j] = matrix.at(i, j);
    }
    return result.requires_grad_(is_variable);
}

/// Value and gradients by either engine, in the case's own type or in float64.
struct Judged {
    at::Tensor out, q, k, v;
    Judged(AttentionData& data, Engine engine)
        : q(doubles(data.q)), k(doubles(data.k)), v(doubles(data.v)) {
        Sequences sequences{{data.query_offsets}, {data.key_offsets}, at::Tensor()};
        if (!data.visible.empty()) {
            sequences.visible =
                at::tensor(std::vector<std::int64_t>(data.visible.begin(), data.visible.end()))
                    .to(at::kBool);
        }
        Pass pass;
        pass.mode = Mode::train;
        pass.dropout = data.what.dropout;
        pass.key = 77;
        pass.first_entry = 9;
        pass.engine = engine;
        const auto type = engine == Engine::plain                  ? at::kDouble
                          : data.what.storage == Storage::bfloat16 ? at::kBFloat16
                                                                   : at::kFloat;
        out = attend(q.to(type), k.to(type), v.to(type), data.what.heads, sequences, pass);
        (out * doubles(data.grad_out, false)).sum().backward();
    }
};

void expect_close(const at::Tensor& actual, const at::Tensor& expected, double tolerance) {
    ASSERT_EQ(actual.sizes(), expected.sizes());
    if (expected.numel() == 0) return;
    const auto largest = std::max(1.0, expected.abs().max().item<double>());
    EXPECT_LE((actual.to(at::kDouble) - expected).abs().max().item<double>(), tolerance * largest);
}

TEST(Attention, of_every_case_agrees_with_the_gradients_of_LibTorch) {
    for (const auto& what : attention_cases()) {
        SCOPED_TRACE(what.name);
        AttentionData data(what);
        const Judged fused(data, Engine::fused), plain(data, Engine::plain);
        const double width = static_cast<double>(what.width);
        // bfloat16 rounds the result, which enters the gradients, to 1/256.
        const double tolerance =
            what.storage == Storage::bfloat16 ? 2.0 / 64 : 1e-5 * width * width;
        expect_close(fused.out, plain.out, tolerance);
        expect_close(fused.q.grad(), plain.q.grad(), tolerance * width);
        expect_close(fused.k.grad(), plain.k.grad(), tolerance * width);
        expect_close(fused.v.grad(), plain.v.grad(), tolerance);
    }
}

TEST(Attention, packed_sequences_equal_padded_ones_with_hidden_keys) {
    const std::vector<std::int64_t> lengths{5, 0, 40, 1, 33};
    const auto packing = Packing::of_lengths(lengths);
    for (const std::int64_t head_size : {4, 8, 32, 128}) {
        for (const double dropout : {0.0, 0.2}) {
            const auto x = at::randn({packing.total(), 2 * head_size});
            const auto padding = Packing::equal(packing.count(), packing.longest());
            const auto padded = packing.pad(x).flatten(0, 1);
            Pass first;
            first.mode = Mode::train;
            first.dropout = dropout;
            auto second = first;
            const auto packed = attend(x, x, x, 2, {packing, packing, at::Tensor()}, first);
            const auto hidden = attend(padded, padded, padded, 2,
                                       {padding, padding, packing.filled().flatten()}, second);
            const auto back = packing.unpad(hidden.reshape({packing.count(), -1, 2 * head_size}));
            EXPECT_TRUE(at::allclose(packed, back, 1e-4, 1e-5)) << head_size << " " << dropout;
        }
    }
}

TEST(Attention, has_the_same_bits_for_any_number_of_threads) {
    const std::vector<std::int64_t> lengths{50, 0, 400, 1, 133};
    const auto packing = Packing::of_lengths(lengths);
    const int before = base::threads();
    for (const std::int64_t head_size : {8, 48}) {
        const auto x = at::randn({packing.total(), 2 * head_size}).requires_grad_(true);
        std::vector<at::Tensor> results;
        for (const int threads : {1, 2, 3}) {
            base::set_threads(threads);
            x.mutable_grad() = at::Tensor();
            Pass pass;
            pass.mode = Mode::train;
            pass.dropout = 0.1;
            const auto y = attend(x, x, x, 2, {packing, packing, at::Tensor()}, pass);
            y.square().sum().backward();
            results.push_back(at::cat({y.detach(), x.grad()}));
        }
        base::set_threads(before);
        EXPECT_TRUE(at::equal(results[0], results[1]));
        EXPECT_TRUE(at::equal(results[0], results[2]));
    }
}

TEST(Attention, of_packed_tokens_is_that_of_each_sequence) {
    auto attention = Attention::make(24, 3, at::TensorOptions().dtype(at::kFloat));
    attention.initialise(base::Random(1, "attention"));
    const std::vector<std::int64_t> lengths{7, 1, 12};
    const auto packing = Packing::of_lengths(lengths);
    const auto x = at::randn({20, 24});
    Pass pass;
    const auto all = attention(x, packing, pass);
    for (std::int64_t s = 0; s < 3; ++s) {
        const auto one = x.narrow(0, packing.first(s), packing.length(s)).unsqueeze(0);
        EXPECT_TRUE(at::allclose(all.narrow(0, packing.first(s), packing.length(s)),
                                 attention(one, pass).squeeze(0), 1e-5, 1e-6));
    }
}

TEST(Fused, applies_to_float32_and_bfloat16) {
    Pass pass;
    EXPECT_TRUE(fused_applies(at::zeros({1, 2, 16}), pass));
    EXPECT_TRUE(fused_applies(at::zeros({1, 2, 5}), pass));
    EXPECT_TRUE(fused_applies(at::zeros({1, 2, 16}).to(at::kBFloat16), pass));
    EXPECT_FALSE(fused_applies(at::zeros({1, 2, 16}).to(at::kDouble), pass));
    EXPECT_FALSE(fused_applies(at::zeros({0, 2, 16}), pass));
    pass.engine = Engine::plain;
    EXPECT_FALSE(fused_applies(at::zeros({1, 2, 16}), pass));
}

/// On a device `attend` is this where nothing is dropped.
TEST(Attention, by_the_operator_of_LibTorch_is_the_plain_one) {
    for (const std::int64_t keys : {2, 1}) {  // of each entry its own, or one for all
        std::vector<at::Tensor> plain{input(2, 5), input(keys, 9), input(keys, 9)}, library;
        for (const auto& x : plain) library.push_back(x.detach().clone().requires_grad_(true));
        Pass pass;
        const auto expected = attend_plain(plain[0], plain[1], plain[2], 4, pass);
        const auto actual = attend_by_library(library[0], library[1], library[2], 4, pass);
        EXPECT_TRUE(at::allclose(actual, expected, 1e-5, 1e-6));
        const auto cotangent = at::randn(expected.sizes());
        (expected * cotangent).sum().backward();
        (actual * cotangent).sum().backward();
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_TRUE(at::allclose(library[i].grad(), plain[i].grad(), 1e-4, 1e-5)) << i;
        }
        pass.precision = tensor::Precision::bf16;
        const auto narrow = attend_by_library(library[0], library[1], library[2], 4, pass);
        EXPECT_EQ(narrow.scalar_type(), at::kFloat);
        EXPECT_TRUE(at::allclose(narrow, expected, 0.03, 0.03));
    }
}

TEST(Fused, knows_heads_of_1_to_128) {
    EXPECT_TRUE(head_size_is_fused(1));
    EXPECT_TRUE(head_size_is_fused(128));
    EXPECT_FALSE(head_size_is_fused(129));
    Pass pass;  // larger heads go through plain operations
    const auto x = at::randn({1, 3, 160});
    EXPECT_TRUE(at::allclose(attend(x, x, x, 1, pass), attend_plain(x, x, x, 1, pass)));
}

}  // namespace
}  // namespace hodo::nn
