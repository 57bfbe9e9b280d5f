#pragma once
/// A thread that keeps one core busy while it lives, as another program would.

#include <sched.h>

#include <stop_token>
#include <thread>

namespace hodo::bench {

class BusyCore {
  public:
    BusyCore()
        : thread_([](const std::stop_token& token) {
              stay_on_last_core();
              while (!token.stop_requested()) {
              }
          }) {}

  private:
    static void stay_on_last_core() {
        cpu_set_t allowed;
        if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
        for (int core = CPU_SETSIZE - 1; core >= 0; --core) {
            if (!CPU_ISSET(core, &allowed)) continue;
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(core, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
    }
    std::jthread thread_;
};

}  // namespace hodo::bench
