#pragma once
/// The layers' table of cases on a device against the CPU: values and gradients.

#include "hodo/nn/uresnet.hh"
#include "hodo/sparse/conv.hh"
#include "hodo/sparse/detail/device.hh"
#include "hodo/sparse/device_kernels.hh"
#include "hodo/sparse/norm.hh"
#include "hodo/sparse/pool.hh"
#include "hodo/tensor/parameters.hh"
#include "sparse/cases.hh"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace hodo::sparse::test {

/// Where layers run: a device, or the CPU with kernels of a device.
struct Place {
    at::Device device = at::kCPU;
    const DeviceTable* kernels = nullptr;  ///< Null: the build's own.
};

class Working {
  public:
    explicit Working(const Place& place) { choose_device_kernels(place.kernels); }
    ~Working() { choose_device_kernels(nullptr); }
    Working(const Working&) = delete;
    Working& operator=(const Working&) = delete;
};

using Layer = std::function<at::Tensor(const SparseTensor&, const std::vector<at::Tensor>&)>;

/// A layer's result and the gradients of its input and weights, back on the CPU.
inline std::vector<at::Tensor> run_layer(const Place& place, const std::vector<Voxel>& voxels,
                                         const at::Tensor& features,
                                         const std::vector<at::Tensor>& weights,
                                         const Layer& layer) {
    const Working here(place);
    const auto leaf = [&](const at::Tensor& tensor) {
        return tensor.detach().to(place.device).clone().set_requires_grad(true);
    };
    const auto x = leaf(features);
    std::vector<at::Tensor> parameters;
    for (const auto& weight : weights) parameters.push_back(leaf(weight));
    const bool elsewhere = place.kernels != nullptr || place.device.is_cuda();
    EXPECT_EQ(is_on_device(x), elsewhere) << "not the kernels that this is about";
    const auto input = from_rows(to_tensor(voxels), x);
    const auto y = layer(input.tensor, parameters);
    const auto cotangent = random_tensor(y.sizes().vec(), "cotangent", y.scalar_type());
    (y * cotangent.to(place.device)).sum().backward();
    std::vector<at::Tensor> results{y.detach().cpu(), x.grad().cpu()};
    for (const auto& parameter : parameters) results.push_back(parameter.grad().cpu());
    return results;
}

inline void expect_near(const at::Tensor& actual, const at::Tensor& expected, double tolerance) {
    ASSERT_EQ(actual.sizes(), expected.sizes());
    if (expected.numel() == 0) return;
    const auto wide = expected.to(at::kDouble);
    const double scale = std::max(1.0, wide.abs().max().item<double>());
    EXPECT_LE((actual.to(at::kDouble) - wide).abs().max().item<double>(), tolerance * scale);
}

/// The layer gives the same there as on the CPU, and the same bits a second time.
inline void expect_agreement(const Place& place, const std::vector<Voxel>& voxels,
                             std::int64_t channels,
                             const std::vector<std::vector<std::int64_t>>& shapes,
                             const Layer& layer) {
    for (const auto type : {at::kFloat, at::kDouble}) {
        const auto rows = static_cast<std::int64_t>(voxels.size());
        const auto features = random_tensor({rows, channels}, "x", type);
        std::vector<at::Tensor> weights;
        for (const auto& shape : shapes) weights.push_back(random_tensor(shape, "w", type));
        const auto expected = run_layer({}, voxels, features, weights, layer);
        const auto actual = run_layer(place, voxels, features, weights, layer);
        const auto again = run_layer(place, voxels, features, weights, layer);
        const double tolerance = type == at::kFloat ? 3e-5 : 1e-11;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            SCOPED_TRACE("result " + std::to_string(i) + (type == at::kFloat ? ", float" : ""));
            expect_near(actual[i], expected[i], tolerance);
            EXPECT_TRUE(actual[i].equal(again[i])) << "not the same bits again";
        }
    }
}

inline void expect_convolutions(const Place& place) {
    const auto voxels = random_voxels(150, 6, 2, "device");
    for (const auto& [name, spec] : kernel_cases()) {
        SCOPED_TRACE(name);
        const auto cells = spec.kernel.volume();
        const auto plain = [&](const SparseTensor& x, const std::vector<at::Tensor>& w) {
            return conv(x, w[0], w[1], spec).features;
        };
        expect_agreement(place, voxels, 5, {{cells, 5, 37}, {37}}, plain);
        expect_agreement(place, voxels, 34, {{cells, 2, 17, 3}, {6}}, plain);
        expect_agreement(place, voxels, 35, {{cells, 35}, {35}},
                         [&](const SparseTensor& x, const std::vector<at::Tensor>& w) {
                             return depthwise(x, w[0], w[1], spec).features;
                         });
        if (spec.sites == Sites::seeing && spec.stride == Triple{1, 1, 1}) continue;
        expect_agreement(place, voxels, 4, {{cells, 4, 6}, {cells, 6, 3}},
                         [&](const SparseTensor& x, const std::vector<at::Tensor>& w) {
                             const auto coarse = conv(x, w[0], {}, spec);
                             return conv_transposed(coarse, w[1], {}, spec, x.coordinates).features;
                         });
    }
}

/// Sums over a cell's pairs that are made in several groups.
inline void expect_long_sums(const Place& place) {
    const auto voxels = random_voxels(9000, 40, 1, "many");
    expect_agreement(place, voxels, 2, {{1, 2, 3}},
                     [](const SparseTensor& x, const std::vector<at::Tensor>& w) {
                         return conv(x, w[0], {}, submanifold({1, 1, 1})).features;
                     });
}

inline void expect_pooling(const Place& place) {
    auto voxels = random_voxels(120, 6, 3, "pooling");
    for (std::size_t i = 0; i < 40; ++i) voxels.push_back(voxels[i / 4]);  // united in from_rows
    for (const auto& [name, spec] : kernel_cases()) {
        if (spec.sites == Sites::seeing && spec.stride == Triple{1, 1, 1}) continue;
        SCOPED_TRACE(name);
        for (const auto pooling :
             {Pooling::sum, Pooling::mean, Pooling::mean_of_volume, Pooling::largest}) {
            expect_agreement(place, voxels, 5, {},
                             [&](const SparseTensor& x, const std::vector<at::Tensor>&) {
                                 const auto y = pool(x, pooling, spec);
                                 return unpool(y, spec, x.coordinates).features;
                             });
        }
    }
    for (const auto pooling : {Pooling::sum, Pooling::mean, Pooling::largest}) {
        expect_agreement(place, voxels, 40, {},
                         [&](const SparseTensor& x, const std::vector<at::Tensor>&) {
                             return spread_events(x, pool_events(x, pooling));
                         });
    }
}

inline void expect_norms(const Place& place) {
    const auto voxels = random_voxels(400, 9, 3, "norms");
    expect_agreement(place, voxels, 7, {{7}, {7}},
                     [](const SparseTensor& x, const std::vector<at::Tensor>& w) {
                         return layer_norm(x.features, w[0], w[1]);
                     });
    expect_agreement(place, voxels, 7, {{7}, {7}},
                     [](const SparseTensor& x, const std::vector<at::Tensor>& w) {
                         return instance_norm(x, w[0], w[1], 1e-3);
                     });
    for (const auto scope : {Scope::event, Scope::batch}) {
        expect_agreement(place, voxels, 7, {{7}, {7}},
                         [&](const SparseTensor& x, const std::vector<at::Tensor>& w) {
                             return global_response_norm(x, w[0], w[1], scope);
                         });
    }
    for (const double leak : {0.0, 0.3, 1.0}) {
        expect_agreement(place, voxels, 7, {{7}, {7}},
                         [&](const SparseTensor& x, const std::vector<at::Tensor>& w) {
                             auto norm = BatchNorm::make(7, x.features.options());
                             norm.weight = w[0];
                             norm.bias = w[1];
                             norm.leak = leak;
                             const auto y = norm.train(x.features);
                             const auto later = norm.evaluate(x.features.detach());
                             return at::cat({y, later, norm.running_mean.unsqueeze(0),
                                             norm.running_var.unsqueeze(0)});
                         });
    }
}

/// Values and gradients of a small network, and its evaluation with fused endings.
inline void expect_network(const Place& place) {
    nn::UResNetOptions options;
    options.channels = 6;
    options.levels = 3;
    options.repetitions = 1;
    const auto voxels = random_voxels(300, 12, 2, "network");
    for (const bool evaluates : {false, true}) {
        SCOPED_TRACE(evaluates ? "evaluated" : "trained");
        const auto run = [&](const Place& where) {
            const Working here(where);
            const auto floats = at::TensorOptions().dtype(at::kFloat);
            nn::UResNet network(options, floats.device(where.device));
            network.initialise(base::Random(3, "network"));
            const auto x = random_tensor({std::ssize(voxels), options.inputs}, "x", at::kFloat);
            const auto input = from_rows(to_tensor(voxels), x.to(where.device)).tensor;
            std::vector<at::Tensor> results;
            if (evaluates) {
                results.push_back(network.evaluate(input).features.detach().cpu());
                return results;
            }
            const auto y = network(input, nn::Mode::train).features;
            y.square().sum().backward();
            results.push_back(y.detach().cpu());
            for (const auto& parameter : tensor::named_parameters(network)) {
                const auto& grad = parameter.tensor->grad();
                results.push_back(grad.defined() ? grad.cpu() : parameter.tensor->detach().cpu());
            }
            return results;
        };
        const auto expected = run({}), actual = run(place);
        ASSERT_EQ(actual.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            SCOPED_TRACE("result " + std::to_string(i));
            expect_near(actual[i], expected[i], 1e-3);
        }
    }
}

inline void expect_empty_batches(const Place& place) {
    const std::vector<Voxel> none;
    expect_agreement(place, none, 3, {{27, 3, 4}},
                     [](const SparseTensor& x, const std::vector<at::Tensor>& w) {
                         return conv(x, w[0], {}, submanifold({3, 3, 3})).features;
                     });
    expect_agreement(place, none, 3, {}, [](const SparseTensor& x, const std::vector<at::Tensor>&) {
        return pool(x, Pooling::largest, strided({2, 2, 2}, {2, 2, 2})).features;
    });
}

/// What must hold wherever layers run.
struct DeviceCase {
    const char* name;
    void (*expect)(const Place&);
};
inline constexpr DeviceCase device_cases[] = {
    {"Convolutions", expect_convolutions}, {"LongSumsOfGradients", expect_long_sums},
    {"Pooling", expect_pooling},           {"Norms", expect_norms},
    {"ANetwork", expect_network},          {"NoVoxels", expect_empty_batches}};
inline std::string name_of(const ::testing::TestParamInfo<DeviceCase>& info) {
    return info.param.name;
}

}  // namespace hodo::sparse::test
