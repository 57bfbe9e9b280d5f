// Tables of epochs: text, reading, and what a resumed run does to them.

#include "hodo/workflow/lartpc/summaries.hh"
#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

using testing::HasSubstr;

namespace {

lartpc::Summaries read_text(const test::TemporaryFolder& folder, const std::string& text) {
    io::write_text(folder / "summaries_0.csv", text);
    return lartpc::Summaries::read(lartpc::Summaries::file_of(folder.path(), 0));
}

}  // namespace

TEST(LartpcSummaries, AreWhatWasWritten) {
    const test::TemporaryFolder folder;
    lartpc::Summaries summaries;
    summaries.add({.epoch = 0, .values = {{"train_loss", 1.5}, {"train_time", 2.25}}});
    summaries.add({.epoch = 1, .values = {{"train_loss", -0.125}, {"valid_loss", 1e6}}});
    EXPECT_EQ(summaries.text(),
              "epoch\ttrain_loss\ttrain_time\tvalid_loss\n"
              "0\t1.500000\t2.250000\t\n"
              "1\t-0.125000\t\t1000000.000000\n");
    const auto file = lartpc::Summaries::file_of(folder.path(), 3);
    EXPECT_EQ(file.filename(), "summaries_3.csv");
    summaries.write(file);
    const auto again = lartpc::Summaries::read(file);
    EXPECT_EQ(again.text(), summaries.text());
    EXPECT_EQ(again.epochs().back().value("train_loss"), -0.125);
    EXPECT_FALSE(again.epochs().back().value("train_time").has_value());
    EXPECT_FALSE(again.epochs().back().value("absent").has_value());
}

TEST(LartpcSummaries, LoseEpochsThatAreDoneAgain) {
    lartpc::Summaries summaries;
    for (int epoch = 0; epoch < 5; ++epoch) {
        summaries.add({.epoch = epoch, .values = {{"train_loss", double(epoch)}}});
    }
    summaries.add({.epoch = 2, .values = {{"train_loss", 20.0}}});
    ASSERT_EQ(summaries.epochs().size(), 3U);
    EXPECT_EQ(summaries.epochs().back().value("train_loss"), 20.0);
}

TEST(LartpcSummaries, AreRefusedWhenDamaged) {
    const test::TemporaryFolder folder;
    const auto message = [&](const std::string& text) {
        return test::error_of([&] { read_text(folder, text); });
    };
    EXPECT_THAT(message(""), HasSubstr("is empty"));
    EXPECT_THAT(message("epoch,train_loss\n0,1\n"), HasSubstr("tab separated"));
    EXPECT_THAT(message("epoch\ttrain_loss\n0\n"), HasSubstr(":2:"));
    EXPECT_THAT(message("epoch\ttrain_loss\n0\tx\n"), HasSubstr("'train_loss' holds 'x'"));
    EXPECT_THAT(message("epoch\ttrain_loss\n-1\t0\n"), HasSubstr("number of an epoch"));
    EXPECT_THAT(message("epoch\ttrain_loss\n0.5\t0\n"), HasSubstr("number of an epoch"));
    EXPECT_EQ(read_text(folder, "epoch\ttrain_loss\r\n0\tnan\r\n\n").epochs().size(), 1U);
}
