#include "hodo/nn/uresnet.hh"

#include <cmath>
#include <string>

#include "hodo/base/error.hh"
#include "hodo/nn/initialise.hh"
#include "hodo/sparse/detail/sums.hh"
#include "hodo/sparse/norm_conv.hh"

namespace hodo::nn {

namespace {

using sparse::BatchNorm;
using sparse::Measured;
using sparse::SparseTensor;

// ---- making -------------------------------------------------------------------------------------

struct Maker {
    const UResNetOptions& options;
    const at::TensorOptions& tensor_options;

    bool is_flat(std::int64_t level) const { return level < options.flat_levels; }
    std::int64_t channels(std::int64_t level) const { return (level + 1) * options.channels; }

    sparse::ConvSpec submanifold(std::int64_t level) const {
        const auto k = options.kernel;
        return sparse::submanifold({is_flat(level) ? 1 : k, k, k});
    }
    sparse::ConvSpec downwards(std::int64_t level) const {
        const auto &f = options.filter, &s = options.stride;
        if (is_flat(level)) return sparse::strided({1, f, f}, {1, s, s});
        return sparse::strided({options.drift_filter, f, f}, {options.drift_stride, s, s});
    }
    at::Tensor weight(const sparse::ConvSpec& spec, std::int64_t in, std::int64_t out) const {
        return make_parameter({spec.kernel.volume(), 1, in, out}, tensor_options);
    }
    BatchNorm norm(std::int64_t count) const {
        auto made = BatchNorm::make(count, tensor_options);
        made.keep = options.keep;
        return made;
    }
    ResidualBlock block(std::int64_t level, std::int64_t in) const {
        const auto out = channels(level);
        const auto spec = submanifold(level);
        return {in == out ? at::Tensor() : make_parameter({in, out}, tensor_options),
                norm(in),
                norm(out),
                weight(spec, in, out),
                weight(spec, out, out),
                spec};
    }
    /// Size of level `i`, in its own cells.
    sparse::Triple size(std::int64_t i) const {
        if (i == 0) return *options.extent;
        auto cells = size(i - 1);
        const auto spec = downwards(i - 1);
        for (std::size_t a = 0; a < 3; ++a) {
            cells[a] = (cells[a] - spec.kernel.size[a]) / spec.stride[a] + 1;
        }
        return cells;
    }
    /// Where level `i` ends, in cells of the finest.
    sparse::Triple end(std::int64_t i) const {
        auto end = size(i);
        for (std::int64_t j = 0; j < i; ++j) {
            for (std::size_t a = 0; a < 3; ++a) end[a] *= downwards(j).stride[a];
        }
        return end;
    }
    UResNetLevel level(std::int64_t i) const {
        UResNetLevel made;
        const auto here = channels(i);
        for (std::int64_t j = 0; j < options.repetitions; ++j) {
            made.before.push_back(block(i, here));
        }
        if (i + 1 == options.levels) return made;
        const auto below = channels(i + 1);
        made.spec = downwards(i);
        if (options.extent) made.deeper_end = end(i + 1);
        made.down_norm = norm(here);
        made.down = weight(made.spec, here, below);
        made.deeper = std::make_unique<UResNetLevel>(level(i + 1));
        made.up_norm = norm(below);
        made.up = weight(made.spec, below, here);
        for (std::int64_t j = 0; j < options.repetitions; ++j) {
            made.after.push_back(block(i, j == 0 ? 2 * here : here));
        }
        return made;
    }
};

// ---- limits ----

/// The rows of `level` within the limits, and the level of those voxels.
struct Inside {
    sparse::SharedCoordinates coordinates;
    at::Tensor rows;  ///< Undefined when all are inside.

    SparseTensor of(const SparseTensor& x) const {
        if (!rows.defined()) return x;
        return {coordinates, x.features.index_select(0, rows.to(x.features.device())), x.maps};
    }
};

Inside inside(const sparse::SharedCoordinates& level, const std::optional<sparse::Triple>& end) {
    if (!end) return {level, {}};
    std::vector<sparse::Voxel> voxels;
    std::vector<std::int64_t> rows;
    const auto all = level->voxels();
    for (std::size_t row = 0; row < all.size(); ++row) {
        const auto& v = all[row];
        const bool is_inside = v.x >= 0 && v.y >= 0 && v.z >= 0 && v.x < (*end)[0] &&
                               v.y < (*end)[1] && v.z < (*end)[2];
        if (!is_inside) continue;
        voxels.push_back(v);
        rows.push_back(static_cast<std::int64_t>(row));
    }
    if (voxels.size() == all.size()) return {level, {}};
    return {
        std::make_shared<sparse::Coordinates>(std::move(voxels), level->stride(), level->events()),
        at::tensor(rows, at::kLong)};
}

// ---- learning -----------------------------------------------------------------------------------

/// The network with the statistics of the batch.
Measured learn_block(ResidualBlock& b, const Measured& x) {
    const auto first = sparse::norm_conv(x, b.first_norm, b.first, b.spec);
    auto side = first.x.tensor;
    if (b.shortcut.defined()) {
        side = sparse::conv(side, b.shortcut, {}, sparse::submanifold({1, 1, 1}));
    }
    return sparse::norm_conv(first.y, b.second_norm, b.second, b.spec, side.features).y;
}

Measured learn_level(UResNetLevel& l, Measured x) {
    for (auto& b : l.before) x = learn_block(b, x);
    if (!l.deeper) return x;
    const auto down = sparse::norm_conv(x, l.down_norm, l.down, l.spec);
    const auto kept = inside(down.y.tensor.coordinates, l.deeper_end);
    const auto below = kept.rows.defined() ? Measured{kept.of(down.y.tensor), {}} : down.y;
    const auto up = sparse::norm_conv(learn_level(*l.deeper, below), l.up_norm, l.up, l.spec, {},
                                      x.tensor.coordinates);
    x = sparse::concatenate(down.x, up.y);
    for (auto& b : l.after) x = learn_block(b, x);
    return x;
}

/// Layers one after the other with the running statistics, with gradients where they are wanted.
struct Steps {
    static SparseTensor norm(const BatchNorm& layer, const SparseTensor& x) {
        return x.with(layer.evaluate(x.features));
    }
    static SparseTensor block(const ResidualBlock& b, const SparseTensor& x) {
        auto y = sparse::conv(norm(b.first_norm, x), b.first, {}, b.spec);
        y = sparse::conv(norm(b.second_norm, y), b.second, {}, b.spec);
        if (!b.shortcut.defined()) return sparse::add(x, y);
        return sparse::add(sparse::conv(x, b.shortcut, {}, sparse::submanifold({1, 1, 1})), y);
    }
    static SparseTensor level(const UResNetLevel& l, SparseTensor x) {
        for (const auto& b : l.before) x = block(b, x);
        if (!l.deeper) return x;
        auto deep = sparse::conv(norm(l.down_norm, x), l.down, {}, l.spec);
        deep = level(*l.deeper, inside(deep.coordinates, l.deeper_end).of(deep));
        deep = norm(l.up_norm, deep);
        x = sparse::concatenate(x, sparse::conv_transposed(deep, l.up, {}, l.spec, x.coordinates));
        for (const auto& b : l.after) x = block(b, x);
        return x;
    }
};

// ---- evaluating ---------------------------------------------------------------------------------

/// A tensor as it is and as the next layer's norm makes it.
struct Pair {
    SparseTensor plain, normed;
};

sparse::Ending ending(const BatchNorm& next) {
    auto [scale, shift] = next.folded();
    sparse::Ending made;
    made.scale = std::move(scale);
    made.shift = std::move(shift);
    made.leak = next.leak;
    return made;
}

/// `plain_into`: where the plain tensor is to stand; undefined: anywhere.
Pair ended(const SparseTensor& x, const at::Tensor& weight, const sparse::ConvSpec& spec,
           const BatchNorm& next, const at::Tensor& residual = {},
           const at::Tensor& plain_into = {}) {
    auto end = ending(next);
    end.residual = residual;
    end.keep_plain = true;
    end.plain_into = plain_into;
    auto done = sparse::conv_ended(x, weight, spec, end);
    return {std::move(done.plain), std::move(done.y)};
}

/// `x` comes with the block's first norm applied and leaves with `next` applied.
Pair block_ended(const ResidualBlock& b, Pair x, const BatchNorm& next,
                 const at::Tensor& plain_into) {
    const auto middle = sparse::conv_ended(x.normed, b.first, b.spec, ending(b.second_norm)).y;
    x.normed = {};
    auto side = x.plain;
    if (b.shortcut.defined()) {
        side = sparse::conv_ended(x.plain, b.shortcut, sparse::submanifold({1, 1, 1}), {}).y;
        x.plain = {};
    }
    return ended(middle, b.second, b.spec, next, side.features, plain_into);
}

/// `plain_into`: for the plain tensor of the last block.
Pair blocks_ended(const std::vector<ResidualBlock>& blocks, Pair x, const BatchNorm& next,
                  const at::Tensor& plain_into = {}) {
    for (std::size_t j = 0; j + 1 < blocks.size(); ++j) {
        x = block_ended(blocks[j], std::move(x), blocks[j + 1].first_norm, {});
    }
    return block_ended(blocks.back(), std::move(x), next, plain_into);
}

/// Rows for two tensors side by side, whose makers write them there.
struct Halves {
    at::Tensor all, left, right;
    Halves(std::int64_t rows, std::int64_t channels, const at::TensorOptions& options)
        : all(sparse::new_rows(rows, 2 * channels, options)),
          left(all.narrow(1, 0, channels)),
          right(all.narrow(1, channels, channels)) {}
};

const BatchNorm& first_norm(const UResNetLevel& l) {
    return l.before.front().first_norm;
}

SparseTensor level_ended(const UResNetLevel& l, Pair x, const BatchNorm& next) {
    if (!l.deeper) return blocks_ended(l.before, std::move(x), next).normed;
    const auto channels = l.up.size(-1);
    const auto coordinates = x.plain.coordinates;
    const auto options = x.plain.features.options();
    const Halves plain(coordinates->size(), channels, options);
    x = blocks_ended(l.before, std::move(x), l.down_norm, plain.left);
    auto below = ended(x.normed, l.down, l.spec, first_norm(*l.deeper));
    x.normed = {};
    const auto kept = inside(below.plain.coordinates, l.deeper_end);
    below = {kept.of(below.plain), kept.of(below.normed)};
    const auto deep = level_ended(*l.deeper, std::move(below), l.up_norm);
    const Halves normed(coordinates->size(), channels, options);
    const auto& after = l.after.front().first_norm;
    auto end = ending(after);
    const BatchNorm::Folded left{end.scale.narrow(0, 0, channels),
                                 end.shift.narrow(0, 0, channels)};
    end.scale = end.scale.narrow(0, channels, channels);
    end.shift = end.shift.narrow(0, channels, channels);
    end.plain_into = plain.right;
    end.y_into = normed.right;
    sparse::conv_ended(deep, l.up, l.spec, end, coordinates);
    sparse::scale_into(plain.left, left, after.leak, normed.left);
    x = {x.plain.with(plain.all), x.plain.with(normed.all)};
    return blocks_ended(l.after, std::move(x), next).normed;
}

}  // namespace

void ResidualBlock::visit(tensor::ParameterVisitor& v) {
    if (shortcut.defined()) v("0.weight", shortcut);
    v.group("1.0", first_norm);
    v("1.1.weight", first);
    v.group("1.2", second_norm);
    v("1.3.weight", second);
}

void UResNetLevel::visit(tensor::ParameterVisitor& v) {
    std::size_t position = 0;
    const auto visit_blocks = [&](std::vector<ResidualBlock>& blocks) {
        for (auto& block : blocks) {
            v.group(std::to_string(position), block);
            position += 2;
        }
    };
    visit_blocks(before);
    if (!deeper) return;
    const auto table = std::to_string(position) + ".1.";
    v.group(table + "0", down_norm);
    v(table + "1.weight", down);
    v.group(table + "2", *deeper);
    v.group(table + "3", up_norm);
    v(table + "4.weight", up);
    position += 2;
    visit_blocks(after);
}

UResNet::UResNet(const UResNetOptions& options, const at::TensorOptions& tensor_options)
    : options_(options) {
    HODO_CHECK(
        options.channels >= 1 && options.levels >= 1 && options.repetitions >= 1,
        "a network with {} channels, {} levels and {} blocks per level has nothing to learn; "
        "each must be at least 1",
        options.channels, options.levels, options.repetitions);
    const Maker make{options_, tensor_options};
    start_spec_ = make.submanifold(0);
    start_ = make.weight(start_spec_, options.inputs, options.channels);
    top_ = make.level(0);
    end_ = make.norm(options.channels);
}

void UResNet::visit(tensor::ParameterVisitor& v) {
    v("1.weight", start_);
    v.group("2", top_);
    v.group("3", end_);
}

void UResNet::initialise(const base::Random& random) {
    for (auto& [name, tensor] : tensor::named_parameters(*this)) {
        if (tensor->dim() == 1) {
            const bool one = name.ends_with("weight") || name.ends_with("running_var");
            fill_constant(*tensor, one ? 1.0 : 0.0);
            continue;
        }
        const auto sums = static_cast<double>(tensor->numel() / tensor->size(-1));
        fill_normal(*tensor, std::sqrt(2.0 / sums), random.child(name));
    }
}

SparseTensor UResNet::operator()(const SparseTensor& x, Mode mode) {
    if (mode == Mode::train) {
        const auto y = learn_level(top_, sparse::measured_conv(x, start_, start_spec_));
        return y.tensor.with(end_.train(y.tensor.features, &y.moments));
    }
    return Steps::norm(end_, Steps::level(top_, sparse::conv(x, start_, {}, start_spec_)));
}

SparseTensor UResNet::evaluate(const SparseTensor& x) const {
    return level_ended(top_, ended(x, start_, start_spec_, first_norm(top_)), end_);
}

}  // namespace hodo::nn
