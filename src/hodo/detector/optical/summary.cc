#include "hodo/detector/optical/summary.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"

namespace hodo::optical {

namespace {

struct Pulse {
    double time = 0, charge = 1;
};

double charge_until(const std::vector<Pulse>& pulses, double end) {
    double sum = 0;
    for (const Pulse& pulse : pulses) {
        if (pulse.time > end) break;
        sum += pulse.charge;
    }
    return sum;
}

double time_above(const std::vector<Pulse>& pulses, double charge) {
    double collected = 0;
    for (const Pulse& pulse : pulses) {
        collected += pulse.charge;
        if (collected > charge) return pulse.time;
    }
    return pulses.back().time;
}

Summary summarize_sorted(const std::vector<Pulse>& pulses) {
    double total = 0, moment = 0;
    for (const Pulse& pulse : pulses) {
        total += pulse.charge;
        moment += pulse.time * pulse.charge;
    }
    double mean = 0, variance = 0;
    if (total > 0) {
        mean = moment / total;
        for (const Pulse& pulse : pulses) {
            variance += pulse.charge * (pulse.time - mean) * (pulse.time - mean);
        }
        variance /= total;
    }
    const double first = pulses.front().time;
    return {total,
            charge_until(pulses, first + 100.0),
            charge_until(pulses, first + 500.0),
            first,
            pulses.back().time,
            time_above(pulses, 0.2 * total),
            time_above(pulses, 0.5 * total),
            mean,
            std::sqrt(variance)};
}

void sort_by_time(std::vector<Pulse>& pulses) {
    std::stable_sort(pulses.begin(), pulses.end(),
                     [](const Pulse& a, const Pulse& b) { return a.time < b.time; });
}

}  // namespace

Summary summarize(std::span<const double> times, std::span<const double> weights) {
    HODO_DOOR(weights.empty() || weights.size() == times.size());
    if (times.empty()) return {};
    std::vector<Pulse> pulses(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
        pulses[i] = {times[i], weights.empty() ? 1.0 : weights[i]};
    }
    sort_by_time(pulses);
    return summarize_sorted(pulses);
}

ModuleSummaries summarize_modules(const Events& events, const TimeZero& time_zero,
                                  ModuleOrder order) {
    ModuleSummaries out;
    PhotonGrouper grouper;
    std::vector<Pulse> pulses;
    for (std::int64_t event = 0; event < events.size(); ++event) {
        grouper.group(events, event, order);
        if (grouper.modules().empty()) continue;
        const double zero = time_zero_of(events, event, time_zero);
        for (const auto& module : grouper.modules()) {
            pulses.clear();
            for (const std::int64_t photon : grouper.photons(module)) {
                const auto i = static_cast<std::size_t>(photon);
                pulses.push_back(
                    {events.time[i] - zero, events.weight.empty() ? 1.0 : events.weight[i]});
            }
            sort_by_time(pulses);
            if (time_zero.kind == TimeZero::Kind::per_module) {
                const double first = pulses.front().time;
                for (Pulse& pulse : pulses) pulse.time -= first;
            }
            out.event.push_back(event);
            out.id.push_back(module.id);
            out.position.push_back(module.position);
            out.values.push_back(summarize_sorted(pulses));
        }
    }
    return out;
}

}  // namespace hodo::optical
