#include "hodo/detector/lartpc/validate.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/argon.hh"
#include "hodo/detector/lartpc/simulate.hh"
#include "hodo/detector/lartpc/truth.hh"
#include "hodo/detector/lartpc/volumes.hh"

#include <algorithm>
#include <cmath>

namespace hodo::lartpc {

namespace {

// Where things start, as parts of the box in x, y and z: well inside, with the numbers chosen for
// ProtoDUNE-SP's TPCs [mm].
constexpr Point3 usual_sides{3587, 5984, 2300};
constexpr Point3 point_place{0, 3000.3, 1100.7}, track_place{1500, 3000, 500};
constexpr double first_drift = 100, drift_step = 300, drift_end = 3500;
// [MeV] per voxel, as in the published analysis.
constexpr double threshold_of_events = 0.17, threshold_of_electrons = 0.5;
const World everywhere{{-1e5, -1e5, -1e5}, {1e5, 1e5, 1e5}};

ReadoutOptions without_noise() {
    ReadoutOptions options;
    options.noise = options.induction_noise = options.threshold = 0;
    options.fake_regions = options.dead = 0;
    options.padding = 20;
    return options;
}

/// `place` in a box of the usual sides, in this box.
Point3 place_in(const Tpc& box, const Point3& place) {
    Point3 point{};
    for (std::size_t d = 0; d < 3; ++d) {
        point[d] = box.low[d] + (box.high[d] - box.low[d]) * place[d] / usual_sides[d];
    }
    return point;
}

/// Energy at a distance from the anode.
Deposit point_at(const Tpc& box, double drift, double energy) {
    auto point = place_in(box, point_place);
    point[0] = box.drift_direction > 0 ? box.high[0] - drift : box.low[0] + drift;
    return {point, 0, energy, 1, 1, 13};
}

ValidationCurve energy_loss(const ValidationOptions& options) {
    ValidationCurve curve{
        "energy loss of a stopping muon", "residual range [cm]", "dE/dx [MeV/cm]", {}, {}, {}, {}};
    constexpr double kinetic = 400;
    constexpr double edges[] = {1, 2, 4, 7, 12, 20, 30, 45, 60, 80, 100, 120};
    constexpr std::size_t bins = std::size(edges) - 1;
    std::vector<double> sum(bins), square(bins), count(bins), expected(bins);
    for (std::int64_t i = 0; i < options.tracks; ++i) {
        Transport transport(everywhere,
                            base::Random(options.seed, "validate", static_cast<std::uint64_t>(i)));
        transport.follow({.pdg = 13, .position = {}, .direction = {0, 0, 1}, .kinetic = kinetic});
        // The muon's own path; single electrons of more than 1 MeV are other particles.
        double length = 0, total = 0;
        for (const auto& d : transport.deposits()) length += d.pdg == 13 ? d.length / 10 : 0;
        std::vector<double> energy(bins), path(bins);
        for (const auto& d : transport.deposits()) {
            if (d.pdg != 13) continue;
            const double residual = length - total - d.length / 20;
            total += d.length / 10;
            const auto bin = std::upper_bound(std::begin(edges), std::end(edges), residual);
            if (bin == std::begin(edges) || bin == std::end(edges)) continue;
            const auto b = static_cast<std::size_t>(bin - std::begin(edges)) - 1;
            energy[b] += d.energy;
            path[b] += d.length / 10;
        }
        for (std::size_t b = 0; b < bins; ++b) {
            if (path[b] <= 0) continue;
            sum[b] += energy[b] / path[b];
            square[b] += energy[b] / path[b] * energy[b] / path[b];
            count[b] += 1;
        }
    }
    for (std::size_t b = 0; b < bins; ++b) {
        // The energy at a residual range, by bisection of the range.
        const double middle = (edges[b] + edges[b + 1]) / 2;
        const auto energy_at = [](double range) {
            double low = 0.1, high = 2000;
            for (int i = 0; i < 60; ++i) {
                const double half = (low + high) / 2;
                (argon::range(argon::muon_mass, half) < range ? low : high) = half;
            }
            return low;
        };
        const double gain = energy_at(edges[b + 1]) - energy_at(edges[b]);
        const double at = energy_at(middle);
        // Of the whole loss, what stays below the limit of separate electrons.
        const double kept = argon::energy_loss(argon::muon_mass, at, 1.0) /
                            argon::energy_loss(argon::muon_mass, at, 1e9);
        curve.x.push_back(middle);
        curve.expected.push_back(gain / (edges[b + 1] - edges[b]) * kept);
        const double mean = sum[b] / std::max(1.0, count[b]);
        curve.simulated.push_back(mean);
        curve.error.push_back(
            std::sqrt(std::max(0.0, square[b] / std::max(1.0, count[b]) - mean * mean) /
                      std::max(1.0, count[b])));
    }
    return curve;
}

void drift_curves(ValidationTable& table, const Detector& detector) {
    const auto options = without_noise();
    const int tpc = detector.first_tpc();
    const auto& box = detector.tpc(tpc);
    const double length = box.high[0] - box.low[0];
    auto& loss = table.attenuation;
    auto& width = table.diffusion;
    loss = {"charge after the drift", "drift distance [mm]", "part that arrives", {}, {}, {}, {}};
    width = {"width in time", "drift distance [mm]", "deviation [ticks]", {}, {}, {}, {}};
    for (double place = first_drift; place < drift_end; place += drift_step) {
        const double drift = length * place / usual_sides[0];
        const std::vector<Deposit> deposits{point_at(box, drift, 5)};
        const auto seen =
            read_out(deposits, detector, tpc, options, base::Random(1, "v"), detector.ticks);
        double sum = 0, mean = 0, square = 0;
        for (int t = 0; t < seen.signals.ticks(); ++t) {
            for (auto i = seen.signals.starts[std::size_t(t)];
                 i < seen.signals.starts[std::size_t(t) + 1]; ++i) {
                const double q = seen.signals.value[static_cast<std::size_t>(i)];
                sum += q;
                mean += q * (t + 0.5);
                square += q * (t + 0.5) * (t + 0.5);
            }
        }
        HODO_CHECK(sum > 0,
                   "{}: a charge {} mm from the anode leaves no signal in the {} ticks of the "
                   "readout, so nothing can be validated; check ticks, simulation_time and "
                   "drift_speed",
                   detector.name, drift, detector.ticks);
        mean /= sum;
        const double time = drift / detector.drift_speed;
        const double along =
            std::sqrt(2 * options.longitudinal * 1e-4 * time) / detector.drift_per_tick();
        const double freed = 5 / argon::work_per_electron * argon::recombination(50);
        loss.x.push_back(drift);
        loss.expected.push_back(std::exp(-time / options.lifetime));
        loss.simulated.push_back(sum * options.electrons_per_count / planes_per_face / freed);
        loss.error.push_back(0);
        width.x.push_back(drift);
        width.expected.push_back(std::hypot(along, options.filter));
        width.simulated.push_back(std::sqrt(square / sum - mean * mean));
        width.error.push_back(0);
    }
}

ValidationCurve charge(const ValidationOptions& options, const Detector& detector) {
    ValidationCurve curve{
        "charge on wires over charge that arrived", "plane", "ratio", {}, {}, {}, {}};
    const int tpc = detector.first_tpc();
    Transport transport(everywhere, base::Random(options.seed, "charge"));
    transport.follow({.pdg = 13,
                      .position = place_in(detector.tpc(tpc), track_place),
                      .direction = {0.1, 0.3, std::sqrt(1 - 0.1)},
                      .kinetic = 200});
    const auto seen = read_out(transport.deposits(), detector, tpc, without_noise(),
                               base::Random(1, "v"), detector.ticks);
    for (std::size_t k = 0; k < seen.collected.size(); ++k) {
        curve.x.push_back(static_cast<double>(k));
        curve.names.push_back(detector.face_of(tpc).planes[k].name);
        curve.expected.push_back(1);
        curve.simulated.push_back(seen.collected[k] / seen.arrived);
        curve.error.push_back(0);
    }
    return curve;
}

GhostCount count_ghosts(const ValidationOptions& options, const Detector& detector, Sample sample,
                        double threshold, std::int64_t events) {
    const int tpc = detector.first_tpc();
    SimulationOptions simulation;
    simulation.sample = sample;
    simulation.seed = options.seed;
    simulation.readout = options.readout;
    simulation.tpcs = {tpc};
    if (!detector.beam) simulation.start = Start::anywhere;
    const EventSimulator simulator(simulation, detector);
    const Tiler tiler{PixelGrid(detector, detector.tpc(tpc).face)};
    GhostCount count{.sample = std::string(names(sample)[static_cast<std::size_t>(sample)]),
                     .threshold = threshold};
    const auto is_true = [&](double value) { return value > threshold; };
    for (std::int64_t event = 0; event < events; ++event) {
        const auto seen = simulator.read_out(simulator.simulate(event), event, tpc);
        const auto tiled = tiler.tile(seen.signals);
        const auto truth = merge_truth(sample == Sample::electron ? seen.seen : seen.energy, {});
        const auto values = truth_at(truth, tiled.voxels);
        double all = 0;
        for (std::int64_t i = 0; i < truth.size(); ++i) all += is_true(truth.value(i)) ? 1 : 0;
        const auto active =
            static_cast<double>(std::count_if(values.begin(), values.end(), is_true));
        const auto n = static_cast<double>(events);
        count.true_voxels += all / n;
        count.active += active / n;
        count.ghosts += (static_cast<double>(tiled.size()) - active) / n;
    }
    return count;
}

}  // namespace

double ValidationCurve::worst() const {
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (expected[i] != 0) worst = std::max(worst, std::abs(simulated[i] / expected[i] - 1));
    }
    return worst;
}

void ValidationOptions::describe(base::Fields& f) {
    f("seed", seed, "seed of everything random");
    f("tracks", tracks, "stopping muons").at_least(1);
    f("events", events, "beam and cosmic events in which ghosts are counted").at_least(1);
    f("singles", singles, "single electrons of 1 GeV in which ghosts are counted").at_least(1);
    f.group("readout", readout, "drift, wires and noise of those events");
}

ValidationTable validate_simulator(const ValidationOptions& options, const Detector& detector) {
    ValidationTable table;
    table.energy_loss = energy_loss(options);
    drift_curves(table, detector);
    table.charge = charge(options, detector);
    if (detector.beam) {
        table.ghosts.push_back(count_ghosts(options, detector, Sample::beam_cosmic,
                                            threshold_of_events, options.events));
    }
    table.ghosts.push_back(
        count_ghosts(options, detector, Sample::electron, threshold_of_electrons, options.singles));
    return table;
}

}  // namespace hodo::lartpc
