#include "hodo/base/progress.hh"

#include "hodo/base/count.hh"
#include "hodo/base/log.hh"

#include <algorithm>
#include <cstdio>

namespace hodo::base {

namespace {
constexpr std::chrono::milliseconds redraw_interval{100};
constexpr std::chrono::milliseconds first_line_after{10'000};
constexpr std::chrono::milliseconds longest_silence{300'000};
}  // namespace

Progress::Progress(std::string_view label, std::int64_t total, std::string_view unit)
    : label_(label),
      unit_(unit),
      total_(total),
      begin_(Clock::now()),
      next_(begin_ + (terminal_is_interactive() ? redraw_interval : first_line_after)),
      interval_(terminal_is_interactive() ? redraw_interval : first_line_after) {}

Progress::~Progress() {
    const bool line_is_open =
        !finished_ && terminal_is_interactive() && verbosity() != Verbosity::quiet && done_ > 0;
    if (line_is_open) std::fputc('\n', stderr);
}

void Progress::advance(std::int64_t count) {
    done_ += count;
    const auto now = Clock::now();
    if (now < next_ || verbosity() == Verbosity::quiet) return;
    if (!terminal_is_interactive()) interval_ = std::min(interval_ * 2, longest_silence);
    next_ = now + interval_;
    show();
}

void Progress::remark(std::string_view text) {
    remark_ = text;
}

void Progress::show() {
    const auto text = line(std::chrono::duration<double>(Clock::now() - begin_).count());
    if (terminal_is_interactive()) {
        std::fprintf(stderr, "\r%s\033[K", text.c_str());
        std::fflush(stderr);
    } else {
        say_line(text);
    }
}

void Progress::finish() {
    if (finished_) return;
    finished_ = true;
    if (verbosity() == Verbosity::quiet) return;
    const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
    auto text = base::format("{}: {} in {}", label_, counted(done_, unit_), human_seconds(elapsed));
    if (elapsed > 0.05)
        text += base::format(" ({:.3g} {}/s)", static_cast<double>(done_) / elapsed, unit_);
    if (!remark_.empty()) text += ", " + remark_;
    if (terminal_is_interactive()) std::fputs("\r\033[K", stderr);
    say_line(text);
}

std::string Progress::line(double elapsed_seconds) const {
    auto text = label_ + ": ";
    text += total_ > 0 ? with_thousands(done_) + " of " + counted(total_, unit_)
                       : counted(done_, unit_);
    if (total_ > 0) {
        text += base::format(" ({:.0f} %)",
                             100.0 * static_cast<double>(done_) / static_cast<double>(total_));
    }
    if (done_ > 0 && elapsed_seconds > 0) {
        const double rate = static_cast<double>(done_) / elapsed_seconds;
        text += base::format(", {:.3g} {}/s", rate, unit_);
        if (total_ > done_) {
            text += ", " + human_seconds(static_cast<double>(total_ - done_) / rate) + " left";
        }
    }
    if (!remark_.empty()) text += ", " + remark_;
    return text;
}

}  // namespace hodo::base
