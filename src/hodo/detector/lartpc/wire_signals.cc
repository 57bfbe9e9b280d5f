#include "hodo/detector/lartpc/wire_signals.hh"

#include "hodo/base/error.hh"

namespace hodo::lartpc {

double WireSignals::total() const {
    double sum = 0;
    for (const double sample : value) sum += sample;
    return sum;
}

WireSignals sparse_signals(std::span<const double> matrix, int ticks, int channels) {
    HODO_DOOR(std::ssize(matrix) == std::int64_t{ticks} * channels);
    WireSignals signals{.channels = channels, .starts = {0}, .channel = {}, .value = {}};
    signals.starts.reserve(static_cast<std::size_t>(ticks) + 1);
    const double* sample = matrix.data();
    for (int tick = 0; tick < ticks; ++tick) {
        for (int channel = 0; channel < channels; ++channel, ++sample) {
            if (*sample == 0) continue;
            signals.channel.push_back(static_cast<std::int16_t>(channel));
            signals.value.push_back(*sample);
        }
        signals.starts.push_back(signals.size());
    }
    return signals;
}

std::vector<double> dense_signals(const WireSignals& signals) {
    const auto width = static_cast<std::size_t>(signals.channels);
    std::vector<double> matrix(static_cast<std::size_t>(signals.ticks()) * width);
    for (std::size_t tick = 0; tick + 1 < signals.starts.size(); ++tick) {
        const auto end = static_cast<std::size_t>(signals.starts[tick + 1]);
        for (auto i = static_cast<std::size_t>(signals.starts[tick]); i < end; ++i) {
            matrix[tick * width + static_cast<std::size_t>(signals.channel[i])] = signals.value[i];
        }
    }
    return matrix;
}

}  // namespace hodo::lartpc
