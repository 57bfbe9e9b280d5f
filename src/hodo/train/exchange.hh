#pragma once
/// Gradients added over ranks, while backward still runs.
///
/// Parameters are packed into buckets in the reverse of their order, which is roughly the order in
/// which their gradients become final. A bucket is sent when its last gradient is final and all
/// buckets before it are on their way, so every rank sends the same messages in the same order.
/// A parameter without gradient here counts as zero; one without gradient anywhere stays so.

#include "hodo/tensor/parameters.hh"

#include <cstdint>
#include <memory>
#include <vector>

namespace hodo::train {

class Ranks;

class GradientExchange {
  public:
    /// Numbers in the gradients of one bucket, about.
    static constexpr std::int64_t usual_bucket = 1 << 20;

    explicit GradientExchange(std::vector<tensor::NamedParameter> parameters,
                              std::int64_t bucket = usual_bucket);
    ~GradientExchange();
    GradientExchange(GradientExchange&&) noexcept;

    /// The next call of backward makes the last contribution to the gradients: they are sent as
    /// they become final.
    void begin(Ranks& ranks);
    /// Sends what has not been sent, waits, and replaces every gradient by the sum over ranks.
    void finish(Ranks& ranks);

    /// Whether what this rank sent the last time was finite.
    bool own_are_finite() const;

    std::int64_t buckets() const;
    /// Buckets that left before `finish`, the last time.
    std::int64_t sent_early() const;

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

}  // namespace hodo::train
