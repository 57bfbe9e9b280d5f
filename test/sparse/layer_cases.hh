#pragma once
/// Every kind of sparse layer by name, as one function of rows and weights: for what must hold for
/// all of them.

#include "hodo/sparse/norm.hh"
#include "hodo/sparse/norm_conv.hh"
#include "hodo/sparse/pool.hh"
#include "sparse/cases.hh"

#include <functional>

namespace hodo::sparse::test {

using Weights = std::vector<at::Tensor>;

/// Whether an event's result depends on the other events of its batch.
enum class Mates { ignored, mixed };

struct LayerCase {
    std::string name;
    std::vector<std::vector<std::int64_t>> weights;  ///< Shapes.
    /// Rows ascend by event; of every event there are as many whatever stands beside it.
    std::function<at::Tensor(const Input&, const Weights&)> forward;
    Merge merge = Merge::sum;
    Mates mates = Mates::ignored;
};

inline constexpr std::int64_t layer_channels = 6;

namespace detail {

constexpr std::int64_t c = layer_channels;

/// The first event's rows of a layer lie before all others, since levels are sorted by event.
inline void add_convolutions(std::vector<LayerCase>& cases) {
    for (const auto& [name, spec] : kernel_cases()) {
        const auto cells = spec.kernel.volume();
        cases.push_back({"convolution " + name,
                         {{cells, c, 5}, {5}},
                         [spec = spec](const Input& x, const Weights& w) {
                             return conv(x.tensor, w[0], w[1], spec).features;
                         }});
        cases.push_back({"convolution in groups " + name,
                         {{cells, 2, c / 2, 2}},
                         [spec = spec](const Input& x, const Weights& w) {
                             return conv(x.tensor, w[0], {}, spec).features;
                         }});
        cases.push_back({"depthwise " + name,
                         {{cells, c}, {c}},
                         [spec = spec](const Input& x, const Weights& w) {
                             return depthwise(x.tensor, w[0], w[1], spec).features;
                         }});
        cases.push_back(
            {"there and back " + name,
             {{cells, c, 4}, {cells, 4, 3}},
             [spec = spec](const Input& x, const Weights& w) {
                 const auto coarse = conv(x.tensor, w[0], {}, spec);
                 return conv_transposed(coarse, w[1], {}, spec, x.tensor.coordinates).features;
             }});
        cases.push_back({"generative " + name,
                         {{cells, c, 2}, {cells, 2, 3}},
                         [spec = spec](const Input& x, const Weights& w) {
                             const auto coarse = conv(x.tensor, w[0], {}, spec);
                             return conv_generative(coarse, w[1], {}, spec).features;
                         }});
    }
    cases.push_back({"to one channel", {{27, c, 1}, {1}}, [](const Input& x, const Weights& w) {
                         return conv(x.tensor, w[0], w[1], submanifold({3, 3, 3})).features;
                     }});
    cases.push_back({"pointwise", {{c, 3}, {3}}, [](const Input& x, const Weights& w) {
                         return conv(x.tensor, w[0], w[1], submanifold({1, 1, 1})).features;
                     }});
}

inline void add_pooling(std::vector<LayerCase>& cases) {
    const std::vector<std::pair<std::string, Pooling>> kinds{
        {"sum", Pooling::sum},
        {"mean", Pooling::mean},
        {"mean of volume", Pooling::mean_of_volume},
        {"largest", Pooling::largest}};
    for (const auto& [kind, pooling] : kinds) {
        for (const auto& [name, spec] : kernel_cases()) {
            cases.push_back({kind + " " + name,
                             {},
                             [pooling = pooling, spec = spec](const Input& x, const Weights&) {
                                 const auto y = pool(x.tensor, pooling, spec);
                                 const auto back = unpool(y, spec, x.tensor.coordinates);
                                 return at::cat({x.tensor.features, back.features}, 1);
                             }});
        }
        if (pooling == Pooling::mean_of_volume) continue;
        cases.push_back(
            {kind + " of events", {}, [pooling = pooling](const Input& x, const Weights&) {
                 return spread_events(x.tensor, pool_events(x.tensor, pooling));
             }});
    }
}

inline BatchNorm norm_of(const at::Tensor& weight, const at::Tensor& bias) {
    auto norm = BatchNorm::make(weight.size(0), weight.options().requires_grad(false));
    norm.weight = weight;
    norm.bias = bias;
    norm.leak = 0.3;
    norm.running_mean.fill_(0.2);
    norm.running_var.fill_(0.7);
    return norm;
}

inline void add_norms(std::vector<LayerCase>& cases) {
    const std::vector<std::vector<std::int64_t>> two{{c}, {c}};
    cases.push_back({"batch norm in training", two,
                     [](const Input& x, const Weights& w) {
                         return norm_of(w[0], w[1]).train(x.tensor.features);
                     },
                     Merge::sum, Mates::mixed});
    cases.push_back({"batch norm in evaluation", two, [](const Input& x, const Weights& w) {
                         return norm_of(w[0], w[1]).evaluate(x.tensor.features);
                     }});
    cases.push_back({"layer norm", two, [](const Input& x, const Weights& w) {
                         return layer_norm(x.tensor.features, w[0], w[1], 1e-2);
                     }});
    cases.push_back({"instance norm", two, [](const Input& x, const Weights& w) {
                         return instance_norm(x.tensor, w[0], w[1], 1e-2);
                     }});
    cases.push_back({"response norm of events", two, [](const Input& x, const Weights& w) {
                         return global_response_norm(x.tensor, w[0], w[1], Scope::event);
                     }});
    cases.push_back({"response norm of the batch", two,
                     [](const Input& x, const Weights& w) {
                         return global_response_norm(x.tensor, w[0], w[1], Scope::batch);
                     },
                     Merge::sum, Mates::mixed});
    cases.push_back({"norm, convolution and sum as one",
                     {{c}, {c}, {27, c, c}},
                     [](const Input& x, const Weights& w) {
                         auto norm = norm_of(w[0], w[1]);
                         const auto spec = submanifold({3, 3, 3});
                         const auto first = measured_conv(x.tensor, w[2], spec);
                         const auto y =
                             norm_conv(first, norm, w[2], spec, x.tensor.features).y.tensor;
                         return concatenate(y, first.tensor).features;
                     },
                     Merge::sum,
                     Mates::mixed});
}

inline void add_norms_of_one_channel(std::vector<LayerCase>& cases) {
    cases.push_back(
        {"norms of one channel", {{c, 1}, {1}, {1}}, [](const Input& x, const Weights& w) {
             const auto one = conv(x.tensor, w[0], w[1], submanifold({1, 1, 1}));
             const auto event = instance_norm(one, w[1], w[2], 1e-2);
             const auto response = global_response_norm(one, w[1], w[2], Scope::event);
             return at::cat({event, response}, 1);
         }});
}

inline void add_ways_in_and_out(std::vector<LayerCase>& cases) {
    for (const auto merge : {Merge::sum, Merge::mean}) {
        const std::string name = merge == Merge::sum ? "sum" : "mean";
        cases.push_back({"input by " + name,
                         {},
                         [](const Input& x, const Weights&) { return x.tensor.features * 1.0; },
                         merge});
    }
    cases.push_back({"joined and added", {}, [](const Input& x, const Weights&) {
                         const auto both = concatenate(x.tensor, add(x.tensor, x.tensor));
                         return both.features;
                     }});
    cases.push_back({"points", {}, [](const Input& x, const Weights&) {
                         auto at = coordinate_tensor(*x.tensor.coordinates).to(at::kDouble);
                         at.slice(1, 1) += 0.25;
                         return at::cat({slice(x.tensor, at), interpolate(x.tensor, at)}, 1);
                     }});
}

}  // namespace detail

inline std::vector<LayerCase> layer_cases() {
    std::vector<LayerCase> cases;
    detail::add_ways_in_and_out(cases);
    detail::add_convolutions(cases);
    detail::add_pooling(cases);
    detail::add_norms(cases);
    detail::add_norms_of_one_channel(cases);
    return cases;
}

}  // namespace hodo::sparse::test
