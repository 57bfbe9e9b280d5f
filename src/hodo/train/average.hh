#pragma once
/// Averages of the parameters over training.
///
///   ema  after every update: average := decay average + (1 - decay) p
///   swa  once per epoch, from epoch floor(start * epochs) on: average += (p - average) / (n + 1)
/// The times of swa: `epoch_end` takes the parameters after the last update of each such epoch.
/// `lightning` takes them at the START of each epoch from index floor(start * epochs) - 1 on, so
/// the weights after the last epoch never enter: that is what Lightning's StochasticWeightAveraging
/// does.
///
/// Reference: Izmailov et al., "Averaging weights leads to wider optima", UAI 2018.

#include "hodo/base/fields.hh"
#include "hodo/tensor/parameters.hh"
#include "hodo/train/recipe.hh"

#include <array>
#include <memory>
#include <string_view>
#include <vector>

namespace hodo::train {

enum class AverageKind { none, ema, swa };
constexpr auto names(AverageKind) {
    return std::array<std::string_view, 3>{"none", "ema", "swa"};
}
enum class SwaTimes { epoch_end, lightning };
constexpr auto names(SwaTimes) {
    return std::array<std::string_view, 2>{"epoch_end", "lightning"};
}

struct AverageOptions {
    AverageKind kind = AverageKind::none;
    double decay = 0.999;
    double start = 0.8;
    SwaTimes times = SwaTimes::epoch_end;
    void describe(base::Fields& f);
};

class Average {
  public:
    Average(std::vector<tensor::NamedParameter> parameters, const AverageOptions& options);
    ~Average();
    Average(Average&&) noexcept;

    void before_update(const StepContext& context);
    void after_update(const StepContext& context);
    /// How often the parameters entered the average.
    std::int64_t count() const;
    /// Exchanges parameters and average; a second call restores both. Nothing while count() is 0.
    void swap();
    void state(Archive& archive);

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

}  // namespace hodo::train
