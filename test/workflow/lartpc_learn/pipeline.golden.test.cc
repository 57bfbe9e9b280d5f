#include "hodo/workflow/lartpc/learn/recipe.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>

#include "hodo/base/config.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/io/weights.hh"
#include "hodo/tensor/weights.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/learn/checkpoints.hh"
#include "hodo/workflow/lartpc/original_config.hh"
#include "support/reference.hh"

namespace hodo::lartpc {
namespace {

// Runs of the published code: its configurations, checkpoints, outputs and tables of epochs.

struct PublishedRun {
    TrainOptions options;
    base::Path folder;
    std::vector<EpochCheckpoint> checkpoints;  ///< By epoch.

    base::Path answers(const base::Path& xy, std::int64_t epoch) const {
        return folder / options.store_inference.folder / inference_name(xy, epoch);
    }
    /// Whether the answers after an epoch are there, one file for each of `data`.
    bool has_answers(const VoxelDataset& data, std::int64_t epoch) const {
        std::int64_t count = 0;
        const auto answers_folder = folder / options.store_inference.folder;
        if (!std::filesystem::is_directory(answers_folder)) return false;
        for (const auto& entry : std::filesystem::directory_iterator(answers_folder)) {
            const auto name = parse_file_name(entry.path().filename().string());
            count += name && name->epoch == epoch ? 1 : 0;
        }
        return count == data.size();
    }
    VoxelDataset data(Subset subset) const {
        return VoxelDataset(select_files(options.data, subset),
                            treatment_of(options.data, subset, options.target(), 1));
    }
};

/// Whether a file of the configured folders has one of these indices and TPCs.
bool has_files(const DataOptions& data, const PerPath& ranges) {
    const auto one_of = [](const PerPath& lists, std::size_t path) {
        return lists.size() == 1 ? lists.front() : lists.at(path);
    };
    for (std::size_t path = 0; path < data.data_path.size(); ++path) {
        if (!std::filesystem::is_directory(data.data_path[path])) continue;
        const auto range = ranges.empty() ? std::vector<std::int64_t>{} : one_of(ranges, path);
        const auto tpcs = data.tpcs.empty() ? std::vector<std::int64_t>{} : one_of(data.tpcs, path);
        for (const auto& entry : std::filesystem::directory_iterator(data.data_path[path])) {
            const auto name = parse_file_name(entry.path().filename().string());
            if (!name || name->product != "xy" || range.size() != 2) continue;
            const bool is_tpc =
                tpcs.empty() || std::ranges::count(tpcs, name->tpc.value_or(-1)) > 0;
            if (is_tpc && name->index >= range[0] && name->index <= range[1]) return true;
        }
    }
    return false;
}

/// How many batches the steps of Adam say that there were until a checkpoint.
std::int64_t steps_until(const base::Path& checkpoint) {
    const auto slots = io::WeightFile::open(checkpoint).optimizer().slots;
    return slots.empty() ? 0 : std::llround(slots.front().step);
}

/// The runs that a configuration in lartpc/pipeline and a folder with checkpoints describe.
std::vector<PublishedRun> published_runs() {
    std::vector<PublishedRun> runs;
    for (const auto& file : test::reference_files("lartpc/pipeline", "*.yaml")) {
        const auto translated = translate_original(base::Config::read(file), "train");
        if (!translated) continue;
        PublishedRun run{translated->as<TrainOptions>(), {}, {}};
        const auto pipeline = file.parent_path();
        run.folder = pipeline / run.options.output;
        for (auto& path : run.options.data.data_path) path = (pipeline / path).string();
        if (!std::filesystem::is_directory(run.folder / "checkpoints")) continue;
        for (const auto& entry : std::filesystem::directory_iterator(run.folder / "checkpoints")) {
            const auto epoch = epoch_of_checkpoint(entry.path());
            if (epoch) run.checkpoints.push_back({entry.path(), *epoch});
        }
        std::ranges::sort(run.checkpoints, {}, &EpochCheckpoint::epoch);
        runs.push_back(std::move(run));
    }
    return runs;
}

double largest(std::span<const float> values) {
    double most = 1.0;
    for (const float value : values) most = std::max(most, std::abs(double{value}));
    return most;
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
    EXPECT_EQ(a.size(), b.size());
    double most = a.size() == b.size() ? 0 : 1e300;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        most = std::max(most, std::abs(double{a[i]} - double{b[i]}));
    }
    return most;
}

TEST(PublishedRuns, have_checkpoints_that_give_their_outputs) {
    const auto runs = published_runs();
    HODO_REQUIRE_REFERENCE(runs, "lartpc/pipeline/*.yaml with runs");
    std::int64_t compared = 0;
    for (const auto& run : runs) {
        std::cout << "case " << run.folder << "\n";
        if (!has_files(run.options.data, run.options.data.inference_i)) continue;
        const auto data = run.data(Subset::validation);
        for (const auto& [checkpoint, epoch] : run.checkpoints) {
            const auto network = load_network(checkpoint);
            EXPECT_EQ(network.epoch, epoch);
            EXPECT_EQ(network.model.options().name, run.options.model.name);
            for (std::int64_t sample = 0; sample < data.size(); ++sample) {
                const auto& xy = data.files()[static_cast<std::size_t>(sample)].path;
                const auto file = run.answers(xy.filename(), epoch);
                if (!std::filesystem::exists(file)) continue;
                const auto expected = read_inference(file);
                const auto answers = network.model.predict(data.load(std::array{sample}));
                const auto scale =
                    run.options.model.name == NetworkKind::cellnet_binary ? 1.0 : largest(expected);
                EXPECT_LE(largest_difference(answers, expected) / scale, 1e-5) << file;
                std::cout << file.filename().string() << ": "
                          << largest_difference(answers, expected) << '\n';
                ++compared;
            }
        }
    }
    if (compared == 0) GTEST_SKIP() << "no checkpoint has its outputs and their voxels with it";
}

/// What one epoch of training from a checkpoint gives with the files in this order.
struct Epoch {
    double train_loss = 0, valid_loss = 0;
    std::vector<double> difference;  ///< Of each validation file's answers.
};

Epoch train_epoch(CellRecipe& recipe, const VoxelDataset& training, const VoxelDataset& validation,
                  const std::vector<std::int64_t>& order, const PublishedRun& run,
                  std::int64_t epoch) {
    Epoch found;
    const auto steps = std::ssize(order);
    train::StepContext context{.epoch_steps = steps, .dataset_size = steps, .batch_size = 1};
    for (const auto sample : order) {
        const TrainingBatch batch{training.load(std::array{sample})};
        found.train_loss += *recipe.train(batch, context).scalars.find("loss");
        ++context.step;
        context.epoch_step = context.step % steps;
    }
    found.train_loss /= static_cast<double>(steps);
    for (std::int64_t sample = 0; sample < validation.size(); ++sample) {
        const auto& xy = validation.files()[static_cast<std::size_t>(sample)].path;
        const TrainingBatch batch{validation.load(std::array{sample})};
        found.valid_loss += *recipe.validate(batch, context).scalars.find("loss");
        const auto expected = read_inference(run.answers(xy.filename(), epoch));
        found.difference.push_back(
            largest_difference(recipe.model().predict(batch.voxels), expected) /
            (run.options.model.name == NetworkKind::cellnet_binary ? 1.0 : largest(expected)));
    }
    found.valid_loss /= static_cast<double>(validation.size());
    return found;
}

TEST(PublishedRuns, go_on_from_a_checkpoint_to_the_next_one) {
    const auto runs = published_runs();
    HODO_REQUIRE_REFERENCE(runs, "lartpc/pipeline/*.yaml with runs");
    std::int64_t compared = 0;
    for (auto run : runs) {
        std::cout << "case " << run.folder << ": " << run.checkpoints.size() << " checkpoints\n";
        const auto& wanted = run.options.data;
        const auto table = Summaries::file_of(run.folder, 0);
        if (!has_files(wanted, wanted.train_i) || !has_files(wanted, wanted.inference_i) ||
            !std::filesystem::exists(table)) {
            std::cout << "  without its voxels or its table of epochs\n";
            continue;
        }
        const auto training = run.data(Subset::training), validation = run.data(Subset::validation);
        constexpr std::int64_t most_files = 5;  // All orders are tried: 120.
        const auto summaries = Summaries::read(table);
        run.options.optimizer_state = true;
        run.options.epoch_files = run.options.store_inference.store = false;
        for (std::size_t i = 0; i + 1 < run.checkpoints.size(); ++i) {
            const auto& next = run.checkpoints[i + 1];
            const auto steps = steps_until(next.file) - steps_until(run.checkpoints[i].file);
            if (next.epoch != run.checkpoints[i].epoch + 1 || steps != training.size() ||
                steps > most_files || !run.has_answers(validation, next.epoch)) {
                std::cout << "  epoch " << next.epoch << ": " << steps << " steps, "
                          << training.size() << " files here, or not all answers\n";
                continue;
            }
            const auto row =
                std::ranges::find(summaries.epochs(), next.epoch, &EpochSummary::epoch);
            ASSERT_NE(row, summaries.epochs().end());
            run.options.weights = run.checkpoints[i].file.string();
            const double train_loss = *row->value("train_loss");
            const double valid_loss = *row->value("valid_loss");
            // The order in which the files were drawn is not known: it is the one that explains
            // the loss best.
            std::vector<std::int64_t> order(static_cast<std::size_t>(training.size())), best_order;
            std::iota(order.begin(), order.end(), 0);
            Epoch best;
            double nearest = 1e300;
            do {
                CellRecipe recipe(run.options, at::kCPU, {});
                const auto found =
                    train_epoch(recipe, training, validation, order, run, next.epoch);
                const double distance = std::abs(found.train_loss / train_loss - 1) +
                                        std::abs(found.valid_loss / valid_loss - 1);
                if (distance >= nearest) continue;
                nearest = distance;
                best = found;
                best_order = order;
            } while (std::next_permutation(order.begin(), order.end()));
            EXPECT_NEAR(best.train_loss / train_loss, 1.0, 2e-6);
            EXPECT_NEAR(best.valid_loss / valid_loss, 1.0, 2e-6);
            for (const double difference : best.difference) EXPECT_LE(difference, 1e-5);
            std::cout << next.file.string() << ": files in the order";
            for (const auto sample : best_order) std::cout << ' ' << sample;
            std::cout << ", losses " << best.train_loss << " (" << train_loss << ") and "
                      << best.valid_loss << " (" << valid_loss << "), answers differ by "
                      << *std::ranges::max_element(best.difference) << '\n';
            ++compared;
        }
    }
    if (compared == 0) GTEST_SKIP() << "no two consecutive checkpoints with all files between";
}

TEST(PublishedRuns, have_checkpoints_that_are_written_back_alike) {
    const auto runs = published_runs();
    HODO_REQUIRE_REFERENCE(runs, "lartpc/pipeline/*.yaml with runs");
    const test::TemporaryFolder folder;
    for (const auto& run : runs) {
        for (const auto& [checkpoint, epoch] : run.checkpoints) {
            auto network = load_network(checkpoint);
            const auto file = io::WeightFile::open(checkpoint);
            train::Learner learner("net", network.model.learning_parameters(), run.options.learner);
            adopt_optimizer(learner, network.model, file, run.options.learner.optimizer.rate);
            const auto copy = folder / "copy.pth.tar";
            write_epoch_checkpoint(copy, network.model, learner, run.options.learner,
                                   run.options.learner.optimizer.rate);
            const auto again = io::WeightFile::open(copy);
            const auto a = file.all(), b = again.all();
            ASSERT_EQ(a.size(), b.size());
            for (std::size_t i = 0; i < a.size(); ++i) {
                EXPECT_EQ(a[i].name, b[i].name);
                EXPECT_EQ(a[i].array.shape, b[i].array.shape);
                EXPECT_EQ(a[i].array.floats(), b[i].array.floats()) << a[i].name;
            }
            const auto before = file.optimizer(), after = again.optimizer();
            ASSERT_EQ(before.slots.size(), after.slots.size());
            for (std::size_t i = 0; i < before.slots.size(); ++i) {
                EXPECT_EQ(before.slots[i].parameter, after.slots[i].parameter);
                EXPECT_EQ(before.slots[i].step, after.slots[i].step);
                for (const auto* name : {"exp_avg", "exp_avg_sq"}) {
                    EXPECT_EQ(before.slots[i].moment(name).floats(),
                              after.slots[i].moment(name).floats());
                }
            }
            const auto &old = before.groups.items()[0], &made = after.groups.items()[0];
            for (const auto& [key, value] : old.members()) {
                ASSERT_TRUE(made.has(key)) << key;
                if (!value.is_number()) continue;
                EXPECT_EQ(value.number(), made.at(key).number()) << key;
            }
            EXPECT_EQ(old.at("params").items().size(), made.at("params").items().size());
        }
    }
}

}  // namespace
}  // namespace hodo::lartpc
