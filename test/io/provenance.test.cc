#include "hodo/io/provenance.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hodo/base/version.hh"
#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace hodo::io {
namespace {

TEST(Provenance, names_program_inputs_and_sessions) {
    const test::TemporaryFolder folder;
    write_text(folder / "input.dat", "hits");
    Provenance provenance;
    provenance.title = "om2vec prepare";
    provenance.command_line = "hodo om2vec prepare input.dat";
    provenance.seed = 18446744073709551615U;
    provenance.inputs = {folder / "input.dat", folder / "absent.dat"};
    provenance.members["modules"] = 12;
    write_provenance(folder / "run", "bins: 6400\n", provenance);
    EXPECT_EQ(read_text(folder / "run" / "config.yaml"), "bins: 6400\n");
    append_session(folder / "run", "bins: 640\n", provenance, "step 12");
    EXPECT_EQ(read_text(folder / "run" / "config.yaml"), "bins: 640\n");

    const auto run = Json::parse(read_text(folder / "run" / "run.json"), "run.json");
    EXPECT_EQ(run.at("hodoscope").at("version").text(), base::version());
    EXPECT_EQ(run.at("hodoscope").at("commit").text(), base::commit());
    EXPECT_THAT(run.at("hodoscope").at("build").text(), testing::HasSubstr(base::build()));
    EXPECT_EQ(run.at("modules").integer(), 12);
    EXPECT_THAT(run.dump(), testing::HasSubstr("\"seed\":18446744073709551615"));
    const auto& inputs = run.at("inputs").items();
    EXPECT_EQ(inputs[0].at("bytes").integer(), 4);
    EXPECT_TRUE(inputs[1].at("bytes").is_null());
    const auto& sessions = run.at("sessions").items();
    ASSERT_EQ(sessions.size(), 2U);
    EXPECT_FALSE(sessions[0].has("resumed_at"));
    EXPECT_EQ(sessions[1].at("resumed_at").text(), "step 12");
    EXPECT_THAT(sessions[0].at("time").text(),
                testing::MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+Z"));
}

TEST(Provenance, fingerprints_tell_files_of_one_size_apart) {
    const test::TemporaryFolder folder;
    std::string content(200000, 'a');
    write_text(folder / "a", content);
    content.back() = 'b';
    write_text(folder / "b", content);
    const auto print = [&](const char* name) {
        return file_identity(folder / name).at("fingerprint").text();
    };
    EXPECT_EQ(print("a"), print("a"));
    EXPECT_NE(print("a"), print("b"));
}

}  // namespace
}  // namespace hodo::io
