#include "hodo/nn/fused_linear.hh"

#include <gtest/gtest.h>

#include "hodo/base/threads.hh"

namespace hodo::nn {
namespace {

struct MapCase {
    std::string name;
    std::vector<std::int64_t> sizes;  ///< Of the input; the tokens are its second axis.
    std::int64_t in, out;
    bool is_along_tokens = false;
};

std::vector<MapCase> cases() {
    return {{"projection", {3, 70, 32}, 32, 96},
            {"one row", {1, 16}, 16, 48},
            {"many rows", {700, 64}, 64, 256},
            {"large map, few rows", {5, 512}, 512, 640},
            {"large map, odd output", {3, 1024}, 1024, 301},
            {"large map, many rows", {70, 512}, 512, 512},
            {"tokens", {3, 64, 32}, 64, 256, true},
            {"tokens, odd output", {2, 48, 16}, 48, 37, true},
            {"tokens of many channels", {2, 32, 80}, 32, 64, true}};
}

struct Result {
    at::Tensor y, grad_x, grad_weight, grad_bias;
    std::vector<at::Tensor> all() const { return {y, grad_x, grad_weight, grad_bias}; }
};

Linear map_of(const MapCase& what) {
    auto map = Linear::make(what.in, what.out, at::TensorOptions().dtype(at::kFloat));
    map.initialise(base::Random(3, what.name));
    return map;
}

at::Tensor input_of(const MapCase& what) {
    at::manual_seed(5);
    return at::randn(what.sizes);
}

Result there_and_back(const MapCase& what, const at::Tensor& input, Engine engine) {
    const auto map = map_of(what);
    const auto x = input.detach().clone().requires_grad_(true);
    Pass pass;
    pass.engine = engine;
    const auto y = what.is_along_tokens ? map.along_tokens(x, pass) : map(x, pass);
    at::manual_seed(7);
    (y * at::randn(y.sizes())).sum().backward();
    return {y.detach(), x.grad(), map.weight.grad(), map.bias.grad()};
}

TEST(FusedMaps, agree_with_libtorch_there_and_back) {
    for (const auto& what : cases()) {
        SCOPED_TRACE(what.name);
        const auto x = input_of(what);
        const auto map = map_of(what);
        EXPECT_TRUE(what.is_along_tokens ? fused_token_map_applies(x, map, {})
                                         : fused_map_applies(x, map, {}));
        const auto actual = there_and_back(what, x, Engine::fused).all();
        const auto expected = there_and_back(what, x, Engine::plain).all();
        for (std::size_t i = 0; i < expected.size(); ++i) {
            ASSERT_EQ(actual[i].sizes(), expected[i].sizes());
            const auto largest = expected[i].abs().max().item<double>();
            EXPECT_LE((actual[i] - expected[i]).abs().max().item<double>(), 5e-6 * largest)
                << "tensor " << i;
        }
    }
}

TEST(FusedMaps, have_the_same_bits_for_any_number_of_threads) {
    const int before = base::threads();
    for (const auto& what : cases()) {
        SCOPED_TRACE(what.name);
        std::vector<std::vector<at::Tensor>> results;
        for (const int threads : {1, 2, 3}) {
            base::set_threads(threads);
            results.push_back(there_and_back(what, input_of(what), Engine::fused).all());
        }
        for (std::size_t i = 0; i < results[0].size(); ++i) {
            EXPECT_TRUE(at::equal(results[0][i], results[1][i])) << "tensor " << i;
            EXPECT_TRUE(at::equal(results[0][i], results[2][i])) << "tensor " << i;
        }
    }
    base::set_threads(before);
}

TEST(FusedMaps, give_an_entry_the_same_bits_whatever_its_neighbours) {
    for (const auto& what : cases()) {
        SCOPED_TRACE(what.name);
        const auto x = input_of(what);
        Pass pass;
        const auto map = map_of(what);
        const auto apply = [&](const at::Tensor& some) {
            return what.is_along_tokens ? map.along_tokens(some, pass) : map(some, pass);
        };
        EXPECT_TRUE(at::equal(apply(x.narrow(0, 0, 1)), apply(x).narrow(0, 0, 1)));
    }
}

TEST(FusedMaps, leave_other_types_engines_and_sizes_to_libtorch) {
    const auto map = Linear::make(32, 32, at::TensorOptions().dtype(at::kFloat));
    Pass plain, brain;
    plain.engine = Engine::plain;
    brain.precision = tensor::Precision::bf16;
    const auto x = at::zeros({4, 32});
    EXPECT_TRUE(fused_map_applies(x, map, {}));
    EXPECT_FALSE(fused_map_applies(x, map, plain));
    EXPECT_FALSE(fused_map_applies(x, map, brain));
    EXPECT_FALSE(fused_map_applies(x.to(at::kDouble), map, {}));
    EXPECT_FALSE(fused_map_applies(
        at::zeros({4, 33}), Linear::make(33, 32, at::TensorOptions().dtype(at::kFloat)), {}));
}

}  // namespace
}  // namespace hodo::nn
