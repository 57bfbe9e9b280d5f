#include "hodo/detector/optical/geometry.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>

#include "hodo/base/error.hh"
#include "hodo/base/units.hh"
#include "hodo/io/atomic_file.hh"

namespace hodo::optical {

namespace {

constexpr std::string_view metadata_mark = "### Metadata ###";
constexpr std::string_view modules_mark = "### Modules ###";
constexpr std::string_view radius_key = "DOM Radius [cm]";

/// The words of a line.
std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    constexpr std::string_view blanks = " \t\r\v\f";
    for (auto begin = line.find_first_not_of(blanks); begin != std::string_view::npos;) {
        const auto end = std::min(line.find_first_of(blanks, begin), line.size());
        words.push_back(line.substr(begin, end - begin));
        begin = line.find_first_not_of(blanks, end);
    }
    return words;
}

class GeoParser {
  public:
    explicit GeoParser(std::string_view origin) : origin_(origin) {}

    Geometry parse(std::string_view text) {
        for (std::size_t begin = 0; begin < text.size();) {
            const auto end = std::min(text.find('\n', begin), text.size());
            ++line_;
            take(base::trim(text.substr(begin, end - begin)));
            begin = end + 1;
        }
        HODO_CHECK(in_modules_, "{}: the line '{}' is missing; is this a .geo file?", origin_,
                   modules_mark);
        HODO_CHECK(!geometry_.modules.empty(), "{}: the geometry lists no modules", origin_);
        return std::move(geometry_);
    }

  private:
    void take(std::string_view line) {
        if (line.empty() || line == metadata_mark) return;
        if (line == modules_mark) {
            in_modules_ = true;
        } else if (in_modules_) {
            take_module(line);
        } else {
            take_metadata(line);
        }
    }

    void take_metadata(std::string_view line) {
        const auto colon = line.find(':');
        HODO_CHECK(colon != std::string_view::npos,
                   "{}:{}: expected 'Key: value' or '{}', found '{}'", origin_, line_, modules_mark,
                   line.substr(0, 60));
        const std::string_view key = base::trim(line.substr(0, colon));
        const std::string_view value = base::trim(line.substr(colon + 1));
        if (key == "Medium") {
            geometry_.medium = value;
        } else if (key == radius_key) {
            const auto radius = base::parse_double(value);
            HODO_CHECK(radius && *radius >= 0 && std::isfinite(*radius),
                       "{}:{}: the module radius '{}' is not a length in cm", origin_, line_,
                       value);
            geometry_.module_radius = *radius * units::cm;
        } else {
            geometry_.remarks.emplace_back(key, value);
        }
    }

    void take_module(std::string_view line) {
        const auto words = words_of(line);
        HODO_CHECK(words.size() == 5,
                   "{}:{}: a module needs 5 values (x, y, z, string, sensor), found {}", origin_,
                   line_, words.size());
        ModulePlace module;
        for (std::size_t k = 0; k < 3; ++k) {
            const auto value = base::parse_double(words[k]);
            HODO_CHECK(value && std::isfinite(*value), "{}:{}: the coordinate '{}' is not a number",
                       origin_, line_, words[k]);
            module.position[k] = *value;
        }
        module.id = {number(words[3], "string"), number(words[4], "sensor")};
        HODO_CHECK(seen_.insert(module.id).second,
                   "{}:{}: string {} sensor {} is listed twice (photons could not be matched)",
                   origin_, line_, module.id.string, module.id.sensor);
        geometry_.modules.push_back(module);
    }

    std::int64_t number(std::string_view word, std::string_view what) const {
        const auto value = base::parse_int(word);
        HODO_CHECK(value, "{}:{}: the {} number '{}' is not a whole number", origin_, line_, what,
                   word);
        return *value;
    }

    std::string origin_;
    std::int64_t line_ = 0;
    bool in_modules_ = false;
    Geometry geometry_;
    std::set<ModuleId> seen_;
};

/// The number of centimetres that reads back as exactly `radius`: the quotient, or a neighbour of
/// it where division and multiplication are not inverse.
double centimetres(double radius) {
    const double quotient = radius / units::cm;
    double low = quotient, high = quotient;
    for (int step = 0; step < 4; ++step) {
        if (low * units::cm == radius) return low;
        if (high * units::cm == radius) return high;
        low = std::nextafter(low, 0.0);
        high = std::nextafter(high, std::numeric_limits<double>::infinity());
    }
    return quotient;
}

/// The lattice points of a hexagonal grid, nearest to the centre first.
std::vector<std::array<double, 2>> lattice(int count, double spacing) {
    struct Candidate {
        long norm;  // a^2 + ab + b^2: squared distance in lattice units, exact
        double angle, x, y;
    };
    const int reach = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(count)))) + 1;
    std::vector<Candidate> candidates;
    for (int a = -reach; a <= reach; ++a) {
        for (int b = -reach; b <= reach; ++b) {
            const double x = (a + 0.5 * b) * spacing;
            const double y = 0.5 * std::numbers::sqrt3 * b * spacing;
            double angle = std::atan2(y, x);
            if (angle < 0) angle += 2 * std::numbers::pi;
            candidates.push_back(
                {static_cast<long>(a) * a + static_cast<long>(a) * b + static_cast<long>(b) * b,
                 angle, x, y});
        }
    }
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& p, const Candidate& q) {
        return p.norm != q.norm ? p.norm < q.norm : p.angle < q.angle;
    });
    std::vector<std::array<double, 2>> points;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        points.push_back({candidates[i].x, candidates[i].y});
    }
    return points;
}

}  // namespace

Geometry parse_geo(std::string_view text, std::string_view origin) {
    return GeoParser(origin).parse(text);
}

Geometry read_geo(const base::Path& file) {
    return parse_geo(io::read_text(file), file.string());
}

std::string format_geo(const Geometry& geometry) {
    std::string text = base::format("{}\nMedium:\t{}\n", metadata_mark, geometry.medium);
    if (geometry.module_radius > 0) {
        text += base::format("{}:\t{}\n", radius_key, centimetres(geometry.module_radius));
    }
    for (const auto& [key, value] : geometry.remarks) text += key + ":\t" + value + "\n";
    text += base::format("{}\n", modules_mark);
    for (const ModulePlace& module : geometry.modules) {
        text += base::format("{}\t{}\t{}\t{}\t{}\n", module.position[0], module.position[1],
                             module.position[2], module.id.string, module.id.sensor);
    }
    return text;
}

void write_geo(const base::Path& file, const Geometry& geometry) {
    io::write_text(file, format_geo(geometry));
}

Geometry hexagonal_grid(const GridOptions& options) {
    HODO_DOOR(options.strings >= 1 && options.sensors >= 1);
    Geometry geometry;
    geometry.medium = options.medium;
    geometry.module_radius = options.module_radius;
    const bool downward = options.numbering == GridOptions::Numbering::downward;
    const double half_length = 0.5 * (options.sensors - 1) * options.sensor_spacing;
    int string = options.first_string;
    for (const auto& [x, y] : lattice(options.strings, options.string_spacing)) {
        for (int k = 0; k < options.sensors; ++k) {
            const double along = k * options.sensor_spacing - half_length;
            geometry.modules.push_back({{string, options.first_sensor + k},
                                        {x, y, options.depth + (downward ? -along : along)}});
        }
        ++string;
    }
    return geometry;
}

Geometry built_in_geometry(GeometryChoice choice) {
    GridOptions options;
    if (choice == GeometryChoice::ice) {
        // Spacings of IceCube: M. G. Aartsen et al., JINST 12 (2017) P03012.
        options.strings = 86;
        options.string_spacing = 125.0;
        options.sensors = 60;
        options.sensor_spacing = 17.0;
        options.depth = -1950.0;
    } else if (choice == GeometryChoice::water) {
        // Spacings of an ARCA block: S. Adrian-Martinez et al., J. Phys. G 43 (2016) 084001.
        options.medium = "water";
        options.strings = 115;
        options.string_spacing = 90.0;
        options.sensors = 18;
        options.sensor_spacing = 36.0;
        options.depth = -3194.0;
        options.module_radius = 0.216;
        options.first_string = 0;
        options.first_sensor = 0;
        options.numbering = GridOptions::Numbering::upward;
    }
    return hexagonal_grid(options);
}

}  // namespace hodo::optical
