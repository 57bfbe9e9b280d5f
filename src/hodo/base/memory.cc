#include "hodo/base/memory.hh"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace hodo::base {

namespace {

constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max();

/// The number behind `key` in a file of lines "key number".
std::optional<std::uint64_t> entry(const Path& file, std::string_view key) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key) || line.size() == key.size()) continue;
        std::string_view rest = trim(std::string_view(line).substr(key.size()));
        rest = rest.substr(0, rest.find(' '));
        if (const auto number = parse_int(rest)) return static_cast<std::uint64_t>(*number);
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number_in(const Path& file) {
    std::ifstream lines(file);
    std::string line;
    if (!std::getline(lines, line)) return std::nullopt;
    const auto number = parse_int(trim(line));  // "max" is no limit
    return number ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

/// File names of one version of control groups.
struct GroupFiles {
    const char *limit, *used, *idle;
};
constexpr GroupFiles first_version{"memory.limit_in_bytes", "memory.usage_in_bytes",
                                   "total_inactive_file "};
constexpr GroupFiles second_version{"memory.max", "memory.current", "inactive_file "};

/// What the group in `folder` leaves; cached files that nobody uses count as free.
std::uint64_t left_in(const Path& folder, const GroupFiles& files) {
    const auto limit = number_in(folder / files.limit);
    if (!limit) return unknown;
    const auto used = number_in(folder / files.used).value_or(0);
    const auto idle = entry(folder / "memory.stat", files.idle).value_or(0);
    const auto taken = used - std::min(used, idle);
    return *limit - std::min(*limit, taken);
}

/// The least that a group or one of those around it leaves.
std::uint64_t left_around(const Path& root, std::string group, const GroupFiles& files) {
    std::uint64_t least = left_in(root, files);
    for (; group.size() > 1; group.resize(group.rfind('/'))) {
        least = std::min(least, left_in(root / group.substr(1), files));
        if (group.rfind('/') == std::string::npos) break;
    }
    return least;
}

}  // namespace

std::uint64_t available_memory(const Path& proc, const Path& groups) {
    std::uint64_t least = unknown;
    if (const auto kilobytes = entry(proc / "meminfo", "MemAvailable:")) least = *kilobytes << 10;
    std::ifstream lines(proc / "self" / "cgroup");
    // "0::/group" in version 2, "4:memory:/group" in version 1
    for (std::string line; std::getline(lines, line);) {
        const auto first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const auto kinds = "," + line.substr(first + 1, second - first - 1) + ",";
        const auto group = line.substr(second + 1);
        if (kinds == ",,") {
            least = std::min(least, left_around(groups, group, second_version));
        } else if (kinds.find(",memory,") != std::string::npos) {
            least = std::min(least, left_around(groups / "memory", group, first_version));
        }
    }
    return least;
}

}  // namespace hodo::base
