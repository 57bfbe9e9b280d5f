#include "hodo/workflow/om2vec/evaluation.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/optical/quality.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/parquet.hh"

#include <algorithm>
#include <cmath>

namespace hodo::om2vec {

namespace {

constexpr int classes = static_cast<int>(optical::hit_class_names.size());

double jensen_shannon_of_sums(std::span<const double> counts, std::span<const double> density,
                              double bin_width, double width) {
    const auto factor = std::max<std::int64_t>(1, std::llround(width / bin_width));
    return optical::jensen_shannon(optical::summed(counts, factor),
                                   optical::summed(density, factor));
}

double quantile(const std::vector<double>& sorted, double q) {
    const double place = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

std::size_t code_index(const JudgedModules& modules, std::string_view code) {
    const auto found = std::find(modules.codes.begin(), modules.codes.end(), code);
    HODO_DOOR(found != modules.codes.end());
    return static_cast<std::size_t>(found - modules.codes.begin());
}

io::Column column(std::string name, std::vector<double> values) {
    return {{std::move(name), io::ColumnType::f64}, {}, std::move(values)};
}

io::Column column(std::string name, std::vector<std::int64_t> values) {
    return {{std::move(name), io::ColumnType::i64}, {}, std::move(values)};
}

template <class T>
std::vector<T> slice(const std::vector<T>& values, std::int64_t first, std::int64_t last) {
    return {values.begin() + first, values.begin() + last};
}

}  // namespace

CodeFigures judge(std::span<const double> counts, std::span<const double> density,
                  double bin_width) {
    double hits = 0;
    for (const double count : counts) hits += count;
    const auto photons = optical::timing_figures(counts, bin_width, hits);
    const auto code = optical::timing_figures(density, bin_width, hits);
    CodeFigures figures;
    figures.js = optical::jensen_shannon(counts, density);
    figures.js_8ns = jensen_shannon_of_sums(counts, density, bin_width, 8.0);
    figures.js_32ns = jensen_shannon_of_sums(counts, density, bin_width, 32.0);
    figures.log_likelihood = optical::log_likelihood_per_photon(counts, density, likelihood_floor);
    figures.first_error = code.first - photons.first;
    figures.median_error = code.median - photons.median;
    figures.width_error = code.width - photons.width;
    figures.wasserstein = optical::wasserstein(counts, density, bin_width);
    return figures;
}

Halves split_photons(std::span<const double> counts, base::Random& random) {
    Halves halves{std::vector<double>(counts.size(), 0.0), std::vector<double>(counts.size(), 0.0)};
    for (std::size_t bin = 0; bin < counts.size(); ++bin) {
        if (counts[bin] != std::floor(counts[bin])) return {};
        for (auto photon = std::llround(counts[bin]); photon > 0; --photon) {
            auto& half = random.bits32() & 1U ? halves.first : halves.second;
            half[bin] += 1.0;
        }
    }
    return halves;
}

bool JudgedModules::has(std::string_view code) const {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::vector<double> JudgedModules::values(std::string_view code,
                                          double CodeFigures::*figure) const {
    std::vector<double> result;
    for (const auto& one : figures[code_index(*this, code)]) result.push_back(one.*figure);
    return result;
}

std::vector<double> JudgedModules::values(std::string_view code, double CodeFigures::*figure,
                                          int hit_class) const {
    const auto& all = figures[code_index(*this, code)];
    std::vector<double> result;
    for (std::size_t i = 0; i < hits.size(); ++i) {
        if (optical::hit_class(hits[i]) == hit_class) result.push_back(all[i].*figure);
    }
    return result;
}

std::int64_t JudgedModules::count(int hit_class) const {
    return std::count_if(hits.begin(), hits.end(),
                         [&](double n) { return optical::hit_class(n) == hit_class; });
}

std::vector<std::string> code_names(std::int64_t latent) {
    std::vector<std::string> codes{"sampled", "mean", "quantiles", "tight_quantiles", "equal_bins"};
    if (latent != 64) codes.push_back("quantiles_64");
    return codes;
}

std::vector<io::ColumnSpec> module_columns(const std::vector<std::string>& codes) {
    std::vector<io::ColumnSpec> columns;
    for (const auto* name : {"file", "row", "string_id", "sensor_id"}) {
        columns.push_back({name, io::ColumnType::i64});
    }
    for (const auto* name : {"x", "y", "z", "hits"}) columns.push_back({name});
    columns.push_back({"hit_class", io::ColumnType::text});
    for (const auto& code : codes) {
        for (const auto& field : figure_fields) {
            columns.push_back({base::format("{}.{}", code, field.name)});
        }
    }
    return columns;
}

io::Chunk module_chunk(const JudgedModules& modules, std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> strings, sensors;
    std::array<std::vector<double>, 3> position;
    std::vector<std::string> hit_class;
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
        strings.push_back(modules.id[i].string);
        sensors.push_back(modules.id[i].sensor);
        for (std::size_t axis = 0; axis < 3; ++axis) {
            position[axis].push_back(modules.position[i][axis]);
        }
        const auto place = static_cast<std::size_t>(optical::hit_class(modules.hits[i]));
        hit_class.emplace_back(optical::hit_class_names[place]);
    }
    io::Chunk chunk{.first_row = first, .rows = last - first, .columns = {}};
    chunk.columns.push_back(column("file", slice(modules.file, first, last)));
    chunk.columns.push_back(column("row", slice(modules.row, first, last)));
    chunk.columns.push_back(column("string_id", std::move(strings)));
    chunk.columns.push_back(column("sensor_id", std::move(sensors)));
    chunk.columns.push_back(column("x", std::move(position[0])));
    chunk.columns.push_back(column("y", std::move(position[1])));
    chunk.columns.push_back(column("z", std::move(position[2])));
    chunk.columns.push_back(column("hits", slice(modules.hits, first, last)));
    chunk.columns.push_back({{"hit_class", io::ColumnType::text}, {}, std::move(hit_class)});
    for (std::size_t code = 0; code < modules.codes.size(); ++code) {
        for (const auto& field : figure_fields) {
            std::vector<double> values;
            for (const auto& figures : slice(modules.figures[code], first, last)) {
                values.push_back(figures.*field.member);
            }
            chunk.columns.push_back(
                column(base::format("{}.{}", modules.codes[code], field.name), std::move(values)));
        }
    }
    return chunk;
}

Spread spread_of(std::vector<double> values) {
    std::erase_if(values, [](double value) { return std::isnan(value); });
    Spread spread{.count = static_cast<std::int64_t>(values.size())};
    if (values.empty()) return spread;
    std::sort(values.begin(), values.end());
    spread.median = quantile(values, 0.5);
    spread.low = quantile(values, 0.16);
    spread.high = quantile(values, 0.84);
    if (values.size() > 1) {
        const double step = 0.5 / std::sqrt(static_cast<double>(values.size()));
        spread.error = (quantile(values, std::min(1.0, 0.5 + step)) -
                        quantile(values, std::max(0.0, 0.5 - step))) /
                       2;
    }
    return spread;
}

io::Json class_summary(const JudgedModules& modules) {
    auto summary = io::Json::list();
    for (int hit_class = 0; hit_class < classes; ++hit_class) {
        auto entry = io::Json::object();
        entry["hits"] = optical::hit_class_names[static_cast<std::size_t>(hit_class)];
        entry["modules"] = modules.count(hit_class);
        for (const auto& code : modules.codes) {
            for (const auto& field : figure_fields) {
                const auto spread = spread_of(modules.values(code, field.member, hit_class));
                entry[code][field.name]["median"] = spread.median;
                entry[code][field.name]["error"] = spread.error;
            }
        }
        summary.push(std::move(entry));
    }
    return summary;
}

io::Json evaluation_conventions() {
    auto conventions = io::Json::object();
    conventions["js"] =
        "Jensen-Shannon distance between normalised counts and density: the square root of the "
        "divergence, natural logarithm, 0 to 0.8326";
    conventions["js_8ns"] = "the same after summing bins to 8 ns";
    conventions["js_32ns"] = "the same after summing bins to 32 ns";
    conventions["sampled"] = "the network with one latent drawn from its normal distribution";
    conventions["mean"] = "the network with the latent at its mean, as apply writes it";
    conventions["quantiles"] =
        "as many quantiles as the network has latents, from 0 to the end of the window, cumulative "
        "distribution linear in between";
    conventions["quantiles_64"] = "64 quantiles";
    conventions["tight_quantiles"] = "the same with the last position at the last photon";
    conventions["equal_bins"] = "as many bins of equal length as the network has latents";
    conventions["log_likelihood"] = base::format(
        "mean natural logarithm of the probability of a photon's bin, each density mixed with {} "
        "of the uniform one",
        likelihood_floor);
    conventions["held_out_log_likelihood"] =
        "the same for a random half of the photons, the code made of the other half; modules whose "
        "halves both have photons";
    conventions["first_error"] =
        "code minus photons of the 1/(2 hits) quantile, where the first hit is expected [ns]";
    conventions["median_error"] = "code minus photons of the median time [ns]";
    conventions["width_error"] = "code minus photons of the 10 to 90 % width [ns]";
    conventions["wasserstein"] = "1-Wasserstein distance between photons and code [ns]";
    conventions["error"] = "standard error of a median from the order statistics around it";
    return conventions;
}

std::vector<std::string> class_table(const JudgedModules& modules) {
    std::vector<std::string> lines{base::format("{:>10} {:>9} {:>8} {:>8} {:>10} {:>8} {:>10}",
                                                "hits", "modules", "sampled", "mean", "quantiles",
                                                "tight", "equal bins")};
    for (int hit_class = 0; hit_class < classes; ++hit_class) {
        const auto count = modules.count(hit_class);
        if (count == 0) continue;
        const auto js = [&](std::string_view code) {
            return spread_of(modules.values(code, &CodeFigures::js, hit_class)).median;
        };
        lines.push_back(base::format("{:>10} {:>9} {:>8.3f} {:>8.3f} {:>10.3f} {:>8.3f} {:>10.3f}",
                                     optical::hit_class_names[static_cast<std::size_t>(hit_class)],
                                     base::with_thousands(count), js("sampled"), js("mean"),
                                     js("quantiles"), js("tight_quantiles"), js("equal_bins")));
    }
    return lines;
}

namespace {

void read_rows(JudgedModules& modules, const io::Chunk& chunk) {
    const auto append = [](auto& to, const auto& from) {
        to.insert(to.end(), from.begin(), from.end());
    };
    append(modules.file, chunk.column("file").to_integers());
    append(modules.row, chunk.column("row").to_integers());
    append(modules.hits, chunk.column("hits").to_doubles());
    const auto strings = chunk.column("string_id").to_integers();
    const auto sensors = chunk.column("sensor_id").to_integers();
    const auto x = chunk.column("x").to_doubles();
    const auto y = chunk.column("y").to_doubles();
    const auto z = chunk.column("z").to_doubles();
    for (std::size_t i = 0; i < strings.size(); ++i) {
        modules.id.push_back({strings[i], sensors[i]});
        modules.position.push_back({x[i], y[i], z[i]});
    }
    for (std::size_t code = 0; code < modules.codes.size(); ++code) {
        auto& figures = modules.figures[code];
        const auto before = figures.size();
        figures.resize(before + strings.size());
        for (const auto& field : figure_fields) {
            const auto values =
                chunk.column(base::format("{}.{}", modules.codes[code], field.name)).to_doubles();
            for (std::size_t i = 0; i < values.size(); ++i) {
                figures[before + i].*field.member = values[i];
            }
        }
    }
}

}  // namespace

Evaluation read_evaluation(const base::Path& folder) {
    const auto facts = folder / "evaluation.json";
    const auto table = folder / "modules.parquet";
    for (const auto& file : {facts, table}) {
        HODO_CHECK(std::filesystem::exists(file),
                   "{}: is not an evaluation (it has no {}); make one with hodo om2vec evaluate",
                   folder, file.filename());
    }
    Evaluation evaluation{folder, io::Json::parse(io::read_text(facts), facts.string()), {}};
    const auto schema = io::parquet_schema(table);
    auto& modules = evaluation.modules;
    for (const auto* code :
         {"sampled", "mean", "quantiles", "tight_quantiles", "equal_bins", "quantiles_64"}) {
        if (schema.has_struct(code)) modules.codes.emplace_back(code);
    }
    for (const auto& wanted : module_columns(modules.codes)) {
        HODO_CHECK(schema.has(wanted.name) && modules.codes.size() >= 5,
                   "{}: has no column '{}', so it is not an evaluation of om2vec; run hodo om2vec "
                   "evaluate again",
                   table, modules.codes.size() >= 5 ? wanted.name : "quantiles.js");
    }
    modules.figures.resize(modules.codes.size());
    auto reader = io::read_parquet(table, {});
    while (const auto chunk = reader->next()) read_rows(modules, *chunk);
    return evaluation;
}

}  // namespace hodo::om2vec
