#include <gtest/gtest.h>

#include <string>

#include "hodo/nn/kernels/reference.hh"
#include "nn/attention_cases.hh"

namespace hodo::nn {
namespace {

// One table of cases; every variant is judged by the readable reference, which is judged by finite
// differences here and by LibTorch's autograd in attention.test.cc.

const Kernels& reference() {
    return *available_kernels().front();
}

/// `scale` is the size of the terms that add up to the values.
void expect_near(StoredMatrix& actual, StoredMatrix& expected, double tolerance, double scale) {
    double largest = scale;
    for (std::int64_t i = 0; i < expected.rows; ++i) {
        for (std::int64_t j = 0; j < expected.columns; ++j) {
            largest = std::max(largest, std::abs(expected.at(i, j)));
        }
    }
    for (std::int64_t i = 0; i < expected.rows; ++i) {
        for (std::int64_t j = 0; j < expected.columns; ++j) {
            ASSERT_NEAR(actual.at(i, j), expected.at(i, j), tolerance * largest)
                << "row " << i << ", column " << j;
        }
    }
}

/// Relative tolerance: scores of size s carry an error of 1e-7 s into the exponent; a number in
/// bfloat16 is rounded to 1/256, and `out` rounded enters the gradients.
double tolerance(const AttentionCase& what) {
    if (what.storage == Storage::bfloat16) return 1.0 / 128;
    return 4e-6 * static_cast<double>(what.width * what.width);
}

class AttentionVariant : public ::testing::TestWithParam<const Kernels*> {};

TEST_P(AttentionVariant, agrees_with_the_reference_there_and_back) {
    for (const auto& what : attention_cases()) {
        SCOPED_TRACE(what.name);
        AttentionData actual(what), expected(what);
        for (auto* data : {&actual, &expected}) {
            const auto& kernels = data == &actual ? *GetParam() : reference();
            data->attend(kernels);
            data->differentiate(kernels);
        }
        const double limit = tolerance(what), width = static_cast<double>(what.width);
        expect_near(actual.out, expected.out, limit, 1e-3);
        // Differences of terms as large as queries, keys and incoming gradients.
        expect_near(actual.grad_q, expected.grad_q, limit, 3.0 * width);
        expect_near(actual.grad_k, expected.grad_k, limit, 3.0 * width);
        expect_near(actual.grad_v, expected.grad_v, 2 * limit, 1e-3);
        if (HasFatalFailure()) return;
    }
}

/// out . grad_out
double loss(AttentionData& data) {
    data.attend(reference());
    double sum = 0.0;
    for (std::int64_t i = 0; i < data.out.rows; ++i) {
        for (std::int64_t j = 0; j < data.out.columns; ++j) {
            sum += data.out.at(i, j) * data.grad_out.at(i, j);
        }
    }
    return sum;
}

TEST_P(AttentionVariant, gradients_agree_with_finite_differences) {
    for (const auto& what : attention_cases()) {
        if (what.storage == Storage::bfloat16 || what.width > 1) continue;
        SCOPED_TRACE(what.name);
        AttentionData data(what);
        data.attend(*GetParam());
        data.differentiate(*GetParam());
        const std::pair<StoredMatrix*, StoredMatrix*> inputs[] = {
            {&data.q, &data.grad_q}, {&data.k, &data.grad_k}, {&data.v, &data.grad_v}};
        for (const auto& [input, gradient] : inputs) {
            // Along a direction that is of order one in every number.
            const double step = 1e-3 / std::sqrt(static_cast<double>(input->rows + 1));
            const StoredMatrix before = *input;
            const auto move = [&](double by) {
                *input = before;
                StoredMatrix direction(before.rows, before.columns, before.storage, "way", 1);
                for (std::int64_t i = 0; i < input->rows; ++i) {
                    for (std::int64_t j = 0; j < input->columns; ++j) {
                        input->set(i, j, input->at(i, j) + by * direction.at(i, j));
                    }
                }
            };
            StoredMatrix direction(before.rows, before.columns, before.storage, "way", 1);
            double expected = 0.0, size = 0.0;
            for (std::int64_t i = 0; i < gradient->rows; ++i) {
                for (std::int64_t j = 0; j < gradient->columns; ++j) {
                    const auto along = gradient->at(i, j) * direction.at(i % before.rows, j);
                    expected += along;
                    size += along * along;
                }
            }
            move(step);
            const double up = loss(data);
            move(-step);
            const double down = loss(data);
            *input = before;
            // The loss is a sum of floats rounded to 6e-8, of which a few thousand add up.
            EXPECT_NEAR((up - down) / (2 * step), expected, 3e-3 * std::sqrt(size) + 2e-2);
        }
    }
}

TEST_P(AttentionVariant, a_sequence_has_the_same_bits_whatever_its_batch_mates) {
    for (const auto& what : attention_cases()) {
        if (what.storage == Storage::bfloat16 || what.queries.size() < 2 ||
            what.hidden != Hidden::none) {
            continue;
        }
        SCOPED_TRACE(what.name);
        AttentionData all(what);
        all.attend(*GetParam());
        all.differentiate(*GetParam());
        for (std::size_t s = 0; s < what.queries.size(); ++s) {
            AttentionData alone(what);
            const std::int64_t query_offsets[] = {0, what.queries[s]};
            const auto first = all.query_offsets[s];
            const auto place = all.is_shared ? 0 : s;
            const std::int64_t key_offsets[] = {
                0, all.key_offsets[place + 1] - all.key_offsets[place]};
            auto gradient = alone.gradient();
            auto& task = gradient.task;
            const auto at = [](ConstRows rows, std::int64_t row) {
                return ConstRows{static_cast<const float*>(rows.data) + row * rows.stride,
                                 rows.stride};
            };
            task.q = at(task.q, first);
            task.k = at(task.k, all.key_offsets[place]);
            task.v = at(task.v, all.key_offsets[place]);
            gradient.grad_out = at(gradient.grad_out, first);
            task.sequences = 1;
            task.query_offsets = query_offsets;
            task.key_offsets = key_offsets;
            task.first_sequence += static_cast<std::int64_t>(s);
            GetParam()->attend(task, 0, task.heads, alone.scratch);
            GetParam()->attend_gradient(gradient, 0, task.heads, alone.scratch);
            for (std::int64_t i = 0; i < what.queries[s]; ++i) {
                for (std::int64_t c = 0; c < all.channels; ++c) {
                    ASSERT_EQ(alone.out.at(i, c), all.out.at(first + i, c)) << "sequence " << s;
                    ASSERT_EQ(alone.grad_q.at(i, c), all.grad_q.at(first + i, c));
                }
            }
        }
    }
}

TEST_P(AttentionVariant, queries_that_see_nothing_get_zeros_and_give_no_gradient) {
    for (const auto& what : attention_cases()) {
        if (what.hidden != Hidden::all) continue;
        SCOPED_TRACE(what.name);
        AttentionData data(what);
        data.attend(*GetParam());
        data.differentiate(*GetParam());
        for (auto* matrix : {&data.out, &data.grad_q, &data.grad_k, &data.grad_v}) {
            for (std::int64_t i = 0; i < matrix->rows; ++i) {
                for (std::int64_t c = 0; c < matrix->columns; ++c) {
                    ASSERT_EQ(matrix->at(i, c), 0.0);
                }
            }
        }
    }
}

TEST_P(AttentionVariant, hidden_keys_are_as_if_they_were_not_there) {
    for (const std::int64_t head_size : {8, 64}) {
        const AttentionCase all{"all", 2, head_size, {30}, {90}};
        const AttentionCase few{"few", 2, head_size, {30}, {60}};
        AttentionData hiding(all), shorter(few);
        hiding.visible.assign(90, 0);
        for (std::int64_t j = 0, row = 0; j < 90; ++j) {
            if (j % 3 == 1) continue;
            hiding.visible[static_cast<std::size_t>(j)] = 1;
            for (std::int64_t c = 0; c < all.heads * head_size; ++c) {
                shorter.k.set(row, c, hiding.k.at(j, c));
                shorter.v.set(row, c, hiding.v.at(j, c));
            }
            ++row;
        }
        hiding.attend(*GetParam());
        shorter.attend(*GetParam());
        expect_near(hiding.out, shorter.out, 2e-6, 1e-3);
    }
}

TEST_P(AttentionVariant, ignores_the_order_of_keys_and_a_shift_of_all_scores) {
    for (const std::int64_t head_size : {8, 64}) {
        const AttentionCase what{"order", 1, head_size, {20}, {90}};
        AttentionData plain(what), changed(what);
        for (std::int64_t j = 0; j < 90; ++j) {
            for (std::int64_t c = 0; c < head_size; ++c) {
                changed.k.set(j, c, plain.k.at(89 - j, c));
                changed.v.set(j, c, plain.v.at(89 - j, c));
            }
            // A constant in one channel of the keys shifts all scores of a query alike.
            changed.k.set(j, head_size - 1, 4.0);
            plain.k.set(89 - j, head_size - 1, 0.0);
        }
        plain.attend(*GetParam());
        changed.attend(*GetParam());
        expect_near(changed.out, plain.out, 5e-6, 1e-3);
    }
}

INSTANTIATE_TEST_SUITE_P(Kernels, AttentionVariant,
                         ::testing::ValuesIn(available_kernels().begin(),
                                             available_kernels().end()),
                         [](const auto& parameter) { return std::string(parameter.param->name); });

}  // namespace
}  // namespace hodo::nn
