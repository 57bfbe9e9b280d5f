#pragma once
/// Adam, AdamW and stochastic gradient descent, by PyTorch's formulas.
///
/// With gradient g, moments m and v, step t = 1, 2, ..., rate r, weight decay w:
///   adam:   g := g + w p
///   adamw:  p := p (1 - r w)                              (decoupled; Loshchilov and Hutter 2019)
///   both:   m := b1 m + (1 - b1) g,  v := b2 v + (1 - b2) g^2
///           p := p - r / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
///   sgd:    g := g + w p;  m := g (t = 1) or momentum m + g;  p := p - r m
/// Parameters without gradient are left alone and their t does not advance. On the CPU float32
/// parameters take one fused pass; the result does not depend on the number of threads.
///
/// Reference: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.

#include "hodo/base/fields.hh"
#include "hodo/io/weights.hh"
#include "hodo/tensor/parameters.hh"
#include "hodo/train/archive.hh"

#include <array>
#include <memory>
#include <string_view>
#include <vector>

namespace hodo::train {

enum class OptimizerKind { adam, adamw, sgd };
constexpr auto names(OptimizerKind) {
    return std::array<std::string_view, 3>{"adam", "adamw", "sgd"};
}

/// Which parameters decay: all, or those with at least two dimensions (no biases, no norms).
enum class Decayed { all, matrices };
constexpr auto names(Decayed) {
    return std::array<std::string_view, 2>{"all", "matrices"};
}

struct OptimizerOptions {
    OptimizerKind kind = OptimizerKind::adamw;
    double rate = 1e-4;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0.01;
    Decayed decayed = Decayed::all;
    double momentum = 0.0;
    void describe(base::Fields& f);
};

class Optimizer {
  public:
    Optimizer(std::vector<tensor::NamedParameter> parameters, const OptimizerOptions& options);
    ~Optimizer();
    Optimizer(Optimizer&&) noexcept;

    /// One step at the given rate with every gradient multiplied by `gradient_scale` first.
    void step(double rate, double gradient_scale = 1.0);
    /// Moments and step counts, by parameter name.
    void state(Archive& archive);
    /// Takes moments and step counts from a PyTorch checkpoint's optimizer (Adam or AdamW), whose
    /// parameters are numbered in the order of ours. An error names the parameter that does not
    /// fit.
    void adopt(const io::OptimizerState& stored);
    /// Moments and step counts of the parameters that have been updated, numbered in our order, as
    /// PyTorch keeps them; without `groups`.
    io::OptimizerState exported() const;

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

/// Euclidean norm over all gradients (double sums in a fixed order); missing ones count as 0.
double gradient_norm(const std::vector<tensor::NamedParameter>& parameters);

/// The factor that limits a gradient of norm `norm` to `limit`: min(1, limit / (norm + 1e-6)).
double clip_factor(double norm, double limit);

}  // namespace hodo::train
