/// A whole conversion against the original's: real events, hash weights, every latent.
///
/// Cases: every `latents_<name>_<F>_<L>.npz` with `<name>_photons.parquet` beside it.

#include "hodo/detector/optical/schema.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/parquet.hh"
#include "hodo/io/weights.hh"
#include "hodo/workflow/om2vec/latent_reader.hh"
#include "hodo/workflow/om2vec/learn/verbs.hh"
#include "hodo/workflow/om2vec/model_options.hh"
#include "support/hash_weights.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <regex>

namespace hodo::om2vec {
namespace {

struct Case {
    base::Path events, latents;
    std::int64_t bins = 0, latent = 0;
    std::uint64_t seed = 0;
};

std::vector<Case> find_cases() {
    static const std::regex pattern("latents_(.+)_([0-9]+)_([0-9]+)\\.npz");
    std::vector<Case> cases;
    for (const auto& file : test::reference_files("om2vec", "latents_*.npz")) {
        std::smatch parts;
        const auto file_name = file.filename().string();
        if (!std::regex_match(file_name, parts, pattern)) continue;
        const Case found{file.parent_path() / (parts[1].str() + "_photons.parquet"), file,
                         std::stoll(parts[2]), std::stoll(parts[3]),
                         static_cast<std::uint64_t>(io::read_npz(file, "seed").integers().at(0))};
        if (!std::filesystem::exists(found.events)) continue;
        cases.push_back(found);
        std::cout << "case: " << file_name << ", seed " << found.seed << '\n';
    }
    return cases;
}

base::Path write_hash_checkpoint(const Case& golden, const test::TemporaryFolder& folder) {
    ModelOptions options;
    options.bins = golden.bins;
    options.latent = golden.latent;
    io::NamedArrays weights;
    for (const auto& [name, shape] : parameter_shapes(options)) {
        const auto values = test::hash_weights(name, shape, golden.seed);
        weights.push_back({name, io::make_array(std::span<const float>(values), shape)});
    }
    const auto file = folder / "hash.ckpt";
    io::write_weights(file, weights);
    return file;
}

workflow::Job job_of(const std::string& yaml) {
    workflow::Job job;
    job.workflow = "om2vec";
    job.verb = "apply";
    job.config = base::Config::parse(yaml, "test");
    return job;
}

/// Ids must agree exactly, latents within 2e-5 of the largest (float32 through 24 layers).
void compare(const Case& golden, const base::Path& output) {
    const auto found = read_latents(output / "chunk_0.parquet");
    const auto arrays = io::read_npz(golden.latents);
    const auto origin = golden.latents.string();
    const auto& expected = io::find(arrays, "latents", origin);
    const auto offsets = io::find(arrays, "offsets", origin).integers();
    const auto values = expected.floats();
    const auto row = static_cast<std::size_t>(golden.latent + 2);
    ASSERT_EQ(found.size(), expected.shape[0]);
    ASSERT_EQ(found.width, golden.latent);
    double largest = 0, error = 0;
    for (std::size_t i = 0; i < found.id.size(); ++i) {
        EXPECT_EQ(found.id[i].string, static_cast<std::int64_t>(values[i * row]));
        EXPECT_EQ(found.id[i].sensor, static_cast<std::int64_t>(values[i * row + 1]));
        for (std::size_t k = 2; k < row; ++k) {
            const double target = values[i * row + k];
            largest = std::max(largest, std::abs(target));
            error = std::max(
                error, std::abs(target - static_cast<double>(found.values[i * (row - 2) + k - 2])));
        }
    }
    std::cout << "largest error / largest latent = " << error / largest << '\n';
    EXPECT_LE(error, 2e-5 * largest);
    // The kept events, in order, with the golden number of modules each.
    const auto reader = io::read_parquet(output / "chunk_0.parquet", {.columns = {"latents"}});
    const auto chunk = reader->next();
    EXPECT_EQ(chunk->column("latents").offsets[0], offsets);
}

/// mc_truth and photons are those of the kept input events; metadata stay.
void compare_events(const Case& golden, const base::Path& output) {
    const auto kept = io::read_npz(golden.latents, "event").integers();
    const auto before = optical::read_all_events({golden.events});
    const auto after = optical::read_all_events({output / "chunk_0.parquet"});
    ASSERT_EQ(after.size(), std::ssize(kept));
    optical::Events expected;
    for (const auto event : kept) expected.append(before, event);
    EXPECT_EQ(after.time, expected.time);
    EXPECT_EQ(after.offsets, expected.offsets);
    EXPECT_EQ(after.string, expected.string);
    EXPECT_EQ(after.x, expected.x);
    EXPECT_EQ(after.source, expected.source);
    ASSERT_EQ(after.truth.size(), expected.truth.size());
    for (std::size_t i = 0; i < after.truth.size(); ++i) {
        EXPECT_EQ(after.truth[i].initial.energy, expected.truth[i].initial.energy);
        EXPECT_EQ(after.truth[i].final_state.size(), expected.truth[i].final_state.size());
    }
    const auto in = io::parquet_schema(golden.events),
               out = io::parquet_schema(output / "chunk_0.parquet");
    std::vector<std::string> names_in, names_out;
    for (const auto& column : in.columns) names_in.push_back(column.name);
    for (const auto& column : out.columns) names_out.push_back(column.name);
    names_in.push_back("latents");
    EXPECT_EQ(names_out, names_in);
    const auto has = [&](std::string_view key) {
        return std::any_of(out.metadata.begin(), out.metadata.end(),
                           [&](const auto& entry) { return entry.first == key; });
    };
    EXPECT_TRUE(has("hodo_binning"));
    EXPECT_TRUE(has("hodo_weights_fingerprint"));
    for (const auto& [key, value] : in.metadata) {
        EXPECT_TRUE(key == "ARROW:schema" || has(key)) << key;
    }
}

TEST(ApplyGolden, a_conversion_of_real_events_equals_the_originals) {
    const auto cases = find_cases();
    HODO_REQUIRE_REFERENCE(cases, "om2vec/latents_<name>_<F>_<L>.npz with its events");
    for (const auto& golden : cases) {
        const test::TemporaryFolder folder;
        const auto weights = write_hash_checkpoint(golden, folder);
        run_apply(
            job_of(base::format("input: ['{}']\noutput: '{}'\nweights: '{}'\ncompat: om2vec\n",
                                golden.events, folder / "out", weights)));
        compare(golden, folder / "out");
        compare_events(golden, folder / "out");
    }
}

}  // namespace
}  // namespace hodo::om2vec
