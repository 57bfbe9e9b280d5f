#include <algorithm>

#include "hodo/detector/optical/event_writer.hh"
#include "hodo/detector/optical/simulate.hh"

namespace hodo::optical {

void SimulationOptions::describe(base::Fields& f) {
    f("events", events, "number of events").at_least(0);
    f("seed", seed, "seed of all random numbers");
    f("geometry", geometry, "built-in geometry");
    f("geometry_file", geometry_file, ".geo file used instead of a built-in geometry");
    f("interaction", interaction, "what happens at the vertex");
    f("energy_min", energy_min, "lowest neutrino energy [GeV]").at_least(1);
    f("energy_max", energy_max, "highest neutrino energy [GeV]").between(1, 1e9);
    f("spectral_index", spectral_index, "energies follow E^-index").between(-5, 10);
    f("antineutrinos", antineutrinos, "fraction of antineutrinos").between(0, 1);
    f("zenith_min", zenith_min, "smallest zenith angle of travel [degree]").between(0, 180);
    f("zenith_max", zenith_max, "largest zenith angle of travel [degree]").between(0, 180);
    f("azimuth_min", azimuth_min, "smallest azimuth of travel [degree]").between(-360, 360);
    f("azimuth_max", azimuth_max, "largest azimuth of travel [degree]").between(-360, 360);
    f("padding", padding, "vertices lie in a cylinder this much larger than the grid [m]")
        .between(-1000, 10'000);
    f("upstream", upstream, "muon neutrinos may interact this far before the cylinder [m]")
        .between(0, 20'000);
    f("efficiency", efficiency, "photons counted per photon on the cross section of a module")
        .above(0)
        .between(0, 1);
    f("noise_rate", noise_rate, "noise per module [Hz]").between(0, 1e6);
    f("noise_window", noise_window, "noise window [ns], from 1000 ns before the first photon")
        .between(1, 1e9);
    f("min_photons", min_photons, "events with fewer photons are thrown again").at_least(0);
    f("max_photons_per_module", max_photons_per_module,
      "photons of one particle on one module beyond this are left out")
        .at_least(1);
    f.rule(energy_min <= energy_max, "energy_min must not be above energy_max");
    f.rule(zenith_min <= zenith_max, "zenith_min must not be above zenith_max");
    f.rule(azimuth_min <= azimuth_max, "azimuth_min must not be above azimuth_max");
}

io::Json EventSimulator::config() const {
    const auto number = [](double value) { return io::Json(value); };
    io::Json config = io::Json::object();
    config["general"]["version"] = "hodoscope";
    config["run"]["run number"] = static_cast<std::int64_t>(options_.seed % 2'000'000'000);
    config["run"]["nevents"] = options_.events;
    config["run"]["random state seed"] = options_.seed;
    config["detector"]["geo file"] =
        options_.geometry_file.empty()
            ? io::Json(names(options_.geometry)[static_cast<std::size_t>(options_.geometry)])
            : io::Json(options_.geometry_file);
    config["detector"]["padding"] = options_.padding;
    config["detector"]["medium"] = geometry_.medium;
    io::Json& injection = config["injection"];
    injection["name"] = "hodoscope";
    io::Json& simulation = injection["hodoscope"]["simulation"];
    simulation["interaction"] =
        io::Json(names(options_.interaction)[static_cast<std::size_t>(options_.interaction)]);
    simulation["minimal energy"] = number(options_.energy_min);
    simulation["maximal energy"] = number(options_.energy_max);
    simulation["power law"] = number(options_.spectral_index);
    simulation["min zenith"] = number(options_.zenith_min);
    simulation["max zenith"] = number(options_.zenith_max);
    simulation["min azimuth"] = number(options_.azimuth_min);
    simulation["max azimuth"] = number(options_.azimuth_max);
    config["lepton propagator"]["name"] = "hodoscope";
    io::Json& photons = config["photon propagator"];
    photons["name"] = "hodoscope";
    photons["photon field name"] = "photons";
    photons["hodoscope"]["efficiency"] = number(options_.efficiency);
    photons["hodoscope"]["noise rate"] = number(options_.noise_rate);
    return config;
}

std::vector<base::Path> simulate_to_files(const EventSimulator& simulator,
                                          const base::Path& directory,
                                          const std::function<void(std::int64_t)>& progress) {
    return simulate_to_files(simulator, directory, 0, simulator.options().events, progress);
}

std::vector<base::Path> simulate_to_files(const EventSimulator& simulator,
                                          const base::Path& directory, std::int64_t begin,
                                          std::int64_t end,
                                          const std::function<void(std::int64_t)>& progress) {
    WriteOptions write;
    write.config = simulator.config();
    EventWriter writer(directory, "events", write);
    constexpr std::int64_t block = 64;
    for (std::int64_t first = begin; first < end; first += block) {
        const std::int64_t count = std::min(block, end - first);
        writer.append(simulator.simulate(first, count));
        if (progress) progress(first + count - begin);
    }
    return writer.finish();
}

}  // namespace hodo::optical
