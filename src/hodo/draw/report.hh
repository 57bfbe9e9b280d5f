#pragma once
/// A report: headings, text, numbers, tables, figures and curves in one HTML file, and the same
/// numbers as JSON.
///
///     draw::Report report("om2vec on simulated events");
///     report.section("Reconstruction", "Event-wise comparison of true and decoded times.");
///     report.number("median Wasserstein distance", 3.42, 0.05, "ns");
///     report.figure("Arrival times of one module", figure);
///     report.save(out / "report.html");  // and report.json beside it
///
/// The page makes no request, runs only its own scripts and prints well.

#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "hodo/base/text.hh"
#include "hodo/draw/figure.hh"
#include "hodo/io/json.hh"

namespace hodo::draw {

/// Lines that a reader may zoom, read off and hide.
struct Curves {
    struct Line {
        std::string label{};
        std::vector<double> x{}, y{};
    };
    std::string x_label{}, y_label{};
    Scale y_scale = Scale::linear;
    std::vector<Line> lines{};
};

/// Sets of points that a reader may turn, zoom and hide.
struct Clouds {
    enum class Shown { from_start, on_demand };
    struct Cloud {
        std::string label{};
        Colour colour{};
        std::vector<float> points{};  ///< x, y, z of each point in turn [m].
        Shown shown = Shown::from_start;
    };
    std::array<std::string, 3> axes{"x", "y", "z"};  ///< Names of x, y and z, which is upwards.
    double side = 0.01;                              ///< Of a point [m].
    std::vector<Cloud> clouds{};                     ///< Later ones are drawn over earlier ones.
};

class Report {
  public:
    explicit Report(std::string title);

    /// Begins a section; what follows belongs to it.
    Report& section(std::string heading, std::string text = {});
    /// A paragraph.
    Report& text(std::string paragraph);
    /// A result; a NaN error means none is known.
    Report& number(std::string name, double value,
                   double error = std::numeric_limits<double>::quiet_NaN(), std::string unit = {});
    /// Rows of texts and numbers, each as long as `columns`.
    Report& table(std::vector<std::string> columns, std::vector<std::vector<io::Json>> rows,
                  std::string caption = {});
    Report& figure(std::string caption, const Figure& figure);
    Report& curves(std::string caption, Curves curves);
    /// Points that turn; `still` stands for them in print and in numbers().
    Report& clouds(std::string caption, const Figure& still, const Clouds& clouds);

    std::string html() const;
    /// {"title", "numbers": {name: {value, error, unit}}, "sections": [{"heading", "text",
    /// "numbers", "tables", "figures", "curves"}]}
    io::Json numbers() const;
    /// Writes `path` and, beside it, the numbers under the ending .json; both atomically.
    void save(const base::Path& path) const;

  private:
    struct Section {
        std::string heading, body;
        io::Json text = io::Json::list(), numbers = io::Json::list(), tables = io::Json::list(),
                 figures = io::Json::list(), curves = io::Json::list();
        bool in_numbers = false;  ///< The body ends within a table of numbers.
    };
    Section& current();
    /// The section's body, any table of numbers closed.
    std::string& body();

    std::string title_;
    std::vector<Section> sections_;
    io::Json clouds_ = io::Json::list();
    int figures_ = 0;
};

/// A number as HTML with the digits its error justifies: "3.42 ± 0.05".
std::string number_html(double value, double error);

}  // namespace hodo::draw
