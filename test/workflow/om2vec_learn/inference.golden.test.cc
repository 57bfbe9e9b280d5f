#include "hodo/workflow/om2vec/learn/inference.hh"

#include <array>
#include <numeric>
#include <regex>

#include "golden_case.hh"
#include "hodo/base/threads.hh"

namespace hodo::om2vec {
namespace {

using test::GoldenCase;

class GoldenInference : public ::testing::Test {
  protected:
    void SetUp() override {
        files_ = test::golden_files();
        HODO_REQUIRE_REFERENCE(files_, "om2vec/golden_*.npz");
    }
    std::vector<base::Path> files_;
};

at::Tensor matrix(std::vector<float>& values, std::int64_t columns) {
    return at::from_blob(values.data(), {std::ssize(values) / columns, columns}, at::kFloat);
}

TEST_F(GoldenInference, every_variant_of_the_kernels_gives_the_recorded_latents_and_logits) {
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        const auto& options = golden.options();
        const auto model = golden.model();
        for (const auto* kernels : nn::available_kernels()) {
            if (kernels->name == "reference") continue;  // minutes per case
            const Inference inference(model, *kernels);
            const auto counts = golden.counts().view();
            std::vector<float> mean(static_cast<std::size_t>(counts.size() * options.latent));
            auto log_variance = mean;
            inference.encode(counts, mean, log_variance);
            const auto z = golden.array("z_in").floats();
            std::vector<float> logits(static_cast<std::size_t>(counts.size() * options.bins));
            inference.decode(z, logits);
            const auto difference = [&](std::vector<float>& actual, const std::string& name) {
                const auto expected = golden.tensor(name, at::kDouble);
                return test::relative_to_largest(matrix(actual, expected.size(1)), expected);
            };
            EXPECT_LE(difference(mean, "mu_f64"), 1e-5) << kernels->name;
            EXPECT_LE(difference(log_variance, "logvar_f64"), 1e-5) << kernels->name;
            EXPECT_LE(difference(logits, "dec_logits_f64"), 1e-5) << kernels->name;
        }
    }
}

TEST_F(GoldenInference, latents_are_the_same_bits_for_any_threads_and_grouping) {
    const int before = base::threads();
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        const Inference inference(golden.model());
        const auto counts = golden.counts().view();
        const auto latent = golden.options().latent;
        std::vector<float> whole(static_cast<std::size_t>(counts.size() * latent));
        base::set_threads(1);
        inference.encode(counts, whole, {});
        base::set_threads(4);
        auto again = whole;
        inference.encode(counts, again, {});
        EXPECT_EQ(again, whole);
        for (std::int64_t module = 0; module < counts.size(); ++module) {
            std::vector<float> alone(static_cast<std::size_t>(latent));
            inference.encode(counts.part(module, module + 1), alone, {});
            const auto first = whole.begin() + module * latent;
            EXPECT_EQ(alone, std::vector<float>(first, first + latent)) << "module " << module;
        }
    }
    base::set_threads(before);
}

/// The modules of a file of binned events, regrouped as the original's conversion does: events of
/// at least 8 modules, modules ascending by (string, sensor).
struct Conversion {
    test::Counts counts;
    std::vector<std::int64_t> event, offsets{0};
    std::vector<std::array<double, 2>> id;
};

Conversion convert(const base::Path& file) {
    const auto rows = io::read_npz(file, "row").integers();
    const auto bins = io::read_npz(file, "bin").integers();
    const auto values = io::read_npz(file, "count").floats();
    const auto events = io::read_npz(file, "event").integers();
    const auto positions = io::read_npz(file, "pos").doubles();
    std::vector<std::size_t> first_entry(events.size() + 1, rows.size());
    for (std::size_t i = rows.size(); i-- > 0;) first_entry[static_cast<std::size_t>(rows[i])] = i;
    for (std::size_t m = events.size(); m-- > 0;) {
        first_entry[m] = std::min(first_entry[m], first_entry[m + 1]);
    }
    const auto id = [&](std::size_t m) {
        return std::array<double, 2>{positions[5 * m + 3], positions[5 * m + 4]};
    };
    Conversion result;
    for (std::size_t begin = 0, end = 0; begin < events.size(); begin = end) {
        while (end < events.size() && events[end] == events[begin]) ++end;
        if (end - begin < 8) continue;
        std::vector<std::size_t> modules(end - begin);
        std::iota(modules.begin(), modules.end(), begin);
        std::sort(modules.begin(), modules.end(),
                  [&](std::size_t a, std::size_t b) { return id(a) < id(b); });
        for (const auto m : modules) {
            for (auto i = first_entry[m]; i < first_entry[m + 1]; ++i) {
                result.counts.bins.push_back(static_cast<std::int32_t>(bins[i]));
                result.counts.counts.push_back(values[i]);
            }
            result.counts.offsets.push_back(std::ssize(result.counts.bins));
            result.id.push_back(id(m));
        }
        result.event.push_back(events[begin]);
        result.offsets.push_back(std::ssize(result.id));
    }
    return result;
}

/// A conversion of the original, `latents_<name>_<F>_<L>.npz`, and the binned modules it began
/// with, `bins_<name>_<F>_<time>.npz`.
struct RecordedConversion {
    base::Path latents, bins;
    ModelOptions network;
    std::uint64_t seed = 0;
};

std::vector<RecordedConversion> recorded_conversions() {
    static const std::regex pattern("latents_(.+)_([0-9]+)_([0-9]+)\\.npz");
    std::vector<RecordedConversion> found;
    for (const auto& file : test::reference_files("om2vec", "latents_*.npz")) {
        std::smatch parts;
        const auto name = file.filename().string();
        if (!std::regex_match(name, parts, pattern)) continue;
        const auto binned = test::reference_files(
            "om2vec", base::format("bins_{}_{}_[0-9]*.npz", parts[1].str(), parts[2].str()));
        if (binned.size() != 1) continue;
        ModelOptions network;
        network.bins = std::stoll(parts[2]);
        network.latent = std::stoll(parts[3]);
        const auto seed = io::read_npz(file, "seed").integers().at(0);
        found.push_back({file, binned.front(), network, static_cast<std::uint64_t>(seed)});
        std::cout << "case: " << name << " from " << binned.front().filename().string() << '\n';
    }
    return found;
}

TEST(GoldenConversion, whole_files_convert_to_the_recorded_latents) {
    const auto cases = recorded_conversions();
    HODO_REQUIRE_REFERENCE(cases, "om2vec/latents_<name>_<F>_<L>.npz with its binned modules");
    for (const auto& golden : cases) {
        const auto conversion = convert(golden.bins);
        EXPECT_EQ(conversion.event, io::read_npz(golden.latents, "event").integers());
        EXPECT_EQ(conversion.offsets, io::read_npz(golden.latents, "offsets").integers());
        const auto latent = golden.network.latent, width = latent + 2;
        const auto expected = io::read_npz(golden.latents, "latents").floats();
        ASSERT_EQ(std::ssize(expected), std::ssize(conversion.id) * width);
        Model model(golden.network);
        test::set_hash_weights(model, golden.seed);
        std::vector<float> mean(conversion.id.size() * static_cast<std::size_t>(latent));
        Inference(model).encode(conversion.counts.view(), mean, {});
        float largest = 0.0F, difference = 0.0F;
        for (std::size_t m = 0; m < conversion.id.size(); ++m) {
            const float* row = expected.data() + m * static_cast<std::size_t>(width);
            EXPECT_EQ(static_cast<double>(row[0]), conversion.id[m][0]);
            EXPECT_EQ(static_cast<double>(row[1]), conversion.id[m][1]);
            for (std::size_t i = 0; i < static_cast<std::size_t>(latent); ++i) {
                const float value = mean[m * static_cast<std::size_t>(latent) + i];
                largest = std::max(largest, std::abs(row[2 + i]));
                difference = std::max(difference, std::abs(row[2 + i] - value));
            }
        }
        EXPECT_LE(difference, 2e-5F * largest);
    }
}

}  // namespace
}  // namespace hodo::om2vec
