#pragma once
/// Small recipes and sources for the tests of training: regression and a pair of opponents.

#include "hodo/io/atomic_file.hh"
#include "hodo/io/weights.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/view.hh"
#include "hodo/train/loop.hh"
#include "hodo/train/ranks.hh"

#include <chrono>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace hodo::train::toys {

struct Batch {
    at::Tensor x, y;  ///< [rows, 3], [rows, 1]
    std::vector<std::int64_t> ids;
    void state(Archive& archive) {
        archive("x", x);
        archive("y", y);
        archive("ids", ids);
    }
};

/// Rows of a linear law with noise; row r of group g has id 1000 g + r. The row with id `poison`
/// is NaN; loading the row with id `failure` throws.
class LineSource final : public Source<Batch> {
  public:
    explicit LineSource(std::vector<std::int64_t> groups) : groups_(std::move(groups)) {}
    std::vector<std::int64_t> groups() const override { return groups_; }
    Batch load(const Request& request) const override {
        std::vector<float> x, y;
        Batch batch;
        for (const auto& row : request.rows) {
            const auto id = 1000 * row.group + row.row;
            HODO_CHECK(id != failure, "row {} cannot be read", id);
            base::Random random(5, "toy", static_cast<std::uint64_t>(id));
            double sum = 0.1 * random.normal();
            for (int i = 0; i < 3; ++i) {
                x.push_back(static_cast<float>(random.normal()));
                sum += (i - 1) * static_cast<double>(x.back());
            }
            y.push_back(id == poison ? std::numeric_limits<float>::quiet_NaN()
                                     : static_cast<float>(sum));
            batch.ids.push_back(id);
        }
        const auto rows = static_cast<std::int64_t>(request.rows.size());
        batch.x = tensor::copy<float>(x, {rows, 3});
        batch.y = tensor::copy<float>(y, {rows, 1});
        return batch;
    }
    std::int64_t poison = -1, failure = -1;

  private:
    std::vector<std::int64_t> groups_;
};

/// Two layers with dropout, whose noise comes from LibTorch's generator.
struct Network {
    at::Tensor first, bias, second;

    Network(std::uint64_t seed, std::int64_t inputs) {
        const auto filled = [&](std::string_view name, const tensor::Shape& shape) {
            base::Random random(seed, name);
            auto values = at::empty(shape, at::kFloat);
            for (auto& value : tensor::mutable_values<float>(values)) {
                value = static_cast<float>(0.5 * random.normal());
            }
            return values;
        };
        first = filled("first", {inputs, 16});
        bias = filled("bias", {16});
        second = filled("second", {16, 1});
    }
    at::Tensor operator()(const at::Tensor& x, bool training) const {
        return at::dropout(at::tanh(at::matmul(x, first) + bias), 0.2, training).matmul(second);
    }
    void visit(tensor::ParameterVisitor& v) {
        v("first", first);
        v("bias", bias);
        v("second", second);
    }
};

inline at::Tensor square_error(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).square().mean();
}

inline LearnerOptions regression_options() {
    LearnerOptions options;
    options.optimizer.rate = 0.02;
    options.schedule.kind = ScheduleKind::cosine;
    options.schedule.unit = ScheduleUnit::step;
    options.schedule.warmup = 5;
    options.average.kind = AverageKind::swa;
    options.average.start = 0.5;
    options.clip = 0.5;
    return options;
}

class Regression final : public Recipe<Batch> {
  public:
    explicit Regression(const LearnerOptions& options = regression_options())
        : learner("line", tensor::named_parameters(network), options) {}
    Step train(const Batch& batch, const StepContext& context) override {
        const auto loss = square_error(network(batch.x, true), batch.y);
        const auto update = learner.update(loss, context);
        return {{{"loss", loss.item<double>()},
                 {"gradient_norm", update.gradient_norm},
                 {"rate", update.rate}},
                batch.x.size(0)};
    }
    Step validate(const Batch& batch, const StepContext&) override {
        const auto loss = square_error(network(batch.x, false), batch.y).item<double>();
        return {{{"loss", loss}, {"spread", batch.y.std(0, false).item<double>()}},
                batch.x.size(0)};
    }
    void state(Archive& archive) override { archive.group("learner", learner); }

    Network network{11, 3};
    Learner learner;
};

/// A generator and a critic; the generator moves every third step.
class Opponents final : public Recipe<Batch> {
  public:
    Opponents()
        : generator_learner("generator", tensor::named_parameters(generator), options(true)),
          critic_learner("critic", tensor::named_parameters(critic), options(false)) {}
    Step train(const Batch& batch, const StepContext& context) override {
        const auto fake = sample(batch, context);
        auto loss = critic(fake.detach(), true).mean() - critic(batch.y, true).mean();
        critic_learner.update(loss + 0.01 * critic(batch.y, true).square().mean(), context);
        Step step{{{"critic", loss.item<double>()}}, batch.x.size(0)};
        if (context.step % 3 == 2) {
            const auto generator_loss = -critic(sample(batch, context), true).mean();
            generator_learner.update(generator_loss, context);
            step.scalars.set("generator", generator_loss.item<double>());
            ++generated;
        }
        return step;
    }
    Step validate(const Batch& batch, const StepContext& context) override {
        const AveragedWeights averaged(generator_learner);
        const auto distance = (sample(batch, context).mean() - batch.y.mean()).abs();
        return {{{"loss", distance.item<double>()}}, batch.x.size(0)};
    }
    void state(Archive& archive) override {
        archive.group("generator", generator_learner);
        archive.group("critic", critic_learner);
        archive("generated", generated);
    }

    Network generator{21, 2}, critic{31, 1};
    Learner generator_learner, critic_learner;
    std::int64_t generated = 0;

  private:
    static LearnerOptions options(bool generates) {
        LearnerOptions chosen;
        chosen.optimizer.kind = OptimizerKind::adam;
        chosen.optimizer.rate = 0.01;
        chosen.optimizer.beta1 = 0.5;
        chosen.accumulate = generates ? 2 : 1;
        if (generates) chosen.average.kind = AverageKind::ema;
        return chosen;
    }
    at::Tensor sample(const Batch& batch, const StepContext& context) const {
        auto random = context.random("latent");
        auto latent = at::empty({batch.x.size(0), 2}, at::kFloat);
        for (auto& value : tensor::mutable_values<float>(latent)) {
            value = static_cast<float>(random.normal());
        }
        return generator(latent, true);
    }
};

/// What a run leaves behind that must not depend on stops.
struct Trace {
    std::string metrics;             ///< metrics.csv
    std::vector<std::string> log;    ///< log.jsonl without time and rate
    std::vector<std::string> state;  ///< Name and bytes of every value of the last checkpoint.
    bool operator==(const Trace&) const = default;
};

inline Trace trace(const base::Path& folder) {
    Trace found;
    found.metrics = io::read_text(folder / "metrics.csv");
    for (const auto& line : base::split(io::read_text(folder / "log.jsonl"), '\n')) {
        if (line.empty()) continue;
        auto kept = io::Json::object();
        const auto parsed = io::Json::parse(line, "log.jsonl");
        for (const auto& [name, value] : parsed.members()) {
            if (name != "time" && name != "rate" && name != "waited") kept[name] = value;
        }
        found.log.push_back(kept.dump());
    }
    const auto file = io::WeightFile::open(folder / "checkpoints" / "last.safetensors");
    for (const auto& entry : file.entries()) {
        const auto array = file.get(entry.name);
        const auto* bytes = reinterpret_cast<const char*>(array.bytes.data());
        found.state.push_back(entry.name + ":" + std::string(bytes, array.bytes.size()));
    }
    return found;
}

enum class Toy { regression, opponents };

struct ToyRun {
    Toy toy = Toy::regression;
    std::int64_t epochs = 6;
    int workers = 2;
    std::int64_t save_every = 7;
    int patience = 0;
    std::int64_t poison = -1;
    std::int64_t interrupt_at = -1;  ///< Asks to stop in this step (-1: never).
    int sleep = 0;                   ///< In each step [us].
};

/// A recipe that stops or sleeps on the way.
class Delayed final : public Recipe<Batch> {
  public:
    Delayed(Recipe<Batch>& recipe, const ToyRun& run) : recipe_(recipe), run_(run) {}
    Step train(const Batch& batch, const StepContext& context) override {
        if (context.step == run_.interrupt_at) base::set_interrupted(true);
        std::this_thread::sleep_for(std::chrono::microseconds(run_.sleep));
        return recipe_.train(batch, context);
    }
    Step validate(const Batch& batch, const StepContext& context) override {
        return recipe_.validate(batch, context);
    }
    void state(Archive& archive) override { recipe_.state(archive); }

  private:
    Recipe<Batch>& recipe_;
    const ToyRun& run_;
};

inline RunInfo toy_info(const base::Path& folder) {
    RunInfo info;
    info.folder = folder;
    info.existing = Existing::resume;
    info.config = "toy: yes\n";
    info.seed = 3;
    return info;
}

/// Trains a toy in `folder`, going on where it stands there.
inline Outcome train_toy(const base::Path& folder, const ToyRun& run_options) {
    base::set_interrupted(false);
    LineSource source({13, 40, 7, 22});
    source.poison = run_options.poison;
    const LineSource validation_source({20});
    FeedOptions feed_options;
    feed_options.batch_size = 8;
    feed_options.window = 32;
    feed_options.workers = run_options.workers;
    Feed<Batch> feed(source, feed_options, 3);
    feed_options.order = RowOrder::stored;
    Feed<Batch> validation(validation_source, feed_options, 3, Passes::single);
    Plan plan;
    plan.epochs = run_options.epochs;
    plan.validate_every = 5;
    plan.save_every = run_options.save_every;
    plan.patience = run_options.patience;
    Journal journal(toy_info(folder), {.log_every = 2});
    Regression regression;
    Opponents opponents;
    Recipe<Batch>& recipe = run_options.toy == Toy::regression
                                ? static_cast<Recipe<Batch>&>(regression)
                                : static_cast<Recipe<Batch>&>(opponents);
    Delayed delayed(recipe, run_options);
    return run<Batch>(delayed, feed, &validation, journal, plan, 3);
}

}  // namespace hodo::train::toys
