#pragma once
/// One panel of a figure: two axes and what is drawn between them.
///
/// Numbers that are not finite (or not positive on a logarithmic axis) leave a gap. Series take the
/// colours of the palette in order unless they name one. An axis without limits covers its data.

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "hodo/draw/canvas.hh"
#include "hodo/draw/ticks.hh"

namespace hodo::draw {

enum class Labels { shown, hidden };

struct AxisOptions {
    std::string label{};
    Scale scale = Scale::linear;
    std::optional<double> low{}, high{};
    Labels labels = Labels::shown;  ///< Whether numbers stand at the ticks.
};

enum class Fill { none, filled };
enum class Marker { circle, square, triangle, diamond, open_circle };

/// Half lengths of error bars, symmetric; empty means none.
using Errors = std::vector<double>;

struct LineOptions {
    std::string label{};
    std::optional<Colour> colour{};
    double width = 1.4;
    Dash dash = Dash::solid;
};
struct BandOptions {
    std::string label{};
    std::optional<Colour> colour{};
    double opacity = 0.25;
};
struct PointOptions {
    std::string label{};
    std::optional<Colour> colour{};
    Marker marker = Marker::circle;
    double radius = 2.2;
    double opacity = 1.0;
    Errors x_errors{}, y_errors{};
};
struct StepOptions {
    std::string label{};
    std::optional<Colour> colour{};
    double width = 1.4;
    Dash dash = Dash::solid;
    Fill fill = Fill::none;
    Errors errors{};  ///< One per bin.
};
struct BarOptions {
    std::string label{};
    std::optional<Colour> colour{};
    Errors errors{};  ///< One per bar.
};
/// Options of values shown as colours.
struct MapOptions {
    std::string label{};  ///< Beside the colour bar.
    Scale scale = Scale::linear;
    std::optional<double> low{}, high{};
    double radius = 3.0;  ///< Of the discs of `discs`.
};

/// The series of a panel, as given.
struct LineSeries {
    std::vector<double> x, y;
    LineOptions options;
};
struct BandSeries {
    std::vector<double> x, low, high;
    BandOptions options;
};
struct PointSeries {
    std::vector<double> x, y;
    PointOptions options;
};
struct StepSeries {
    std::vector<double> edges, counts;
    StepOptions options;
};
struct BarSeries {
    std::vector<std::string> names;
    std::vector<double> heights;
    BarOptions options;
};
struct HeatSeries {
    std::vector<double> x_edges, y_edges, values;  ///< values [x bin, y bin].
    MapOptions options;
};
struct DiscSeries {
    std::vector<double> x, y, values;
    MapOptions options;
};
struct RuleSeries {
    enum class Kind { vertical, horizontal, diagonal } kind;
    double at = 0;
    LineOptions options;
};
using Series = std::variant<LineSeries, BandSeries, PointSeries, StepSeries, BarSeries, HeatSeries,
                            DiscSeries, RuleSeries>;

struct Note {
    enum class Corner { upper_left, upper_right, lower_left, lower_right };
    std::string text{};
    std::optional<Corner> corner;  ///< In a corner of the panel, or at data position x, y.
    double x = 0, y = 0;
};

class Axes {
  public:
    Axes& title(std::string text);
    Axes& x(AxisOptions options);
    Axes& y(AxisOptions options);

    Axes& line(std::vector<double> x, std::vector<double> y, LineOptions options = {});
    Axes& band(std::vector<double> x, std::vector<double> low, std::vector<double> high,
               BandOptions options = {});
    Axes& points(std::vector<double> x, std::vector<double> y, PointOptions options = {});
    /// A histogram of `counts.size() + 1` edges.
    Axes& steps(std::vector<double> edges, std::vector<double> counts, StepOptions options = {});
    /// One bar per name, at x = 0, 1, 2, ...; several calls stand side by side.
    Axes& bars(std::vector<std::string> names, std::vector<double> heights,
               BarOptions options = {});
    /// Cells of colour; `values` is [x bin, y bin], NaN is transparent.
    Axes& heat_map(std::vector<double> x_edges, std::vector<double> y_edges,
                   std::vector<double> values, MapOptions options = {});
    /// Points coloured by value.
    Axes& discs(std::vector<double> x, std::vector<double> y, std::vector<double> values,
                MapOptions options = {});

    Axes& vertical(double x, LineOptions options = {});
    Axes& horizontal(double y, LineOptions options = {});
    /// The line y = x.
    Axes& diagonal(LineOptions options = {});
    Axes& note(std::string text, Note::Corner corner);
    Axes& note(std::string text, double x, double y);

    const std::string& title() const { return title_; }
    const AxisOptions& x() const { return x_; }
    const AxisOptions& y() const { return y_; }
    const std::vector<Series>& series() const { return series_; }
    const std::vector<Note>& notes() const { return notes_; }

  private:
    Axes& add(Series series);

    std::string title_;
    AxisOptions x_, y_;
    std::vector<Series> series_;
    std::vector<Note> notes_;
    std::size_t coloured_ = 0;
};

}  // namespace hodo::draw
