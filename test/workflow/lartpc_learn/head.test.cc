#include "hodo/workflow/lartpc/learn/head.hh"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <limits>

#include "hodo/base/threads.hh"
#include "hodo/nn/initialise.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::lartpc {
namespace {

/// Hidden maps and the last one, with first values.
std::vector<nn::Linear> maps_of(std::int64_t features, int hidden, const at::TensorOptions& type) {
    std::vector<nn::Linear> maps;
    for (int i = 0; i <= hidden; ++i) {
        maps.push_back(nn::Linear::make(features, i < hidden ? features : 1, type));
        maps.back().initialise(base::Random(1, "head").child("map", std::uint64_t(i)));
    }
    return maps;
}

at::Tensor rows_of(std::int64_t count, std::int64_t features) {
    auto rows = at::empty({count, features}, at::kFloat);
    nn::fill_uniform(rows, 3.0, base::Random(2, "rows"));
    return rows;
}

at::Tensor by_libtorch(const std::vector<nn::Linear>& maps, at::Tensor x) {
    x = x.to(at::kDouble);
    for (std::size_t i = 0; i < maps.size(); ++i) {
        if (i > 0) x = at::relu(x);
        x = at::linear(x, maps[i].weight.to(at::kDouble), maps[i].bias.to(at::kDouble));
    }
    return x.reshape({-1});
}

TEST(Head, computes_what_its_maps_say) {
    const at::NoGradGuard no_gradients;
    for (const int hidden : {0, 1, 2}) {
        const auto maps = maps_of(5, hidden, at::kFloat);
        const auto rows = rows_of(101, 5);
        const auto wanted = by_libtorch(maps, rows);
        const auto numbers = head_answers(maps, rows, Answer::number);
        EXPECT_LE((numbers.to(at::kDouble) - wanted).abs().max().item<double>(), 1e-6);
        const auto parts = head_answers(maps, rows, Answer::probability);
        EXPECT_LE((parts.to(at::kDouble) - at::sigmoid(wanted)).abs().max().item<double>(), 1e-6);
    }
}

TEST(Head, gives_a_row_the_same_bits_wherever_it_stands) {
    const at::NoGradGuard no_gradients;
    const auto maps = maps_of(16, 2, at::kFloat);
    const auto rows = rows_of(9001, 16);
    base::set_threads(2);
    const auto all = head_answers(maps, rows, Answer::probability);
    base::set_threads(1);
    EXPECT_TRUE(head_answers(maps, rows, Answer::probability).equal(all));
    for (const std::int64_t count : {0, 1, 7, 29, 4097}) {
        const auto part = head_answers(maps, rows.slice(0, 13, 13 + count), Answer::probability);
        EXPECT_TRUE(part.equal(all.slice(0, 13, 13 + count))) << count;
    }
}

TEST(Head, passes_on_what_is_no_number) {
    const at::NoGradGuard no_gradients;
    auto rows = rows_of(2, 4);
    rows[1][2] = std::numeric_limits<float>::quiet_NaN();
    const auto answers = head_answers(maps_of(4, 1, at::kFloat), rows, Answer::number);
    EXPECT_FALSE(answers[0].isnan().item<bool>());
    EXPECT_TRUE(answers[1].isnan().item<bool>());
}

TEST(Head, leaves_other_precisions_to_others) {
    EXPECT_TRUE(head_answers_apply(maps_of(4, 1, at::kFloat), rows_of(2, 4)));
    EXPECT_FALSE(head_answers_apply(maps_of(4, 1, at::kDouble), rows_of(2, 4)));
    EXPECT_FALSE(head_answers_apply(maps_of(4, 1, at::kFloat), rows_of(2, 4).to(at::kDouble)));
}

}  // namespace
}  // namespace hodo::lartpc
