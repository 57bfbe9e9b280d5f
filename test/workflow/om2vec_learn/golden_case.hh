#pragma once
/// One file of golden values of the network: its input, weights by the hash rule, and comparisons.

#include "hodo/base/text.hh"
#include "hodo/io/npz.hh"
#include "hodo/workflow/om2vec/learn/loss.hh"
#include "hodo/workflow/om2vec/learn/model.hh"
#include "small_network.hh"
#include "support/hash_weights.hh"
#include "support/reference.hh"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace hodo::test {

/// The recorded values were made without AVX-512; the variable is read at the first operation.
inline const bool vector_level_is_fixed = setenv("ATEN_CPU_CAPABILITY", "avx2", 0) == 0;

/// Fills the parameters of `model` by the hash rule.
inline void set_hash_weights(om2vec::Model& model, std::uint64_t seed) {
    const at::NoGradGuard no_gradients;
    for (auto& [name, tensor] : tensor::named_parameters(model)) {
        auto values = hash_weights(name, tensor->sizes(), seed);
        tensor->copy_(at::from_blob(values.data(), tensor->sizes(), at::kFloat));
    }
}

class GoldenCase {
  public:
    explicit GoldenCase(const base::Path& file)
        : file_(file), names_(io::npz_names(file)), seed_(number("seed")) {
        std::cout << "golden case " << file.filename().string() << "\n";
        om2vec::ModelOptions options;
        options.bins = static_cast<std::int64_t>(number("in_features"));
        options.latent = static_cast<std::int64_t>(number("latent_dim"));
        if (has("embed_dim")) options.embed = static_cast<std::int64_t>(number("embed_dim"));
        options.sensor_positional_encoding = has("pos");
        options_ = options;
        read_counts();
    }

    const om2vec::ModelOptions& options() const { return options_; }
    std::uint64_t seed() const { return seed_; }
    const Counts& counts() const { return counts_; }
    bool has(const std::string& name) const {
        return std::find(names_.begin(), names_.end(), name) != names_.end();
    }
    io::Array array(const std::string& name) const { return io::read_npz(file_, name); }
    std::vector<std::string> text(const std::string& name) const {
        return io::read_npz_text(file_, name);
    }
    double scalar(const std::string& name) const { return array(name).doubles().at(0); }
    at::Tensor tensor(const std::string& name, at::ScalarType type = at::kFloat) const {
        const auto stored = array(name);
        auto values = stored.doubles();
        return at::from_blob(values.data(), stored.shape, at::kDouble).to(type, false, true);
    }
    om2vec::Model model(at::ScalarType type = at::kFloat) const {
        om2vec::Model model(options_, at::TensorOptions().dtype(type));
        set_hash_weights(model, seed_);
        return model;
    }
    om2vec::Batch batch() const { return om2vec::make_batch(counts_.view(), options_.bins); }

  private:
    std::uint64_t number(const std::string& name) const {
        return static_cast<std::uint64_t>(array(name).integers().at(0));
    }
    void read_counts() {
        const auto rows = array("counts_row").integers();
        const auto bins = array("counts_bin").integers();
        const auto values = array("counts_val").floats();
        const auto modules = array("mu_f64").shape.at(0);
        for (std::int64_t module = 0; module < modules; ++module) {
            for (std::size_t i = 0; i < rows.size(); ++i) {
                if (rows[i] != module) continue;
                counts_.bins.push_back(static_cast<std::int32_t>(bins[i]));
                counts_.counts.push_back(values[i]);
            }
            counts_.offsets.push_back(static_cast<std::int64_t>(counts_.bins.size()));
        }
        if (!has("pos")) return;
        const auto stored = array("pos");
        const auto width = static_cast<std::size_t>(stored.shape.at(1));
        const auto values_of_pos = stored.doubles();
        for (std::size_t i = 0; i + width <= values_of_pos.size(); i += width) {
            counts_.positions.push_back(
                {values_of_pos[i], values_of_pos[i + 1], values_of_pos[i + 2]});
        }
    }

    base::Path file_;
    std::vector<std::string> names_;
    std::uint64_t seed_;
    om2vec::ModelOptions options_;
    Counts counts_;
};

inline std::vector<base::Path> golden_files() {
    return reference_files("om2vec", "golden_*.npz");
}

/// Largest difference in units of the largest magnitude of `expected`.
inline double relative_to_largest(const at::Tensor& actual, const at::Tensor& expected) {
    const auto a = actual.detach().to(at::kDouble), e = expected.to(at::kDouble);
    return ((a - e).abs().max() / e.abs().max()).item<double>();
}

}  // namespace hodo::test
