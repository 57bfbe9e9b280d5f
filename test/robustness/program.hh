#pragma once
/// The program `hodo` as a child process that can be killed, limited and measured.

#include "hodo/base/text.hh"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hodo::test {

struct Circumstances {
    std::optional<double> kill_after;        ///< SIGKILL after so many seconds.
    std::optional<std::uint64_t> file_size;  ///< No file may grow beyond so many bytes.
    /// Called every few milliseconds with the child's process id while it runs.
    std::function<void(int process)> watch;
};

struct Outcome {
    int code = 0;  ///< Exit code; 128 + signal when a signal ended it.
    std::string output, errors;
    double seconds = 0;
    double peak_megabytes = 0;  ///< Largest resident memory.

    bool was_killed() const { return code == 137; }
};

/// Runs `hodo` (environment HODO_PROGRAM) with the words of `command`, separated by spaces, in
/// `folder`.
Outcome run_hodo(const base::Path& folder, const std::string& command,
                 const Circumstances& circumstances = {});

/// A configuration of om2vec that simulates a few events and trains a small network on them in
/// seconds; `plan` ends it: "{epochs: 2}".
std::string small_configuration(const std::string& plan);

/// Whether this build has the half with LibTorch.
bool can_learn();

std::string content_of(const base::Path& file);

}  // namespace hodo::test
