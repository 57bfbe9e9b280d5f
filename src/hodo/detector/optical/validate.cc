#include "hodo/detector/optical/validate.hh"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "hodo/base/error.hh"
#include "hodo/base/units.hh"

namespace hodo::optical {

namespace {

constexpr std::array<double, 9> distances{5, 10, 20, 30, 45, 60, 80, 100, 140};
constexpr double track_energy = 1000.0;   // [GeV]
constexpr double cascade_energy = 100.0;  // [GeV]
constexpr double half_track = 1500.0;     // [m]

/// Modules on the x axis, one string each; string number k is at places[k].
Geometry line_of_modules(const std::string& medium, std::span<const double> places) {
    Geometry geometry;
    geometry.medium = medium;
    geometry.module_radius = 0.165;
    for (std::size_t k = 0; k < places.size(); ++k) {
        geometry.modules.push_back({{static_cast<std::int64_t>(k), 1}, {places[k], 0.0, 0.0}});
    }
    return geometry;
}

EventSimulator simulator_with(const ValidationOptions& options, double efficiency,
                              std::span<const double> places = distances) {
    SimulationOptions simulation;
    simulation.efficiency = efficiency;
    simulation.max_photons_per_module = 100'000'000;
    return {simulation, line_of_modules(options.medium, places)};
}

/// A muon through the origin along +z, without losses.
MuonTrack straight_track() {
    MuonTrack track;
    track.origin = {0, 0, -half_track};
    track.direction = {0, 0, 1};
    track.energy = track_energy;
    track.length = 2 * half_track;
    return track;
}

double track_expectation(const EventSimulator& simulator, double distance) {
    const Medium& medium = simulator.light().medium();
    const double emission =
        half_track - distance * medium.cherenkov_cosine() / medium.cherenkov_sine();
    const double energy = straight_track().energy_at(emission, muon_losses(medium).continuous);
    return simulator.light().track_mean(simulator.light().photons_per_metre(energy), distance);
}

/// When the first light of the track can reach a module: the Cherenkov cone.
double cherenkov_time(const Medium& medium, double distance) {
    const double emission =
        half_track - distance * medium.cherenkov_cosine() / medium.cherenkov_sine();
    return emission / constants::speed_of_light +
           distance / medium.cherenkov_sine() * medium.group_index / constants::speed_of_light;
}

/// Mean numbers of photons per module over many events of `simulate`.
template <class Simulate>
ValidationCurve light_curve(std::string name, std::int64_t trials, Simulate&& simulate) {
    ValidationCurve curve{std::move(name), "distance [m]", "photons on one module", {}, {}, {}, {}};
    curve.x.assign(distances.begin(), distances.end());
    curve.simulated.assign(distances.size(), 0.0);
    for (std::int64_t trial = 0; trial < trials; ++trial) {
        const Events events = simulate(trial);
        for (const std::int64_t string : events.string) {
            curve.simulated[static_cast<std::size_t>(string)] += 1.0 / static_cast<double>(trials);
        }
    }
    return curve;
}

void set_poisson_errors(ValidationCurve& curve, std::int64_t trials) {
    for (const double mean : curve.expected) {
        curve.error.push_back(std::sqrt(mean / static_cast<double>(trials)));
    }
}

ValidationCurve track_curve(const ValidationOptions& options) {
    const EventSimulator simulator = simulator_with(options, 0.035);
    auto curve =
        light_curve("light of a muon track of 1 TeV", options.trials, [&](std::int64_t trial) {
            base::Random random(options.seed, "validation track",
                                static_cast<std::uint64_t>(trial));
            return simulator.track_light(straight_track(), random);
        });
    for (const double d : distances) curve.expected.push_back(track_expectation(simulator, d));
    set_poisson_errors(curve, options.trials);
    return curve;
}

ValidationCurve cascade_curve(const ValidationOptions& options, double cosine) {
    const EventSimulator simulator = simulator_with(options, 0.035);
    const Light& light = simulator.light();
    const Point direction{cosine, std::sqrt(1 - cosine * cosine), 0};
    const double depth = light.cascade_depth(cascade_energy);
    const Point start{-depth * direction[0], -depth * direction[1], 0};
    auto curve =
        light_curve(base::format("light of a cascade of 100 GeV, cosine {:.2f}", cosine),
                    options.trials, [&](std::int64_t trial) {
                        base::Random random(options.seed, "validation cascade",
                                            static_cast<std::uint64_t>(trial));
                        return simulator.cascade_light(start, direction, cascade_energy,
                                                       CascadeKind::electromagnetic, random);
                    });
    const double photons = light.cascade_photons(cascade_energy, CascadeKind::electromagnetic);
    for (const double d : distances) {
        curve.expected.push_back(light.cascade_mean(photons, d, cosine));
    }
    set_poisson_errors(curve, options.trials);
    return curve;
}

/// Residuals of track photons on the module at distances[k].
std::vector<double> track_residuals(const ValidationOptions& options, std::size_t k) {
    const EventSimulator faint = simulator_with(options, 0.035);
    const double mean = track_expectation(faint, distances[k]);
    const double wanted = static_cast<double>(options.residuals);
    // One module alone: the light it needs would flood nearer ones.
    const EventSimulator bright =
        simulator_with(options, 0.035 * wanted / mean, std::span(distances).subspan(k, 1));
    base::Random random(options.seed, "validation residuals", k);
    const Events events = bright.track_light(straight_track(), random);
    const double zero = cherenkov_time(bright.light().medium(), distances[k]);
    std::vector<double> residuals;
    for (const double time : events.time) residuals.push_back(time - zero);
    return residuals;
}

ValidationCurve residual_curve(const ValidationOptions& options, std::size_t k) {
    constexpr int bins = 40;
    const Light light = simulator_with(options, 0.035).light();
    const ResidualLaw law = light.track_residual(distances[k]);
    const auto residuals = track_residuals(options, k);
    const double end = law.mean() + 4 * std::sqrt(law.variance());
    ValidationCurve curve{base::format("residuals at {} m", distances[k]),
                          "residual [ns]",
                          "photons per bin",
                          {},
                          {},
                          std::vector<double>(bins, 0.0),
                          {}};
    for (const double residual : residuals) {
        const double place = residual / end * bins;
        if (place >= 0 && place < bins) curve.simulated[static_cast<std::size_t>(place)] += 1;
    }
    for (int b = 0; b < bins; ++b) {
        const double low = end * b / bins, high = end * (b + 1) / bins;
        curve.x.push_back(0.5 * (low + high));
        curve.expected.push_back(static_cast<double>(residuals.size()) *
                                 (law.cumulative(high) - law.cumulative(low)));
        curve.error.push_back(std::sqrt(curve.expected.back()));
    }
    return curve;
}

struct Moments {
    double mean = 0, variance = 0;
};

/// Moments of the first of Poisson(mean) residuals: the integrals of exp(-mean F(t)) and of
/// 2 t exp(-mean F(t)).
Moments first_residual(const ResidualLaw& law, double mean) {
    // Logarithmic steps resolve both the steep begin and the tail.
    double first = 0, second = 0, before = 0;
    for (double t = 1e-12; t < 1e5; t *= 1.01) {
        const double middle = 0.5 * (before + t);
        const double alive = std::exp(-mean * law.cumulative(middle));
        first += alive * (t - before);
        second += 2 * middle * alive * (t - before);
        before = t;
        if (alive < 1e-14) break;
    }
    return {first, second - first * first};
}

ValidationCurve first_arrivals(const ValidationOptions& options) {
    constexpr int trials = 100;
    constexpr double photons = 400.0;
    ValidationCurve curve{"first arrival of 400 photons of a track",
                          "distance [m]",
                          "time after the Cherenkov cone [ns]",
                          {},
                          {},
                          {},
                          {}};
    const Light light = simulator_with(options, 0.035).light();
    for (std::size_t k = 0; k < distances.size(); ++k) {
        ValidationOptions few = options;
        few.residuals = static_cast<std::int64_t>(photons);
        double mean = 0;
        for (int trial = 0; trial < trials; ++trial) {
            few.seed = options.seed + 1000 + static_cast<std::uint64_t>(trial);
            const auto residuals = track_residuals(few, k);
            mean += *std::min_element(residuals.begin(), residuals.end()) / trials;
        }
        const Moments law = first_residual(light.track_residual(distances[k]), photons);
        curve.x.push_back(distances[k]);
        curve.expected.push_back(law.mean);
        curve.simulated.push_back(mean);
        curve.error.push_back(std::sqrt(law.variance / trials));
    }
    return curve;
}

}  // namespace

void ValidationOptions::describe(base::Fields& f) {
    f("medium", medium, "ice or water");
    f("seed", seed, "seed of all random numbers");
    f("trials", trials, "sources per distance").at_least(1);
    f("residuals", residuals, "photons per residual histogram").at_least(1);
}

double ValidationCurve::chi_square() const {
    double sum = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
        if (!(error[k] > 0)) continue;
        const double deviation = (simulated[k] - expected[k]) / error[k];
        sum += deviation * deviation;
    }
    return sum;
}

std::int64_t ValidationCurve::points() const {
    return std::count_if(error.begin(), error.end(), [](double e) { return e > 0; });
}

ValidationTable validate_simulator(const ValidationOptions& options) {
    ValidationTable table;
    table.light.push_back(track_curve(options));
    for (const double cosine : {1.0, medium_named(options.medium).cherenkov_cosine(), 0.0, -1.0}) {
        table.light.push_back(cascade_curve(options, cosine));
    }
    for (const std::size_t k : {1U, 3U, 5U, 7U}) {
        table.residuals.push_back(residual_curve(options, k));
    }
    table.first_arrival = first_arrivals(options);
    return table;
}

}  // namespace hodo::optical
