#pragma once
/// The network of nn/uresnet.hh in evaluation without its norms and ReLUs, for measurements: the
/// same convolutions, residual sums and joined tensors by the same kernels. What
/// `UResNet::evaluate` takes longer is the price of its norms and ReLUs and of the tensors that
/// they make.

#include "hodo/nn/uresnet.hh"
#include "hodo/sparse/detail/sums.hh"

#include <map>
#include <string>

namespace hodo::bench {

enum class Copies { written, left_out };

class NormlessUResNet {
  public:
    NormlessUResNet(nn::UResNet& net, Copies copies) : options_(net.options()), copies_(copies) {
        for (auto& [name, tensor] : tensor::named_parameters(net)) tensors_[name] = *tensor;
    }
    sparse::SparseTensor operator()(const sparse::SparseTensor& x) const {
        return level("2", 0, conv(x, "1.weight", same(), second()));
    }

  private:
    using Tensor = sparse::SparseTensor;
    static sparse::ConvSpec same() { return sparse::submanifold({3, 3, 3}); }

    /// For a layer whose result is needed twice.
    sparse::Ending second(const at::Tensor& into = {}) const {
        sparse::Ending ending;
        ending.y_into = into;
        ending.keep_plain = copies_ == Copies::written;
        return ending;
    }
    Tensor conv(const Tensor& x, const std::string& name, const sparse::ConvSpec& spec,
                const sparse::Ending& ending = {},
                const sparse::SharedCoordinates& target = nullptr) const {
        return sparse::conv_ended(x, tensors_.at(name), spec, ending, target).y;
    }
    Tensor block(const std::string& name, const Tensor& x, const at::Tensor& into = {}) const {
        const auto middle = conv(x, name + ".1.1.weight", same());
        const auto shortcut = name + ".0.weight";
        const auto side =
            tensors_.contains(shortcut) ? conv(x, shortcut, sparse::submanifold({1, 1, 1})) : x;
        auto ending = second(into);
        ending.residual = side.features;
        return conv(middle, name + ".1.3.weight", same(), ending);
    }
    Tensor level(const std::string& name, std::int64_t i, Tensor x) const {
        const auto r = options_.repetitions;
        const auto at = [&](std::int64_t j) { return name + "." + std::to_string(2 * j); };
        const bool is_deepest = i + 1 == options_.levels;
        const auto channels = (i + 1) * options_.channels;
        const auto both = is_deepest
                              ? at::Tensor()
                              : sparse::new_rows(x.voxels(), 2 * channels, x.features.options());
        const auto left = is_deepest ? both : both.narrow(1, 0, channels);
        for (std::int64_t j = 0; j < r; ++j) {
            x = block(at(j), x, j + 1 == r ? left : at::Tensor());
        }
        if (is_deepest) return x;
        const auto table = at(r) + ".1";
        const auto half = sparse::strided({2, 2, 2}, {2, 2, 2});
        const auto deep = level(table + ".2", i + 1, conv(x, table + ".1.weight", half, second()));
        conv(deep, table + ".4.weight", half, second(both.narrow(1, channels, channels)),
             x.coordinates);
        x = x.with(both);
        for (std::int64_t j = 0; j < r; ++j) x = block(at(r + 1 + j), x);
        return x;
    }

    nn::UResNetOptions options_;
    Copies copies_;
    std::map<std::string, at::Tensor> tensors_;
};

}  // namespace hodo::bench
