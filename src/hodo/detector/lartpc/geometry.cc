#include "hodo/detector/lartpc/geometry.hh"

#include "hodo/base/error.hh"

namespace hodo::lartpc {

namespace {

// ProtoDUNE-SP (arXiv:1706.07081) as the published tiling code places it. [mm], [us]
constexpr double drift_length = 3587.0;
constexpr double drift_speed = 1.565;
constexpr double sampling_period = 0.5;  // 2 MHz
constexpr double trigger_time = 250.0;
constexpr int readout_ticks = 6000;
constexpr double active_height = 5984.0, active_width = 2300.0;
constexpr double lowest_y = 76.0, first_z = 3.0, anode_period = 2320.0;
constexpr int anodes = 6;
constexpr double pixel_side = 2.0;
constexpr double stereo_angle = 35.7, stereo_pitch = 4.669;
constexpr int stereo_wires = 1148;
constexpr double straight_pitch = 4.79;
constexpr int straight_wires = 480;
// Local channels: 800 of U, 800 of V, then 480 of X for either face.
constexpr int channels = 2560;
constexpr int first_straight = 1600;
// Where the beam enters the active volume (arXiv:2007.06722), and its direction: 11.24 degrees in
// the horizontal and 10.99 degrees in the vertical plane, as the published sets have it.
constexpr Beam test_beam{
    .tpc = 1, .entry = {-302.5, 4222, 5}, .direction = {-0.1913, -0.1906, 0.9628}};

AnodeFace lower_face() {
    return {.planes = {WirePlane{"V",
                                 -stereo_angle,
                                 stereo_pitch,
                                 -3530.801,
                                 {{0, 800, 800, 1}, {800, stereo_wires - 800, 800, 1}}},
                       WirePlane{
                           "X", 0, straight_pitch, 5.75, {{0, straight_wires, first_straight, 1}}},
                       WirePlane{"U",
                                 stereo_angle,
                                 stereo_pitch,
                                 52.1,
                                 {{0, 348, 347, -1}, {348, stereo_wires - 348, 799, -1}}}},
            .origin_z = first_z,
            .origin_y = lowest_y};
}

AnodeFace upper_face() {
    return {.planes = {WirePlane{"U",
                                 -stereo_angle,
                                 stereo_pitch,
                                 -3535.01,
                                 {{0, 400, 400, 1}, {400, stereo_wires - 400, 0, 1}}},
                       WirePlane{"X",
                                 0,
                                 straight_pitch,
                                 5.6,
                                 {{0, straight_wires, first_straight + straight_wires, 1}}},
                       WirePlane{"V",
                                 stereo_angle,
                                 stereo_pitch,
                                 49.8,
                                 {{0, 748, 1547, -1}, {748, stereo_wires - 748, 1599, -1}}}},
            .origin_z = first_z,
            .origin_y = lowest_y};
}

Tpc box_of(int number) {
    const int anode = number / 2, face = number % 2;
    Tpc tpc{.anode = anode, .face = face, .drift_direction = face == 0 ? 1 : -1};
    tpc.low = {anode % 2 == 1 ? drift_length : -drift_length, lowest_y,
               first_z + anode_period * (anode / 2)};
    if (face == 0) tpc.low[0] -= drift_length;
    tpc.high = {tpc.low[0] + drift_length, lowest_y + active_height, tpc.low[2] + active_width};
    return tpc;
}

}  // namespace

int WirePlane::wires() const {
    int count = 0;
    for (const auto& segment : segments) count += segment.wires;
    return count;
}

int WirePlane::channel(int wire) const {
    for (const auto& segment : segments) {
        const int place = wire - segment.first_wire;
        if (place >= 0 && place < segment.wires) {
            return segment.first_channel + segment.step * place;
        }
    }
    return no_channel;
}

const Tpc& Detector::tpc(std::int64_t number) const {
    HODO_CHECK(number >= 0 && number < std::ssize(tpcs),
               "there is no TPC {} in {}; its TPCs are 0 to {}", number, name, tpcs.size() - 1);
    return tpcs[static_cast<std::size_t>(number)];
}

const AnodeFace& Detector::face_of(std::int64_t tpc_number) const {
    return faces[static_cast<std::size_t>(tpc(tpc_number).face)];
}

void check_samples(std::int64_t ticks, const Detector& detector) {
    constexpr std::int64_t most = 300'000'000;
    HODO_CHECK(ticks <= most / detector.channels_per_anode,
               "{}: {} ticks of {} channels are more than {} samples; choose fewer ticks",
               detector.name, ticks, detector.channels_per_anode, most);
}

const Detector& protodune_sp() {
    static const Detector detector = [] {
        Detector d{.name = "ProtoDUNE-SP",
                   .drift_speed = drift_speed,
                   .tick = sampling_period,
                   .simulation_time = trigger_time,
                   .ticks = readout_ticks,
                   .pixel = pixel_side,
                   .pixels_z = static_cast<int>(active_width / pixel_side),
                   .pixels_y = static_cast<int>(active_height / pixel_side),
                   .channels_per_anode = channels,
                   .faces = {lower_face(), upper_face()},
                   .tpcs = {},
                   .beam = test_beam};
        for (int number = 0; number < 2 * anodes; ++number) d.tpcs.push_back(box_of(number));
        return d;
    }();
    return detector;
}

}  // namespace hodo::lartpc
