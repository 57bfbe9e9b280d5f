#include <gtest/gtest.h>

#include "hodo/nn/fused.hh"
#include "hodo/nn/transformer.hh"
#include "nn/feed_forward_cases.hh"

namespace hodo::nn {
namespace {

/// Result and gradients of x and the four parameters, in that order.
std::vector<at::Tensor> there_and_back(const FeedForwardCase& what, Engine engine) {
    FeedForwardData data(what);
    const auto leaf = [](std::vector<float>& values, std::vector<std::int64_t> sizes) {
        return at::from_blob(values.data(), sizes, at::kFloat).clone().requires_grad_(true);
    };
    const auto matrix = [&](StoredMatrix& stored) {
        std::vector<float> values;
        for (std::int64_t i = 0; i < stored.rows; ++i) {
            for (std::int64_t j = 0; j < stored.columns; ++j) {
                values.push_back(static_cast<float>(stored.at(i, j)));
            }
        }
        return leaf(values, {stored.rows, stored.columns});
    };
    const auto x = matrix(data.x), grad_y = matrix(data.grad_y);
    const Linear first{leaf(data.weight1, {what.hidden, what.channels}),
                       leaf(data.bias1, {what.hidden})};
    const Linear second{leaf(data.weight2, {what.channels, what.hidden}),
                        leaf(data.bias2, {what.channels})};
    Pass pass;
    pass.mode = Mode::train;
    pass.dropout = what.dropout;
    pass.engine = engine;
    if (what.storage == Storage::bfloat16) pass.precision = tensor::Precision::bf16;
    const auto y = feed_forward(x, first, second, pass, what.activation);
    (y * grad_y.detach()).sum().backward();
    return {y.detach(),           x.grad(),          first.weight.grad(), first.bias.grad(),
            second.weight.grad(), second.bias.grad()};
}

TEST(FeedForwardParts, agree_with_libtorch_there_and_back_in_every_case) {
    for (const auto& what : feed_forward_cases()) {
        SCOPED_TRACE(what.name);
        const auto actual = there_and_back(what, Engine::fused);
        const auto expected = there_and_back(what, Engine::plain);
        // The plain way rounds hidden numbers and their gradients to bfloat16 as well.
        const double limit = what.storage == Storage::bfloat16 ? 0.03 : 2e-5;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const auto largest = std::max(1e-3, expected[i].abs().max().item<double>());
            const auto difference = (actual[i] - expected[i]).abs().max().item<double>();
            EXPECT_LE(difference, limit * largest) << "tensor " << i;
        }
    }
}

}  // namespace
}  // namespace hodo::nn
