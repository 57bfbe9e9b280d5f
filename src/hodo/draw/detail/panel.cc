#include "hodo/draw/detail/panel.hh"

#include <algorithm>
#include <array>
#include <cmath>

#include "hodo/draw/detail/legend.hh"
#include "hodo/draw/detail/series_drawing.hh"

namespace hodo::draw::detail {
namespace {

constexpr double number_size = 8.5, label_size = 9.5, title_size = 10.0, note_size = 8.5;
constexpr double tick_length = 3.5, minor_length = 2.0, number_gap = 2.5, label_gap = 4.0;
constexpr double bar_gap = 8.0, bar_width = 9.0;  ///< Colour bar.
constexpr double slant = 35.0;                    ///< Of names too long to stand side by side.
constexpr Colour black{0, 0, 0, 1}, grid_colour{0.905, 0.905, 0.905, 1},
    quiet_colour{0.45, 0.45, 0.45, 1};
constexpr Stroke frame_stroke{black, 0.8}, tick_stroke{black, 0.7};

TextStyle number_style(Align align, Vertical vertical) {
    return {.size = number_size, .align = align, .vertical = vertical};
}

double widest(Canvas& canvas, const Ticks& ticks) {
    double width = 0.0;
    for (const Tick& tick : ticks.major) {
        width = std::max(width, canvas.measure(tick.label, {.size = number_size}).width);
    }
    return width;
}

double highest(Canvas& canvas, const Ticks& ticks) {
    double height = number_size;
    for (const Tick& tick : ticks.major) {
        height = std::max(height, canvas.measure(tick.label, {.size = number_size}).height());
    }
    return height;
}

}  // namespace

Panel::Panel(const Axes& axes)
    : axes_(axes), x_labels_(axes.x().labels), y_labels_(axes.y().labels) {
    const DataRanges ranges = ranges_of(axes);
    view_.x_range = ranges.x;
    view_.y_range = ranges.y;
    view_.x_scale = axes.x().scale;
    view_.y_scale = axes.y().scale;
    empty_ = ranges.empty;
    colours_ = ranges.colours;
}

std::vector<std::string> Panel::categories() const {
    for (const Series& series : axes_.series()) {
        if (const auto* bars = std::get_if<BarSeries>(&series)) return bars->names;
    }
    return {};
}

void Panel::choose_x_ticks(Canvas& canvas, double width) {
    if (const auto names = categories(); !names.empty()) {
        x_ticks_ = {};
        double longest = 0.0;
        for (std::size_t i = 0; i < names.size(); ++i) {
            x_ticks_.major.push_back({double(i), names[i]});
            longest = std::max(longest, canvas.measure(names[i], {.size = number_size}).width);
        }
        names_slanted_ = longest + 6 > width / double(names.size());
        if (names_slanted_) {
            x_number_height_ = longest * std::sin(slant * M_PI / 180) + number_size;
        }
        return;
    }
    for (int count = std::max(2, static_cast<int>(width / 38)); count >= 1; --count) {
        x_ticks_ = make_ticks(view_.x_range, view_.x_scale, count);
        const double room = (widest(canvas, x_ticks_) + 11.0) * double(x_ticks_.major.size());
        if (room <= width) break;
    }
}

Margins Panel::prepare(Canvas& canvas, double width, double height) {
    choose_x_ticks(canvas, width);
    y_count_ = std::max(2, static_cast<int>(height / 30));
    y_ticks_ = make_ticks(view_.y_range, view_.y_scale, y_count_);
    Margins margins{tick_length, 4.0, 4.0, tick_length};
    if (y_labels_ == Labels::shown) {
        y_number_width_ = widest(canvas, y_ticks_);
        margins.left += number_gap + y_number_width_;
        if (!y_ticks_.factor.empty()) margins.top += 9.0;
    }
    if (!axes_.y().label.empty()) margins.left += label_gap + 1.1 * label_size;
    if (x_labels_ == Labels::shown) {
        if (!names_slanted_) x_number_height_ = highest(canvas, x_ticks_);
        margins.bottom += number_gap + x_number_height_;
        if (!axes_.x().label.empty()) margins.bottom += label_gap + 1.15 * label_size;
        margins.right = std::max(margins.right, 9.0);
        if (!x_ticks_.factor.empty() && axes_.x().label.empty()) margins.bottom += number_size;
    }
    if (!axes_.title().empty()) margins.top += 1.6 * title_size;
    if (colours_) {
        colour_ticks_ = make_ticks(colours_->range, colours_->scale, y_count_);
        colour_number_width_ = widest(canvas, colour_ticks_);
        margins.right = bar_gap + bar_width + tick_length + number_gap + colour_number_width_ + 3;
        if (!colours_->label.empty()) margins.right += label_gap + 1.1 * label_size;
        if (!colour_ticks_.factor.empty()) margins.top = std::max(margins.top, 13.0);
    }
    return margins;
}

Rectangle Panel::note_box(Canvas& canvas, std::size_t index) const {
    const Note& note = axes_.notes()[index];
    const TextSize size = canvas.measure(note.text, {.size = note_size});
    const Rectangle& area = view_.area;
    const double width = size.width + 6, height = 12.5;
    if (!note.corner) {
        const Position place = view_.at(note.x, note.y);
        return {place.x + 3, place.y - height - 1, width, height};
    }
    const Note::Corner corner = *note.corner;
    const auto before = static_cast<double>(
        std::count_if(axes_.notes().begin(), axes_.notes().begin() + std::ptrdiff_t(index),
                      [&](const Note& other) { return other.corner == note.corner; }));
    const bool left = corner == Note::Corner::upper_left || corner == Note::Corner::lower_left;
    const bool upper = corner == Note::Corner::upper_left || corner == Note::Corner::upper_right;
    return {left ? area.x + 4 : area.right() - 4 - width,
            upper ? area.y + 4 + before * height : area.bottom() - 4 - (before + 1) * height, width,
            height};
}

std::vector<Position> Panel::covered(Canvas& canvas) const {
    std::vector<Position> points;
    for (const Series& series : axes_.series()) {
        const auto more = covered_points(view_, series);
        points.insert(points.end(), more.begin(), more.end());
    }
    for (std::size_t i = 0; i < axes_.notes().size(); ++i) {
        const Rectangle box = note_box(canvas, i);
        for (const double part : {0.0, 0.25, 0.5, 0.75, 1.0}) {  // Notes weigh more than data.
            points.insert(points.end(), 10, {box.x + part * box.width, box.centre().y});
        }
    }
    return points;
}

void Panel::make_room_for_legend(Canvas& canvas) {
    const auto size = legend_size(canvas, axes_);
    if (!size || empty_) return;
    const Range original = view_.y_range;
    const bool fixed = axes_.y().high.has_value();
    Range best_range = original;
    LegendPlace best;
    bool found = false;
    for (const double part : {0.0, 0.1, 0.2, 0.3, 0.45}) {
        view_.y_range = stretched(original, view_.y_scale, part);
        const auto place = place_legend(view_.area, size->width, size->height(), covered(canvas));
        if (!found || place.covered < best.covered) {
            best = place;
            best_range = view_.y_range;
            found = true;
        }
        if (best.covered == 0 || fixed) break;
    }
    view_.y_range = best_range;
    y_ticks_ = make_ticks(view_.y_range, view_.y_scale, y_count_);
    legend_ = best.box;
}

void Panel::draw_grid(Canvas& canvas) const {
    if (colours_ && axes_.series().size() == 1) return;
    const Rectangle& area = view_.area;
    for (const Tick& tick : y_ticks_.major) {
        const double y = view_.y(tick.value);
        canvas.line({area.x, y}, {area.right(), y}, {grid_colour, 0.6});
    }
    if (!categories().empty()) return;
    for (const Tick& tick : x_ticks_.major) {
        const double x = view_.x(tick.value);
        canvas.line({x, area.y}, {x, area.bottom()}, {grid_colour, 0.6});
    }
}

void Panel::draw_content(Canvas& canvas) const {
    BarPlace bar{0, 0};
    for (const Series& series : axes_.series())
        bar.count += std::holds_alternative<BarSeries>(series);
    canvas.clip(view_.area);
    for (const Series& series : axes_.series()) {
        draw_series(canvas, view_, series, colours_, bar);
        bar.index += std::holds_alternative<BarSeries>(series);
    }
    canvas.unclip();
}

void Panel::draw_frame(Canvas& canvas) const {
    const Rectangle& area = view_.area;
    const double down = x_labels_ == Labels::shown ? 1.0 : -1.0;
    const double out = y_labels_ == Labels::shown ? 1.0 : -1.0;
    const auto x_tick = [&](double value, double length) {
        const double x = view_.x(value);
        canvas.line({x, area.bottom()}, {x, area.bottom() + down * length}, tick_stroke);
    };
    const auto y_tick = [&](double value, double length) {
        const double y = view_.y(value);
        canvas.line({area.x, y}, {area.x - out * length, y}, tick_stroke);
    };
    if (categories().empty()) {
        for (const Tick& tick : x_ticks_.major) x_tick(tick.value, tick_length);
        for (const double value : x_ticks_.minor) x_tick(value, minor_length);
    }
    for (const Tick& tick : y_ticks_.major) y_tick(tick.value, tick_length);
    for (const double value : y_ticks_.minor) y_tick(value, minor_length);
    canvas.frame(area, frame_stroke);
}

void Panel::draw_x_numbers(Canvas& canvas) const {
    const double y = view_.area.bottom() + tick_length + number_gap;
    for (const Tick& tick : x_ticks_.major) {
        if (names_slanted_) {
            TextStyle style = number_style(Align::right, Vertical::middle);
            style.rotation = slant;
            canvas.text(tick.label, {view_.x(tick.value) + 3, y + 3}, style);
            continue;
        }
        // On one baseline, whatever stands above it.
        canvas.text(tick.label, {view_.x(tick.value), y + x_number_height_ - 0.22 * number_size},
                    number_style(Align::centre, Vertical::baseline));
    }
    if (!x_ticks_.factor.empty()) {
        canvas.text(x_ticks_.factor, {view_.area.right(), y + x_number_height_ + 1},
                    number_style(Align::right, Vertical::top));
    }
}

void Panel::draw_y_numbers(Canvas& canvas) const {
    const double x = view_.area.x - tick_length - number_gap;
    for (const Tick& tick : y_ticks_.major) {
        canvas.text(tick.label, {x, view_.y(tick.value)},
                    number_style(Align::right, Vertical::middle));
    }
    if (!y_ticks_.factor.empty()) {
        canvas.text(y_ticks_.factor, {view_.area.x - tick_length, view_.area.y - 3},
                    number_style(Align::left, Vertical::baseline));
    }
}

void Panel::draw_labels(Canvas& canvas) const {
    const Rectangle& area = view_.area;
    if (!axes_.title().empty()) {
        const TextStyle style{.size = title_size, .align = Align::centre, .weight = Weight::bold};
        const double start = area.centre().x - canvas.measure(axes_.title(), style).width / 2;
        const bool crowded = !y_ticks_.factor.empty() && start < area.x + 30;
        canvas.text(axes_.title(), {area.centre().x, area.y - (crowded ? 15 : 6)}, style);
    }
    if (x_labels_ == Labels::shown && !axes_.x().label.empty()) {
        const double y = area.bottom() + tick_length + number_gap + x_number_height_ + label_gap;
        canvas.text(axes_.x().label, {area.centre().x, y + 0.8 * label_size},
                    {.size = label_size, .align = Align::centre});
    }
    if (!axes_.y().label.empty()) {
        canvas.text(axes_.y().label, {area.x - left_margin_ + 0.85 * label_size, area.centre().y},
                    {.size = label_size, .align = Align::centre, .rotation = 90});
    }
}

void Panel::draw_colour_bar(Canvas& canvas) const {
    const Rectangle& area = view_.area;
    const Rectangle bar{area.right() + bar_gap, area.y, bar_width, area.height};
    std::array<Colour, 256> shades;
    for (std::size_t i = 0; i < shades.size(); ++i) {
        shades[i] = viridis(1.0 - (double(i) + 0.5) / double(shades.size()));
    }
    canvas.image(bar, 1, static_cast<int>(shades.size()), shades);
    canvas.frame(bar, {black, 0.6});
    const auto height_of = [&](double value) {
        return bar.bottom() - bar.height * fraction_of(value, colours_->range, colours_->scale);
    };
    for (const Tick& tick : colour_ticks_.major) {
        const double y = height_of(tick.value);
        canvas.line({bar.right(), y}, {bar.right() + tick_length, y}, tick_stroke);
        canvas.text(tick.label, {bar.right() + tick_length + number_gap, y},
                    number_style(Align::left, Vertical::middle));
    }
    for (const double value : colour_ticks_.minor) {
        const double y = height_of(value);
        canvas.line({bar.right(), y}, {bar.right() + minor_length, y}, tick_stroke);
    }
    if (!colour_ticks_.factor.empty()) {
        canvas.text(colour_ticks_.factor, {bar.x, bar.y - 3},
                    number_style(Align::left, Vertical::baseline));
    }
    const double x = bar.right() + tick_length + number_gap + colour_number_width_ + label_gap;
    canvas.text(colours_->label, {x + 0.8 * label_size, area.centre().y},
                {.size = label_size, .align = Align::centre, .rotation = 90});
}

void Panel::draw_notes(Canvas& canvas) const {
    for (std::size_t i = 0; i < axes_.notes().size(); ++i) {
        const Rectangle box = note_box(canvas, i);
        if (!std::isfinite(box.x + box.y)) continue;
        canvas.rectangle(box, {1, 1, 1, 0.75});
        canvas.text(axes_.notes()[i].text, {box.x + 3, box.centre().y},
                    {.size = note_size, .vertical = Vertical::middle});
    }
}

void Panel::draw(Canvas& canvas) {
    make_room_for_legend(canvas);
    draw_grid(canvas);
    if (!empty_) draw_content(canvas);
    draw_frame(canvas);
    if (x_labels_ == Labels::shown) draw_x_numbers(canvas);
    if (y_labels_ == Labels::shown) draw_y_numbers(canvas);
    draw_labels(canvas);
    if (colours_) draw_colour_bar(canvas);
    if (empty_) {
        canvas.text("no entries", view_.area.centre(),
                    {.size = label_size,
                     .colour = quiet_colour,
                     .align = Align::centre,
                     .vertical = Vertical::middle});
    }
    draw_notes(canvas);
    if (legend_) draw_legend(canvas, axes_, *legend_);
}

}  // namespace hodo::draw::detail
