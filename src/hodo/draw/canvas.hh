#pragma once
/// A sheet to draw on: lines, shapes, text and images that become PNG, PDF or SVG.
///
/// Lengths are in points (1/72 inch), the origin is the upper left corner, y grows downwards. A PNG
/// has `pixels_per_point` pixels per point. The same calls always give the same bytes.
///
/// Text is DejaVu Sans. `^{...}` raises and `_{...}` lowers a part of a text: "10^{-3} m_{e}".

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hodo/draw/colour.hh"

namespace hodo::draw {

enum class Format { png, pdf, svg };

constexpr double pixels_per_point = 2.0;

struct Position {
    double x = 0, y = 0;
};

struct Rectangle {
    double x = 0, y = 0, width = 0, height = 0;
    double right() const { return x + width; }
    double bottom() const { return y + height; }
    Position centre() const { return {x + width / 2, y + height / 2}; }
    bool contains(Position p) const {
        return p.x >= x && p.x <= right() && p.y >= y && p.y <= bottom();
    }
};

enum class Dash { solid, dashed, dotted, dash_dot };

struct Stroke {
    Colour colour{};
    double width = 1.0;
    Dash dash = Dash::solid;
};

enum class Align { left, centre, right };
enum class Vertical { top, middle, baseline, bottom };
enum class Weight { normal, bold };

struct TextStyle {
    double size = 9.0;
    Colour colour{};
    Align align = Align::left;
    Vertical vertical = Vertical::baseline;
    Weight weight = Weight::normal;
    double rotation = 0.0;  ///< Counter-clockwise about the given position [degrees].
};

/// Extents of a text before rotation.
struct TextSize {
    double width = 0;
    double ascent = 0;   ///< Height above the baseline.
    double descent = 0;  ///< Depth below the baseline.
    double height() const { return ascent + descent; }
};

class Canvas {
  public:
    /// An empty sheet on white.
    Canvas(double width, double height, Format format);
    ~Canvas();
    Canvas(const Canvas&) = delete;
    Canvas& operator=(const Canvas&) = delete;

    double width() const;
    double height() const;

    /// Lines through the points; a point that is not finite interrupts the line.
    void polyline(std::span<const Position> points, const Stroke& stroke);
    void line(Position from, Position to, const Stroke& stroke);
    void polygon(std::span<const Position> points, Colour fill);
    void rectangle(const Rectangle& area, Colour fill);
    void frame(const Rectangle& area, const Stroke& stroke);
    void circle(Position centre, double radius, Colour fill);
    void ring(Position centre, double radius, const Stroke& stroke);

    void text(std::string_view text, Position position, const TextStyle& style);
    TextSize measure(std::string_view text, const TextStyle& style);

    /// A picture of `columns` by `rows` coloured cells (row by row from the top) over `area`.
    void image(const Rectangle& area, int columns, int rows, std::span<const Colour> cells);

    /// Limits drawing to `area` until `unclip`; nests.
    void clip(const Rectangle& area);
    void unclip();

    /// The finished file. Call once, last.
    std::string finish();

  private:
    struct Sheet;
    std::unique_ptr<Sheet> sheet_;
};

/// Whether text can be drawn: the font gives letters an extent.
bool font_available();

}  // namespace hodo::draw
