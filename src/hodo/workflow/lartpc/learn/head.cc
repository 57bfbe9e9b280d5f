#include "hodo/workflow/lartpc/learn/head.hh"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "hodo/base/threads.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::lartpc {

namespace {

/// Rows that are worth a thread.
constexpr std::int64_t grain = 4096;

/// A linear map with the weights of each feature side by side.
struct Map {
    explicit Map(const nn::Linear& map)
        : in(map.weight.size(1)),
          out(map.weight.size(0)),
          weight(map.weight.detach().to(at::kDouble).t().contiguous()),
          bias(map.bias.detach().to(at::kDouble).contiguous()) {}

    void operator()(const std::vector<double>& x, std::vector<double>& y) const {
        y.assign(bias.data_ptr<double>(), bias.data_ptr<double>() + out);
        const double* column = weight.data_ptr<double>();
        for (std::int64_t k = 0; k < in; ++k, column += out) {
            // Products of single precision are exact here, so that fused additions are too.
            const double value = x[static_cast<std::size_t>(k)];
            for (std::int64_t j = 0; j < out; ++j)
                y[static_cast<std::size_t>(j)] += value * column[j];
        }
        for (double& value : y) value = static_cast<double>(static_cast<float>(value));
    }

    std::int64_t in, out;
    at::Tensor weight, bias;
};

}  // namespace

bool head_answers_apply(const std::vector<nn::Linear>& maps, const at::Tensor& rows) {
    const auto is_plain = [](const at::Tensor& t) {
        return t.device().is_cpu() && t.scalar_type() == at::kFloat;
    };
    return is_plain(rows) &&
           std::ranges::all_of(maps, [&](const nn::Linear& map) { return is_plain(map.weight); });
}

at::Tensor head_answers(const std::vector<nn::Linear>& maps, const at::Tensor& rows,
                        Answer answer) {
    const std::vector<Map> layers(maps.begin(), maps.end());
    const auto x = rows.contiguous();
    const auto width = x.size(1);
    auto answers = at::empty({x.size(0)}, at::kFloat);
    const float* from = x.data_ptr<float>();
    float* to = answers.data_ptr<float>();
    base::parallel_for(x.size(0), grain, [&](std::int64_t begin, std::int64_t end) {
        std::vector<double> values, next;
        for (auto row = begin; row < end; ++row) {
            values.assign(from + row * width, from + (row + 1) * width);
            for (std::size_t i = 0; i < layers.size(); ++i) {
                layers[i](values, next);
                values.swap(next);
                if (i + 1 == layers.size()) break;
                for (double& value : values) value = std::max(value, 0.0);
            }
            const double number = values.front();
            to[row] = static_cast<float>(
                answer == Answer::probability ? 1.0 / (1.0 + std::exp(-number)) : number);
        }
    });
    return answers;
}

}  // namespace hodo::lartpc
