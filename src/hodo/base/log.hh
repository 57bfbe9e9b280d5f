#pragma once
/// What the program tells its user while it works: lines on standard error.
///
/// Results go to files; standard output carries only what was asked for.

#include "hodo/base/text.hh"

namespace hodo::base {

enum class Verbosity { quiet, normal, verbose };

/// How much is said; set once by the command line.
void set_verbosity(Verbosity verbosity);
Verbosity verbosity();

/// Whether standard error is a terminal that takes colour (NO_COLOR is honoured).
bool terminal_has_colour();
bool terminal_is_interactive();

/// A full line at normal verbosity.
void say_line(std::string_view line);
/// A full line that begins with "warning: "; said even when quiet.
void warn_line(std::string_view line);
/// A full line when verbose.
void detail_line(std::string_view line);

template <class... Values>
void say(std::string_view pattern, const Values&... values) {
    say_line(format(pattern, values...));
}
template <class... Values>
void warn(std::string_view pattern, const Values&... values) {
    warn_line(format(pattern, values...));
}
template <class... Values>
void detail(std::string_view pattern, const Values&... values) {
    if (verbosity() == Verbosity::verbose) detail_line(format(pattern, values...));
}

}  // namespace hodo::base
