#pragma once
/// Evaluations made of thin air, for tests of what reads them.

#include "hodo/workflow/om2vec/evaluation.hh"

#include "hodo/io/atomic_file.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/parquet.hh"

#include <cmath>

namespace hodo::test {

/// Modules of all classes of hits; `network_js` is the network's mean distance, that of the
/// quantiles is 0.3.
inline om2vec::JudgedModules example_modules(std::int64_t count, double network_js = 0.2) {
    om2vec::JudgedModules modules;
    modules.codes = om2vec::code_names(16);
    modules.figures.resize(modules.codes.size());
    base::Random random(5, "example modules");
    for (std::int64_t i = 0; i < count; ++i) {
        modules.file.push_back(i / 10);
        modules.row.push_back(i % 10);
        modules.id.push_back({i % 7, i / 7});
        modules.position.push_back({random.uniform(), random.uniform(), -100.0 * random.uniform()});
        modules.hits.push_back(std::floor(std::exp(8.0 * random.uniform())));
        for (std::size_t code = 0; code < modules.codes.size(); ++code) {
            const double js = modules.codes[code] == "quantiles" ? 0.3 : network_js;
            om2vec::CodeFigures figures;
            figures.js = js + 0.01 * random.normal();
            figures.js_8ns = 0.8 * js;
            figures.js_32ns = 0.5 * js;
            figures.log_likelihood = -4.0 + random.normal();
            if (code != 0) figures.held_out_log_likelihood = -5.0 + random.normal();
            figures.first_error = random.normal();
            figures.median_error = 2.0 * random.normal();
            figures.width_error = 5.0 * random.normal();
            figures.wasserstein = std::abs(3.0 * random.normal());
            modules.figures[code].push_back(figures);
        }
    }
    return modules;
}

/// An evaluation folder of these modules, with two examples of 64 bins over 640 ns and latents.
inline void write_evaluation(const base::Path& folder, const om2vec::JudgedModules& modules) {
    io::ParquetWriter table(folder / "modules.parquet", om2vec::module_columns(modules.codes));
    table.append(om2vec::module_chunk(modules, 0, modules.size()));
    table.finish();
    auto facts = io::Json::object();
    facts["workflow"] = "om2vec";
    facts["weights"] = "run/model.safetensors";
    facts["fingerprint"] = "0123456789abcdef";
    facts["latent"] = 16;
    facts["binning"]["bins"] = 64;
    facts["binning"]["window_ns"] = 640.0;
    facts["modules"] = modules.size();
    facts["modules_available"] = 10 * modules.size();
    facts["uniform_log_likelihood"] = -std::log(64.0);
    facts["conventions"] = om2vec::evaluation_conventions();
    facts["classes"] = om2vec::class_summary(modules);
    io::write_text(folder / "evaluation.json", facts.dump(2));

    std::vector<float> counts(128, 0.0F), density(128, 1.0F / 64);
    counts[3] = 2;
    counts[5] = 1;
    counts[64 + 20] = 40;
    io::NamedArrays arrays{{"module", io::make_array(std::vector<std::int64_t>{0, 1})},
                           {"hits", io::make_array(std::vector<double>{3, 40})}};
    arrays.push_back({"counts", io::make_array<float>(counts, {2, 64})});
    for (const auto* name : {"sampled", "mean", "quantiles", "tight_quantiles", "equal_bins"}) {
        arrays.push_back({name, io::make_array<float>(density, {2, 64})});
    }
    io::write_npz(folder / "examples.npz", arrays);

    base::Random random(6, "example latents");
    const std::int64_t kept = modules.size();
    std::vector<float> mean, log_variance;
    for (std::int64_t i = 0; i < kept; ++i) {
        const double common = random.normal();
        for (int column = 0; column < 16; ++column) {
            const bool used = column < 6;
            mean.push_back(static_cast<float>(used ? common + random.normal() : 0.0));
            log_variance.push_back(used ? -2.0F : 0.0F);
        }
    }
    io::write_npz(folder / "latents.npz",
                  {{"hits", io::make_array(modules.hits)},
                   {"mean", io::make_array<float>(mean, {kept, 16})},
                   {"log_variance", io::make_array<float>(log_variance, {kept, 16})}});
}

}  // namespace hodo::test
