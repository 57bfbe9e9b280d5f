// Each CUDA kernel against its CPU twin, on the table of cases of the CPU's kernels.

#include <gtest/gtest.h>

#include <memory>

#include "hodo/nn/cuda/launch.hh"
#include "hodo/tensor/cuda/memory.hh"
#include "nn/attention_cases.hh"

namespace hodo::nn {
namespace {

class Cuda : public ::testing::Test {
  protected:
    void SetUp() override {
        if (tensor::cuda::devices() == 0) GTEST_SKIP() << "no CUDA device on this machine";
    }
};

void expect_success(int code) {
    ASSERT_EQ(code, 0) << tensor::cuda::error_text(code);
}

/// A copy of host memory on the device, which can be copied back.
class OnDevice {
  public:
    OnDevice(const void* host, std::int64_t bytes)
        : memory_(tensor::cuda::allocate(bytes), tensor::cuda::release), bytes_(bytes) {
        EXPECT_NE(memory_, nullptr) << "no memory on the device";
        expect_success(tensor::cuda::copy_to_device(memory_.get(), host, bytes));
    }
    template <class Number>
    explicit OnDevice(const std::vector<Number>& host)
        : OnDevice(host.data(), std::ssize(host) * static_cast<std::int64_t>(sizeof(Number))) {}
    explicit OnDevice(StoredMatrix& matrix)
        : OnDevice(matrix.data(),
                   matrix.rows * matrix.stride * (matrix.storage == Storage::float32 ? 4 : 2)) {}

    void back(void* host) const {
        expect_success(tensor::cuda::copy_to_host(host, memory_.get(), bytes_));
    }
    template <class Number>
    Number* as() const {
        return static_cast<Number*>(memory_.get());
    }
    void* get() const { return memory_.get(); }

  private:
    std::unique_ptr<void, int (*)(void*)> memory_;
    std::int64_t bytes_;
};

void expect_near(StoredMatrix& actual, StoredMatrix& expected, double tolerance, double scale) {
    double largest = scale;
    for (std::int64_t i = 0; i < expected.rows; ++i) {
        for (std::int64_t j = 0; j < expected.columns; ++j) {
            largest = std::max(largest, std::abs(expected.at(i, j)));
        }
    }
    for (std::int64_t i = 0; i < expected.rows; ++i) {
        for (std::int64_t j = 0; j < expected.columns; ++j) {
            ASSERT_NEAR(actual.at(i, j), expected.at(i, j), tolerance * largest)
                << "row " << i << ", column " << j;
        }
    }
}

/// Runs a case on the device; results come back into `data`.
void attend_on_device(AttentionData& data) {
    OnDevice q(data.q), k(data.k), v(data.v), out(data.out), grad_out(data.grad_out);
    OnDevice grad_q(data.grad_q), grad_k(data.grad_k), grad_v(data.grad_v);
    OnDevice log_sums(data.log_sums), visible(data.visible);
    OnDevice query_offsets(data.query_offsets), key_offsets(data.key_offsets);
    auto gradient = data.gradient();
    auto& task = gradient.task;
    task.q.data = q.get();
    task.k.data = k.get();
    task.v.data = v.get();
    task.out.data = out.get();
    task.log_sums = log_sums.as<float>();
    task.query_offsets = query_offsets.as<std::int64_t>();
    task.key_offsets = key_offsets.as<std::int64_t>();
    if (task.visible != nullptr) task.visible = visible.as<std::uint8_t>();
    gradient.grad_out.data = grad_out.get();
    gradient.grad_q.data = grad_q.get();
    gradient.grad_k.data = grad_k.get();
    gradient.grad_v.data = grad_v.get();
    const auto longest = std::max(data.queries(), data.keys());
    expect_success(cuda::attend(task, longest, nullptr));
    expect_success(cuda::attend_gradient(gradient, longest, nullptr));
    out.back(data.out.data());
    grad_q.back(data.grad_q.data());
    grad_k.back(data.grad_k.data());
    grad_v.back(data.grad_v.data());
}

TEST_F(Cuda, attention_agrees_with_its_twin_there_and_back) {
    for (const auto& what : attention_cases()) {
        SCOPED_TRACE(what.name);
        AttentionData actual(what), expected(what);
        attend_on_device(actual);
        attend_reference(expected.task(), 0, expected.parts(), nullptr);
        attend_gradient_reference(expected.gradient(), 0, expected.parts(), nullptr);
        const double width = static_cast<double>(what.width);
        const double limit = what.storage == Storage::bfloat16 ? 1.0 / 128 : 4e-6 * width * width;
        expect_near(actual.out, expected.out, limit, 1e-3);
        expect_near(actual.grad_q, expected.grad_q, limit, 3.0 * width);
        expect_near(actual.grad_k, expected.grad_k, limit, 3.0 * width);
        expect_near(actual.grad_v, expected.grad_v, 2 * limit, 1e-3);
        if (HasFatalFailure()) return;
    }
}

TEST_F(Cuda, attention_gives_the_same_bits_again) {
    const AttentionCase what{"again", 2, 64, {70, 300, 5}, {}, 0.1};
    AttentionData first(what), second(what);
    attend_on_device(first);
    attend_on_device(second);
    EXPECT_EQ(first.out.floats, second.out.floats);
    EXPECT_EQ(first.grad_q.floats, second.grad_q.floats);
    EXPECT_EQ(first.grad_k.floats, second.grad_k.floats);
    EXPECT_EQ(first.grad_v.floats, second.grad_v.floats);
}

struct FeedForwardCase {
    std::int64_t rows, channels, hidden;
    double dropout;
    Storage storage;
};
const FeedForwardCase feed_forward_cases[] = {
    {1, 1, 1, 0.0, Storage::float32},       {5, 16, 32, 0.0, Storage::float32},
    {33, 32, 200, 0.3, Storage::float32},   {70, 100, 65, 0.1, Storage::float32},
    {40, 128, 128, 0.1, Storage::bfloat16}, {17, 128, 300, 0.0, Storage::float32}};

/// Inputs and results of a feed-forward part, on the host.
struct FeedForwardData {
    FeedForwardCase what;
    StoredMatrix x, y, grad_y, grad_x, weight1, weight2, bias1, bias2;
    std::vector<float> grad_weight1, grad_weight2, grad_bias1, grad_bias2;
    std::vector<float> plain1, plain2, plain_bias1, plain_bias2;

    static std::vector<float> dense(StoredMatrix& matrix) {
        std::vector<float> values;
        for (std::int64_t i = 0; i < matrix.rows; ++i) {
            for (std::int64_t j = 0; j < matrix.columns; ++j) {
                values.push_back(static_cast<float>(matrix.at(i, j)));
            }
        }
        return values;
    }
    explicit FeedForwardData(const FeedForwardCase& c)
        : what(c),
          x(c.rows, c.channels, c.storage, "x", 1),
          y(c.rows, c.channels, c.storage),
          grad_y(c.rows, c.channels, c.storage, "g", 1),
          grad_x(c.rows, c.channels, c.storage),
          weight1(c.hidden, c.channels, Storage::float32, "w1", 0.2F),
          weight2(c.channels, c.hidden, Storage::float32, "w2", 0.2F),
          bias1(1, c.hidden, Storage::float32, "b1", 1),
          bias2(1, c.channels, Storage::float32, "b2", 1),
          grad_weight1(static_cast<std::size_t>(c.hidden * c.channels)),
          grad_weight2(grad_weight1),
          grad_bias1(static_cast<std::size_t>(c.hidden)),
          grad_bias2(static_cast<std::size_t>(c.channels)),
          plain1(dense(weight1)),
          plain2(dense(weight2)),
          plain_bias1(dense(bias1)),
          plain_bias2(dense(bias2)) {}

    FeedForwardTaskGradient gradient() {
        FeedForwardTaskGradient gradient;
        auto& task = gradient.task;
        task.x = x.const_view();
        task.y = y.view();
        task.storage = what.storage;
        task.rows = what.rows;
        task.channels = what.channels;
        task.hidden = what.hidden;
        task.weight1 = plain1.data();
        task.bias1 = plain_bias1.data();
        task.weight2 = plain2.data();
        task.bias2 = plain_bias2.data();
        task.mask.key[0] = 5;
        task.mask.first_row = 17;
        task.mask.threshold = static_cast<std::uint32_t>(65536.0 * what.dropout);
        task.mask.scale = static_cast<float>(1.0 / (1.0 - what.dropout));
        gradient.grad_y = grad_y.const_view();
        gradient.grad_x = grad_x.view();
        gradient.grad_weight1 = grad_weight1.data();
        gradient.grad_bias1 = grad_bias1.data();
        gradient.grad_weight2 = grad_weight2.data();
        gradient.grad_bias2 = grad_bias2.data();
        return gradient;
    }
};

void feed_forward_on_device(FeedForwardData& data) {
    OnDevice x(data.x), y(data.y), grad_y(data.grad_y), grad_x(data.grad_x);
    OnDevice w1(data.plain1), b1(data.plain_bias1), w2(data.plain2), b2(data.plain_bias2);
    OnDevice grad_w1(data.grad_weight1), grad_b1(data.grad_bias1);
    OnDevice grad_w2(data.grad_weight2), grad_b2(data.grad_bias2);
    auto gradient = data.gradient();
    auto& task = gradient.task;
    task.x.data = x.get();
    task.y.data = y.get();
    task.weight1 = w1.as<float>();
    task.bias1 = b1.as<float>();
    task.weight2 = w2.as<float>();
    task.bias2 = b2.as<float>();
    gradient.grad_y.data = grad_y.get();
    gradient.grad_x.data = grad_x.get();
    gradient.grad_weight1 = grad_w1.as<float>();
    gradient.grad_bias1 = grad_b1.as<float>();
    gradient.grad_weight2 = grad_w2.as<float>();
    gradient.grad_bias2 = grad_b2.as<float>();
    expect_success(cuda::feed_forward(task, nullptr));
    expect_success(cuda::feed_forward_gradient(gradient, nullptr));
    y.back(data.y.data());
    grad_x.back(data.grad_x.data());
    grad_w1.back(data.grad_weight1.data());
    grad_b1.back(data.grad_bias1.data());
    grad_w2.back(data.grad_weight2.data());
    grad_b2.back(data.grad_bias2.data());
}

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected,
                 double tolerance) {
    double largest = 1.0;
    for (const float value : expected) {
        largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], tolerance * largest) << "element " << i;
    }
}

TEST_F(Cuda, feed_forward_parts_agree_with_their_twin_there_and_back) {
    for (const auto& what : feed_forward_cases) {
        SCOPED_TRACE(::testing::Message()
                     << what.rows << " x " << what.channels << " x " << what.hidden);
        FeedForwardData actual(what), expected(what);
        feed_forward_on_device(actual);
        const auto gradient = expected.gradient();
        feed_forward_reference(gradient.task);
        feed_forward_gradient_reference(gradient);
        const double limit = what.storage == Storage::bfloat16 ? 1.0 / 128 : 1e-5;
        expect_near(actual.y, expected.y, limit, 1.0);
        expect_near(actual.grad_x, expected.grad_x, limit, 1.0);
        expect_near(actual.grad_weight1, expected.grad_weight1, 1e-5);
        expect_near(actual.grad_weight2, expected.grad_weight2, 1e-5);
        expect_near(actual.grad_bias1, expected.grad_bias1, 1e-5);
        expect_near(actual.grad_bias2, expected.grad_bias2, 1e-5);
        if (HasFatalFailure()) return;
    }
}

TEST_F(Cuda, dropout_masks_have_the_bits_of_the_cpu) {
    MaskStream mask;
    mask.key[0] = 3;
    mask.key[1] = 4;
    mask.place = 7;
    mask.step = 8;
    mask.first_row = 100;
    mask.threshold = 20000;
    mask.scale = 1.5F;
    std::vector<float> values(37 * 21);
    OnDevice device(values);
    expect_success(cuda::fill_mask(mask, 37, 21, device.as<float>(), nullptr));
    device.back(values.data());
    for (std::int64_t row = 0; row < 37; ++row) {
        for (std::int64_t c = 0; c < 21; ++c) {
            const float expected = is_kept(mask, row, c) ? mask.scale : 0.0F;
            ASSERT_EQ(values[static_cast<std::size_t>(row * 21 + c)], expected);
        }
    }
}

}  // namespace
}  // namespace hodo::nn
