#pragma once
/// Polite interruption: SIGINT, SIGTERM and SIGUSR1 ask the program to finish its step and save.
///
/// The first signal sets a flag that long work asks for; the second SIGINT ends at once. Work whose
/// output is whole file by file need not ask: it leaves a line to be said and ends by the signal.

#include <string_view>

namespace hodo::base {

/// Installs the handlers; called by verbs that can stop and resume.
void watch_signals();
/// Whether a signal asked to stop.
bool interrupted();
/// Sets or clears the flag; for tests and for a loop that handled the request.
void set_interrupted(bool value);

/// When SIGINT or SIGTERM ends the program, says `line` on standard error first, for example how to
/// go on. At most 1000 characters of it; empty: nothing. Signals that are watched or ignored keep
/// their meaning.
void say_before_ending(std::string_view line);

}  // namespace hodo::base
