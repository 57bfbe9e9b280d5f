#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "hodo/io/npz.hh"
#include "hodo/sparse/norm.hh"
#include "hodo/sparse/pool.hh"
#include "hodo/tensor/view.hh"
#include "support/reference.hh"

namespace hodo::sparse {
namespace {

// Every layer of SparseConvNet in lartpc/scn_layers*.npz: outputs and gradients to 2e-6, gradients
// of weights to 5e-6, relative to the largest value. Sites of coarse levels have no order in the
// files: they are compared by coordinates.

constexpr double value_tolerance = 2e-6, weight_tolerance = 5e-6;

class Golden {
  public:
    explicit Golden(const base::Path& file) {
        for (auto& [name, array] : io::read_npz(file)) arrays_[name] = array;
    }
    bool has(const std::string& name) const { return arrays_.contains(name); }
    at::Tensor operator()(const std::string& name) const {
        return tensor::from_array(arrays_.at(name)).clone();
    }
    /// Names before "/out", with one of the beginnings.
    std::vector<std::string> layers(const std::string& beginning) const {
        std::vector<std::string> found;
        for (const auto& [name, array] : arrays_) {
            if (name.starts_with(beginning) && name.ends_with("/out")) {
                found.push_back(name.substr(0, name.size() - 4));
            }
        }
        return found;
    }

  private:
    std::map<std::string, io::Array> arrays_;
};

void expect_near(const at::Tensor& actual, const at::Tensor& expected, double tolerance,
                 const std::string& what) {
    ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
    if (expected.numel() == 0) return;
    const auto wanted = expected.to(at::kDouble);
    const double largest = std::max(1e-12, wanted.abs().max().item<double>());
    const double difference = (actual.detach().to(at::kDouble) - wanted).abs().max().item<double>();
    EXPECT_LE(difference / largest, tolerance) << what;
}

/// A level of the file and where its rows are in ours.
struct Level {
    SparseTensor tensor;   ///< Without features.
    at::Tensor our_row;    ///< [file rows]: the row here of each row there.
    at::Tensor their_row;  ///< The inverse.

    SparseTensor with(const at::Tensor& theirs) const {
        return tensor.with(at::index_select(theirs, 0, their_row));
    }
    at::Tensor in_their_order(const at::Tensor& ours) const {
        return at::index_select(ours, 0, our_row);
    }
};

Level make_level(const SharedCoordinates& ours, const std::shared_ptr<Maps>& maps,
                 const at::Tensor& locations) {
    const auto grouping = from_rows(locations, at::zeros({locations.size(0), 1}),
                                    {.event_column = EventColumn::last, .stride = {1, 1, 1}})
                              .grouping;
    Level level{{ours, {}, maps}, at::empty({locations.size(0)}, at::kLong), {}};
    EXPECT_EQ(ours->size(), locations.size(0));
    const auto scale = ours->stride();
    for (std::int64_t i = 0; i < locations.size(0); ++i) {
        const auto v = grouping->voxels->voxels()[static_cast<std::size_t>(
            grouping->voxel_of_row[static_cast<std::size_t>(i)])];
        const auto at = [&](std::int32_t c, std::size_t a) {
            return static_cast<std::int32_t>(c * scale[a]);
        };
        const auto row = ours->find({v.batch, at(v.x, 0), at(v.y, 1), at(v.z, 2)});
        EXPECT_GE(row, 0) << "site " << i << " is missing";
        level.our_row.data_ptr<std::int64_t>()[i] = row;
    }
    level.their_row = at::argsort(level.our_row);
    return level;
}

/// "subm333_groups2_4_6" -> kernel 3, 3, 3.
Triple digits(const std::string& name, std::size_t at) {
    Triple size{};
    for (std::size_t a = 0; a < 3; ++a) size[a] = name.at(at + a) - '0';
    return size;
}

/// "bn_leak0.333" -> 0.333.
double leak_of(const std::string& name) {
    return std::stod(name.substr(std::string("bn_leak").size()));
}

struct Layer {
    const Golden& file;
    std::string name;
    at::Tensor get(const std::string& part) const { return file(name + "/" + part); }
    at::Tensor maybe(const std::string& part) const {
        return file.has(name + "/" + part) ? get(part) : at::Tensor();
    }
    /// The gradient that came in. The original's leaky ReLU multiplies it by the leak in place, and
    /// the files hold it as it was afterwards.
    at::Tensor grad_out() const {
        const auto g = get("grad_out");
        if (!name.starts_with("bn_leak")) return g;
        const auto leak = leak_of(name);
        return leak == 0.0 ? g : at::where(get("out") > 0, g, g / leak);
    }
};

/// Runs `forward` on learning copies of input, weight and bias and compares all there is.
template <class Forward>
void check(const Layer& layer, const Level& from, const Level& to, const Forward& forward) {
    SCOPED_TRACE(layer.name);
    const auto learn = [](at::Tensor t) { return t.defined() ? t.set_requires_grad(true) : t; };
    const auto in = learn(layer.get("in")), weight = learn(layer.maybe("weight"));
    const auto bias = learn(layer.maybe("bias"));
    const auto y = to.in_their_order(forward(from.with(in), weight, bias).features);
    expect_near(y, layer.get("out"), value_tolerance, "out");
    y.backward(layer.grad_out());
    expect_near(in.grad(), layer.get("grad_in"), value_tolerance, "grad_in");
    if (weight.defined()) {
        expect_near(weight.grad(), layer.get("grad_weight"), weight_tolerance, "grad_weight");
    }
    if (bias.defined()) {
        expect_near(bias.grad(), layer.get("grad_bias"), weight_tolerance, "grad_bias");
    }
}

struct Levels {
    explicit Levels(const Golden& file)
        : input(from_rows(file("coords"), file("features"), {.event_column = EventColumn::last})),
          finest(
              make_level(input.tensor.coordinates, input.tensor.maps, file("level0/locations"))) {}
    Level coarse(const Golden& file, const std::string& name, const Level& from,
                 const ConvSpec& spec) const {
        const auto& maps = input.tensor.maps;
        const auto level =
            maps->coarser(from.tensor.coordinates, spec.kernel, spec.stride, spec.sites);
        return make_level(level, maps, file(name + "/locations"));
    }
    Input input;
    Level finest;
};

std::vector<base::Path> files() {
    return hodo::test::reference_files("lartpc", "scn_layers*.npz");
}

void say(const base::Path& file, const std::vector<std::string>& cases) {
    std::cout << file.filename().string() << ":";
    for (const auto& name : cases) std::cout << ' ' << name;
    std::cout << '\n';
}

TEST(SparseConvNetLayers, UniteRowsInEveryModeOfTheInputLayer) {
    HODO_REQUIRE_REFERENCE(files(), "lartpc/scn_layers*.npz");
    const std::map<std::string, Merge> modes{
        {"1", Merge::first}, {"2", Merge::last}, {"3", Merge::sum}, {"4", Merge::mean}};
    for (const auto& path : files()) {
        const Golden file(path);
        std::vector<std::string> found;
        for (const auto& [mode, merge] : modes) {
            if (!file.has("input/mode" + mode + "/features")) continue;
            found.push_back("mode" + mode);
            SCOPED_TRACE(found.back());
            const auto input = from_rows(file("coords"), file("features"),
                                         {.merge = merge, .event_column = EventColumn::last});
            const auto level = make_level(input.tensor.coordinates, input.tensor.maps,
                                          file("input/mode" + mode + "/locations"));
            expect_near(level.in_their_order(input.tensor.features),
                        file("input/mode" + mode + "/features"), 1e-6, "features");
            // Sites of the file stand in the order in which their first rows appear.
            const auto& starts = input.grouping->starts;
            const auto& rows = input.grouping->rows;
            std::int32_t last = -1;
            for (std::int64_t i = 0; i < level.our_row.size(0); ++i) {
                const auto ours = static_cast<std::size_t>(level.our_row[i].item<std::int64_t>());
                const auto first_row = rows[static_cast<std::size_t>(starts[ours])];
                ASSERT_GT(first_row, last);
                last = first_row;
            }
        }
        say(path, found);
        EXPECT_FALSE(found.empty());
    }
}

TEST(SparseConvNetLayers, SubmanifoldConvolutionsAgreeThereAndBack) {
    HODO_REQUIRE_REFERENCE(files(), "lartpc/scn_layers*.npz");
    for (const auto& path : files()) {
        const Golden file(path);
        const Levels levels(file);
        const auto names = file.layers("subm");
        say(path, names);
        EXPECT_FALSE(names.empty());
        for (const auto& name : names) {
            check({file, name}, levels.finest, levels.finest,
                  [&](const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias) {
                      return conv(x, weight, bias, submanifold(digits(name, 4)));
                  });
        }
    }
}

TEST(SparseConvNetLayers, StridedConvolutionsAndTheirReturnAgreeThereAndBack) {
    HODO_REQUIRE_REFERENCE(files(), "lartpc/scn_layers*.npz");
    for (const auto& path : files()) {
        const Golden file(path);
        const Levels levels(file);
        auto names = file.layers("conv");
        const auto back = file.layers("deconv");
        names.insert(names.end(), back.begin(), back.end());
        say(path, names);
        EXPECT_FALSE(names.empty());
        for (const auto& name : names) {
            const bool up = name.starts_with("deconv");
            const auto size = digits(name, up ? 6 : 4);
            const auto spec = strided(size, size);
            // A "b" behind the size: from the first coarse level to the second.
            const bool second = !up && name.at(7) == 'b';
            const std::string suffix =
                size == Triple{2, 2, 2} ? "" : "_" + name.substr(up ? 6 : 4, 3);
            const auto first = levels.coarse(file, "level1" + suffix, levels.finest, spec);
            const auto forward = [&](const SparseTensor& x, const at::Tensor& weight,
                                     const at::Tensor& bias) {
                if (!up) return conv(x, weight, bias, spec);
                return conv_transposed(x, weight, bias, spec, levels.finest.tensor.coordinates);
            };
            if (up) {
                check({file, name}, first, levels.finest, forward);
            } else if (second) {
                check({file, name}, first, levels.coarse(file, "level2", first, spec), forward);
            } else {
                check({file, name}, levels.finest, first, forward);
            }
        }
    }
}

TEST(SparseConvNetLayers, PointwiseProductsAgreeThereAndBack) {
    HODO_REQUIRE_REFERENCE(files(), "lartpc/scn_layers*.npz");
    for (const auto& path : files()) {
        const Golden file(path);
        const Levels levels(file);
        const auto names = file.layers("nin");
        say(path, names);
        EXPECT_FALSE(names.empty());
        for (const auto& name : names) {
            check({file, name}, levels.finest, levels.finest,
                  [](const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias) {
                      return conv(x, weight, bias, submanifold({1, 1, 1}));
                  });
        }
    }
}

TEST(SparseConvNetLayers, BatchNormAgreesInTrainingAndEvaluation) {
    HODO_REQUIRE_REFERENCE(files(), "lartpc/scn_layers*.npz");
    for (const auto& path : files()) {
        const Golden file(path);
        const Levels levels(file);
        const auto names = file.layers("bn_leak");
        say(path, names);
        EXPECT_FALSE(names.empty());
        for (const auto& name : names) {
            const Layer layer{file, name};
            auto norm = BatchNorm::make(layer.get("weight").size(0), at::kFloat);
            norm.leak = leak_of(name);
            norm.running_mean = layer.get("running_mean_before");
            norm.running_var = layer.get("running_var_before");
            check(layer, levels.finest, levels.finest,
                  [&](const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias) {
                      norm.weight = weight;
                      norm.bias = bias;
                      return x.with(norm.train(x.features));
                  });
            SCOPED_TRACE(name);
            expect_near(norm.running_mean, layer.get("running_mean_after"), 1e-6, "mean");
            expect_near(norm.running_var, layer.get("running_var_after"), 1e-6, "variance");
            const at::NoGradGuard no_gradients;
            const auto x = levels.finest.with(layer.get("in"));
            expect_near(levels.finest.in_their_order(norm.evaluate(x.features)),
                        layer.get("eval_out"), value_tolerance, "evaluation");
        }
    }
}

TEST(SparseConvNetLayers, OutputLayerGivesEveryInputRowItsSite) {
    HODO_REQUIRE_REFERENCE(files(), "lartpc/scn_layers*.npz");
    for (const auto& path : files()) {
        const Golden file(path);
        const Levels levels(file);
        const std::string beginning = "outputlayer/out_of_";
        for (const auto& layer : file.layers("subm")) {
            if (!file.has(beginning + layer)) continue;
            say(path, {beginning + layer});
            const auto x = levels.finest.with(file(layer + "/out"));
            EXPECT_TRUE(to_rows(x, levels.input).equal(file(beginning + layer)));
        }
    }
}

}  // namespace
}  // namespace hodo::sparse
