#include "hodo/detector/lartpc/simulate.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/argon.hh"
#include "hodo/detector/lartpc/files.hh"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numbers>

namespace hodo::lartpc {

namespace {

constexpr double margin = 500;            // particles are followed so far around the TPCs [mm]
constexpr double beam_spread = 50;        // [mm]
constexpr double beam_divergence = 0.02;  // [rad]
// Energy spectrum of muons at sea level, dN/dE ~ (E + E0)^-n (Shukla and Sankrith,
// arXiv:1606.06907), and their zenith distribution cos^2.
constexpr double cosmic_offset = 4290, cosmic_index = 3.01, cosmic_least = 200;  // [MeV]
constexpr double single_inner = 0.2;    // single particles start this far inside the box
constexpr double above_detector = 100;  // [mm]
constexpr int cosmic_tries = 10'000;
// What the models of loss and showers hold for, with a shower that still fits into memory [MeV].
constexpr double least_energy = 1e-3, largest_energy = 1e6;

double mass_of(int pdg) {
    switch (std::abs(pdg)) {
        case 11:
            return argon::electron_mass;
        case 13:
            return argon::muon_mass;
        case 211:
            return argon::pion_mass;
        default:
            return argon::proton_mass;
    }
}

int pdg_of(Sample sample) {
    switch (sample) {
        case Sample::electron:
            return 11;
        case Sample::muon:
            return 13;
        case Sample::pion:
            return 211;
        case Sample::proton:
            return 2212;
        default:
            return 22;
    }
}

bool crosses(const Point3& from, const Point3& direction, const Tpc& box) {
    double first = 0, last = 1e9;
    for (std::size_t d = 0; d < 3; ++d) {
        if (std::abs(direction[d]) < 1e-12) {
            if (from[d] < box.low[d] || from[d] > box.high[d]) return false;
            continue;
        }
        const double a = (box.low[d] - from[d]) / direction[d],
                     b = (box.high[d] - from[d]) / direction[d];
        first = std::max(first, std::min(a, b));
        last = std::min(last, std::max(a, b));
    }
    return first < last;
}

bool is_truth(std::string_view product) {
    return product == "depo" || product == "depoElectron" || product == "energy";
}

const VoxelImage& truth_of(const TpcEvent& event, std::string_view product) {
    return product == "depo" ? event.energy : product == "energy" ? event.seen : event.electrons;
}

std::vector<std::int64_t> numbers_between(int first, int last) {
    std::vector<std::int64_t> numbers;
    for (int i = first; i < last; ++i) numbers.push_back(i);
    return numbers;
}

}  // namespace

std::string file_type(Sample sample) {
    static const std::array<const char*, 6> types{"BeamCosmic", "singleElectron", "singleMu",
                                                  "singlePion", "singleProton",   "singlePhoton"};
    return types[static_cast<std::size_t>(sample)];
}

void SimulationOptions::describe(base::Fields& f) {
    f("sample", sample, "a beam particle under cosmic muons, or single particles");
    f("events", events, "events in all").at_least(1);
    f("events_per_file", events_per_file, "events in each file").at_least(1);
    f("first_file", first_file, "number of the first file").at_least(0);
    f("seed", seed, "seed of everything random");
    f("tpcs", tpcs, "TPCs whose wires are written; single particles start in them").at_least(0);
    f("start", start,
      "of single particles: where the beam enters and along it (in other TPCs than the beam's "
      "mirrored and shifted), or anywhere inside in any direction");
    f("energy_min", energy_min, "least kinetic energy of single particles [MeV]")
        .between(least_energy, largest_energy);
    f("energy_max", energy_max, "largest kinetic energy of single particles [MeV]")
        .between(least_energy, largest_energy);
    f("beam_min", beam_min, "least momentum of beam particles [MeV]")
        .between(least_energy, largest_energy);
    f("beam_max", beam_max, "largest momentum of beam particles [MeV]")
        .between(least_energy, largest_energy);
    f("cosmics", cosmics, "mean number of cosmic muons that cross each TPC").between(0, 1000);
    f("ticks", ticks, "length of the readout window; 0: the detector's").between(0, 100'000);
    f("truth", truth,
      "true values to write: depo (energy in MeV), depoElectron (electrons), energy (in MeV as "
      "seen "
      "by each plane, summed)");
    f.group("readout", readout, "drift, wires and noise");
    f.rule(energy_min <= energy_max, "energy_min must not exceed energy_max");
    f.rule(beam_min <= beam_max, "beam_min must not exceed beam_max");
    f.rule(ticks == 0 || ticks >= least_ticks, "ticks must be at least 8, or 0");
    f.rule(!tpcs.empty(), "tpcs must name at least one TPC");
    f.rule(std::all_of(truth.begin(), truth.end(), is_truth),
           "truth may hold depo, depoElectron and energy");
}

EventSimulator::EventSimulator(SimulationOptions options, Detector detector)
    : options_(std::move(options)), detector_(std::move(detector)) {
    if (options_.ticks == 0) options_.ticks = detector_.ticks;
    check_samples(options_.ticks, detector_);
    const auto& first = detector_.tpcs.front();
    world_ = {first.low, first.high};
    for (const auto& box : detector_.tpcs) {
        for (std::size_t d = 0; d < 3; ++d) {
            world_.low[d] = std::min(world_.low[d], box.low[d] - margin);
            world_.high[d] = std::max(world_.high[d], box.high[d] + margin);
        }
    }
    for (const auto tpc : options_.tpcs) detector_.tpc(tpc);
    const bool needs_beam = options_.sample == Sample::beam_cosmic || options_.start == Start::beam;
    HODO_CHECK(detector_.beam || !needs_beam,
               "{} has no beam, so nothing can start in it; simulate single particles with --start "
               "anywhere, or give its table a beam",
               detector_.name);
}

Particle EventSimulator::single(base::Random& random, int tpc) const {
    Particle particle{.pdg = pdg_of(options_.sample)};
    if (options_.start == Start::beam) {
        start_in_beam(particle, random, tpc);
    } else {
        const auto& box = detector_.tpc(tpc);
        for (std::size_t d = 0; d < 3; ++d) {
            const double inner = single_inner * (box.high[d] - box.low[d]);
            particle.position[d] = random.uniform(box.low[d] + inner, box.high[d] - inner);
        }
        particle.direction = turned({0, 0, 1}, std::acos(random.uniform(-1, 1)),
                                    random.uniform(0, 2 * std::numbers::pi));
    }
    particle.kinetic = random.uniform(options_.energy_min, options_.energy_max);
    return particle;
}

void EventSimulator::start_in_beam(Particle& particle, base::Random& random, int tpc) const {
    const auto& beam = detector_.beam.value();
    particle.position = beam.entry;
    for (std::size_t d = 0; d < 2; ++d) particle.position[d] += beam_spread * random.normal();
    particle.direction = turned(beam.direction, beam_divergence * random.exponential(),
                                random.uniform(0, 2 * std::numbers::pi));
    if (tpc == beam.tpc) return;
    const auto& from = detector_.tpc(beam.tpc);
    const auto& to = detector_.tpc(tpc);
    if (to.drift_direction != from.drift_direction) {
        particle.position[0] = to.high[0] - (particle.position[0] - from.low[0]);
        particle.direction[0] = -particle.direction[0];
    } else {
        particle.position[0] += to.low[0] - from.low[0];
    }
    for (std::size_t d = 1; d < 3; ++d) particle.position[d] += to.low[d] - from.low[d];
}

Particle EventSimulator::beam(base::Random& random) const {
    // Roughly the composition of the positive hadron beam at a few GeV.
    const double choice = random.uniform();
    Particle particle{.pdg = choice < 0.5 ? 211 : choice < 0.7 ? -11 : choice < 0.9 ? 2212 : -13};
    start_in_beam(particle, random, detector_.beam.value().tpc);
    const double momentum = random.uniform(options_.beam_min, options_.beam_max);
    const double mass = mass_of(particle.pdg);
    particle.kinetic = std::hypot(momentum, mass) - mass;
    return particle;
}

Particle EventSimulator::cosmic(base::Random& random, const Tpc& box) const {
    Particle muon{.pdg = random.uniform() < 0.55 ? -13 : 13};
    const double height = box.high[1] + above_detector;
    const double wide = box.high[1] - box.low[1];
    for (int i = 0; i < cosmic_tries; ++i) {
        const double cosine = std::cbrt(random.uniform());  // flux through a horizontal plane
        const double sine = std::sqrt(1 - cosine * cosine),
                     phi = random.uniform(0, 2 * std::numbers::pi);
        muon.direction = {sine * std::cos(phi), -cosine, sine * std::sin(phi)};
        muon.position = {random.uniform(box.low[0] - wide, box.high[0] + wide), height,
                         random.uniform(box.low[2] - wide, box.high[2] + wide)};
        if (!crosses(muon.position, muon.direction, box)) continue;
        break;
    }
    // Followed from where it enters the argon around the detector.
    const double back = above_detector / std::max(0.05, -muon.direction[1]);
    for (std::size_t d = 0; d < 3; ++d) muon.position[d] += muon.direction[d] * back;
    const double rest = random.uniform();
    muon.kinetic = (cosmic_offset + cosmic_least) * std::pow(1 - rest, -1 / (cosmic_index - 1)) -
                   cosmic_offset;
    // Anything that may still drift into the window.
    const auto& readout = detector_;
    const double drift = (box.high[0] - box.low[0]) / readout.drift_speed;
    const double window = static_cast<double>(options_.ticks) * readout.tick;
    muon.time = random.uniform(-readout.simulation_time - drift, window - readout.simulation_time);
    return muon;
}

SimulatedEvent EventSimulator::simulate(std::int64_t event) const {
    base::Random random(options_.seed, "lartpc primaries", static_cast<std::uint64_t>(event));
    Transport transport(
        world_, base::Random(options_.seed, "lartpc transport", static_cast<std::uint64_t>(event)));
    SimulatedEvent result;
    if (options_.sample == Sample::beam_cosmic) {
        transport.follow(beam(random));
        result.beam = numbers_between(1, transport.next_track);
        const int first = transport.next_track;
        // Every TPC has its own stream, so that asking for more changes nothing.
        for (const auto tpc : options_.tpcs) {
            auto stream = random.child("cosmics", static_cast<std::uint64_t>(tpc));
            const auto& box = detector_.tpc(static_cast<int>(tpc));
            for (auto n = stream.poisson(options_.cosmics); n > 0; --n) {
                transport.follow(cosmic(stream, box));
            }
        }
        result.cosmic = numbers_between(first, transport.next_track);
    } else {
        const auto count = std::ssize(options_.tpcs);
        transport.follow(
            single(random, static_cast<int>(options_.tpcs[std::size_t(event % count)])));
    }
    result.deposits = transport.deposits();
    result.tracks = transport.tracks();
    return result;
}

TpcEvent EventSimulator::read_out(const SimulatedEvent& event, std::int64_t number, int tpc) const {
    const auto stream =
        base::Random(options_.seed, "lartpc readout", static_cast<std::uint64_t>(number))
            .child("tpc", static_cast<std::uint64_t>(tpc));
    return lartpc::read_out(event.deposits, detector_, tpc, options_.readout, stream,
                            static_cast<int>(options_.ticks));
}

std::int64_t file_count(const SimulationOptions& options) {
    return (options.events + options.events_per_file - 1) / options.events_per_file;
}

std::vector<base::Path> simulated_paths(const SimulationOptions& options, std::int64_t file,
                                        const base::Path& folder) {
    const auto stem =
        base::format("reco_{}_{:03}_", file_type(options.sample), options.first_file + file);
    std::vector<base::Path> paths;
    const auto add = [&](const std::string& product) {
        paths.push_back(folder / (stem + product + ".npz"));
    };
    for (const auto tpc : options.tpcs) {
        add(base::format("wire-TPC{}", tpc));
        for (const auto& product : options.truth) add(base::format("{}-TPC{}", product, tpc));
    }
    add("mcparticle");
    if (options.sample == Sample::beam_cosmic) add("mcbeamcosmic");
    return paths;
}

std::vector<base::Path> simulate_file(const EventSimulator& simulator, std::int64_t file,
                                      const base::Path& folder) {
    const auto& options = simulator.options();
    auto paths = simulated_paths(options, file, folder);
    std::deque<ParsedWriter> writers;  // They stay where they are.
    for (const auto& path : paths) writers.emplace_back(path);
    const auto first = file * options.events_per_file;
    const auto last = std::min(options.events, first + options.events_per_file);
    for (auto number = first; number < last; ++number) {
        const auto event = simulator.simulate(number + options.first_file * 1'000'000);
        std::size_t writer = 0;
        for (const auto tpc : options.tpcs) {
            const auto seen = simulator.read_out(event, number + options.first_file * 1'000'000,
                                                 static_cast<int>(tpc));
            writers[writer++].add(seen.signals);
            for (const auto& product : options.truth) {
                writers[writer++].add(truth_of(seen, product));
            }
        }
        std::vector<double> rows;
        for (const auto& track : event.tracks) {
            rows.push_back(track.track);
            rows.push_back(static_cast<double>(track.points));
            rows.insert(rows.end(), track.start.begin(), track.start.end());
            rows.insert(rows.end(), track.end.begin(), track.end.end());
        }
        writers[writer++].add(rows, 8);
        if (options.sample == Sample::beam_cosmic) {
            writers[writer].add_objects({io::make_array(event.beam), io::make_array(event.cosmic)});
        }
    }
    for (auto& open_writer : writers) open_writer.commit();
    return paths;
}

}  // namespace hodo::lartpc
