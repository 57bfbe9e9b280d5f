#include "hodo/detector/optical/events.hh"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hodo/base/error.hh"

namespace hodo::optical {

namespace {

double length_of(const Point& v) {
    return std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

Point not_a_direction() {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan, nan};
}

/// Energy-weighted sum of the final-state directions, or nothing when no entry is usable.
std::optional<Point> final_direction(const Truth& truth) {
    Point sum{};
    for (const Particle& particle : truth.final_state) {
        const Point n = travel_direction(particle.zenith, particle.azimuth);
        if (!std::isfinite(particle.energy) || !std::isfinite(n[0] + n[1] + n[2])) continue;
        for (std::size_t k = 0; k < 3; ++k) sum[k] += particle.energy * n[k];
    }
    const double length = length_of(sum);
    if (!(length > 0)) return std::nullopt;
    for (double& component : sum) component /= length;
    return sum;
}

template <class T>
void append_part(std::vector<T>& to, const std::vector<T>& from, std::int64_t begin,
                 std::int64_t end) {
    if (from.empty()) return;
    to.insert(to.end(), from.begin() + begin, from.begin() + end);
}

/// Whether an optional per-event or per-photon column fits beside the ones already there.
template <class T>
bool fits(const std::vector<T>& to, const std::vector<T>& from, std::int64_t already,
          std::int64_t added) {
    if (already == 0 || added == 0) return true;
    return to.empty() == from.empty();
}

}  // namespace

Point travel_direction(double zenith, double azimuth) {
    const double s = std::sin(zenith);
    return {s * std::cos(azimuth), s * std::sin(azimuth), std::cos(zenith)};
}

Angles travel_angles(const Point& direction) {
    const double length = length_of(direction);
    double azimuth = std::atan2(direction[1], direction[0]);
    if (azimuth < 0) azimuth += 2 * std::numbers::pi;
    return {std::acos(std::clamp(direction[2] / length, -1.0, 1.0)), azimuth};
}

double opening_angle(const Point& a, const Point& b) {
    // atan2 of cross and dot product: accurate for small and for large angles.
    const Point cross{a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2],
                      a[0] * b[1] - a[1] * b[0]};
    return std::atan2(length_of(cross), a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
}

Point neutrino_direction(const Truth& truth, TruthDirection choice) {
    if (choice == TruthDirection::final) {
        if (const auto direction = final_direction(truth)) return *direction;
    }
    const Point n = travel_direction(truth.initial.zenith, truth.initial.azimuth);
    return std::isfinite(n[0] + n[1] + n[2]) ? n : not_a_direction();
}

std::optional<double> direction_disagreement(const Truth& truth) {
    const auto final = final_direction(truth);
    const Point initial = travel_direction(truth.initial.zenith, truth.initial.azimuth);
    if (!final || !std::isfinite(initial[0] + initial[1] + initial[2])) return std::nullopt;
    return opening_angle(*final, initial);
}

void Events::append(const Events& other, std::int64_t event) {
    HODO_DOOR(event >= 0 && event < other.size());
    const auto e = static_cast<std::size_t>(event);
    const std::int64_t begin = other.offsets[e];
    const std::int64_t end = other.offsets[e + 1];
    HODO_DOOR(fits(source, other.source, photons(), end - begin));
    HODO_DOOR(fits(weight, other.weight, photons(), end - begin));
    HODO_DOOR(fits(truth, other.truth, size(), 1) && fits(trigger, other.trigger, size(), 1));
    append_part(time, other.time, begin, end);
    append_part(x, other.x, begin, end);
    append_part(y, other.y, begin, end);
    append_part(z, other.z, begin, end);
    append_part(string, other.string, begin, end);
    append_part(sensor, other.sensor, begin, end);
    append_part(source, other.source, begin, end);
    append_part(weight, other.weight, begin, end);
    append_part(truth, other.truth, event, event + 1);
    append_part(trigger, other.trigger, event, event + 1);
    append_part(file, other.file, event, event + 1);
    append_part(row, other.row, event, event + 1);
    offsets.push_back(offsets.back() + (end - begin));
}

}  // namespace hodo::optical
