#include "hodo/sparse/kernels/kernels.hh"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <iostream>

#include "hodo/base/random.hh"
#include "hodo/sparse/products.hh"
#include "sparse/cases.hh"

namespace hodo::sparse {
namespace {

// One table of cases; every variant by name is judged by the readable loops in double precision,
// there and back, and its time is printed. Gradients of those loops are judged by finite
// differences in conv.test.cc.

std::vector<float> random_numbers(std::int64_t count, std::string_view purpose) {
    base::Random random(7, purpose);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

std::vector<double> doubles(const std::vector<float>& values) {
    return {values.begin(), values.end()};
}

void expect_near(const std::vector<float>& actual, const std::vector<double>& expected,
                 const std::string& what) {
    double largest = 1e-6, difference = 0.0;
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        largest = std::max(largest, std::abs(expected[i]));
        difference = std::max(difference, std::abs(static_cast<double>(actual[i]) - expected[i]));
    }
    EXPECT_LE(difference / largest, 3e-6) << what;
}

/// Channels in and out: below, at and beyond the widths of registers and panels.
struct Channels {
    std::int64_t in, out;
};
constexpr Channels channel_cases[] = {{1, 1}, {3, 16}, {16, 16}, {5, 33}, {17, 64}, {40, 7}};

struct Data {
    Data(const test::KernelCase& kernel, const Channels& c)
        : input(group_rows(test::random_voxels(500, 12, 2, "kernels")).voxels),
          book(Maps().coarser(input, kernel.spec.kernel, kernel.spec.stride, kernel.spec.sites),
               input, kernel.spec.kernel),
          channels(c),
          x(random_numbers(input->size() * c.in, "x")),
          g(random_numbers(book.output()->size() * c.out, "g")),
          w(random_numbers(book.cells() * c.in * c.out, "w")) {}

    template <class T>
    CellMaps<T> maps(const std::vector<T>& weight, typename CellMaps<T>::Form form) const {
        return {weight.data(), channels.in * channels.out, channels.in, channels.out, form};
    }

    SharedCoordinates input;
    Rulebook book;
    Channels channels;
    std::vector<float> x, g, w;
};

/// Values there, values back and the weights' gradient, by `Kernels` in use or by readable loops.
template <class T>
struct Results {
    std::vector<T> y, grad_x, grad_w;
};

Results<float> by_kernels(const Data& d) {
    const auto [in, out] = d.channels;
    Results<float> r{std::vector<float>(d.g.size()), std::vector<float>(d.x.size()),
                     std::vector<float>(d.w.size())};
    using Form = CellMaps<float>::Form;
    convolve(d.book, Direction::there, {d.x.data(), in}, d.maps(d.w, Form::plain),
             {r.y.data(), out});
    convolve(d.book, Direction::back, {d.g.data(), out}, d.maps(d.w, Form::transposed),
             {r.grad_x.data(), in});
    weight_gradient(d.book, Direction::there, Rows<const float>{d.x.data(), in},
                    Rows<const float>{d.g.data(), out},
                    CellGradients<float>{r.grad_w.data(), in * out, in, out});
    return r;
}

Results<double> by_readable_loops(const Data& d) {
    const auto [in, out] = d.channels;
    Results<double> r{std::vector<double>(d.g.size()), std::vector<double>(d.x.size()),
                      std::vector<double>(d.w.size())};
    using Form = CellMaps<double>::Form;
    const auto x = doubles(d.x), g = doubles(d.g), w = doubles(d.w);
    naive::convolve<double>(d.book, Direction::there, {x.data(), in}, d.maps(w, Form::plain),
                            {r.y.data(), out});
    naive::convolve<double>(d.book, Direction::back, {g.data(), out}, d.maps(w, Form::transposed),
                            {r.grad_x.data(), in});
    naive::weight_gradient<double>(d.book, Direction::there, {x.data(), in}, {g.data(), out},
                                   {r.grad_w.data(), in * out, in, out});
    return r;
}

/// Runs the body with every variant; ends with the fastest in use.
template <class Body>
void for_each_variant(const Body& body) {
    for (const auto* variant : available_kernels()) {
        SCOPED_TRACE(std::string(variant->name));
        choose_kernels(*variant);
        body(*variant);
    }
    choose_kernels(*available_kernels().back());
}

TEST(SparseKernels, EveryVariantConvolvesThereAndBackLikeTheReadableLoops) {
    for (const auto& kernel : test::kernel_cases()) {
        for (const auto& channels : channel_cases) {
            SCOPED_TRACE(kernel.name + ", " + std::to_string(channels.in) + " -> " +
                         std::to_string(channels.out));
            const Data data(kernel, channels);
            const auto expected = by_readable_loops(data);
            for_each_variant([&](const Kernels&) {
                const auto actual = by_kernels(data);
                expect_near(actual.y, expected.y, "values");
                expect_near(actual.grad_x, expected.grad_x, "gradient of the input");
                expect_near(actual.grad_w, expected.grad_w, "gradient of the weights");
            });
        }
    }
}

TEST(SparseKernels, EveryVariantIsDepthwiseLikeTheReadableLoops) {
    for (const auto& kernel : test::kernel_cases()) {
        for (const std::int64_t channels : {1, 5, 16, 70}) {
            SCOPED_TRACE(kernel.name + ", " + std::to_string(channels));
            const Data data(kernel, {channels, channels});
            const auto w = random_numbers(data.book.cells() * channels, "w");
            const auto x = doubles(data.x), g = doubles(data.g), wide = doubles(w);
            std::vector<double> y(g.size()), grad_x(x.size()), grad_w(w.size());
            naive::depthwise(data.book, Direction::there, x.data(), wide.data(), channels,
                             y.data());
            naive::depthwise(data.book, Direction::back, g.data(), wide.data(), channels,
                             grad_x.data());
            naive::depthwise_weight_gradient(data.book, x.data(), g.data(), channels,
                                             grad_w.data());
            for_each_variant([&](const Kernels&) {
                std::vector<float> a(y.size()), b(grad_x.size()), c(grad_w.size());
                depthwise(data.book, Direction::there, data.x.data(), w.data(), channels, a.data());
                depthwise(data.book, Direction::back, data.g.data(), w.data(), channels, b.data());
                depthwise_weight_gradient(data.book, data.x.data(), data.g.data(), channels,
                                          c.data());
                expect_near(a, y, "values");
                expect_near(b, grad_x, "gradient of the input");
                expect_near(c, grad_w, "gradient of the weights");
            });
        }
    }
}

TEST(SparseKernels, AVariantGivesARowTheSameBitsWhateverStandsBesideIt) {
    const std::int64_t in = 19, out = 37;
    const auto voxels = test::random_voxels(300, 9, 1, "beside");
    auto more = voxels;
    for (const auto& v : test::random_voxels(300, 9, 1, "others")) {
        more.push_back({v.batch, v.x + 100, v.y, v.z});
        more.push_back({v.batch, v.x - 100, v.y, v.z});
    }
    const auto w = random_numbers(27 * in * out, "w");
    const auto run = [&](const SharedCoordinates& coordinates, const Voxel& first) {
        const Rulebook book(coordinates, coordinates, {{3, 3, 3}});
        std::vector<float> x, y(static_cast<std::size_t>(coordinates->size() * out));
        for (const auto& v : coordinates->voxels()) {
            for (std::int64_t c = 0; c < in; ++c) {
                x.push_back(std::sin(static_cast<float>(v.x * 31 + v.y * 7 + v.z * 3 + c)));
            }
        }
        convolve(book, Direction::there, {x.data(), in},
                 CellMaps<float>{w.data(), in * out, in, out}, {y.data(), out});
        y.erase(y.begin(), y.begin() + coordinates->find(first) * out);
        y.resize(voxels.size() * static_cast<std::size_t>(out));
        return y;
    };
    const auto alone = group_rows(voxels).voxels, among = group_rows(more).voxels;
    for_each_variant([&](const Kernels&) {
        EXPECT_EQ(run(alone, alone->voxels().front()), run(among, alone->voxels().front()));
    });
}

TEST(SparseKernels, SumsForNormalisingAreThoseOfTheirDefinition) {
    for (const std::int64_t channels : {1, 16, 21}) {
        const std::int64_t rows = 37;
        const auto x = random_numbers(rows * channels, "x"),
                   y = random_numbers(rows * channels, "y");
        const auto g = random_numbers(rows * channels, "g"), mean = random_numbers(channels, "m");
        const auto a = random_numbers(channels, "a"), b = random_numbers(channels, "b");
        const auto n = static_cast<std::size_t>(channels);
        std::vector<double> sum(n), square(n), of_gradient(n), product(n), leaky, gradient;
        const std::vector<double> wide_mean(mean.begin(), mean.end());
        for (std::size_t i = 0; i < x.size(); ++i) {
            const auto c = i % n;
            const double value = x[i], deviation = value - wide_mean[c];
            const double scaled = value * a[c] + b[c];
            const double back = scaled > 0.0 ? g[i] : 0.25 * static_cast<double>(g[i]);
            sum[c] += value;
            square[c] += deviation * deviation;
            of_gradient[c] += back;
            product[c] += back * deviation;
            leaky.push_back(scaled > 0.0 ? scaled : 0.25 * scaled);
            gradient.push_back(back * a[c] + deviation * b[c] + mean[c] + y[i]);
        }
        const auto near = [&](const std::vector<double>& actual,
                              const std::vector<double>& wanted) {
            expect_near({actual.begin(), actual.end()}, wanted, "sums");
        };
        for_each_variant([&](const Kernels& k) {
            std::vector<double> s(n), q(n), t(n), p(n);
            k.column_sums(x.data(), rows, channels, s.data());
            k.column_squares(x.data(), rows, channels, wide_mean.data(), q.data());
            near(s, sum);
            near(q, square);
            std::vector<double> own_mean(n), own_square(n), plain_square(n);
            k.moments(x.data(), rows, channels, own_mean.data(), own_square.data());
            for (std::size_t c = 0; c < n; ++c) {
                EXPECT_NEAR(own_mean[c], sum[c] / static_cast<double>(rows), 1e-12);
            }
            k.column_squares(x.data(), rows, channels, own_mean.data(), plain_square.data());
            near(own_square, plain_square);
            std::vector<float> out(x.size());
            k.scale_leaky(x.data(), channels, rows, channels, a.data(), b.data(), 0.25F, out.data(),
                          channels);
            expect_near(out, leaky, "leaky");
            const NormGradient task{x.data(), g.data(), rows,  channels, mean.data(),
                                    a.data(), b.data(), 0.25F, y.data(), channels};
            k.norm_sums(task, t.data(), p.data());
            near(t, of_gradient);
            near(p, product);
            k.norm_gradient(task, a.data(), b.data(), mean.data(), out.data());
            expect_near(out, gradient, "gradient");
        });
    }
}

TEST(SparseKernels, TimesOfEveryVariantForComparison) {
    const Data data({"3x3x3", submanifold({3, 3, 3})}, {32, 32});
    for_each_variant([&](const Kernels& variant) {
        const auto begin = std::chrono::steady_clock::now();
        const auto results = by_kernels(data);
        const std::chrono::duration<double, std::milli> spent =
            std::chrono::steady_clock::now() - begin;
        EXPECT_FALSE(results.y.empty());
        std::cout << variant.name << ": 3x3x3 32 -> 32 there and back, " << data.input->size()
                  << " voxels, " << spent.count() << " ms\n";
    });
}

}  // namespace
}  // namespace hodo::sparse
