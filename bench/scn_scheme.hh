#pragma once
/// SparseConvNet's way to convolve, kept for measurements: for each kernel cell gather the rows it
/// meets to a temporary, make one product of matrices, scatter the result with read and write. The
/// same maps of voxels as ours; batch norms and everything else are ours too, so that a ratio of
/// times speaks of the convolutions alone.

#include "hodo/base/threads.hh"
#include "hodo/nn/uresnet.hh"

#include <torch/csrc/autograd/custom_function.h>

#include <map>
#include <string>

namespace hodo::bench {

/// Pairs of rows of each kernel cell.
struct CellPairs {
    std::vector<std::vector<std::int32_t>> from, to;
    std::int64_t sources = 0, targets = 0;

    CellPairs(const sparse::Rulebook& book, sparse::Direction direction)
        : from(static_cast<std::size_t>(book.cells())), to(from) {
        const auto& lists = book.neighbours(direction);
        const bool there = direction == sparse::Direction::there;
        sources = (there ? book.input() : book.output())->size();
        targets = lists.rows();
        for (std::int64_t row = 0; row < targets; ++row) {
            for (const auto& pair : lists.of(row)) {
                from[static_cast<std::size_t>(pair.cell)].push_back(pair.row);
                to[static_cast<std::size_t>(pair.cell)].push_back(static_cast<std::int32_t>(row));
            }
        }
    }
};

inline at::Tensor gather(const at::Tensor& x, const std::vector<std::int32_t>& rows) {
    const auto channels = x.size(1), count = static_cast<std::int64_t>(rows.size());
    auto out = at::empty({count, channels}, x.options());
    const float* from = x.data_ptr<float>();
    float* to = out.data_ptr<float>();
    base::parallel_for(count, 256, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
            std::copy_n(from + rows[static_cast<std::size_t>(i)] * channels, channels,
                        to + i * channels);
        }
    });
    return out;
}

inline void scatter_add(const at::Tensor& values, const std::vector<std::int32_t>& rows,
                        const at::Tensor& y) {
    const auto channels = y.size(1), count = static_cast<std::int64_t>(rows.size());
    const float* from = values.data_ptr<float>();
    float* to = y.data_ptr<float>();
    base::parallel_for(count, 256, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
            float* row = to + rows[static_cast<std::size_t>(i)] * channels;
            const float* value = from + i * channels;
            for (std::int64_t c = 0; c < channels; ++c) row[c] += value[c];
        }
    });
}

struct PairsHolder : torch::CustomClassHolder {
    explicit PairsHolder(const CellPairs& p) : pairs(p) {}
    CellPairs pairs;
};

struct SchemeFunction : torch::autograd::Function<SchemeFunction> {
    using Context = torch::autograd::AutogradContext;
    static at::Tensor forward(Context* context, const at::Tensor& x, const at::Tensor& weight,
                              const c10::intrusive_ptr<PairsHolder>& holder) {
        const auto& pairs = holder->pairs;
        context->save_for_backward({x, weight});
        context->saved_data["pairs"] = c10::IValue::make_capsule(holder);
        auto y = at::zeros({pairs.targets, weight.size(2)}, x.options());
        for (std::size_t k = 0; k < pairs.from.size(); ++k) {
            if (pairs.from[k].empty()) continue;
            const auto cell = static_cast<std::int64_t>(k);
            scatter_add(at::mm(gather(x, pairs.from[k]), weight[cell]), pairs.to[k], y);
        }
        return y;
    }
    static torch::autograd::variable_list backward(
        Context* context, const torch::autograd::variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1];
        const auto holder = context->saved_data["pairs"].toCapsule();
        const auto& pairs = static_cast<const PairsHolder&>(*holder).pairs;
        const auto g = gradients[0].contiguous();
        auto grad_x = at::zeros(x.sizes(), x.options());
        auto grad_w = at::zeros(weight.sizes(), weight.options());
        for (std::size_t k = 0; k < pairs.from.size(); ++k) {
            if (pairs.from[k].empty()) continue;
            const auto cell = static_cast<std::int64_t>(k);
            const auto rows = gather(g, pairs.to[k]);
            scatter_add(at::mm(rows, weight[cell].t()), pairs.from[k], grad_x);
            grad_w[cell] = at::mm(gather(x, pairs.from[k]).t(), rows);
        }
        return {grad_x, grad_w, {}};
    }
};

/// The network of nn/uresnet.hh with its own parameters, convolved by the scheme.
class SchemeUResNet {
  public:
    SchemeUResNet(nn::UResNet& net, nn::Mode mode) : options_(net.options()), mode_(mode) {
        for (auto& [name, tensor] : tensor::named_parameters(net)) tensors_[name] = *tensor;
    }
    sparse::SparseTensor operator()(const sparse::SparseTensor& x) {
        auto y = conv(x, "1.weight", submanifold(), nullptr);
        return norm("3", level("2", 0, y));
    }

  private:
    using Tensor = sparse::SparseTensor;
    sparse::ConvSpec submanifold() const { return sparse::submanifold({3, 3, 3}); }
    Tensor conv(const Tensor& x, const std::string& name, const sparse::ConvSpec& spec,
                const sparse::SharedCoordinates& target) {
        auto weight = tensors_.at(name);
        weight = weight.dim() == 4 ? weight.squeeze(1) : weight.unsqueeze(0);
        const auto output =
            target ? target : x.maps->coarser(x.coordinates, spec.kernel, spec.stride, spec.sites);
        const auto book = target ? x.maps->rulebook(x.coordinates, target, spec.kernel)
                                 : x.maps->rulebook(output, x.coordinates, spec.kernel);
        const auto direction = target ? sparse::Direction::back : sparse::Direction::there;
        auto& pairs = pairs_[{book.get(), direction}];
        if (!pairs) pairs = c10::make_intrusive<PairsHolder>(CellPairs(*book, direction));
        return {output, SchemeFunction::apply(x.features, weight, pairs), x.maps};
    }
    Tensor norm(const std::string& name, const Tensor& x) {
        sparse::BatchNorm norm{tensors_.at(name + ".weight"), tensors_.at(name + ".bias"),
                               tensors_.at(name + ".running_mean"),
                               tensors_.at(name + ".running_var")};
        return x.with(mode_ == nn::Mode::train ? norm.train(x.features)
                                               : norm.evaluate(x.features));
    }
    Tensor block(const std::string& name, const Tensor& x) {
        auto y = conv(norm(name + ".1.0", x), name + ".1.1.weight", submanifold(), nullptr);
        y = conv(norm(name + ".1.2", y), name + ".1.3.weight", submanifold(), nullptr);
        const auto shortcut = name + ".0.weight";
        if (!tensors_.contains(shortcut)) return sparse::add(x, y);
        return sparse::add(conv(x, shortcut, sparse::submanifold({1, 1, 1}), nullptr), y);
    }
    Tensor level(const std::string& name, std::int64_t i, Tensor x) {
        const auto r = options_.repetitions;
        const auto at = [&](std::int64_t j) { return name + "." + std::to_string(2 * j); };
        for (std::int64_t j = 0; j < r; ++j) x = block(at(j), x);
        if (i + 1 == options_.levels) return x;
        const auto table = at(r) + ".1";
        const auto half = sparse::strided({2, 2, 2}, {2, 2, 2});
        auto deep = conv(norm(table + ".0", x), table + ".1.weight", half, nullptr);
        deep = norm(table + ".3", level(table + ".2", i + 1, deep));
        x = sparse::concatenate(x, conv(deep, table + ".4.weight", half, x.coordinates));
        for (std::int64_t j = 0; j < r; ++j) x = block(at(r + 1 + j), x);
        return x;
    }

    nn::UResNetOptions options_;
    nn::Mode mode_;
    std::map<std::string, at::Tensor> tensors_;
    std::map<std::pair<const sparse::Rulebook*, sparse::Direction>, c10::intrusive_ptr<PairsHolder>>
        pairs_;
};

}  // namespace hodo::bench
