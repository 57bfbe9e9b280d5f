#pragma once
/// How much memory there is, for readers that must refuse what cannot fit before they take it.

#include "hodo/base/text.hh"

#include <cstdint>

namespace hodo::base {

/// Bytes that this process may still take: what the machine can give without swapping, and no more
/// than its control groups (version 1 or 2; batch systems and containers set them) leave it. The
/// largest number where neither is known. The folders are those of Linux.
std::uint64_t available_memory(const Path& proc = "/proc", const Path& groups = "/sys/fs/cgroup");

}  // namespace hodo::base
