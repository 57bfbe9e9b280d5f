#include "hodo/workflow/om2vec/learn/judge.hh"

#include <cmath>

#include <gmock/gmock.h>

#include "hodo/base/config.hh"
#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"
#include "hodo/detector/optical/event_writer.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/npz.hh"
#include "hodo/tensor/view.hh"
#include "hodo/workflow/om2vec/learn/loss.hh"
#include "hodo/workflow/om2vec/learn/verbs.hh"
#include "support/reference.hh"

namespace hodo::om2vec {

namespace {

ModelOptions model_options() {
    ModelOptions options;
    options.bins = 64;
    options.latent = 4;
    options.embed = 8;
    options.heads = 2;
    options.feedforward = 16;
    options.tokens = {32, 16};
    return options;
}

Network small_network() {
    Network network{
        Model(model_options()), {.bins = 64, .window = 640.0}, "test", "0123456789abcdef"};
    network.model.initialise(3);
    return network;
}

/// Events whose modules have 1, 2, 4, 8, ... photons, exponentially distributed.
optical::Events some_events(std::int64_t count) {
    optical::Events events;
    base::Random random(9, "events");
    for (std::int64_t event = 0; event < count; ++event) {
        std::int64_t photons = 0;
        for (std::int64_t module = 0; module < 6; ++module) {
            for (std::int64_t i = 0; i < std::int64_t{1} << module; ++i, ++photons) {
                events.time.push_back(80.0 * random.exponential() +
                                      20.0 * static_cast<double>(module));
                events.x.push_back(30.0 * static_cast<double>(module));
                events.y.push_back(0.0);
                events.z.push_back(-100.0);
                events.string.push_back(module);
                events.sensor.push_back(1);
            }
        }
        events.offsets.push_back(events.offsets.back() + photons);
        events.file.push_back(0);
        events.row.push_back(event);
    }
    return events;
}

optical::ModuleCounts some_modules(std::int64_t events) {
    return bin_photons(some_events(events), {.bins = 64, .window = 640.0},
                       optical::ModuleOrder::ascending);
}

bool same(const CodeFigures& a, const CodeFigures& b) {
    for (const auto& field : figure_fields) {
        const double x = a.*field.member, y = b.*field.member;
        if (x != y && !(std::isnan(x) && std::isnan(y))) return false;
    }
    return true;
}

/// A run directory with a network and events beside it.
struct Fixture {
    test::TemporaryFolder folder;
    Fixture() {
        auto network = small_network();
        save_network(folder.path() / "run", network.model, network.binning, "last");
        io::write_text(folder.path() / "run" / "run.json", "{}");
        optical::write_events(folder / "events.parquet", some_events(5));
    }
    workflow::Job job() const {
        workflow::Job job;
        job.workflow = "om2vec";
        job.verb = "evaluate";
        job.config = base::Config("test");
        job.config.set("weights", (folder.path() / "run").string());
        job.config.set("input", "[" + (folder / "events.parquet").string() + "]");
        return job;
    }
    base::Path output() const { return folder.path() / "run" / "evaluation"; }
};

}  // namespace

TEST(Judge, agrees_with_the_distance_that_training_reports) {
    const auto network = small_network();
    const auto modules = some_modules(3);
    const Judge judge(network, tensor::Precision::float32, 1);
    const auto judged = judge.run(view(modules), 0);
    const auto figures = judge.figures(judged, view(modules), 0);
    const auto batch = make_batch(view(modules), 64);
    const auto latents = tensor::copy(std::span<const float>(judged.mean), {modules.size(), 4});
    auto pass = make_pass(network.model, nn::Mode::evaluate);
    const auto distance =
        jensen_shannon_distance(network.model.decode(latents, pass), batch).contiguous();
    const auto expected = tensor::values<double>(distance);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(figures[1][i].js, expected[i], 1e-6);  // Float32 probabilities.
    }
}

TEST(Judge, gives_the_same_whatever_the_cut_and_the_threads) {
    const auto network = small_network();
    const auto modules = some_modules(4);
    const Judge judge(network, tensor::Precision::float32, 1);
    const auto threads = base::threads();
    base::set_threads(1);
    const auto whole = judge.figures(judge.run(view(modules), 0), view(modules), 0);
    base::set_threads(2);
    const std::int64_t cut = 7;
    for (const auto& [first, last] : {std::pair{std::int64_t{0}, cut}, {cut, modules.size()}}) {
        const auto part = view(modules).part(first, last);
        const auto figures = judge.figures(judge.run(part, first), part, first);
        for (std::size_t code = 0; code < figures.size(); ++code) {
            for (std::size_t i = 0; i < figures[code].size(); ++i) {
                EXPECT_TRUE(
                    same(figures[code][i], whole[code][static_cast<std::size_t>(first) + i]))
                    << judge.codes()[code] << " of module " << first + static_cast<std::int64_t>(i);
            }
        }
    }
    base::set_threads(threads);
}

TEST(Judge, samples_latents_by_the_seed) {
    const auto network = small_network();
    const auto modules = some_modules(2);
    const auto once = Judge(network, tensor::Precision::float32, 1).run(view(modules), 0);
    const auto other = Judge(network, tensor::Precision::float32, 2).run(view(modules), 0);
    EXPECT_EQ(once.means, other.means);
    EXPECT_NE(once.sampled, other.sampled);
}

TEST(Judge, holds_out_photons_only_where_both_halves_have_some) {
    const auto network = small_network();
    const auto modules = some_modules(3);
    const Judge judge(network, tensor::Precision::float32, 1);
    const auto figures = judge.figures(judge.run(view(modules), 0), view(modules), 0);
    for (std::size_t i = 0; i < modules.hits.size(); ++i) {
        const double held_out = figures[1][i].held_out_log_likelihood;
        EXPECT_TRUE(modules.hits[i] != 1 || std::isnan(held_out));
        EXPECT_TRUE(modules.hits[i] < 32 || std::isfinite(held_out));
        EXPECT_TRUE(std::isnan(figures[0][i].held_out_log_likelihood));
        EXPECT_EQ(std::isnan(held_out), std::isnan(figures[2][i].held_out_log_likelihood));
    }
}

TEST(Evaluate, writes_what_it_found_beside_the_run) {
    const Fixture fixture;
    run_evaluate(fixture.job());
    const auto evaluation = read_evaluation(fixture.output());
    EXPECT_EQ(evaluation.modules.size(), 30);  // 5 events of 6 modules.
    double photons = 0;
    for (const double hits : evaluation.modules.hits) photons += hits;
    EXPECT_EQ(photons, 5 * 63);
    EXPECT_EQ(evaluation.info.at("latent").integer(), 4);
    EXPECT_EQ(evaluation.info.at("data").text(), "named");
    EXPECT_NEAR(evaluation.info.at("uniform_log_likelihood").number(), -std::log(64.0), 1e-12);
    EXPECT_TRUE(evaluation.modules.has("quantiles_64"));

    const auto mean = io::read_npz(fixture.output() / "latents.npz", "mean");
    EXPECT_EQ(mean.shape, (std::vector<std::int64_t>{30, 4}));
    const auto counts = io::read_npz(fixture.output() / "examples.npz", "counts");
    EXPECT_EQ(counts.shape, (std::vector<std::int64_t>{6, 64}));
    const auto examples = io::read_npz(fixture.output() / "examples.npz", "module").integers();
    EXPECT_GE(evaluation.modules.hits[static_cast<std::size_t>(examples.front())], 16);
    double sum = 0;
    for (const double n : counts.doubles()) sum += n;
    double hits = 0;
    for (const auto module : examples) {
        hits += evaluation.modules.hits[static_cast<std::size_t>(module)];
    }
    EXPECT_EQ(sum, hits);
    EXPECT_TRUE(std::filesystem::exists(fixture.output() / "run.json"));
}

TEST(Evaluate, draws_modules_by_the_seed) {
    const Fixture fixture;
    std::vector<std::vector<std::int64_t>> rows;
    for (const auto* seed : {"1", "1", "2"}) {
        auto job = fixture.job();
        job.config.set("max_modules", "7");
        job.config.set("seed", seed);
        job.existing = workflow::Existing::overwrite;
        run_evaluate(job);
        const auto evaluation = read_evaluation(fixture.output());
        EXPECT_EQ(evaluation.modules.size(), 7);
        EXPECT_EQ(evaluation.info.at("modules_available").integer(), 30);
        rows.push_back(evaluation.modules.row);
    }
    EXPECT_EQ(rows[0], rows[1]);
    EXPECT_NE(rows[0], rows[2]);
}

TEST(Evaluate, judges_what_training_has_kept_for_validation_when_nothing_is_named) {
    const Fixture fixture;
    TrainOptions options;
    options.data.train = {(fixture.folder / "events.parquet").string()};
    options.data.valid_fraction = 0.5;
    options.data.binning = {.bins = 64, .window = 640.0};
    options.model = model_options();
    io::write_text(
        fixture.folder.path() / "run" / "config.yaml",
        "workflow: om2vec\ntrain:\n" + base::options_yaml(options, base::Comments::no, 2));
    auto job = fixture.job();
    job.config.set("input", "[]");
    run_evaluate(job);
    const auto evaluation = read_evaluation(fixture.output());
    EXPECT_GT(evaluation.modules.size(), 0);
    EXPECT_LT(evaluation.modules.size(), 30);
    EXPECT_EQ(evaluation.modules.size() % 6, 0);  // Whole events.
    EXPECT_EQ(evaluation.info.at("data").text(), "validation data of the training");
}

TEST(Evaluate, says_what_it_needs) {
    const Fixture fixture;
    auto job = fixture.job();
    job.config.set("input", "[]");
    EXPECT_THAT(test::error_of([&] { run_evaluate(job); }),
                testing::HasSubstr("kept no data for validation"));
    job = fixture.job();
    std::filesystem::remove(fixture.folder.path() / "run" / "run.json");
    EXPECT_THAT(test::error_of([&] { run_evaluate(job); }),
                testing::HasSubstr("add --output FOLDER"));
}

}  // namespace hodo::om2vec
