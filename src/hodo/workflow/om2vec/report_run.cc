/// The report's sections on the run: what it was and how training went.

#include "hodo/base/config.hh"
#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/workflow/om2vec/detail/report_sections.hh"
#include "hodo/workflow/om2vec/options.hh"

#include <algorithm>
#include <map>

namespace hodo::om2vec::detail {

namespace {

/// One set ("train" or "valid") of metrics.csv: columns over steps.
struct Curve {
    std::vector<double> step;
    std::map<std::string, std::vector<double>> values;
};
using Metrics = std::map<std::string, Curve>;

Metrics read_metrics(const base::Path& file) {
    Metrics metrics;
    std::vector<std::string> header;
    std::int64_t number = 0;
    for (const auto& line : base::split(io::read_text(file), '\n')) {
        ++number;
        if (base::trim(line).empty()) continue;
        const auto cells = base::split(line, ',');
        if (header.empty()) {
            header = cells;
            HODO_CHECK(
                header.size() >= 3 && header[0] == "step" && header[2] == "set",
                "{}: does not begin with step,epoch,set; name the run directory of a training",
                file);
            continue;
        }
        HODO_CHECK(cells.size() == header.size(), "{}:{}: has {} columns instead of {}", file,
                   number, cells.size(), header.size());
        auto& curve = metrics[cells[2]];
        curve.step.push_back(base::parse_double(cells[0]).value_or(not_known));
        for (std::size_t i = 3; i < cells.size(); ++i) {
            const auto text = base::trim(cells[i]);
            curve.values[header[i]].push_back(base::parse_double(text).value_or(not_known));
        }
    }
    return metrics;
}

bool has(const Metrics& metrics, const std::string& set, const std::string& name) {
    const auto curve = metrics.find(set);
    if (curve == metrics.end() || !curve->second.values.contains(name)) return false;
    const auto& values = curve->second.values.at(name);
    return std::any_of(values.begin(), values.end(), [](double v) { return v == v; });
}

const std::vector<double>& values(const Metrics& metrics, const std::string& set,
                                  const std::string& name) {
    return metrics.at(set).values.at(name);
}

/// Means of runs of neighbouring points, so that a curve has at most about 250.
std::pair<std::vector<double>, std::vector<double>> thinned(const std::vector<double>& x,
                                                            const std::vector<double>& y) {
    constexpr std::size_t most = 250;
    const std::size_t run = std::max<std::size_t>(1, (x.size() + most - 1) / most);
    std::pair<std::vector<double>, std::vector<double>> result;
    for (std::size_t begin = 0; begin < x.size(); begin += run) {
        const std::size_t end = std::min(begin + run, x.size());
        double x_sum = 0, y_sum = 0;
        for (std::size_t i = begin; i < end; ++i) {
            x_sum += x[i];
            y_sum += y[i];
        }
        result.first.push_back(x_sum / static_cast<double>(end - begin));
        result.second.push_back(y_sum / static_cast<double>(end - begin));
    }
    return result;
}

bool all_positive(const std::vector<double>& numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](double v) { return !(v <= 0); });
}

void draw_quantity(draw::Axes& axes, const Metrics& metrics, const std::string& name,
                   const std::string& label) {
    bool positive = true;
    for (const std::string set : {"train", "valid"}) {
        if (!has(metrics, set, name)) continue;
        const auto& series = values(metrics, set, name);
        positive = positive && all_positive(series);
        const auto [x, y] = thinned(metrics.at(set).step, series);
        if (set == "valid") {
            axes.points(x, y, {.label = "validation", .colour = draw::palette(1)});
            axes.line(x, y, {.colour = draw::palette(1)});
        } else {
            axes.line(x, y, {.label = "training", .colour = draw::palette(0)});
        }
    }
    axes.x({.label = "step"});
    axes.y({.label = label, .scale = positive ? draw::Scale::log : draw::Scale::linear});
}

draw::Curves interactive_curves(const Metrics& metrics) {
    draw::Curves curves{.x_label = "step", .y_label = "loss"};
    bool positive = true;
    for (const auto* set : {"train", "valid"}) {
        for (const auto* name : {"loss", "reco", "kl"}) {
            if (!has(metrics, set, name)) continue;
            const auto [x, y] = thinned(metrics.at(set).step, values(metrics, set, name));
            positive = positive && all_positive(y);
            curves.lines.push_back({.label = base::format("{} {}", set, name), .x = x, .y = y});
        }
    }
    if (positive) curves.y_scale = draw::Scale::log;
    return curves;
}

/// "1 file", "2 files".
std::string counted(std::int64_t count, std::string_view thing) {
    return base::format("{} {}{}", base::with_thousands(count), thing, count == 1 ? "" : "s");
}

std::string member_text(const io::Json& json, std::string_view key) {
    if (!json.is_object() || !json.has(key)) return "unknown";
    const auto& value = json.at(key);
    return value.is_text() ? value.text() : value.dump();
}

void add_sessions(std::vector<std::vector<io::Json>>& rows, const io::Json& run) {
    if (!run.is_object() || !run.has("sessions")) return;
    for (const auto& session : run.at("sessions").items()) {
        auto text = base::format("{} on {}: {}, {}", member_text(session, "time"),
                                 member_text(session, "host"), member_text(session, "device"),
                                 counted(session.at("threads").integer(), "thread"));
        if (session.has("resumed_at")) text += ", resumed at " + member_text(session, "resumed_at");
        rows.push_back({"session", text});
        rows.push_back({"command", member_text(session, "command")});
    }
}

void add_inputs(std::vector<std::vector<io::Json>>& rows, const io::Json& run) {
    if (!run.is_object() || !run.has("inputs")) return;
    const auto& inputs = run.at("inputs").items();
    double bytes = 0;
    for (const auto& input : inputs) {
        if (input.has("bytes") && input.at("bytes").is_number())
            bytes += input.at("bytes").number();
    }
    rows.push_back(
        {"input", counted(std::ssize(inputs), "file") + ", " + base::human_bytes(bytes)});
}

}  // namespace

void add_run(draw::ReportPage& page, const base::Path& run) {
    std::vector<std::vector<io::Json>> rows;
    if (std::filesystem::exists(run / "run.json")) {
        const auto file = run / "run.json";
        const auto facts = io::Json::parse(io::read_text(file), file.string());
        if (facts.has("hodoscope")) {
            const auto& program = facts.at("hodoscope");
            rows.push_back({"hodo", base::format("{} ({})", member_text(program, "version"),
                                                 member_text(program, "commit"))});
        }
        add_sessions(rows, facts);
        add_inputs(rows, facts);
    }
    const auto config = base::Config::read(run / "config.yaml").section("train");
    const auto options = config.as<TrainOptions>();
    const auto& binning = options.data.binning;
    rows.push_back(
        {"histograms",
         base::format("{} bins over {} ns, rule {}, time zero {}", binning.width(), binning.window,
                      names(binning.rule)[static_cast<std::size_t>(binning.rule)],
                      binning.time_zero)});
    rows.push_back({"network", base::format("{} latents, {} parameters", options.model.latent,
                                            base::with_thousands(parameter_count(options.model)))});
    rows.push_back({"batch", base::format("{} modules", options.feed.batch_size)});
    rows.push_back({"seed", base::format("{}", options.seed)});
    page.report.section("Run");
    page.report.table({"fact", "value"}, std::move(rows));
}

void add_training(draw::ReportPage& page, const base::Path& run) {
    const auto metrics = read_metrics(run / "metrics.csv");
    page.report.section("Training");
    if (metrics.empty()) {
        page.report.text("No step has been logged yet.");
        return;
    }
    if (!metrics.contains("valid")) {
        page.report.text(
            "There is no validation: set data.valid or data.valid_fraction to see whether the "
            "network learns more than its training data.");
    }
    const std::string valid = "valid";
    for (const std::string name : {"loss", "js"}) {
        if (!has(metrics, valid, name)) continue;
        const auto& series = values(metrics, valid, name);
        page.report.number(base::format("validation {}, last", name), series.back());
        page.report.number(base::format("validation {}, least", name),
                           *std::min_element(series.begin(), series.end()));
    }
    page.report.curves("Loss and its parts; drag to zoom, double-click to zoom out.",
                       interactive_curves(metrics));
    const std::pair<const char*, const char*> quantities[] = {
        {"loss", "loss"}, {"reco", "reconstruction"},        {"kl", "Kullback-Leibler"},
        {"beta", "beta"}, {"js", "Jensen-Shannon distance"}, {"gradient_norm", "gradient norm"}};
    draw::Figure figure({.width = 620, .height = 600, .rows = 3, .columns = 2});
    int place = 0;
    for (const auto& [name, label] : quantities) {
        if (!has(metrics, "train", name) && !has(metrics, "valid", name)) continue;
        draw_quantity(figure.panel(place / 2, place % 2), metrics, name, label);
        ++place;
    }
    page.figure("training", "The loss, its parts and how training went, per module.", figure);
}

}  // namespace hodo::om2vec::detail
