#pragma once
/// A figure: a grid of panels, drawn to PNG, PDF or SVG.
///
///     draw::Figure figure({.width = 360, .height = 260});
///     auto& axes = figure.panel();
///     axes.x({.label = "time [ns]"}).y({.label = "photons", .scale = draw::Scale::log});
///     axes.steps(edges, counts, {.label = "true"});
///     figure.save("times.pdf");

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hodo/base/text.hh"
#include "hodo/draw/axes.hh"
#include "hodo/io/json.hh"

namespace hodo::draw {

/// How panels stand beside each other: `apart` each has its own ranges and numbers; `joined` the
/// panels of a column share the range of x, touch, and only the lowest has numbers below it.
enum class Stacking { apart, joined };

struct FigureOptions {
    double width = 380;   ///< [points]
    double height = 280;  ///< [points]
    int rows = 1, columns = 1;
    std::vector<double> row_weights{},
        column_weights{};  ///< Relative sizes of panels; empty: equal.
    Stacking stacking = Stacking::apart;
    std::string title{};  ///< Above all panels.
};

class Figure {
  public:
    explicit Figure(FigureOptions options = {});

    /// The panel at a place of the grid, made at its first use; places never used stay white.
    Axes& panel(int row = 0, int column = 0);

    /// The finished file.
    std::string render(Format format) const;
    /// Writes .png, .pdf or .svg by the name's ending, atomically.
    void save(const base::Path& path) const;
    /// An SVG element for a page: no XML declaration, ids that begin with `id_prefix`, and `text`
    /// as its description for readers who cannot see it.
    std::string svg(std::string_view id_prefix, std::string_view text) const;
    /// Every number drawn: a list of panels, each with title, axes and series.
    io::Json numbers() const;

    const FigureOptions& options() const { return options_; }
    const std::map<std::pair<int, int>, Axes>& panels() const { return panels_; }

  private:
    FigureOptions options_;
    std::map<std::pair<int, int>, Axes> panels_;
};

/// A figure of two joined panels, the lower one a third of the upper: a comparison and its ratio.
Figure ratio_figure(double width = 380, double height = 340);

/// `numerator` over `denominator` bin by bin with errors of counting, drawn as points with a
/// line at one. Bins whose denominator is zero are left out.
void draw_ratio(Axes& axes, const std::vector<double>& edges, const std::vector<double>& numerator,
                const std::vector<double>& denominator, PointOptions options = {});

}  // namespace hodo::draw
