#pragma once
/// One voice for an error that all ranks of a job see before they have met: a wrong option, a file
/// that does not exist. Those that see another error than the first rank, or cannot ask it, speak.

#include "hodo/base/error.hh"

#include <string_view>

namespace hodo::cli {

/// For the first rank of a job, which has said why it ends: lets the others know for a moment.
/// Does nothing in a process that is alone or has met the others.
void tell_other_ranks(std::string_view message, base::ExitCode code);

/// Whether this is another rank, and the first one has said the same.
bool is_said_by_first_rank(std::string_view message, base::ExitCode code);

}  // namespace hodo::cli
