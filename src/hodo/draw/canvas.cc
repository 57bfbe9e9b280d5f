#include "hodo/draw/canvas.hh"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <cairo.h>

#include "hodo/base/error.hh"
#include "hodo/draw/detail/svg_text.hh"

namespace hodo::draw {
namespace {

constexpr double script_size = 0.7;    ///< Of a raised or lowered part.
constexpr double raise_height = 0.40;  ///< Of the font size.
constexpr double lower_depth = 0.20;

enum class Level { normal, raised, lowered };
struct Piece {
    std::string text;
    Level level = Level::normal;
};

/// The parts of "a^{b}_{c}"; an unclosed brace is drawn as it stands.
std::vector<Piece> pieces_of(std::string_view text) {
    std::vector<Piece> pieces;
    std::string plain;
    const auto flush = [&] {
        if (!plain.empty()) pieces.push_back({std::exchange(plain, {}), Level::normal});
    };
    for (std::size_t i = 0; i < text.size();) {
        const bool script = (text[i] == '^' || text[i] == '_') && text.substr(i + 1, 1) == "{";
        const std::size_t close = script ? text.find('}', i) : std::string_view::npos;
        if (close == std::string_view::npos) {
            plain += text[i++];
            continue;
        }
        flush();
        pieces.push_back({std::string(text.substr(i + 2, close - i - 2)),
                          text[i] == '^' ? Level::raised : Level::lowered});
        i = close + 1;
    }
    flush();
    return pieces;
}

double size_of(const Piece& piece, double size) {
    return piece.level == Level::normal ? size : script_size * size;
}
double rise_of(const Piece& piece, double size) {
    if (piece.level == Level::raised) return raise_height * size;
    return piece.level == Level::lowered ? -lower_depth * size : 0.0;
}

cairo_status_t append(void* text, const unsigned char* bytes, unsigned int count) {
    static_cast<std::string*>(text)->append(reinterpret_cast<const char*>(bytes), count);
    return CAIRO_STATUS_SUCCESS;
}

cairo_surface_t* make_surface(double width, double height, Format format, std::string* bytes) {
    switch (format) {
        case Format::pdf: {
            cairo_surface_t* surface =
                cairo_pdf_surface_create_for_stream(append, bytes, width, height);
            cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE,
                                           "2000-01-01T00:00:00Z");
            cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Hodoscope");
            return surface;
        }
        case Format::svg:
            return cairo_svg_surface_create_for_stream(append, bytes, width, height);
        case Format::png:
            break;
    }
    return cairo_image_surface_create(CAIRO_FORMAT_ARGB32,
                                      static_cast<int>(std::lround(width * pixels_per_point)),
                                      static_cast<int>(std::lround(height * pixels_per_point)));
}

std::uint32_t premultiplied(Colour colour) {
    const auto byte = [&](double value) {
        return static_cast<std::uint32_t>(std::lround(255.0 * value * colour.alpha));
    };
    const auto alpha = static_cast<std::uint32_t>(std::lround(255.0 * colour.alpha));
    return alpha << 24 | byte(colour.red) << 16 | byte(colour.green) << 8 | byte(colour.blue);
}

}  // namespace

struct Canvas::Sheet {
    Sheet(double w, double h, Format f)
        : width(w),
          height(h),
          format(f),
          surface(make_surface(w, h, f, &bytes)),
          context(cairo_create(surface)) {
        if (format == Format::png) cairo_scale(context, pixels_per_point, pixels_per_point);
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
        cairo_font_options_t* options = cairo_font_options_create();
        cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
        cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
        cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
        cairo_set_font_options(context, options);
        cairo_font_options_destroy(options);
    }
    ~Sheet() {
        cairo_destroy(context);
        cairo_surface_destroy(surface);
    }
    Sheet(const Sheet&) = delete;
    Sheet& operator=(const Sheet&) = delete;

    void colour(Colour c) { cairo_set_source_rgba(context, c.red, c.green, c.blue, c.alpha); }

    void stroke(const Stroke& s) {
        colour(s.colour);
        cairo_set_line_width(context, s.width);
        const double unit = std::max(s.width, 0.6);
        static constexpr std::array<std::array<double, 4>, 4> lengths{
            {{0, 0, 0, 0}, {4, 2.2, 4, 2.2}, {1.1, 1.7, 1.1, 1.7}, {5, 2, 1.1, 2}}};
        auto pattern = lengths[static_cast<std::size_t>(s.dash)];
        for (double& length : pattern) length *= unit;
        cairo_set_dash(context, pattern.data(), s.dash == Dash::solid ? 0 : 4, 0.0);
        cairo_stroke(context);
    }

    void font(double size, Weight weight) {
        cairo_select_font_face(
            context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
            weight == Weight::bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
        cairo_set_font_size(context, size);
    }

    double advance(const std::string& text) {
        cairo_text_extents_t extents;
        cairo_text_extents(context, text.c_str(), &extents);
        return extents.x_advance;
    }

    TextSize measure(const std::vector<Piece>& pieces, const TextStyle& style) {
        TextSize size;
        double scripts = 0.0;  // A raised and a lowered part in a row stand over each other.
        Level last = Level::normal;
        for (const Piece& piece : pieces) {
            font(size_of(piece, style.size), style.weight);
            const double rise = rise_of(piece, style.size), length = advance(piece.text);
            size.ascent = std::max(size.ascent, 0.78 * size_of(piece, style.size) + rise);
            size.descent = std::max(size.descent, 0.22 * size_of(piece, style.size) - rise);
            const bool stacked =
                last != Level::normal && piece.level != Level::normal && piece.level != last;
            size.width += stacked ? std::max(0.0, length - scripts) : length;
            scripts = length;
            last = stacked ? Level::normal : piece.level;
        }
        return size;
    }

    double width, height;
    Format format;
    std::string bytes;
    cairo_surface_t* surface;
    cairo_t* context;
};

Canvas::Canvas(double width, double height, Format format)
    : sheet_(std::make_unique<Sheet>(width, height, format)) {
    rectangle({0, 0, width, height}, {1, 1, 1, 1});
}
Canvas::~Canvas() = default;

double Canvas::width() const {
    return sheet_->width;
}
double Canvas::height() const {
    return sheet_->height;
}

void Canvas::polyline(std::span<const Position> points, const Stroke& stroke) {
    cairo_t* context = sheet_->context;
    bool pen_down = false;
    for (const Position& p : points) {
        const bool finite = std::isfinite(p.x) && std::isfinite(p.y);
        if (finite && pen_down) cairo_line_to(context, p.x, p.y);
        if (finite && !pen_down) cairo_move_to(context, p.x, p.y);
        pen_down = finite;
    }
    sheet_->stroke(stroke);
}

void Canvas::line(Position from, Position to, const Stroke& stroke) {
    const std::array<Position, 2> points{from, to};
    polyline(points, stroke);
}

void Canvas::polygon(std::span<const Position> points, Colour fill) {
    for (const Position& p : points) cairo_line_to(sheet_->context, p.x, p.y);
    cairo_close_path(sheet_->context);
    sheet_->colour(fill);
    cairo_fill(sheet_->context);
}

void Canvas::rectangle(const Rectangle& area, Colour fill) {
    cairo_rectangle(sheet_->context, area.x, area.y, area.width, area.height);
    sheet_->colour(fill);
    cairo_fill(sheet_->context);
}

void Canvas::frame(const Rectangle& area, const Stroke& stroke) {
    cairo_rectangle(sheet_->context, area.x, area.y, area.width, area.height);
    sheet_->stroke(stroke);
}

void Canvas::circle(Position centre, double radius, Colour fill) {
    cairo_new_sub_path(sheet_->context);
    cairo_arc(sheet_->context, centre.x, centre.y, radius, 0.0, 2.0 * M_PI);
    sheet_->colour(fill);
    cairo_fill(sheet_->context);
}

void Canvas::ring(Position centre, double radius, const Stroke& stroke) {
    cairo_new_sub_path(sheet_->context);
    cairo_arc(sheet_->context, centre.x, centre.y, radius, 0.0, 2.0 * M_PI);
    sheet_->stroke(stroke);
}

TextSize Canvas::measure(std::string_view text, const TextStyle& style) {
    return sheet_->measure(pieces_of(text), style);
}

void Canvas::text(std::string_view text, Position position, const TextStyle& style) {
    const auto pieces = pieces_of(text);
    const TextSize size = sheet_->measure(pieces, style);
    cairo_t* context = sheet_->context;
    const double capital = 0.73 * style.size;  // Height of a capital letter of the font.
    double x = 0.0, y = 0.0;
    if (style.align == Align::centre) x = -size.width / 2;
    if (style.align == Align::right) x = -size.width;
    if (style.vertical == Vertical::top) y = size.ascent;
    if (style.vertical == Vertical::middle) y = capital / 2;
    if (style.vertical == Vertical::bottom) y = -size.descent;
    cairo_save(context);
    cairo_translate(context, position.x, position.y);
    cairo_rotate(context, -style.rotation * M_PI / 180.0);
    sheet_->colour(style.colour);
    double script_start = x;
    Level last = Level::normal;
    for (const Piece& piece : pieces) {
        const bool stacked =
            last != Level::normal && piece.level != Level::normal && piece.level != last;
        const double start = stacked ? script_start : x;
        sheet_->font(size_of(piece, style.size), style.weight);
        cairo_move_to(context, start, y - rise_of(piece, style.size));
        cairo_show_text(context, piece.text.c_str());
        script_start = start;
        x = std::max(x, start + sheet_->advance(piece.text));
        last = stacked ? Level::normal : piece.level;
    }
    cairo_restore(context);
    cairo_new_path(context);
}

void Canvas::image(const Rectangle& area, int columns, int rows, std::span<const Colour> cells) {
    HODO_DOOR(columns > 0 && rows > 0 &&
              cells.size() == static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows));
    cairo_surface_t* picture = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, columns, rows);
    cairo_surface_flush(picture);
    unsigned char* data = cairo_image_surface_get_data(picture);
    const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(picture));
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::uint32_t pixel = premultiplied(cells[i]);
        const auto row = i / static_cast<std::size_t>(columns);
        const auto column = i % static_cast<std::size_t>(columns);
        std::memcpy(data + row * stride + 4 * column, &pixel, sizeof pixel);
    }
    cairo_surface_mark_dirty(picture);
    cairo_t* context = sheet_->context;
    cairo_save(context);
    cairo_translate(context, area.x, area.y);
    cairo_scale(context, area.width / columns, area.height / rows);
    cairo_set_source_surface(context, picture, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST);
    cairo_paint(context);
    cairo_restore(context);
    cairo_surface_destroy(picture);
}

void Canvas::clip(const Rectangle& area) {
    cairo_save(sheet_->context);
    cairo_rectangle(sheet_->context, area.x, area.y, area.width, area.height);
    cairo_clip(sheet_->context);
}
void Canvas::unclip() {
    cairo_restore(sheet_->context);
}

std::string Canvas::finish() {
    cairo_surface_flush(sheet_->surface);
    if (sheet_->format == Format::png) {
        cairo_surface_write_to_png_stream(sheet_->surface, append, &sheet_->bytes);
    }
    cairo_surface_finish(sheet_->surface);
    const cairo_status_t status = cairo_surface_status(sheet_->surface);
    HODO_CHECK(status == CAIRO_STATUS_SUCCESS && !sheet_->bytes.empty(),
               "a figure of {} by {} points could not be drawn ({}); use a smaller size",
               sheet_->width, sheet_->height, cairo_status_to_string(status));
    if (sheet_->format == Format::svg) return detail::with_stable_ids(sheet_->bytes, "");
    return std::move(sheet_->bytes);
}

bool font_available() {
    Canvas canvas(10, 10, Format::png);
    const TextSize size = canvas.measure("Ag", {});
    return size.width > 0.0;
}

}  // namespace hodo::draw
