#pragma once
/// The table of feed-forward parts that are checked, differentiated and timed.

#include "hodo/nn/packed.hh"
#include "nn/attention_cases.hh"

#include <span>
#include <tuple>

namespace hodo::nn {

struct FeedForwardCase {
    std::string_view name;
    std::int64_t rows, channels, hidden;
    Activation activation = Activation::relu;
    double dropout = 0.0;
    Storage storage = Storage::float32;
    float width = 1.0F;  ///< Of the input: large ones reach the activation's tails.
};

/// What is checked: small sizes with every edge.
inline const std::vector<FeedForwardCase>& feed_forward_cases() {
    constexpr auto relu = Activation::relu, gelu = Activation::gelu, tanh = Activation::gelu_tanh;
    constexpr auto brain = Storage::bfloat16;
    static const std::vector<FeedForwardCase> cases{
        {"one number", 1, 1, 1},
        {"one number, GELU", 1, 1, 1, gelu},
        {"odd sizes", 9, 5, 7, relu, 0.3},
        {"odd sizes, GELU", 9, 5, 7, gelu, 0.3},
        {"odd sizes, GELU by tanh", 9, 5, 7, tanh, 0.3},
        {"om2vec", 40, 32, 2048},
        {"om2vec with dropout", 40, 32, 2048, relu, 0.1},
        {"om2vec in bfloat16", 40, 32, 2048, relu, 0.1, brain},
        {"GELU", 70, 32, 200, gelu},
        {"GELU with dropout", 70, 32, 200, gelu, 0.1},
        {"GELU of large numbers", 70, 32, 200, gelu, 0.0, Storage::float32, 20},
        {"GELU in bfloat16", 35, 48, 130, gelu, 0.1, brain},
        {"GELU by tanh", 70, 32, 200, tanh},
        {"GELU by tanh of large numbers", 70, 32, 200, tanh, 0.0, Storage::float32, 20},
        {"wide, GELU by tanh with dropout", 17, 256, 300, tanh, 0.3},
        {"wide with dropout", 17, 300, 64, relu, 0.3},
    };
    return cases;
}

/// What is timed: tokens of om2vec, and a part of a wider network.
inline const std::vector<FeedForwardCase>& timed_feed_forwards() {
    constexpr auto relu = Activation::relu, gelu = Activation::gelu, tanh = Activation::gelu_tanh;
    static const std::vector<FeedForwardCase> cases{
        {"om2vec", 1024, 32, 2048},
        {"om2vec_dropout", 1024, 32, 2048, relu, 0.1},
        {"om2vec_bf16", 1024, 32, 2048, relu, 0.0, Storage::bfloat16},
        {"om2vec_gelu", 1024, 32, 2048, gelu},
        {"om2vec_gelu_tanh", 1024, 32, 2048, tanh},
        {"om2vec_gelu_dropout", 1024, 32, 2048, gelu, 0.1},
        {"wide_gelu", 512, 256, 1024, gelu},
    };
    return cases;
}

/// Inputs, results and gradients of a case.
struct FeedForwardData {
    FeedForwardCase what;
    std::int64_t padded;
    StoredMatrix x, grad_y, y, grad_x;
    std::vector<float> weight1, bias1, weight2, bias2;
    std::vector<float> grad_weight1, grad_bias1, grad_weight2, grad_bias2;

    explicit FeedForwardData(const FeedForwardCase& c)
        : what(c),
          padded(round_up(c.channels, channel_multiple)),
          x(c.rows, c.channels, c.storage, "x", c.width),
          grad_y(c.rows, c.channels, c.storage, "gradient", 1),
          y(c.rows, c.channels, c.storage),
          grad_x(c.rows, c.channels, c.storage),
          weight1(numbers(c.hidden * c.channels, "weight1", c.channels)),
          bias1(numbers(c.hidden, "bias1", 4)),
          weight2(numbers(c.hidden * c.channels, "weight2", c.hidden)),
          bias2(numbers(c.channels, "bias2", 4)),
          grad_weight1(weight1.size()),
          grad_bias1(bias1.size()),
          grad_weight2(weight2.size()),
          grad_bias2(bias2.size()) {}

    static std::vector<float> numbers(std::int64_t count, std::string_view purpose,
                                      std::int64_t terms) {
        base::Random random(11, purpose);
        std::vector<float> values(static_cast<std::size_t>(count));
        const double size = 1.0 / std::sqrt(static_cast<double>(terms));
        for (auto& value : values) value = static_cast<float>(size * random.normal());
        return values;
    }

    /// The task of the readable twin.
    FeedForwardTaskGradient task() {
        FeedForwardTask there;
        there.x = x.const_view();
        there.y = y.view();
        there.storage = what.storage;
        there.rows = what.rows;
        there.channels = what.channels;
        there.hidden = what.hidden;
        there.weight1 = weight1.data();
        there.bias1 = bias1.data();
        there.weight2 = weight2.data();
        there.bias2 = bias2.data();
        there.activation = what.activation;
        if (what.dropout > 0.0) {
            there.mask.key[0] = 0x12345678U;
            there.mask.key[1] = 0x9abcdef0U;
            there.mask.place = 3;
            there.mask.step = 5;
            there.mask.first_row = 1000;
            there.mask.threshold = static_cast<std::uint32_t>(65536.0 * what.dropout);
            there.mask.scale = static_cast<float>(1.0 / (1.0 - what.dropout));
        }
        return {there,
                grad_y.const_view(),
                grad_x.view(),
                grad_weight1.data(),
                grad_bias1.data(),
                grad_weight2.data(),
                grad_bias2.data()};
    }
    /// Multiplications and additions of the way there.
    double operations() const {
        return static_cast<double>(4 * what.rows * what.channels * what.hidden);
    }
};

/// A case as the kernels see it: weights packed, rows padded.
class FeedForwardRun {
  public:
    FeedForwardRun(FeedForwardData& data, const Kernels& kernels)
        : data_(data),
          kernels_(kernels),
          mask_(data.task().task.mask),
          x_(data.what.rows * data.padded),
          grad_y_(x_.size()),
          y_(x_.size()),
          grad_x_(x_.size()),
          sums_((2 * data.padded + 1) * data.what.hidden),
          scratch_(std::max(feed_forward_scratch, feed_forward_gradient_scratch)) {
        const auto& [what, padded] = std::tie(data.what, data.padded);
        const auto read = [&](StoredMatrix& from, AlignedFloats& to) {
            kernels.read_rows(what.storage, from.const_view(), what.rows, what.channels,
                              {to.data(), padded});
        };
        read(data.x, x_);
        read(data.grad_y, grad_y_);
        const auto scaled = [&](std::vector<float> values) {
            for (auto& value : values) value *= mask_.scale;
            return values;
        };
        const auto transposed = [](const std::vector<float>& values, std::int64_t rows) {
            std::vector<float> result(values.size());
            const auto height = static_cast<std::size_t>(rows), width = values.size() / height;
            for (std::size_t i = 0; i < values.size(); ++i) {
                result[i % width * height + i / width] = values[i];
            }
            return result;
        };
        const std::vector<float> zeros(
            static_cast<std::size_t>(std::max(what.hidden, what.channels)));
        const auto pack = [](const std::vector<float>& weight, std::span<const float> bias,
                             std::int64_t rows, std::int64_t columns) {
            return PackedLinear(
                WeightSpan{weight, bias.first(static_cast<std::size_t>(rows)), rows, columns});
        };
        const auto second = scaled(data.weight2);
        first_ = pack(data.weight1, data.bias1, what.hidden, what.channels);
        second_ = pack(second, data.bias2, what.channels, what.hidden);
        back_second_ = pack(transposed(second, what.channels), zeros, what.hidden, what.channels);
        back_first_ =
            pack(transposed(data.weight1, what.hidden), zeros, what.channels, what.hidden);
    }

    void run() {
        kernels_.feed_forward({view(x_), data_.what.rows, first_.view(), second_.view(), mask_,
                               view(y_), data_.what.activation},
                              scratch_.data());
    }
    void differentiate() {
        std::fill_n(sums_.data(), sums_.size(), 0.0F);
        const auto matrix = data_.what.hidden * data_.padded;
        kernels_.feed_forward_gradient(
            {view(x_), view(grad_y_), data_.what.rows, first_.view(), back_second_.view(),
             back_first_.view(), mask_, data_.what.activation, view(grad_x_), sums_.data(),
             sums_.data() + matrix, sums_.data() + 2 * matrix},
            scratch_.data());
    }
    /// Puts results into the case's data.
    void write() {
        const auto& what = data_.what;
        const auto store = [&](AlignedFloats& from, StoredMatrix& to) {
            kernels_.write_rows(what.storage, view(from), what.rows, what.channels, to.view());
        };
        store(y_, data_.y);
        store(grad_x_, data_.grad_x);
        const float* first = sums_.data();
        const float* second = first + what.hidden * data_.padded;
        for (std::int64_t j = 0; j < what.hidden; ++j) {
            for (std::int64_t c = 0; c < what.channels; ++c) {
                data_.grad_weight1[static_cast<std::size_t>(j * what.channels + c)] =
                    first[j * data_.padded + c];
                data_.grad_weight2[static_cast<std::size_t>(c * what.hidden + j)] =
                    second[j * data_.padded + c] * mask_.scale;
            }
        }
        std::copy_n(second + what.hidden * data_.padded, what.hidden, data_.grad_bias1.begin());
    }

  private:
    MatrixView view(AlignedFloats& matrix) const { return {matrix.data(), data_.padded}; }
    FeedForwardData& data_;
    const Kernels& kernels_;
    MaskStream mask_;
    AlignedFloats x_, grad_y_, y_, grad_x_, sums_, scratch_;
    PackedLinear first_, second_, back_second_, back_first_;
};

}  // namespace hodo::nn
