#include "hodo/base/interrupt.hh"

#include <atomic>
#include <csignal>
#include <initializer_list>

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

bool interrupted() {
    return requested;
}

void set_interrupted(bool value) {
    requested = value;
}

}  // namespace hodo::base
