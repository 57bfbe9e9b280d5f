// The run directory: byte layout of event files, columns of metrics, checkpoints, plans.

#include "hodo/train/journal.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "hodo/base/config.hh"
#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/train/checkpoints.hh"
#include "hodo/train/events_file.hh"
#include "hodo/train/learner.hh"
#include "hodo/train/metrics_file.hh"
#include "hodo/train/plan.hh"
#include "support/reference.hh"

namespace hodo::train {
namespace {

using testing::HasSubstr;

std::uint32_t crc_of(std::string_view text) {
    return crc32c(std::as_bytes(std::span(text)));
}

template <class T>
T take(std::string_view& bytes) {
    T value{};
    EXPECT_GE(bytes.size(), sizeof(T));
    std::memcpy(&value, bytes.data(), sizeof(T));
    bytes.remove_prefix(sizeof(T));
    return value;
}

/// The payload of the record at the front of `bytes`, with both checksums verified.
std::string take_record(std::string_view& bytes) {
    const auto head = bytes.substr(0, 8);
    const auto length = take<std::uint64_t>(bytes);
    EXPECT_EQ(take<std::uint32_t>(bytes), masked_crc(crc_of(head)));
    const std::string payload(bytes.substr(0, length));
    bytes.remove_prefix(length);
    EXPECT_EQ(take<std::uint32_t>(bytes), masked_crc(crc_of(payload)));
    return payload;
}

TEST(Journals, checksums_have_the_known_values) {
    // RFC 3720, appendix B.4.
    EXPECT_EQ(crc_of(std::string(32, '\0')), 0x8a9136aaU);
    EXPECT_EQ(crc_of(std::string(32, '\xff')), 0x62a8ab43U);
    EXPECT_EQ(crc_of("123456789"), 0xe3069283U);
    EXPECT_EQ(masked_crc(0x12345678U), ((0x12345678U >> 15) | (0x12345678U << 17)) + 0xa282ead8U);
}

TEST(Journals, event_records_have_the_layout_of_tensorboard) {
    const auto record = event_record(version_event(1.0));
    std::string_view rest = record;
    const auto payload = take_record(rest);
    EXPECT_TRUE(rest.empty());
    EXPECT_EQ(payload, std::string("\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x1a\x0d"
                                   "brain.Event:2",
                                   24));
    // step 300 = varint ac 02; Summary 5 { Value 1 { tag 1 "t/a", simple_value 2 = 0.5f } }
    EXPECT_EQ(scalar_event(1.0, 300, "t", {{"a", 0.5}}),
              std::string("\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xac\x02\x2a\x0c\x0a\x0a\x0a\x03"
                          "t/a\x15\x00\x00\x00\x3f",
                          26));
}

TEST(Journals, numbers_of_the_metrics_read_back_bit_for_bit) {
    for (const double value : {0.1, 1.0 / 3, 1e-310, -2.5e300, 7.0}) {
        EXPECT_EQ(std::strtod(shortest(value).c_str(), nullptr), value);
    }
    EXPECT_EQ(shortest(0.1), "0.1");
    EXPECT_EQ(shortest(std::numeric_limits<double>::infinity()), "inf");
}

TEST(Journals, a_scalar_that_comes_up_later_adds_a_column) {
    const test::TemporaryFolder folder;
    const auto file = folder / "metrics.csv";
    MetricsFile metrics(file);
    metrics.append(1, 0, "train", {{"loss", 0.5}});
    metrics.append(2, 0, "train", {{"loss", 0.25}, {"rate", 1}});
    metrics.append(2, 0, "valid", {{"rate", 2}});
    EXPECT_EQ(io::read_text(file),
              "step,epoch,set,loss,rate\n1,0,train,0.5,\n2,0,train,0.25,1\n2,0,valid,,2\n");
    // Another session goes on, and a cut removes the later column again.
    MetricsFile again(file);
    EXPECT_EQ(again.rows(), 3);
    EXPECT_EQ(again.columns(), (std::vector<std::string>{"loss", "rate"}));
    again.cut(1, {"loss"});
    EXPECT_EQ(io::read_text(file), "step,epoch,set,loss\n1,0,train,0.5\n");
    again.append(2, 0, "train", {{"loss", 0.125}});
    EXPECT_EQ(io::read_text(file), "step,epoch,set,loss\n1,0,train,0.5\n2,0,train,0.125\n");
    EXPECT_THAT(test::error_of([&] { again.cut(5, {"loss"}); }), HasSubstr("shortened"));
}

TEST(Journals, a_line_that_a_crash_cut_short_does_not_count) {
    const test::TemporaryFolder folder;
    const auto file = folder / "log.jsonl";
    io::write_text(file, "one\ntwo\nthr");
    LineFile lines(file);
    EXPECT_EQ(lines.lines(), 2);
    lines.cut(2);
    lines.append("three");
    EXPECT_EQ(io::read_text(file), "one\ntwo\nthree\n");
}

TEST(Journals, checkpoints_rotate_and_keep_the_best) {
    const test::TemporaryFolder folder;
    Checkpoints checkpoints(folder.path(), 2);
    EXPECT_THAT(test::error_of([&] { checkpoints.best(); }), HasSubstr("no checkpoint"));
    for (std::int64_t step = 1; step <= 5; ++step) {
        auto archive = Archive::to_save();
        archive("step", step);
        checkpoints.add(step, archive, io::Json::object(), step == 2);
    }
    const auto value_of = [](const base::Path& file) {
        std::int64_t step = 0;
        Archive::read(file)("step", step);
        return step;
    };
    const auto files = checkpoints.newest_first();
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(Checkpoints::step_of(files[0]), 5);
    EXPECT_EQ(Checkpoints::step_of(files[1]), 4);
    EXPECT_EQ(value_of(folder / "last.safetensors"), 5);
    EXPECT_EQ(value_of(checkpoints.best()), 2);
    EXPECT_EQ(Checkpoints::step_of("last.safetensors"), -1);
}

Order order_of(std::int64_t rows, std::int64_t batch) {
    FeedOptions options;
    options.batch_size = batch;
    return {{rows}, options, 1, {}};
}

TEST(Journals, the_clock_counts_steps_and_epochs) {
    Clock clock({.epochs = 2}, order_of(25, 10), 9, nullptr);
    EXPECT_EQ(clock.total_steps(), 6);
    std::string saves;
    for (int i = 0; i < 6; ++i) {
        const auto context = clock.context();
        EXPECT_EQ(context.step, i);
        EXPECT_EQ(context.epoch, i / 3);
        EXPECT_EQ(context.epoch_step, i % 3);
        EXPECT_EQ(context.first_of_epoch(), i % 3 == 0);
        EXPECT_EQ(context.last_of_epoch(), i % 3 == 2);
        EXPECT_EQ(context.total_epochs, 2);
        EXPECT_EQ(context.dataset_size, 25);
        EXPECT_EQ(context.batch_size, 10);
        EXPECT_FALSE(clock.finished());
        clock.advance(10);
        saves += clock.due_to_save() ? 's' : '.';
    }
    EXPECT_EQ(saves, "..s..s");
    EXPECT_TRUE(clock.finished());
    EXPECT_EQ(clock.examples(), 60);
    const Clock by_steps({.epochs = 1, .steps = 7}, order_of(25, 10), 9, nullptr);
    EXPECT_EQ(by_steps.total_steps(), 7);
    EXPECT_EQ(by_steps.context().total_epochs, 3);
}

TEST(Journals, patience_counts_validations_without_improvement) {
    Clock clock({.epochs = 100,
                 .metric = "auc",
                 .better = Better::larger,
                 .patience = 1,
                 .min_change = 0.05},
                order_of(10, 10), 1, nullptr);
    EXPECT_TRUE(clock.note_validation({{"auc", 0.5}}));
    EXPECT_TRUE(clock.note_validation({{"auc", 0.6}}));
    EXPECT_FALSE(clock.note_validation({{"auc", 0.62}}));
    EXPECT_FALSE(clock.stopped_early());
    EXPECT_FALSE(clock.note_validation({{"auc", std::nan("")}}));
    EXPECT_TRUE(clock.stopped_early());
    EXPECT_EQ(clock.best(), 0.6);
    EXPECT_THAT(test::error_of([&] {
                    clock.note_validation({{"auk", 1.0}, {"loss", 1.0}});
                }),
                HasSubstr("'auc' (did you mean 'auk'?); set metric to one of auk, loss"));
}

TEST(Journals, options_are_described_with_ranges) {
    const auto yaml = [](auto options) { return base::options_yaml(options); };
    EXPECT_THAT(yaml(LearnerOptions{}), HasSubstr("weight_decay: 0.01"));
    EXPECT_THAT(yaml(JournalOptions{}), HasSubstr("keep: 3"));
    EXPECT_THAT(yaml(Plan{}), HasSubstr("patience: 0"));
    const auto learner = base::Config::parse(
                             "optimizer: {kind: sgd, rate: 0.5}\nschedule: {kind: steps, "
                             "milestones: [3, 5]}\naverage: {kind: swa, times: lightning}\n",
                             "learner.yaml")
                             .as<LearnerOptions>();
    EXPECT_EQ(learner.optimizer.kind, OptimizerKind::sgd);
    EXPECT_EQ(learner.schedule.milestones, (std::vector<std::int64_t>{3, 5}));
    EXPECT_EQ(learner.average.times, SwaTimes::lightning);
    const auto wrong = [](const char* text) {
        return test::error_of([&] { base::Config::parse(text, "x.yaml").as<LearnerOptions>(); });
    };
    EXPECT_THAT(wrong("clip: -1"), HasSubstr("clip"));
    EXPECT_THAT(wrong("optimizer: {rate: 0}"), HasSubstr("rate"));
}

TEST(Journals, rows_and_the_end_tell_how_long_data_was_waited_for) {
    const test::TemporaryFolder folder;
    RunInfo info;
    info.folder = folder / "run";
    Clock clock({.epochs = 1}, order_of(10, 5), 5, nullptr);
    testing::internal::CaptureStderr();
    {
        Journal journal(info, {});
        for (const auto waited : {std::chrono::hours(2), std::chrono::hours(0)}) {
            journal.note_waiting(waited);
            clock.advance(5);
            journal.record(clock, {.scalars = {{"loss", 1.0}}, .examples = 5});
        }
        journal.finish(clock, "completed");
    }
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                HasSubstr("100.0 % of the time was spent waiting for data"));
    const auto lines = base::split(io::read_text(info.folder / "log.jsonl"), '\n');
    ASSERT_GE(lines.size(), 2U);
    EXPECT_EQ(io::Json::parse(lines[0], "log").at("waited").number(), 1.0);
    EXPECT_EQ(io::Json::parse(lines[1], "log").at("waited").number(), 0.0);
    EXPECT_EQ(io::read_text(info.folder / "metrics.csv").find("waited"), std::string::npos);
}

TEST(Journals, a_changed_configuration_is_reported_and_sessions_are_listed) {
    const test::TemporaryFolder folder;
    RunInfo info;
    info.folder = folder / "run";
    info.config = "rate: 1\n";
    info.seed = 5;
    const Clock clock({.epochs = 1}, order_of(10, 10), 5, nullptr);
    double value = 3;
    const StateFunction state = [&](Archive& a) { a("value", value); };
    {
        Journal journal(info, {});
        EXPECT_FALSE(journal.restore(state));
        journal.save(clock, state);
    }
    info.existing = Existing::resume;
    info.config = "rate: 2\n";
    testing::internal::CaptureStderr();
    {
        Journal journal(info, {});
        value = 0;
        EXPECT_TRUE(journal.restore(state));
    }
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("'rate: 1' is now 'rate: 2'"));
    EXPECT_EQ(value, 3);
    EXPECT_EQ(io::read_text(info.folder / "config.yaml"), "rate: 2\n");
    const auto run = io::Json::parse(io::read_text(info.folder / "run.json"), "run.json");
    ASSERT_EQ(run.at("sessions").items().size(), 2U);
    EXPECT_EQ(run.at("sessions").items()[1].at("resumed_at").text(), "step 0");
    EXPECT_EQ(run.at("seed").integer(), 5);
}

}  // namespace
}  // namespace hodo::train
