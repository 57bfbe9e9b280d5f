// Optimizers, schedules, averages and learners against closed forms and against recorded results
// of PyTorch 1.13.

#include "hodo/train/learner.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "hodo/io/weights.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/view.hh"
#include "hodo/train/average.hh"
#include "hodo/train/optimizer.hh"
#include "hodo/train/plan.hh"
#include "hodo/train/ranks.hh"
#include "hodo/train/schedule.hh"
#include "hodo/train/session.hh"
#include "support/reference.hh"

namespace hodo::train {
namespace {

using testing::HasSubstr;

at::Tensor numbers(const std::vector<float>& values, const tensor::Shape& shape) {
    return tensor::copy<float>(values, shape);
}

std::vector<double> doubles(const at::Tensor& value) {
    return tensor::to_array(value).doubles();
}

/// Four steps on a 2 x 2 parameter with gradients that change size and sign.
std::vector<double> four_steps(const OptimizerOptions& options, at::ScalarType type) {
    auto parameter = numbers({0.5F, -1.25F, 2.0F, 0.01F}, {2, 2}).to(type);
    parameter.set_requires_grad(true);
    Optimizer optimizer({{"p", &parameter}}, options);
    for (int k = 0; k < 4; ++k) {
        const float sign = k % 2 == 0 ? 1.0F : -1.0F;
        parameter.mutable_grad() =
            numbers({0.1F * static_cast<float>(k + 1), -2.0F, 1e-3F, 3.0F * sign}, {2, 2}).to(type);
        optimizer.step(options.rate);
    }
    return doubles(parameter);
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected,
                 double tolerance) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        EXPECT_NEAR(actual[i], expected[i], tolerance) << "element " << i;
    }
}

OptimizerOptions reference_options(OptimizerKind kind) {
    OptimizerOptions options;
    options.kind = kind;
    options.rate = 0.01;
    options.beta1 = 0.8;
    options.beta2 = 0.95;
    options.epsilon = 1e-6;
    options.weight_decay = 0.1;
    options.momentum = 0.9;
    return options;
}

TEST(Learning, optimizers_follow_the_formulas_of_pytorch) {
    // Four steps of torch.optim in float32; the difference is the order of float32 operations.
    const std::vector<std::pair<OptimizerKind, std::vector<double>>> cases{
        {OptimizerKind::adam,
         {0.4600936472415924, -1.2100017070770264, 1.9600187540054321, -0.001223210827447474}},
        {OptimizerKind::adamw,
         {0.4585781693458557, -1.20506751537323, 1.952112078666687, -0.0012291449820622802}},
        {OptimizerKind::sgd,
         {0.4769430160522461, -1.0580024719238281, 1.9818392992019653, -0.038773585110902786}}};
    for (const auto& [kind, expected] : cases) {
        SCOPED_TRACE(names(kind)[static_cast<std::size_t>(kind)]);
        expect_near(four_steps(reference_options(kind), at::kFloat), expected, 5e-7);
        // The path for other types and devices is another piece of code.
        expect_near(four_steps(reference_options(kind), at::kDouble), expected, 5e-7);
    }
}

TEST(Learning, the_first_step_of_adam_moves_by_the_rate_against_the_sign) {
    auto parameter = numbers({1.0F, 1.0F, 1.0F}, {3});
    OptimizerOptions options;
    options.rate = 0.125;
    options.weight_decay = 0;
    Optimizer optimizer({{"p", &parameter}}, options);
    parameter.mutable_grad() = numbers({3.0F, -1e-3F, 0.0F}, {3});
    optimizer.step(options.rate);
    expect_near(doubles(parameter), {0.875, 1.125, 1.0}, 2e-6);
}

TEST(Learning, decay_can_spare_vectors) {
    auto matrix = at::ones({2, 2}), vector = at::ones({2});
    OptimizerOptions options;
    options.rate = 0.5;
    options.weight_decay = 0.5;
    options.decayed = Decayed::matrices;
    Optimizer optimizer({{"m", &matrix}, {"v", &vector}}, options);
    matrix.mutable_grad() = at::zeros({2, 2});
    vector.mutable_grad() = at::zeros({2});
    optimizer.step(options.rate);
    EXPECT_EQ(doubles(matrix), std::vector<double>(4, 0.75));
    EXPECT_EQ(doubles(vector), std::vector<double>(2, 1.0));
}

TEST(Learning, a_parameter_without_gradient_is_left_alone) {
    auto used = at::ones({2}), unused = at::ones({2});
    Optimizer optimizer({{"used", &used}, {"unused", &unused}}, {});
    used.mutable_grad() = at::ones({2});
    optimizer.step(0.1);
    EXPECT_EQ(doubles(unused), std::vector<double>(2, 1.0));
    auto archive = Archive::to_save();
    optimizer.state(archive);
    auto stored = Archive::to_load(archive);
    std::vector<std::int64_t> steps;
    stored("steps", steps);
    EXPECT_EQ(steps, (std::vector<std::int64_t>{1, 0}));
}

/// Adam's moments of a parameter {1, 2} after three steps, as a PyTorch checkpoint keeps them.
io::OptimizerState three_steps_of_adam() {
    io::OptimizerSlot slot;
    slot.parameter = 0;
    slot.step = 3;
    slot.moments = {{"exp_avg", io::make_array(std::vector<float>{0.1F, -0.2F})},
                    {"exp_avg_sq", io::make_array(std::vector<float>{0.04F, 0.09F})}};
    io::OptimizerState state;
    state.slots.push_back(slot);
    auto group = io::Json::object();
    group["lr"] = 0.5;
    group["params"] = io::Json::List{io::Json(0)};
    state.groups.push(group);
    return state;
}

TEST(Adopting, goes_on_with_adam_as_the_formula_says) {
    test::TemporaryFolder folder;
    io::Checkpoint checkpoint;
    checkpoint.weights = {{"p", io::make_array(std::vector<float>{1.0F, 2.0F})}};
    checkpoint.optimizers = {three_steps_of_adam()};
    io::write_checkpoint(folder / "a.ckpt", checkpoint);

    auto parameter = numbers({1.0F, 2.0F}, {2});
    OptimizerOptions options;
    options.kind = OptimizerKind::adam;
    options.beta1 = 0.9;
    options.beta2 = 0.99;
    options.epsilon = 0;
    options.weight_decay = 0;
    Optimizer optimizer({{"p", &parameter}}, options);
    optimizer.adopt(io::WeightFile::open(folder / "a.ckpt").optimizer());
    parameter.mutable_grad() = numbers({1.0F, -1.0F}, {2});
    optimizer.step(0.5);
    // The fourth step: m = 0.9 m + 0.1 g, v = 0.99 v + 0.01 g^2, corrected by 1 - beta^4.
    const double first = 0.19 / 0.3439 / std::sqrt(0.0496 / 0.03940399);
    const double second = -0.28 / 0.3439 / std::sqrt(0.0991 / 0.03940399);
    expect_near(doubles(parameter), {1.0 - 0.5 * first, 2.0 - 0.5 * second}, 1e-6);
}

TEST(Adopting, gives_back_what_was_taken) {
    auto parameter = numbers({1.0F, 2.0F}, {2}), other = at::ones({3});
    Optimizer optimizer({{"other", &other}, {"p", &parameter}}, {.kind = OptimizerKind::adam});
    EXPECT_TRUE(optimizer.exported().slots.empty());
    auto state = three_steps_of_adam();
    state.slots[0].parameter = 1;
    optimizer.adopt(state);
    const auto exported = optimizer.exported();
    ASSERT_EQ(exported.slots.size(), 1U);
    EXPECT_EQ(exported.slots[0].parameter, 1);
    EXPECT_EQ(exported.slots[0].step, 3);
    for (const auto* name : {"exp_avg", "exp_avg_sq"}) {
        EXPECT_EQ(exported.slots[0].moment(name).floats(), state.slots[0].moment(name).floats());
    }
}

TEST(Adopting, refuses_a_state_that_does_not_fit) {
    auto parameter = numbers({1.0F, 2.0F}, {2}), longer = at::ones({3});
    Optimizer fits({{"p", &parameter}}, {});
    auto state = three_steps_of_adam();
    state.slots[0].parameter = 1;
    EXPECT_THAT(test::error_of([&] { fits.adopt(state); }), HasSubstr("has a parameter 1"));
    Optimizer other({{"p", &longer}}, {});
    EXPECT_THAT(test::error_of([&] { other.adopt(three_steps_of_adam()); }),
                HasSubstr("'p' has another shape"));
    Optimizer descent({{"p", &parameter}}, {.kind = OptimizerKind::sgd});
    EXPECT_THAT(test::error_of([&] { descent.adopt(three_steps_of_adam()); }),
                HasSubstr("kind is sgd"));
}

TEST(Learning, the_gradient_is_clipped_by_its_global_norm) {
    auto p = at::zeros({3}), q = at::zeros({2, 2});
    p.mutable_grad() = numbers({3, 4, 0}, {3});
    q.mutable_grad() = at::full({2, 2}, 6.0F);
    const double norm = gradient_norm({{"p", &p}, {"q", &q}});
    EXPECT_DOUBLE_EQ(norm, 13.0);
    EXPECT_NEAR(3 * clip_factor(norm, 2.0), 0.4615384, 1e-6);
    EXPECT_EQ(clip_factor(norm, 20.0), 1.0);
    EXPECT_EQ(clip_factor(0.0, 1.0), 1.0);
    // Many blocks, and a tensor of another layout.
    auto large = at::zeros({300, 1000});
    large.mutable_grad() = at::full({1000, 300}, 0.5F).t();
    EXPECT_DOUBLE_EQ(gradient_norm({{"large", &large}}), 0.5 * std::sqrt(300000.0));
}

StepContext at_step(std::int64_t step, std::int64_t epoch_steps, std::int64_t epochs) {
    StepContext context;
    context.step = step;
    context.epoch = step / epoch_steps;
    context.epoch_step = step % epoch_steps;
    context.epoch_steps = epoch_steps;
    context.total_steps = epoch_steps * epochs;
    context.total_epochs = epochs;
    return context;
}

std::vector<double> factors(const ScheduleOptions& options, std::int64_t epoch_steps,
                            std::int64_t epochs) {
    Schedule schedule(options);
    std::vector<double> found;
    for (std::int64_t step = 0; step < epochs * epoch_steps; ++step) {
        found.push_back(schedule.factor(at_step(step, epoch_steps, epochs)));
    }
    return found;
}

TEST(Learning, schedules_follow_their_formulas) {
    ScheduleOptions options;
    EXPECT_EQ(factors(options, 2, 2), std::vector<double>(4, 1.0));
    options.kind = ScheduleKind::steps;
    options.milestones = {2, 3};
    expect_near(factors(options, 1, 5), {1, 1, 0.1, 0.01, 0.01}, 1e-15);
    expect_near(factors(options, 2, 4), {1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01}, 1e-15);
    options.kind = ScheduleKind::cosine;
    options.length = 5;
    options.floor = 0.1;
    // torch.optim.lr_scheduler.CosineAnnealingLR(T_max=5, eta_min=0.1), then the floor.
    expect_near(factors(options, 1, 8),
                {1.0, 0.9140576474687263, 0.6890576474687263, 0.41094235253127365,
                 0.1859423525312737, 0.1, 0.1, 0.1},
                1e-12);
    options.length = 0;
    options.floor = 0;
    options.unit = ScheduleUnit::step;
    EXPECT_NEAR(factors(options, 4, 2)[4], 0.5, 1e-15);
    ScheduleOptions warm;
    warm.warmup = 4;
    expect_near(factors(warm, 3, 2), {0.25, 0.5, 0.75, 1, 1, 1}, 1e-15);
}

TEST(Learning, a_plateau_lowers_the_rate_when_validation_stops_improving) {
    ScheduleOptions options;
    options.kind = ScheduleKind::plateau;
    options.factor = 0.5;
    options.patience = 1;
    options.threshold = 0.1;
    Schedule schedule(options);
    std::vector<double> found;
    Scalars validation;
    auto context = at_step(0, 1, 10);
    context.validation = &validation;
    for (const double loss : {1.0, 0.95, 0.85, 0.84, 0.83, 0.82, 0.5, 0.49, 0.48, 0.47}) {
        validation.set("loss", loss);
        ++context.validations;
        found.push_back(schedule.factor(context));
        EXPECT_EQ(schedule.factor(context), found.back()) << "a pass counts once";
    }
    // torch.optim.lr_scheduler.ReduceLROnPlateau with the same numbers.
    EXPECT_EQ(found, (std::vector<double>{1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25}));
    validation = {{"other", 1.0}};
    ++context.validations;
    EXPECT_THAT(test::error_of([&] { schedule.factor(context); }), HasSubstr("'loss'"));
}

TEST(Learning, a_plateau_may_watch_a_scalar_that_should_rise) {
    ScheduleOptions options;
    options.kind = ScheduleKind::plateau;
    options.factor = 0.2;
    options.patience = 2;
    options.metric = "acc";
    options.better = Better::larger;
    Schedule schedule(options);
    std::vector<double> found;
    Scalars validation;
    auto context = at_step(0, 1, 10);
    context.validation = &validation;
    for (const double acc : {0.5, 0.6, 0.60001, 0.59, 0.58, 0.7, 0.6, 0.6, 0.6, 0.6}) {
        validation.set("acc", acc);
        ++context.validations;
        found.push_back(schedule.factor(context));
    }
    // torch.optim.lr_scheduler.ReduceLROnPlateau(mode="max", factor=0.2, patience=2) likewise.
    EXPECT_EQ(found, (std::vector<double>{1, 1, 1, 1, 0.2, 0.2, 0.2, 0.2, 0.2 * 0.2, 0.2 * 0.2}));
    Schedule other(options);
    other.adopt(schedule.plateau());
    EXPECT_EQ(other.plateau().best, 0.7);
    EXPECT_EQ(other.plateau().factor, 0.2 * 0.2);
}

/// The parameter is the index of the update, counted from 1; returns the average after `epochs`.
double average_of_counter(const AverageOptions& options, std::int64_t epoch_steps,
                          std::int64_t epochs, std::int64_t* count = nullptr) {
    auto parameter = at::zeros({1});
    Average average({{"p", &parameter}}, options);
    for (std::int64_t step = 0; step < epoch_steps * epochs; ++step) {
        const auto context = at_step(step, epoch_steps, epochs);
        average.before_update(context);
        parameter.fill_(static_cast<double>(step + 1));
        average.after_update(context);
    }
    if (count != nullptr) *count = average.count();
    average.swap();
    const double mean = parameter.item<double>();
    average.swap();
    EXPECT_EQ(parameter.item<double>(), static_cast<double>(epoch_steps * epochs));
    return mean;
}

TEST(Learning, averages_follow_their_formulas) {
    AverageOptions options{AverageKind::ema};
    options.decay = 0.5;
    // 1, then (1 + 2)/2, (1.5 + 3)/2, (2.25 + 4)/2.
    EXPECT_DOUBLE_EQ(average_of_counter(options, 4, 1), 3.125);
    options.kind = AverageKind::swa;
    options.start = 0.5;
    // Epochs 2 and 3 of 0..3 with 10 steps each: parameters 30 and 40.
    EXPECT_DOUBLE_EQ(average_of_counter(options, 10, 4), 35);
}

TEST(Learning, swa_can_take_the_times_of_lightning) {
    AverageOptions options{AverageKind::swa};
    options.times = SwaTimes::lightning;
    options.start = 0.8;
    std::int64_t count = 0;
    // 25 epochs of 2 steps: starts of epochs 19 to 24 see the parameters 38, 40, ..., 48.
    EXPECT_NEAR(average_of_counter(options, 2, 25, &count), 43, 1e-5);
    EXPECT_EQ(count, 6);
    // One epoch: its start is averaged, as Lightning does (max(0, -1) = 0).
    EXPECT_EQ(average_of_counter(options, 2, 1, &count), 0);
    EXPECT_EQ(count, 1);
}

struct Line {
    at::Tensor weight = numbers({0.5F, -0.5F, 1.0F}, {3, 1});
    at::Tensor spare = at::ones({2});
    void visit(tensor::ParameterVisitor& v) {
        v("weight", weight);
        v("spare", spare);
    }
};

at::Tensor line_loss(const Line& line, const at::Tensor& x) {
    return at::matmul(x, line.weight).square().mean();
}

TEST(Learning, accumulation_equals_the_big_batch) {
    at::manual_seed(3);
    const auto x = at::randn({12, 3});
    LearnerOptions options;
    options.optimizer.rate = 0.1;
    options.clip = 0.1;
    Line big, small;
    Learner whole("whole", tensor::named_parameters(big), options);
    options.accumulate = 3;
    Learner parts("parts", tensor::named_parameters(small), options);
    for (int step = 0; step < 5; ++step) {
        const auto done = whole.update(line_loss(big, x), at_step(step, 5, 1));
        for (int part = 0; part < 3; ++part) {
            const auto update =
                parts.update(line_loss(small, x.narrow(0, 4 * part, 4)), at_step(step, 5, 1));
            EXPECT_EQ(update.stepped, part == 2);
            EXPECT_NEAR(update.gradient_norm, part == 2 ? done.gradient_norm : 0.0, 1e-6);
        }
    }
    EXPECT_TRUE(at::allclose(big.weight, small.weight, 1e-6, 1e-7));
    EXPECT_EQ(doubles(big.spare), std::vector<double>(2, 1.0));
}

TEST(Learning, an_update_touches_only_the_parameters_of_its_learner) {
    Line generator, critic;
    Learner learner("critic", tensor::named_parameters(critic), {});
    Learner other("generator", tensor::named_parameters(generator), {});
    const auto before = generator.weight.detach().clone();
    const auto loss = (at::matmul(at::ones({2, 3}), generator.weight) * critic.weight.sum()).sum();
    learner.update(loss, at_step(0, 1, 1));
    EXPECT_FALSE(generator.weight.grad().defined());
    EXPECT_TRUE(at::equal(generator.weight, before));
}

TEST(Learning, what_is_not_finite_is_refused_before_anything_changes) {
    Line line;
    Learner learner("line", tensor::named_parameters(line), {});
    const auto before = line.weight.detach().clone();
    const auto infinite = line_loss(line, at::full({1, 3}, 1e30F));
    const auto message = test::error_of([&] { learner.update(infinite, at_step(0, 1, 1)); });
    EXPECT_THAT(message, HasSubstr("the loss of learner 'line' is inf"));
    // A finite loss whose gradient is not: the root at zero.
    const auto steep = (line.weight.sum() - 1).sqrt();
    EXPECT_THAT(test::error_of([&] { learner.update(steep, at_step(0, 1, 1)); }),
                HasSubstr("the gradient norm of learner 'line' is"));
    EXPECT_TRUE(at::equal(line.weight, before));
    EXPECT_THROW(require_finite({{"a", 1.0}, {"b", NAN}}), NonFinite);
}

TEST(Learning, a_learner_in_the_middle_of_accumulation_is_restored_bit_for_bit) {
    at::manual_seed(4);
    const auto x = at::randn({30, 3});
    LearnerOptions options;
    options.accumulate = 3;
    options.average.kind = AverageKind::ema;
    const auto steps = [&](Line& line, Learner& learner, int begin, int end) {
        for (int i = begin; i < end; ++i) {
            learner.update(line_loss(line, x.narrow(0, i, 5)), at_step(i, 25, 1));
        }
    };
    Line first, second;
    Learner whole("line", tensor::named_parameters(first), options);
    steps(first, whole, 0, 10);
    auto saved = Archive::to_save();
    whole.state(saved);
    steps(first, whole, 10, 25);

    Learner resumed("line", tensor::named_parameters(second), options);
    auto stored = Archive::to_load(saved);
    resumed.state(stored);
    stored.finish();
    steps(second, resumed, 10, 25);
    EXPECT_TRUE(at::equal(first.weight, second.weight));
}

TEST(Learning, the_sum_over_ranks_is_the_same_on_every_rank) {
    auto ranks = thread_ranks(3);
    std::vector<at::Tensor> sums(3);
    {
        std::vector<std::jthread> threads;
        for (int rank = 0; rank < 3; ++rank) {
            threads.emplace_back([&, rank] {
                auto& mine = *ranks[static_cast<std::size_t>(rank)];
                auto value = at::full({2}, static_cast<float>(1 << rank));
                for (int repeat = 0; repeat < 20; ++repeat) {
                    value = at::full({2}, static_cast<float>(1 << rank));
                    mine.sum(value);
                    mine.barrier();
                }
                sums[static_cast<std::size_t>(mine.rank())] = value;
            });
        }
    }
    for (const auto& sum : sums) EXPECT_EQ(doubles(sum), std::vector<double>(2, 7.0));
    EXPECT_EQ(single_rank().size(), 1);
}

TEST(Learning, errors_of_libtorch_name_the_step_in_one_line) {
    const auto context = at_step(12, 20, 1);
    const auto message = test::error_of([&] {
        guarded_step(context, [] { return at::matmul(at::ones({2, 3}), at::ones({2, 3})); });
    });
    EXPECT_THAT(message, HasSubstr("training step 12"));
    EXPECT_EQ(message.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace hodo::train
