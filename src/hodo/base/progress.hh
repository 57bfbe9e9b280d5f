#pragma once
/// Progress of long work: done, rate and time left.
///
/// On a terminal one line that is redrawn at most ten times a second; elsewhere a full line now
/// and then (after 10 s, then at growing distances up to 5 minutes). Nothing when quiet.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace hodo::base {

class Progress {
  public:
    /// `total` = 0 when unknown. `unit` is the plural of what is counted: "events".
    Progress(std::string_view label, std::int64_t total, std::string_view unit);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void advance(std::int64_t count = 1);
    /// A remark shown behind the figures, for example the current loss.
    void remark(std::string_view text);
    /// Ends the line with the total rate.
    void finish();

    /// The line as it would be shown now; public for tests.
    std::string line(double elapsed_seconds) const;

  private:
    using Clock = std::chrono::steady_clock;
    void show();
    std::string label_, unit_, remark_;
    std::int64_t total_, done_ = 0;
    Clock::time_point begin_, next_;
    std::chrono::milliseconds interval_;
    bool finished_ = false;
};

}  // namespace hodo::base
