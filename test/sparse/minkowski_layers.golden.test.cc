#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <regex>

#include "hodo/io/npz.hh"
#include "hodo/sparse/kernel_order.hh"
#include "hodo/sparse/norm.hh"
#include "hodo/sparse/pool.hh"
#include "hodo/tensor/view.hh"
#include "support/reference.hh"

namespace hodo::sparse {
namespace {

// Every layer of MinkowskiEngine in contrastive/layers*.npz: coordinates exactly, outputs to 1e-12
// in double and 2e-6 in single precision, gradients to 1e-11. What a case is stands in its name:
// conv_k3s1d2, dw_k7_ts4, maxpool_k3s2, gmax, down_up_k2s2, ...

class Golden {
  public:
    explicit Golden(const base::Path& file) {
        for (auto& [name, array] : io::read_npz(file)) arrays_[name] = array;
    }
    bool has(const std::string& name) const { return arrays_.contains(name); }
    at::Tensor operator()(const std::string& name) const {
        return tensor::from_array(arrays_.at(name)).clone();
    }
    std::vector<std::string> cases() const {
        std::vector<std::string> found;
        for (const auto& [name, array] : arrays_) {
            if (name.ends_with("_cotangent")) found.push_back(name.substr(0, name.size() - 10));
        }
        return found;
    }
    /// Parameters of a case without their prefix.
    std::vector<std::string> parameters(const std::string& name) const {
        std::vector<std::string> found;
        const auto prefix = name + "_param_";
        for (const auto& [key, array] : arrays_) {
            if (key.starts_with(prefix)) found.push_back(key.substr(prefix.size()));
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
    const double scale = std::max(1.0, wanted.abs().max().item<double>());
    const double difference = (actual.detach().to(at::kDouble) - wanted).abs().max().item<double>();
    EXPECT_LE(difference / scale, tolerance) << what;
}

Triple triple(const at::Tensor& tensor) {
    Triple values{};
    for (std::size_t a = 0; a < 3; ++a) {
        values[a] = tensor[static_cast<std::int64_t>(a)].item<std::int64_t>();
    }
    return values;
}

/// "3" or "313" as numbers per axis.
Triple per_axis(const std::string& digits) {
    Triple values{};
    for (std::size_t a = 0; a < 3; ++a) values[a] = digits.at(digits.size() == 1 ? 0 : a) - '0';
    return values;
}

using Parameters = std::map<std::string, at::Tensor>;

/// One case in one precision.
struct Run {
    const Golden& file;
    std::string name;
    at::ScalarType type;
    Parameters parameters;

    at::Tensor parameter(const std::string& key) const {
        const auto found = parameters.find(key);
        return found == parameters.end() ? at::Tensor() : found->second;
    }
    at::Tensor kernel(const std::string& key, const Triple& size) const {
        return from_order(parameter(key), KernelOrder::first_axis_fastest, size);
    }
};

/// The sizes a kernel of so many cells can have: the written one, if its volume fits. One case is
/// named for another size than it was made with; then all sizes of that volume.
std::vector<Triple> possible_sizes(const Run& run, const Triple& written) {
    const auto kernel = run.parameter("kernel");
    const auto volume = written[0] * written[1] * written[2];
    const auto cells = kernel.size(0);
    if (cells == volume || volume == 1) return {written};
    std::vector<Triple> sizes;
    for (std::int64_t x = 1; x <= cells; ++x) {
        for (std::int64_t y = 1; x * y <= cells; ++y) {
            if (cells % (x * y) == 0) sizes.push_back({x, y, cells / (x * y)});
        }
    }
    return sizes;
}

SparseTensor convolved(const Run& run, const SparseTensor& x, const std::smatch& match) {
    const auto stride = per_axis(match[3]);
    const auto dilation = match[4].matched ? per_axis(match[4]) : Triple{1, 1, 1};
    const auto bias = run.parameter("bias");
    const auto wanted = run.file(run.name + "_out").to(run.type);
    SparseTensor best;
    double smallest = 0.0;
    for (const auto& size : possible_sizes(run, per_axis(match[2]))) {
        auto spec = minkowski(size, stride, dilation);
        if (run.name.ends_with("_expand")) spec.sites = Sites::seeing;
        const auto weight = run.kernel("kernel", size);
        const auto y =
            match[1] == "dw" ? depthwise(x, weight, bias, spec) : conv(x, weight, bias, spec);
        if (y.features.sizes() != wanted.sizes()) continue;
        const auto difference = (y.features - wanted).abs().max().item<double>();
        if (best.coordinates && difference >= smallest) continue;
        best = y;
        smallest = difference;
    }
    return best;
}

SparseTensor down_and_up(const Run& run, const SparseTensor& x, const std::smatch& match) {
    const auto size = per_axis(match[2]), stride = per_axis(match[3]);
    const auto down = minkowski({2, 2, 2}, stride), up = minkowski(size, stride);
    const auto coarse = conv(x, run.kernel("d.kernel", {2, 2, 2}), run.parameter("d.bias"), down);
    const auto weight = run.kernel("u.kernel", size);
    if (match[1] == "gen") return conv_generative(coarse, weight, run.parameter("u.bias"), up);
    return conv_transposed(coarse, weight, run.parameter("u.bias"), up, x.coordinates);
}

/// The output of a case; nothing when the name is not known.
std::optional<SparseTensor> forward(const Run& run, const SparseTensor& x) {
    std::smatch match;
    const auto is = [&](const char* pattern) {
        return std::regex_match(run.name, match, std::regex(pattern));
    };
    const auto events = [&](Pooling pooling) {
        return SparseTensor{nullptr, pool_events(x, pooling), nullptr};
    };
    if (is("(conv|dw)_k([0-9]+)s([0-9]+)(?:d([0-9]+))?(?:_expand|_ts[0-9]+)?")) {
        return convolved(run, x, match);
    }
    if (is("(dw)_k([0-9]+)(?:_ts[0-9]+)?")) {
        const auto size = per_axis(match[2]);
        return depthwise(x, run.kernel("kernel", size), run.parameter("bias"), submanifold(size));
    }
    if (is("(max|avg|sum)pool_k([0-9]+)s([0-9]+)")) {
        const auto pooling = match[1] == "max"   ? Pooling::largest
                             : match[1] == "avg" ? Pooling::mean
                                                 : Pooling::sum;
        return pool(x, pooling, minkowski(per_axis(match[2]), per_axis(match[3])));
    }
    if (is("down_(up|gen)_k([0-9]+)s([0-9]+)")) return down_and_up(run, x, match);
    if (is("gmax")) return events(Pooling::largest);
    if (is("gavg")) return events(Pooling::mean);
    if (is("gsum")) return events(Pooling::sum);
    if (is("bn_train")) {
        auto norm = BatchNorm::make(x.channels(), run.type);
        norm.weight = run.parameter("bn.weight");
        norm.bias = run.parameter("bn.bias");
        norm.epsilon = 1e-5;
        norm.keep = 0.9;
        norm.leak = 1.0;
        auto y = x.with(norm.train(x.features));
        if (run.type == at::kDouble) {
            expect_near(norm.running_mean, run.file(run.name + "_buffer_bn.running_mean"), 1e-12,
                        "running mean");
            expect_near(norm.running_var, run.file(run.name + "_buffer_bn.running_var"), 1e-12,
                        "running variance");
        }
        return y;
    }
    if (is("instnorm")) {
        return x.with(instance_norm(x, run.parameter("weight"), run.parameter("bias")));
    }
    if (is("layernorm")) {
        return x.with(layer_norm(x.features, run.parameter("ln.weight"), run.parameter("ln.bias")));
    }
    if (is("grn")) {
        return x.with(
            global_response_norm(x, run.parameter("gamma"), run.parameter("beta"), Scope::batch));
    }
    if (is("linear")) {
        const auto y = conv(x, run.parameter("linear.weight").t(), run.parameter("linear.bias"),
                            submanifold({1, 1, 1}));
        return y;
    }
    return std::nullopt;
}

bool check(const Golden& file, const std::string& name, at::ScalarType type) {
    Run run{file, name, type, {}};
    for (const auto& key : file.parameters(name)) {
        run.parameters[key] = file(name + "_param_" + key).to(type).set_requires_grad(true);
    }
    const auto features = file(name + "_in_feats").to(type).set_requires_grad(true);
    const auto input =
        from_rows(file(name + "_in_coords"), features,
                  {.merge = Merge::first, .stride = triple(file(name + "_in_stride"))});
    const auto y = forward(run, input.tensor);
    if (!y) return false;
    if (y->coordinates) {
        EXPECT_TRUE(coordinate_tensor(*y->coordinates).equal(file(name + "_out_coords")));
        EXPECT_EQ(y->coordinates->stride(), triple(file(name + "_out_stride")));
    }
    if (type == at::kFloat) {
        expect_near(y->features, file(name + "_out"), 2e-6, "output in single precision");
        return true;
    }
    expect_near(y->features, file(name + "_out"), 1e-12, "output");
    y->features.backward(file(name + "_cotangent"));
    expect_near(features.grad(), file(name + "_grad_in"), 1e-11, "gradient of the input");
    for (const auto& [key, value] : run.parameters) {
        expect_near(value.grad(), file(name + "_gradparam_" + key), 1e-11, "gradient of " + key);
    }
    return true;
}

std::vector<base::Path> files() {
    return hodo::test::reference_files("contrastive", "layers*.npz");
}

TEST(MinkowskiLayers, AgreeThereAndBack) {
    HODO_REQUIRE_REFERENCE(files(), "contrastive/layers*.npz");
    for (const auto& path : files()) {
        const Golden file(path);
        std::cout << path.filename().string() << ":";
        int known = 0;
        for (const auto& name : file.cases()) {
            SCOPED_TRACE(name);
            const bool done = check(file, name, at::kDouble) && check(file, name, at::kFloat);
            known += done ? 1 : 0;
            std::cout << ' ' << name << (done ? "" : " (not a layer known here)");
        }
        std::cout << '\n';
        EXPECT_GT(known, 0);
    }
}

TEST(MinkowskiLayers, DuplicatesAreUnitedInEveryMode) {
    HODO_REQUIRE_REFERENCE(files(), "contrastive/layers*.npz");
    const std::map<std::string, Merge> modes{{"RANDOM_SUBSAMPLE", Merge::first},
                                             {"UNWEIGHTED_AVERAGE", Merge::mean},
                                             {"UNWEIGHTED_SUM", Merge::sum}};
    for (const auto& path : files()) {
        const Golden file(path);
        for (const auto& [mode, merge] : modes) {
            if (!file.has("dup_" + mode + "_feats")) continue;
            std::cout << path.filename().string() << ": " << mode << '\n';
            const auto input =
                from_rows(file("dup_in_coords"), file("dup_in_feats"), {.merge = merge});
            EXPECT_TRUE(coordinate_tensor(*input.tensor.coordinates)
                            .equal(file("dup_" + mode + "_coords")));
            expect_near(input.tensor.features, file("dup_" + mode + "_feats"), 1e-6, mode);
        }
    }
}

TEST(MinkowskiLayers, FieldsBecomeSparseAndComeBackToTheirPoints) {
    HODO_REQUIRE_REFERENCE(files(), "contrastive/layers*.npz");
    for (const auto& path : files()) {
        const Golden file(path);
        if (!file.has("field_in_coords")) continue;
        std::cout << path.filename().string() << ": field\n";
        const auto points = file("field_in_coords");
        const auto input =
            from_rows(at::floor(points), file("field_in_feats"), {.merge = Merge::mean});
        EXPECT_TRUE(
            coordinate_tensor(*input.tensor.coordinates).equal(file("field_sparse_coords")));
        expect_near(input.tensor.features, file("field_sparse_feats"), 1e-6, "sparse");
        const auto kernel =
            from_order(file("field_conv_kernel"), KernelOrder::first_axis_fastest, {3, 3, 3});
        const auto y = conv(input.tensor, kernel, {}, minkowski({3, 3, 3}, {2, 2, 2}));
        EXPECT_TRUE(coordinate_tensor(*y.coordinates).equal(file("field_conv_coords")));
        expect_near(y.features, file("field_conv_feats"), 2e-6, "convolution");
        expect_near(slice(y, points), file("field_slice_feats"), 2e-6, "slice");
        expect_near(interpolate(y, points), file("field_interp_feats"), 2e-6, "interpolation");
    }
}

/// Rows (cell, input voxel, output voxel) of a rulebook, cells as the files number them; sorted.
std::vector<std::array<std::int64_t, 9>> triples(const Rulebook& book) {
    const auto cells = cells_in(KernelOrder::first_axis_fastest, book.kernel().size);
    std::vector<std::array<std::int64_t, 9>> rows;
    for (std::int64_t row = 0; row < book.output()->size(); ++row) {
        for (const auto& pair : book.neighbours().of(row)) {
            const auto& p = book.input()->voxels()[static_cast<std::size_t>(pair.row)];
            const auto& u = book.output()->voxels()[static_cast<std::size_t>(row)];
            rows.push_back({cells[static_cast<std::size_t>(pair.cell)], p.batch, p.x, p.y, p.z,
                            u.batch, u.x, u.y, u.z});
        }
    }
    std::ranges::sort(rows);
    return rows;
}

TEST(MinkowskiLayers, KernelMapsAreTheSameSetOfTriples) {
    HODO_REQUIRE_REFERENCE(files(), "contrastive/layers*.npz");
    const std::map<std::string, ConvSpec> maps{{"kmap_k3s1", minkowski({3, 3, 3}, {1, 1, 1})},
                                               {"kmap_k2s2", minkowski({2, 2, 2}, {2, 2, 2})}};
    for (const auto& path : files()) {
        const Golden file(path);
        for (const auto& [name, spec] : maps) {
            if (!file.has(name + "_offset_in_out")) continue;
            std::cout << path.filename().string() << ": " << name << '\n';
            const auto table = file(name + "_offset_in_out").contiguous();
            std::vector<std::array<std::int64_t, 9>> expected(
                static_cast<std::size_t>(table.size(0)));
            const auto* value = table.data_ptr<std::int64_t>();
            for (auto& row : expected) {
                for (auto& number : row) number = *value++;
            }
            std::ranges::sort(expected);
            const auto input = from_rows(table.slice(1, 1, 5), at::zeros({table.size(0), 1}));
            auto& shared = *input.tensor.maps;
            const auto output =
                shared.coarser(input.tensor.coordinates, spec.kernel, spec.stride, spec.sites);
            EXPECT_EQ(triples(*shared.rulebook(output, input.tensor.coordinates, spec.kernel)),
                      expected);
        }
    }
}

}  // namespace
}  // namespace hodo::sparse
