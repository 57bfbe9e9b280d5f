#include "hodo/base/interrupt.hh"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <initializer_list>
#include <string>

#include "hodo/base/log.hh"

namespace hodo::base {

namespace {

std::atomic<bool> requested{false};

extern "C" void on_signal(int signal_number) {
    if (requested && signal_number == SIGINT) {
        std::signal(SIGINT, SIG_DFL);
        std::raise(SIGINT);
        return;
    }
    requested = true;
}

/// What `on_end` writes: of fixed size, for a handler may neither lock nor allocate.
std::array<char, 1024> last_words{};
std::atomic<std::size_t> last_words_length{0};

extern "C" void on_end(int signal_number) {
    const std::size_t length = last_words_length.exchange(0);  // a second thread says nothing
    if (length > 0) [[maybe_unused]]
        const auto written = ::write(STDERR_FILENO, last_words.data(), length);
    std::signal(signal_number, SIG_DFL);
    std::raise(signal_number);
}

}  // namespace

void watch_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (const int signal_number : {SIGINT, SIGTERM, SIGUSR1}) {
        sigaction(signal_number, &action, nullptr);
    }
}

void say_before_ending(std::string_view line) {
    last_words_length = 0;
    if (line.empty()) return;
    // On a terminal a line of progress may stand without an end.
    const auto words = (terminal_is_interactive() ? "\nhodo: " : "hodo: ") +
                       std::string(line.substr(0, 1000)) + "\n";
    std::copy(words.begin(), words.end(), last_words.begin());
    last_words_length = words.size();
    for (const int signal_number : {SIGINT, SIGTERM}) {
        struct sigaction action {};
        sigaction(signal_number, nullptr, &action);
        if (action.sa_handler != SIG_DFL) continue;
        action.sa_handler = on_end;
        sigaction(signal_number, &action, nullptr);
    }
}

bool interrupted() {
    return requested;
}

void set_interrupted(bool value) {
    requested = value;
}

}  // namespace hodo::base
