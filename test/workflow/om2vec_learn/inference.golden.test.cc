#include "hodo/workflow/om2vec/learn/inference.hh"

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

}  // namespace
}  // namespace hodo::om2vec
