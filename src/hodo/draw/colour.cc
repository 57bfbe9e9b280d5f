#include "hodo/draw/colour.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

namespace hodo::draw {
namespace {

constexpr std::array<std::string_view, 6> line_colours{"#0072B2", "#D55E00", "#009E73",
                                                       "#CC79A7", "#E69F00", "#56B4E9"};

/// Viridis at 17 even steps; linear in between is within 1/255 of the full table's look.
constexpr std::array<std::string_view, 17> viridis_colours{
    "#440154", "#481668", "#482878", "#443A83", "#3E4989", "#375A8C",
    "#31688E", "#2B758E", "#26828E", "#21918C", "#1F9E89", "#28AE80",
    "#35B779", "#5EC962", "#90D743", "#C8E020", "#FDE725"};

double channel(std::string_view text, std::size_t from) {
    int value = 0;
    const char* begin = text.data() + from;
    const auto parsed = std::from_chars(begin, begin + 2, value, 16);
    HODO_DOOR(parsed.ec == std::errc{} && parsed.ptr == begin + 2);
    return value / 255.0;
}

}  // namespace

Colour Colour::hex(std::string_view text) {
    HODO_DOOR(text.size() == 7 && text[0] == '#');
    return {channel(text, 1), channel(text, 3), channel(text, 5), 1.0};
}

std::string Colour::hex() const {
    const auto byte = [](double value) {
        return static_cast<int>(std::lround(255.0 * std::clamp(value, 0.0, 1.0)));
    };
    return base::format("#{:02X}{:02X}{:02X}", byte(red), byte(green), byte(blue));
}

Colour Colour::lighter(double part) const {
    const auto mix = [part](double value) { return value + (1.0 - value) * part; };
    return {mix(red), mix(green), mix(blue), alpha};
}

Colour palette(std::size_t index) {
    return Colour::hex(line_colours[index % line_colours.size()]);
}

Colour viridis(double fraction) {
    if (std::isnan(fraction)) return {0, 0, 0, 0};
    static const auto table = [] {
        std::array<Colour, viridis_colours.size()> colours;
        std::transform(viridis_colours.begin(), viridis_colours.end(), colours.begin(),
                       [](std::string_view text) { return Colour::hex(text); });
        return colours;
    }();
    const double place = std::clamp(fraction, 0.0, 1.0) * double(table.size() - 1);
    const auto index = std::min(static_cast<std::size_t>(place), table.size() - 2);
    const double part = place - double(index);
    const auto mix = [part](double a, double b) { return a + (b - a) * part; };
    const Colour &low = table[index], &high = table[index + 1];
    return {mix(low.red, high.red), mix(low.green, high.green), mix(low.blue, high.blue), 1.0};
}

}  // namespace hodo::draw
