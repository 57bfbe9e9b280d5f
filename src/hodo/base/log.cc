#include "hodo/base/log.hh"

#include <unistd.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace hodo::base {

namespace {

std::atomic<Verbosity> level{Verbosity::normal};

void write_line(std::string_view prefix, std::string_view line) {
    std::string text(prefix);
    text.append(line).push_back('\n');
    std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace

void set_verbosity(Verbosity verbosity) {
    level = verbosity;
}

Verbosity verbosity() {
    return level;
}

bool terminal_is_interactive() {
    static const bool interactive = isatty(STDERR_FILENO) != 0;
    return interactive;
}

bool terminal_has_colour() {
    return terminal_is_interactive() && std::getenv("NO_COLOR") == nullptr;
}

void say_line(std::string_view line) {
    if (level != Verbosity::quiet) write_line("", line);
}

void warn_line(std::string_view line) {
    write_line(terminal_has_colour() ? "\033[33mwarning:\033[0m " : "warning: ", line);
}

void detail_line(std::string_view line) {
    if (level == Verbosity::verbose) write_line("", line);
}

}  // namespace hodo::base
