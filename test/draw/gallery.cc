#include "draw/gallery.hh"

#include <algorithm>
#include <cmath>
#include <random>

#include "hodo/draw/corner.hh"

namespace hodo::test {
namespace {

using draw::Figure;
using draw::Fill;
using draw::Marker;
using draw::Scale;

struct Histogram {
    std::vector<double> edges, counts, errors;
    Histogram(const std::vector<double>& values, double low, double high, int bins)
        : counts(static_cast<std::size_t>(bins), 0.0) {
        for (int i = 0; i <= bins; ++i) edges.push_back(low + (high - low) * i / bins);
        for (const double value : values) {
            const double bin = std::floor((value - low) / (high - low) * bins);
            if (bin >= 0 && bin < bins) counts[static_cast<std::size_t>(bin)] += 1;
        }
        for (const double count : counts) errors.push_back(std::sqrt(count));
    }
};

/// Arrival times: a prompt peak and a long tail [ns].
std::vector<double> arrival_times(std::size_t count, unsigned seed, double tail) {
    const auto a = normal_numbers(count, seed), b = normal_numbers(count, seed + 1);
    std::vector<double> times;
    for (std::size_t i = 0; i < count; ++i) {
        const double exponential = 0.5 * (a[i] * a[i] + b[i] * b[i]);
        times.push_back(i % 3 == 0 ? 60 + 12 * a[i] : 50 + tail * exponential);
    }
    return times;
}

std::vector<double> grid(double low, double high, int count) {
    std::vector<double> values;
    for (int i = 0; i < count; ++i) values.push_back(low + (high - low) * i / (count - 1));
    return values;
}

Figure lines_figure() {
    Figure figure;
    auto& axes = figure.panel();
    axes.title("Validation loss").x({.label = "epoch"});
    axes.y({.label = "loss per photon [nat]", .scale = Scale::log});
    const auto x = grid(1, 60, 60);
    for (int k = 0; k < 4; ++k) {
        std::vector<double> y, low, high;
        for (const double e : x) {
            y.push_back((0.4 + 3.0 * std::exp(-e / (6.0 + 4 * k))) * (1 + 0.2 * k));
            low.push_back(y.back() * 0.93);
            high.push_back(y.back() * 1.07);
        }
        if (k == 2) y[30] = NAN;
        if (k == 0) axes.band(x, low, high, {.colour = draw::palette(0)});
        axes.line(x, y,
                  {.label = "latent " + std::to_string(32 << k),
                   .colour = draw::palette(static_cast<std::size_t>(k)),
                   .dash = static_cast<draw::Dash>(k)});
    }
    return figure;
}

Figure histogram_figure(Scale scale) {
    Figure figure;
    auto& axes = figure.panel();
    const Histogram truth(arrival_times(20000, 3, 130), 0, 1000, 50);
    const Histogram decoded(arrival_times(20000, 13, 140), 0, 1000, 50);
    axes.x({.label = "time since first photon [ns]"})
        .y({.label = "photons / 20 ns", .scale = scale});
    axes.steps(truth.edges, truth.counts, {.label = "true", .fill = Fill::filled});
    axes.steps(decoded.edges, decoded.counts, {.label = "decoded", .errors = decoded.errors});
    axes.vertical(60, {.label = "direct light", .dash = draw::Dash::dashed});
    return figure;
}

Figure points_figure() {
    Figure figure;
    auto& axes = figure.panel();
    axes.x({.label = "neutrino energy E_{\u03BD} [GeV]", .scale = Scale::log});
    axes.y({.label = "median angular error [\u00B0]"});
    std::vector<double> x, a, b, ea, eb, ex;
    for (int i = 0; i < 10; ++i) {
        const double energy = 150 * std::pow(10.0, i / 3.0);
        x.push_back(energy);
        ex.push_back(energy * 0.3);
        a.push_back(4.0 * std::pow(energy / 100, -0.25) + 0.3);
        b.push_back(5.5 * std::pow(energy / 100, -0.22) + 0.35);
        ea.push_back(0.06 * a.back() + 0.02);
        eb.push_back(0.07 * b.back() + 0.02);
    }
    axes.points(x, a, {.label = "all photon times", .x_errors = ex, .y_errors = ea});
    axes.points(x, b, {.label = "latent representation", .marker = Marker::square, .y_errors = eb});
    axes.note("tracks, simulated", draw::Note::Corner::lower_left);
    return figure;
}

Figure heat_figure(Scale scale) {
    Figure figure;
    auto& axes = figure.panel();
    const auto x = grid(0, 500, 61), y = grid(-300, 300, 41);
    std::vector<double> values;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
        for (std::size_t j = 0; j + 1 < y.size(); ++j) {
            const double r = std::hypot((x[i] - 180) / 90, (y[j] + 20 - 0.3 * x[i]) / 60);
            const double value = 4000 * std::exp(-r * r) + 8 * std::exp(-r);
            values.push_back(value < 0.4 ? NAN : value);
        }
    }
    axes.title("Charge map").x({.label = "time [ns]"}).y({.label = "depth z [m]"});
    axes.heat_map(x, y, values, {.label = "photoelectrons", .scale = scale});
    return figure;
}

Figure log_heat_figure() {
    Figure figure;
    auto& axes = figure.panel();
    std::vector<double> x, y, values;
    for (int i = 0; i <= 24; ++i) x.push_back(std::pow(10.0, 2 + i / 6.0));
    for (int i = 0; i <= 24; ++i) y.push_back(std::pow(10.0, 2 + i / 6.0));
    for (int i = 0; i < 24; ++i) {
        for (int j = 0; j < 24; ++j) values.push_back(50 * std::exp(-0.08 * (i - j) * (i - j)));
    }
    axes.x({.label = "true energy [GeV]", .scale = Scale::log});
    axes.y({.label = "reconstructed energy [GeV]", .scale = Scale::log});
    axes.heat_map(x, y, values, {.label = "events"}).diagonal({.dash = draw::Dash::dashed});
    return figure;
}

Figure bars_figure() {
    Figure figure;
    figure.panel()
        .y({.label = "median distance [ns]"})
        .bars({"om2vec", "asymmetric Gaussian mixture", "summary statistics", "nearest neighbour"},
              {2.1, 5.4, 9.8, 12.2}, {.label = "tracks", .errors = {0.1, 0.2, 0.3, 0.9}})
        .bars({"om2vec", "asymmetric Gaussian mixture", "summary statistics", "nearest neighbour"},
              {2.6, 6.1, 8.9, 14.0}, {.label = "cascades", .errors = {0.2, 0.2, 0.5, 0.8}});
    return figure;
}

Figure ratio_gallery() {
    Figure figure = draw::ratio_figure();
    const Histogram truth(arrival_times(20000, 3, 130), 0, 1000, 40);
    const Histogram decoded(arrival_times(20000, 13, 140), 0, 1000, 40);
    figure.panel(0).y({.label = "photons / 25 ns", .scale = Scale::log});
    figure.panel(0).steps(truth.edges, truth.counts, {.label = "true", .errors = truth.errors});
    figure.panel(0).steps(decoded.edges, decoded.counts,
                          {.label = "decoded", .errors = decoded.errors});
    figure.panel(1).x({.label = "time since first photon [ns]"});
    figure.panel(1).y({.label = "decoded / true", .low = 0.5, .high = 1.5});
    draw::draw_ratio(figure.panel(1), truth.edges, decoded.counts, truth.counts);
    return figure;
}

Figure grid_figure() {
    Figure figure({.width = 620, .height = 460, .rows = 2, .columns = 2, .title = "Four panels"});
    const auto x = grid(0, 6.28, 200);
    std::vector<double> y, big;
    for (const double v : x) y.push_back(std::sin(v));
    for (const double v : x) big.push_back(3.2e6 + 1.1e6 * std::cos(v));
    figure.panel(0, 0).title("sine").x({.label = "phase [rad]"}).y({.label = "amplitude"});
    figure.panel(0, 0).line(x, y, {.label = "sin \u03C6"});
    figure.panel(0, 1).title("large numbers").x({.label = "phase [rad]"}).y({.label = "counts"});
    figure.panel(0, 1).line(x, big);
    figure.panel(1, 0).title("nothing").x({.label = "x"}).y({.label = "y"}).steps({}, {});
    std::vector<double> px, py, charge;
    for (int row = 0; row < 9; ++row) {
        for (int column = 0; column < 9 - std::abs(row - 4); ++column) {
            px.push_back(125.0 * column + 62.5 * std::abs(row - 4));
            py.push_back(108.0 * row);
            const double r = std::hypot(px.back() - 600, py.back() - 300);
            charge.push_back(r > 550 ? NAN : 900 * std::exp(-r / 90));
        }
    }
    figure.panel(1, 1).title("detector").x({.label = "x [m]"}).y({.label = "y [m]"});
    figure.panel(1, 1).discs(px, py, charge,
                             {.label = "charge [pe]", .scale = Scale::log, .radius = 5});
    return figure;
}

Figure corner_figure() {
    const auto a = normal_numbers(8000, 1), b = normal_numbers(8000, 2),
               c = normal_numbers(8000, 5);
    std::vector<std::vector<double>> samples(3);
    for (std::size_t i = 0; i < a.size(); ++i) {
        samples[0].push_back(41.2 + 1.3 * a[i]);
        samples[1].push_back(-0.2 + 0.05 * (0.8 * a[i] + 0.6 * b[i]));
        samples[2].push_back(std::exp(0.4 * c[i] - 0.3 * b[i]));
    }
    return draw::corner(samples, {.labels = {"zenith [\u00B0]", "azimuth [rad]", "energy [TeV]"},
                                  .truth = {40.6, -0.23, 1.2}});
}

Figure empty_figure() {
    Figure figure;
    figure.panel().x({.label = "x"}).y({.label = "y", .scale = Scale::log});
    figure.panel().line({NAN, INFINITY}, {1, -1}, {.label = "never finite"});
    return figure;
}

}  // namespace

std::vector<double> normal_numbers(std::size_t count, unsigned seed) {
    std::mt19937_64 engine(
        seed);  // The engine is fixed by the standard; its distributions are not.
    const auto uniform = [&] { return (double(engine() >> 11) + 0.5) * 0x1p-53; };
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) {
        const double radius = std::sqrt(-2.0 * std::log(uniform()));
        values.push_back(radius * std::cos(2.0 * M_PI * uniform()));
    }
    return values;
}

std::vector<std::pair<std::string, Figure>> gallery_figures() {
    return {{"lines", lines_figure()},
            {"histogram", histogram_figure(Scale::linear)},
            {"histogram_log", histogram_figure(Scale::log)},
            {"points", points_figure()},
            {"heat_map", heat_figure(Scale::linear)},
            {"heat_map_log", heat_figure(Scale::log)},
            {"heat_map_log_axes", log_heat_figure()},
            {"bars", bars_figure()},
            {"ratio", ratio_gallery()},
            {"grid", grid_figure()},
            {"corner", corner_figure()},
            {"empty", empty_figure()}};
}

draw::Report gallery_report() {
    draw::Report report("Gallery <of> reports & figures");
    report.section("Numbers", "Text with <b>marks</b> & \"quotes\" is shown as it stands.");
    report.number("median distance", 3.4216, 0.0523, "ns");
    report.number("events", 12345);
    report.number("probability", 1.5e-7, NAN, "");
    report.text("A table follows.");
    report.table({"module", "charge [pe]", "time [ns]"},
                 {{"12/3", 120.5, 1042}, {"</script><script>alert(1)</script>", NAN, 12}},
                 "Brightest modules");
    report.section("Figures");
    report.figure("Arrival times of one module", histogram_figure(Scale::log));
    report.figure("Charge over depth and time", heat_figure(Scale::log));
    report.section("Curves");
    draw::Curves curves{.x_label = "epoch", .y_label = "loss", .y_scale = Scale::log, .lines = {}};
    for (int k = 0; k < 3; ++k) {
        draw::Curves::Line line{.label = k == 0   ? "training"
                                         : k == 1 ? "validation"
                                                  : "best",
                                .x = grid(1, 80, 80),
                                .y = {}};
        for (const double e : line.x) line.y.push_back(0.2 * (k + 1) + 5 * std::exp(-e / 9));
        curves.lines.push_back(std::move(line));
    }
    report.curves("Loss by epoch", curves);
    return report;
}

draw::EventDisplay gallery_display() {
    draw::EventDisplay display{.title = "Simulated <events>"};
    std::int64_t string = 0;
    for (int row = -5; row <= 5; ++row) {
        for (int column = -5; column <= 5; ++column) {
            if (std::abs(row + column) > 5) continue;
            ++string;
            for (int sensor = 1; sensor <= 40; ++sensor) {
                display.modules.push_back({125.0 * (column + 0.5 * row), 108.0 * row,
                                           500.0 - 25.0 * sensor, string, sensor});
            }
        }
    }
    const auto noise = normal_numbers(600'000, 9);
    std::size_t drawn = 0;
    const auto fill = [&](draw::EventDisplay::Event& event, auto&& distance_and_time) {
        for (std::size_t i = 0; i < display.modules.size(); ++i) {
            const auto [distance, time] = distance_and_time(display.modules[i]);
            const double expected = 4000 * std::exp(-distance / 35) / (1 + distance / 4);
            const auto photons = static_cast<int>(expected + 0.5 * std::abs(noise[drawn++]));
            for (int k = 0; k < photons; ++k) {
                const double late = 0.3 * distance * std::abs(noise[drawn++ % noise.size()]);
                event.hits.push_back({std::int64_t(i), 9500 + time + late, 1.0});
            }
        }
    };
    draw::EventDisplay::Event track{.title = "muon </script>"};
    const std::array<double, 3> from{-700, -350, -420}, direction{0.83, 0.4, 0.388};
    fill(track, [&](const auto& m) {
        const std::array<double, 3> d{m.x - from[0], m.y - from[1], m.z - from[2]};
        double along = 0, square = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            along += d[k] * direction[k];
            square += d[k] * d[k];
        }
        const double distance = std::sqrt(std::max(square - along * along, 1.0));
        return std::pair{distance, (along + distance) / 0.2998};
    });
    track.tracks.push_back({.from = from,
                            .to = {from[0] + 1700 * direction[0], from[1] + 1700 * direction[1],
                                   from[2] + 1700 * direction[2]},
                            .start = 9500,
                            .end = 9500 + 1700 / 0.2998,
                            .energy = 21400,
                            .label = "\u03BC\u207B"});
    track.facts = {
        {"interaction", "charged current"}, {"energy", "31.2 TeV"}, {"zenith", "67.2\u00B0"}};
    draw::EventDisplay::Event cascade{.title = "cascade"};
    fill(cascade, [](const auto& m) {
        const double distance = std::hypot(m.x - 60, m.y + 90, m.z - 30);
        return std::pair{0.7 * distance, distance / 0.22};
    });
    cascade.facts = {{"energy", "8.1 TeV"}};
    display.events = {std::move(track), std::move(cascade), {.title = "no light"}};
    return display;
}

}  // namespace hodo::test
