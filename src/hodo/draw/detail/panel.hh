#pragma once
/// One panel while it is being laid out and drawn: ranges, ticks, margins, then ink.

#include <optional>
#include <string>
#include <vector>

#include "hodo/draw/detail/view.hh"

namespace hodo::draw::detail {

/// Room around the plotting area for numbers, labels and the colour bar [points].
struct Margins {
    double left = 0, right = 0, top = 0, bottom = 0;
};

class Panel {
  public:
    explicit Panel(const Axes& axes);

    const Range& x_range() const { return view_.x_range; }
    Scale x_scale() const { return view_.x_scale; }
    bool empty() const { return empty_; }
    /// Replaces the range of x by one shared with other panels.
    void share_x(Range range) { view_.x_range = range; }
    /// Leaves out numbers and label below the panel: another panel follows.
    void hide_x_labels() { x_labels_ = Labels::hidden; }

    /// Chooses ticks for about this much room and returns the margins they need.
    Margins prepare(Canvas& canvas, double width, double height);
    /// `left_margin`: the room left of the area, at whose edge the label stands.
    void place(const Rectangle& area, double left_margin) {
        view_.area = area;
        left_margin_ = left_margin;
    }
    void draw(Canvas& canvas);

  private:
    std::vector<std::string> categories() const;
    void choose_x_ticks(Canvas& canvas, double width);
    void make_room_for_legend(Canvas& canvas);
    void draw_grid(Canvas& canvas) const;
    void draw_content(Canvas& canvas) const;
    void draw_frame(Canvas& canvas) const;
    void draw_x_numbers(Canvas& canvas) const;
    void draw_y_numbers(Canvas& canvas) const;
    void draw_labels(Canvas& canvas) const;
    void draw_colour_bar(Canvas& canvas) const;
    std::vector<Position> covered(Canvas& canvas) const;
    Rectangle note_box(Canvas& canvas, std::size_t index) const;
    void draw_notes(Canvas& canvas) const;

    const Axes& axes_;
    View view_;
    bool empty_ = false;
    Labels x_labels_, y_labels_;
    std::optional<ColourScale> colours_;
    Ticks x_ticks_, y_ticks_, colour_ticks_;
    int y_count_ = 5;             ///< Ticks wished for on the vertical axis.
    bool names_slanted_ = false;  ///< Names of bars that do not fit side by side.
    double left_margin_ = 0, y_number_width_ = 0, colour_number_width_ = 0, x_number_height_ = 0;
    std::optional<Rectangle> legend_;
};

}  // namespace hodo::draw::detail
