#pragma once
/// The published code's table of epochs: `summaries_<rank>.csv`.
///
/// Tab separated, a header row, one row per epoch: epoch, train_loss, train_<metric>...,
/// train_time, valid_loss, valid_<metric>..., valid_time. Numbers have six decimals; one that is
/// not known is empty. The file is written anew, whole, after each epoch.

#include "hodo/base/text.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hodo::lartpc {

struct EpochSummary {
    std::int64_t epoch = 0;
    std::vector<std::pair<std::string, double>> values;  ///< In the order of the columns.

    /// Nothing when there is no such column or its place is empty.
    std::optional<double> value(std::string_view name) const;
};

class Summaries {
  public:
    /// Errors name the file, line and column.
    static Summaries read(const base::Path& file);
    static Summaries parse(std::string_view text, std::string_view origin);
    /// `summaries_<rank>.csv` in a run directory.
    static base::Path file_of(const base::Path& run, int rank);

    /// Adds an epoch; epochs of the same number and later ones, which a resumed run repeats, go.
    void add(EpochSummary epoch);
    const std::vector<EpochSummary>& epochs() const { return epochs_; }
    /// The file's text. Columns are those of the first epoch, then what later ones have besides.
    std::string text() const;
    void write(const base::Path& file) const;

  private:
    std::vector<EpochSummary> epochs_;
};

}  // namespace hodo::lartpc
