#pragma once
/// Named numbers that a step reports, in the order they were named.

#include "hodo/train/archive.hh"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hodo::train {

/// Which values of a scalar are better ones.
enum class Better { smaller, larger };
constexpr auto names(Better) {
    return std::array<std::string_view, 2>{"smaller", "larger"};
}

class Scalars {
  public:
    using Entry = std::pair<std::string, double>;
    Scalars() = default;
    Scalars(std::initializer_list<Entry> entries) : entries_(entries) {}

    /// Sets or adds a value.
    void set(std::string_view name, double value);
    std::optional<double> find(std::string_view name) const;
    const std::vector<Entry>& entries() const { return entries_; }
    bool empty() const { return entries_.empty(); }
    /// Name of the first value that is NaN or infinite, or nothing.
    std::optional<std::string> first_non_finite() const;
    void state(Archive& archive);

  private:
    std::vector<Entry> entries_;
};

/// Weighted means of scalars over several steps.
class ScalarMeans {
  public:
    void add(const Scalars& scalars, double weight);
    Scalars means() const;
    bool empty() const { return sums_.empty(); }
    void clear();
    /// All sums and all weights, for adding those of several ranks.
    std::vector<double> numbers() const;
    void set_numbers(const std::vector<double>& numbers);
    void state(Archive& archive);

  private:
    Scalars sums_, weights_;
};

}  // namespace hodo::train
