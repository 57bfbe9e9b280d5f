#pragma once
/// Polite interruption: SIGINT, SIGTERM and SIGUSR1 ask the program to finish its step and save.
///
/// The first signal sets a flag that long work asks for; the second SIGINT ends at once.

namespace hodo::base {

/// Installs the handlers; called by verbs that can stop and resume.
void watch_signals();
/// Whether a signal asked to stop.
bool interrupted();
/// Sets or clears the flag; for tests and for a loop that handled the request.
void set_interrupted(bool value);

}  // namespace hodo::base
