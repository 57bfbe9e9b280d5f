#pragma once
/// The largest resident memory of this process, from /proc.

#include <malloc.h>

#include <fstream>
#include <string>

namespace hodo::bench {

/// From now on the peak is that of what follows; memory that is free goes back to the system.
inline void forget_peak_memory() {
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";
}

/// Bytes; 0 where the system does not tell.
inline double peak_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) * 1024;
    }
    return 0;
}

}  // namespace hodo::bench
