#include "hodo/workflow/lartpc/pictures.hh"

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace hodo::lartpc {

namespace {

constexpr double metre = 1000;            // [mm]
constexpr double microsecond = 1000;      // [ns]
constexpr double sphere_spacing = 3.125;  // in sides of a voxel along z: large, to be seen
constexpr int wire_cells = 300, tick_cells = 400;

class Scenes {
  public:
    Scenes(const TiledBatch& batch, const VoxelScale& scale) : cloud_(batch.cloud), scale_(scale) {}

    void add(draw::EventDisplay& display, std::string title, std::vector<std::int64_t> rows) {
        draw::EventDisplay::Event event{.title = std::move(title)};
        event.facts.emplace_back("voxels", base::with_thousands(std::ssize(rows)));
        if (std::ssize(rows) > most_voxels) {
            std::nth_element(rows.begin(), rows.begin() + most_voxels, rows.end(),
                             [&](auto a, auto b) { return charge(a) > charge(b); });
            rows.resize(most_voxels);
            event.facts.emplace_back("shown", base::format("the {} brightest", std::ssize(rows)));
        }
        std::sort(rows.begin(), rows.end());
        for (const auto row : rows) {
            const auto& voxel = cloud_.voxels[static_cast<std::size_t>(row)];
            event.hits.push_back({module_at(display, voxel), voxel[0] * scale_.time * microsecond,
                                  std::max(0.0, charge(row))});
        }
        display.events.push_back(std::move(event));
    }

  private:
    double charge(std::int64_t row) const {
        const auto values = cloud_.row(row);
        return values.size() > 1 ? values[1] : values[0];
    }
    std::int64_t module_at(draw::EventDisplay& display, const Voxel& voxel) {
        const auto [place, is_new] = modules_.emplace(voxel, std::ssize(display.modules));
        if (is_new) {
            // The page's third axis points upwards, as the detector's y does.
            display.modules.push_back({voxel[2] * scale_.sides[2] / metre,
                                       voxel[0] * scale_.sides[0] / metre,
                                       voxel[1] * scale_.sides[1] / metre, voxel[2], voxel[1]});
        }
        return place->second;
    }

    const VoxelCloud& cloud_;
    const VoxelScale& scale_;
    std::map<Voxel, std::int64_t> modules_;
};

draw::EventDisplay empty_display(const std::string& title, const VoxelScale& scale) {
    draw::EventDisplay display;
    display.title = title;
    display.charge_unit = "counts";
    display.words = {.module = "voxel",
                     .string = "z",
                     .sensor = "y",
                     .light = "charge",
                     .time = "drift time",
                     .time_unit = "\u00B5s",
                     .axes = {"z", "x", "y"}};
    display.time_unit = microsecond;
    display.dots = draw::EventDisplay::Dots::hidden;
    display.spacing = sphere_spacing * scale.sides[2] / metre;
    return display;
}

}  // namespace

VoxelScale voxel_scale(const Detector& detector, Downsampling factors) {
    const auto sides = detector.voxel();
    return {.sides = {sides[0] * factors.x, sides[1] * factors.y, sides[2] * factors.z},
            .time = detector.tick * factors.x};
}

draw::EventDisplay scored_display(const TiledBatch& batch, const VoxelScale& scale,
                                  std::span<const float> scores, double threshold,
                                  std::int64_t first, std::int64_t count,
                                  const std::string& title) {
    HODO_DOOR(std::ssize(scores) == batch.cloud.size());
    auto display = empty_display(title, scale);
    Scenes scenes(batch, scale);
    const auto& cloud = batch.cloud;
    for (auto event = first; event < std::min(cloud.events(), first + count); ++event) {
        std::vector<std::int64_t> kept, ghosts, lost, truth;
        for (auto row = cloud.begin(event); row < cloud.end(event); ++row) {
            const auto i = static_cast<std::size_t>(row);
            const bool is_kept = static_cast<double>(scores[i]) > threshold;
            const bool is_true = batch.has_truth && cloud.truth[i] > 0;
            if (is_kept) kept.push_back(row);
            if (is_kept && !is_true) ghosts.push_back(row);
            if (!is_kept && is_true) lost.push_back(row);
            if (is_true) truth.push_back(row);
        }
        scenes.add(display, base::format("event {}: kept voxels", event), std::move(kept));
        if (!batch.has_truth) continue;
        scenes.add(display, base::format("event {}: kept ghosts", event), std::move(ghosts));
        scenes.add(display, base::format("event {}: lost true voxels", event), std::move(lost));
        scenes.add(display, base::format("event {}: true voxels", event), std::move(truth));
    }
    return display;
}

draw::EventDisplay voxel_display(const TiledBatch& batch, const VoxelScale& scale,
                                 std::int64_t first, std::int64_t count, const std::string& title) {
    auto display = empty_display(title, scale);
    Scenes scenes(batch, scale);
    const auto& cloud = batch.cloud;
    for (auto event = first; event < std::min(cloud.events(), first + count); ++event) {
        std::vector<std::int64_t> rows(
            static_cast<std::size_t>(cloud.end(event) - cloud.begin(event)));
        std::iota(rows.begin(), rows.end(), cloud.begin(event));
        if (!batch.has_truth) {
            scenes.add(display, base::format("event {}", event), rows);
            continue;
        }
        const auto ghosts = std::stable_partition(rows.begin(), rows.end(), [&](auto row) {
            return cloud.truth[static_cast<std::size_t>(row)] > 0;
        });
        scenes.add(display, base::format("event {}: true voxels", event), {rows.begin(), ghosts});
        scenes.add(display, base::format("event {}: ghosts", event), {ghosts, rows.end()});
    }
    return display;
}

draw::EventDisplay energy_display(const VoxelCloud& cloud, std::int64_t first,
                                  const std::string& title) {
    constexpr double side = 3;  // [mm]
    const VoxelScale scale{.sides = {side, side, side}, .time = 1};
    TiledBatch batch;
    batch.cloud.voxels = cloud.voxels;
    batch.cloud.starts = cloud.starts;
    batch.cloud.width = 1;
    for (std::int64_t i = 0; i < cloud.size(); ++i) batch.cloud.features.push_back(cloud.row(i)[0]);
    auto display = empty_display(title, scale);
    display.charge_unit = "MeV";
    display.words.light = "energy";
    display.words.time = "x";
    display.words.time_unit = "voxels";
    Scenes scenes(batch, scale);
    for (std::int64_t event = 0; event < cloud.events(); ++event) {
        std::vector<std::int64_t> rows(std::size_t(cloud.end(event) - cloud.begin(event)));
        std::iota(rows.begin(), rows.end(), cloud.begin(event));
        scenes.add(display, base::format("event {}", first + event), std::move(rows));
    }
    return display;
}

draw::Figure plane_figure(const WireSignals& signals, const AnodeFace& face) {
    draw::Figure figure({.width = 1100, .height = 400, .rows = 1, .columns = planes_per_face});
    const int ticks = signals.ticks();
    const int tick_step = std::max(1, (ticks + tick_cells - 1) / tick_cells);
    for (int k = 0; k < planes_per_face; ++k) {
        const auto& plane = face.planes[static_cast<std::size_t>(k)];
        const int wires = plane.wires(), wire_step = (wires + wire_cells - 1) / wire_cells;
        const auto columns = static_cast<std::size_t>((wires + wire_step - 1) / wire_step);
        const auto rows = static_cast<std::size_t>((ticks + tick_step - 1) / tick_step);
        std::multimap<int, std::size_t> cell_of;  // by channel; wrapped channels have two
        for (int wire = 0; wire < wires; ++wire) {
            cell_of.emplace(plane.channel(wire), static_cast<std::size_t>(wire / wire_step));
        }
        std::vector<double> values(columns * rows, std::numeric_limits<double>::quiet_NaN());
        for (int tick = 0; tick < ticks; ++tick) {
            const auto end = static_cast<std::size_t>(signals.starts[std::size_t(tick) + 1]);
            for (auto i = static_cast<std::size_t>(signals.starts[std::size_t(tick)]); i < end;
                 ++i) {
                const auto [low, high] = cell_of.equal_range(signals.channel[i]);
                for (auto cell = low; cell != high; ++cell) {
                    auto& value =
                        values[cell->second * rows + static_cast<std::size_t>(tick / tick_step)];
                    value = (std::isnan(value) ? 0.0 : value) + signals.value[i];
                }
            }
        }
        std::vector<double> wire_edges, tick_edges;
        for (std::size_t c = 0; c <= columns; ++c) {
            wire_edges.push_back(static_cast<double>(c) * wire_step);
        }
        for (std::size_t r = 0; r <= rows; ++r) {
            tick_edges.push_back(static_cast<double>(r) * tick_step);
        }
        figure.panel(0, k)
            .title("plane " + plane.name)
            .x({.label = "wire"})
            .y({.label = "tick"})
            .heat_map(wire_edges, tick_edges, values,
                      {.label = "counts", .scale = draw::Scale::log, .low = 1.0});
    }
    return figure;
}

}  // namespace hodo::lartpc
