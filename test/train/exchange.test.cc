#include "hodo/train/exchange.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "hodo/tensor/torch.hh"
#include "hodo/tensor/view.hh"
#include "hodo/train/ranks.hh"

namespace hodo::train {
namespace {

/// Four layers one after the other, and a parameter that no loss depends on.
struct Chain {
    std::vector<at::Tensor> layers;
    at::Tensor unused;

    Chain() {
        for (int i = 0; i < 4; ++i) {
            auto layer = at::arange(9, at::kFloat).reshape({3, 3}).div_(10.0 + i);
            layers.push_back(layer.set_requires_grad(true));
        }
        unused = at::ones({2}, at::kFloat).set_requires_grad(true);
    }
    void visit(tensor::ParameterVisitor& v) {
        for (std::size_t i = 0; i < layers.size(); ++i) v(std::to_string(i), layers[i]);
        v("unused", unused);
    }
    at::Tensor loss(double scale) const {
        auto x = at::full({1, 3}, scale, at::kFloat);
        for (const auto& layer : layers) x = at::tanh(x.matmul(layer));
        return x.square().sum();
    }
};

/// Runs `work(rank)` on threads that stand for ranks.
void on_ranks(int count, const std::function<void(Ranks&)>& work) {
    const auto ranks = thread_ranks(count);
    std::vector<std::jthread> threads;
    for (const auto& rank : ranks) threads.emplace_back([&work, &rank] { work(*rank); });
}

std::vector<float> gradients(const Chain& chain) {
    std::vector<float> all;
    for (const auto& layer : chain.layers) {
        const auto values = tensor::values<float>(layer.grad());
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

TEST(GradientExchanges, gradients_become_their_sum_over_ranks) {
    std::vector<std::vector<float>> found(3);
    on_ranks(3, [&](Ranks& ranks) {
        Chain chain;
        GradientExchange exchange(tensor::named_parameters(chain), 20);
        exchange.begin(ranks);
        chain.loss(ranks.rank() + 1).backward();
        exchange.finish(ranks);
        found[static_cast<std::size_t>(ranks.rank())] = gradients(chain);
        EXPECT_FALSE(chain.unused.grad().defined());
    });
    EXPECT_EQ(found[0], found[1]);
    EXPECT_EQ(found[0], found[2]);
    Chain alone;
    (alone.loss(1) + alone.loss(2) + alone.loss(3)).backward();
    const auto expected = gradients(alone);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(found[0][i], expected[i], 1e-6 * (1 + std::abs(expected[i])));
    }
}

TEST(GradientExchanges, buckets_leave_while_backward_runs) {
    on_ranks(2, [&](Ranks& ranks) {
        Chain chain;
        auto parameters = tensor::named_parameters(chain);
        parameters.pop_back();  // Without the unused one, every bucket fills by itself.
        GradientExchange exchange(parameters, 9);
        ASSERT_EQ(exchange.buckets(), 4);
        for (int repeat = 0; repeat < 3; ++repeat) {
            exchange.begin(ranks);
            chain.loss(1).backward();
            EXPECT_EQ(exchange.sent_early(), 0);  // Counted by finish.
            exchange.finish(ranks);
            EXPECT_EQ(exchange.sent_early(), 4);
            for (auto& layer : chain.layers) layer.mutable_grad() = at::Tensor();
        }
    });
}

TEST(GradientExchanges, earlier_parts_of_a_batch_are_sent_with_the_last) {
    std::vector<float> whole, parts;
    on_ranks(2, [&](Ranks& ranks) {
        Chain chain;
        GradientExchange exchange(tensor::named_parameters(chain));
        chain.loss(1).backward();
        exchange.begin(ranks);
        chain.loss(2).backward();
        exchange.finish(ranks);
        if (ranks.first()) parts = gradients(chain);
    });
    Chain alone;
    (2 * (alone.loss(1) + alone.loss(2))).backward();
    whole = gradients(alone);
    ASSERT_EQ(parts.size(), whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_NEAR(parts[i], whole[i], 1e-6 * (1 + std::abs(whole[i])));
    }
}

TEST(GradientExchanges, a_rank_without_gradients_counts_as_zero) {
    on_ranks(2, [&](Ranks& ranks) {
        Chain chain;
        GradientExchange exchange(tensor::named_parameters(chain));
        if (ranks.first()) chain.loss(1).backward();
        exchange.finish(ranks);
        Chain alone;
        alone.loss(1).backward();
        EXPECT_EQ(gradients(chain), gradients(alone));
        EXPECT_FALSE(chain.unused.grad().defined());
    });
}

TEST(GradientExchanges, parameters_of_different_types_travel_apart) {
    struct Mixed {
        at::Tensor first = at::ones({2}, at::kFloat).set_requires_grad(true);
        at::Tensor second = at::ones({2}, at::kDouble).set_requires_grad(true);
        void visit(tensor::ParameterVisitor& v) {
            v("first", first);
            v("second", second);
        }
    };
    on_ranks(2, [&](Ranks& ranks) {
        Mixed mixed;
        GradientExchange exchange(tensor::named_parameters(mixed));
        EXPECT_EQ(exchange.buckets(), 2);
        exchange.begin(ranks);
        (mixed.first.sum() + mixed.second.sum() * 3).backward();
        exchange.finish(ranks);
        EXPECT_TRUE(at::equal(mixed.first.grad(), at::full({2}, 2, at::kFloat)));
        EXPECT_TRUE(at::equal(mixed.second.grad(), at::full({2}, 6, at::kDouble)));
    });
}

}  // namespace
}  // namespace hodo::train
