#include "hodo/draw/figure.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "hodo/base/error.hh"
#include "hodo/draw/detail/panel.hh"
#include "hodo/draw/detail/svg_text.hh"
#include "hodo/draw/html.hh"
#include "hodo/io/atomic_file.hh"

namespace hodo::draw {
namespace {

constexpr double sheet_margin = 5.0, panel_gap = 9.0, joined_gap = 6.0, heading_height = 20.0;

/// One direction of the grid: where the plotting areas of its rows or columns begin and end.
struct Track {
    std::vector<double> before, after;  ///< Margins of each row or column.
    std::vector<double> start, length;  ///< Of the plotting areas.

    Track(std::size_t count) : before(count), after(count), start(count), length(count) {}

    void share(double origin, double total, std::vector<double> weights, double gap) {
        weights.resize(before.size(), 1.0);
        double taken = gap * double(before.size() - 1), sum = 0.0;
        for (std::size_t i = 0; i < before.size(); ++i) {
            taken += before[i] + after[i];
            sum += weights[i];
        }
        const double room = std::max(total - taken, 1.0);
        double at = origin;
        for (std::size_t i = 0; i < before.size(); ++i) {
            start[i] = at + before[i];
            length[i] = room * weights[i] / sum;
            at = start[i] + length[i] + after[i] + gap;
        }
    }
};

using Panels = std::map<std::pair<int, int>, detail::Panel>;

/// Gives every panel of a column the range that covers all of them.
void share_columns(Panels& panels, int rows, int columns) {
    for (int column = 0; column < columns; ++column) {
        Range shared{std::numeric_limits<double>::infinity(),
                     -std::numeric_limits<double>::infinity()};
        int lowest = -1;
        for (int row = 0; row < rows; ++row) {
            const auto found = panels.find({row, column});
            if (found == panels.end()) continue;
            lowest = row;
            if (found->second.empty()) continue;
            shared.low = std::min(shared.low, found->second.x_range().low);
            shared.high = std::max(shared.high, found->second.x_range().high);
        }
        for (int row = 0; row < rows; ++row) {
            const auto found = panels.find({row, column});
            if (found == panels.end()) continue;
            if (shared.low < shared.high) found->second.share_x(shared);
            if (row < lowest) found->second.hide_x_labels();
        }
    }
}

io::Json list_of(const std::vector<double>& values) {
    io::Json::List list(values.begin(), values.end());
    return io::Json(std::move(list));
}

struct Numbers {
    template <class Options>
    static io::Json begin(const char* kind, const Options& options) {
        io::Json json = io::Json::object();
        json["kind"] = kind;
        json["label"] = options.label;
        return json;
    }
    static io::Json xy(io::Json json, const std::vector<double>& x, const std::vector<double>& y) {
        json["x"] = list_of(x);
        json["y"] = list_of(y);
        return json;
    }
    io::Json operator()(const LineSeries& s) const {
        return xy(begin("line", s.options), s.x, s.y);
    }
    io::Json operator()(const BandSeries& s) const {
        io::Json json = begin("band", s.options);
        json["x"] = list_of(s.x);
        json["low"] = list_of(s.low);
        json["high"] = list_of(s.high);
        return json;
    }
    io::Json operator()(const PointSeries& s) const {
        io::Json json = xy(begin("points", s.options), s.x, s.y);
        if (!s.options.x_errors.empty()) json["x_errors"] = list_of(s.options.x_errors);
        if (!s.options.y_errors.empty()) json["y_errors"] = list_of(s.options.y_errors);
        return json;
    }
    io::Json operator()(const StepSeries& s) const {
        io::Json json = begin("histogram", s.options);
        json["edges"] = list_of(s.edges);
        json["counts"] = list_of(s.counts);
        if (!s.options.errors.empty()) json["errors"] = list_of(s.options.errors);
        return json;
    }
    io::Json operator()(const BarSeries& s) const {
        io::Json json = begin("bars", s.options);
        json["names"] = io::Json(io::Json::List(s.names.begin(), s.names.end()));
        json["heights"] = list_of(s.heights);
        if (!s.options.errors.empty()) json["errors"] = list_of(s.options.errors);
        return json;
    }
    io::Json operator()(const HeatSeries& s) const {
        io::Json json = begin("heat map", s.options);
        json["x_edges"] = list_of(s.x_edges);
        json["y_edges"] = list_of(s.y_edges);
        json["values"] = list_of(s.values);
        return json;
    }
    io::Json operator()(const DiscSeries& s) const {
        io::Json json = xy(begin("discs", s.options), s.x, s.y);
        json["values"] = list_of(s.values);
        return json;
    }
    io::Json operator()(const RuleSeries& s) const {
        constexpr const char* kinds[] = {"vertical", "horizontal", "diagonal"};
        io::Json json = begin(kinds[static_cast<std::size_t>(s.kind)], s.options);
        json["at"] = s.at;
        return json;
    }
};

io::Json axis_json(const AxisOptions& axis) {
    io::Json json = io::Json::object();
    json["label"] = axis.label;
    json["scale"] = axis.scale == Scale::log ? "log" : "linear";
    return json;
}

}  // namespace

Figure::Figure(FigureOptions options) : options_(std::move(options)) {
    HODO_DOOR(options_.rows > 0 && options_.columns > 0);
    HODO_DOOR(options_.width > 0 && options_.height > 0);
}

Axes& Figure::panel(int row, int column) {
    HODO_DOOR(row >= 0 && row < options_.rows && column >= 0 && column < options_.columns);
    return panels_[{row, column}];
}

std::string Figure::render(Format format) const {
    Canvas canvas(options_.width, options_.height, format);
    Panels panels;
    for (const auto& [place, axes] : panels_) panels.emplace(place, axes);
    const bool joined = options_.stacking == Stacking::joined;
    if (joined) share_columns(panels, options_.rows, options_.columns);

    Track rows(static_cast<std::size_t>(options_.rows));
    Track columns(static_cast<std::size_t>(options_.columns));
    const double heading = options_.title.empty() ? 0.0 : heading_height;
    const Rectangle sheet{sheet_margin, sheet_margin + heading, options_.width - 2 * sheet_margin,
                          options_.height - 2 * sheet_margin - heading};
    const double row_gap = joined ? joined_gap : panel_gap;
    const double column_gap = joined && options_.rows > 1 ? joined_gap : panel_gap;
    // Ticks need to know the room and the room depends on the ticks: two rounds settle it.
    for (int round = 0; round < 2; ++round) {
        rows.share(sheet.y, sheet.height, options_.row_weights, row_gap);
        columns.share(sheet.x, sheet.width, options_.column_weights, column_gap);
        for (auto& [place, panel] : panels) {
            const auto row = static_cast<std::size_t>(place.first);
            const auto column = static_cast<std::size_t>(place.second);
            const auto margins = panel.prepare(canvas, columns.length[column], rows.length[row]);
            columns.before[column] = std::max(columns.before[column], margins.left);
            columns.after[column] = std::max(columns.after[column], margins.right);
            rows.before[row] = std::max(rows.before[row], joined && row > 0 ? 0.0 : margins.top);
            rows.after[row] = std::max(rows.after[row], margins.bottom);
        }
    }
    rows.share(sheet.y, sheet.height, options_.row_weights, row_gap);
    columns.share(sheet.x, sheet.width, options_.column_weights, column_gap);
    if (heading > 0) {
        canvas.text(options_.title, {options_.width / 2, sheet_margin + 13},
                    {.size = 11.5, .align = Align::centre, .weight = Weight::bold});
    }
    for (auto& [place, panel] : panels) {
        const auto row = static_cast<std::size_t>(place.first);
        const auto column = static_cast<std::size_t>(place.second);
        panel.place(
            {columns.start[column], rows.start[row], columns.length[column], rows.length[row]},
            columns.before[column]);
        panel.draw(canvas);
    }
    return canvas.finish();
}

void Figure::save(const base::Path& path) const {
    const std::string ending = path.extension().string();
    HODO_CHECK(ending == ".png" || ending == ".pdf" || ending == ".svg",
               "figure {} ends in '{}', which is no kind of picture that can be drawn; use .png, "
               ".pdf or .svg",
               path, ending);
    const Format format = ending == ".png"   ? Format::png
                          : ending == ".pdf" ? Format::pdf
                                             : Format::svg;
    io::write_text(path, render(format));
}

std::string Figure::svg(std::string_view id_prefix, std::string_view text) const {
    const std::string file = render(Format::svg);
    const std::size_t root = file.find("<svg ");
    HODO_DOOR(root != std::string::npos);
    const std::string attributes =
        base::format("<svg role=\"img\" aria-label=\"{}\" ", escape_html(text));
    return detail::with_stable_ids(attributes + file.substr(root + 5), id_prefix);
}

io::Json Figure::numbers() const {
    io::Json panels = io::Json::list();
    for (const auto& [place, axes] : panels_) {
        io::Json panel = io::Json::object();
        panel["row"] = place.first;
        panel["column"] = place.second;
        panel["title"] = axes.title();
        panel["x"] = axis_json(axes.x());
        panel["y"] = axis_json(axes.y());
        io::Json list = io::Json::list();
        for (const Series& series : axes.series()) list.push(std::visit(Numbers{}, series));
        panel["series"] = std::move(list);
        panels.push(std::move(panel));
    }
    return panels;
}

Figure ratio_figure(double width, double height) {
    return Figure({.width = width,
                   .height = height,
                   .rows = 2,
                   .columns = 1,
                   .row_weights = {3, 1},
                   .stacking = Stacking::joined});
}

void draw_ratio(Axes& axes, const std::vector<double>& edges, const std::vector<double>& numerator,
                const std::vector<double>& denominator, PointOptions options) {
    HODO_DOOR(numerator.size() == denominator.size() && edges.size() == numerator.size() + 1);
    std::vector<double> x, ratio;
    options.x_errors.clear();
    options.y_errors.clear();
    for (std::size_t i = 0; i < numerator.size(); ++i) {
        if (!(denominator[i] > 0) || !std::isfinite(numerator[i])) continue;
        x.push_back((edges[i] + edges[i + 1]) / 2);
        ratio.push_back(numerator[i] / denominator[i]);
        const double relative =
            numerator[i] > 0 ? std::sqrt(1 / numerator[i] + 1 / denominator[i]) : 0.0;
        options.x_errors.push_back((edges[i + 1] - edges[i]) / 2);
        options.y_errors.push_back(ratio.back() * relative);
    }
    axes.horizontal(1.0, {.width = 0.9, .dash = Dash::dashed});
    axes.points(std::move(x), std::move(ratio), std::move(options));
}

}  // namespace hodo::draw
