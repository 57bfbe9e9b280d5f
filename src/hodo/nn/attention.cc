#include "hodo/nn/attention.hh"

#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/nn/dropout.hh"
#include "hodo/nn/fused.hh"
#include "hodo/nn/initialise.hh"
#include "hodo/tensor/compatibility.hh"

namespace hodo::nn {

namespace {

/// [batch, tokens, d] to [batch, heads, tokens, D].
at::Tensor by_head(const at::Tensor& x, std::int64_t heads) {
    return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

/// On a device a pass that drops nothing goes through LibTorch's fused attention where it has one.
bool library_applies(const at::Tensor& q, const Pass& pass) {
    return tensor::library_has_attention && pass.engine == Engine::fused && q.is_cuda() &&
           !pass.drops() && q.numel() > 0;
}

}  // namespace

at::Tensor attend_by_library(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             std::int64_t heads, const Pass& pass) {
    const bool narrow = pass.precision == tensor::Precision::bf16;
    const auto type = narrow ? at::kBFloat16 : q.scalar_type();
    const auto split = [&](const at::Tensor& x) {
        const auto one = by_head(x.to(type), heads);
        return one.expand({q.size(0), heads, one.size(2), one.size(3)});
    };
    return tensor::library_attention(split(q), split(k), split(v))
        .transpose(1, 2)
        .reshape(q.sizes())
        .to(q.scalar_type());
}

at::Tensor attend_plain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t heads, Pass& pass) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(-1) / heads));
    const auto scores =
        product(by_head(q * scale, heads), by_head(k, heads).transpose(-2, -1), pass);
    auto weights = at::softmax(scores, -1);
    if (pass.engine == Engine::as_written) {
        weights = dropout(weights, pass);
    } else if (pass.drops()) {
        weights = drop_weights(weights, next_mask(pass, 0), pass.first_entry);
    }
    return product(weights, by_head(v, heads), pass).transpose(1, 2).reshape(q.sizes());
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads,
                  Pass& pass) {
    if (library_applies(q, pass)) return attend_by_library(q, k, v, heads, pass);
    if (!fused_applies(q, pass) || !head_size_is_fused(q.size(-1) / heads)) {
        return attend_plain(q, k, v, heads, pass);
    }
    const Sequences sequences{Packing::equal(q.size(0), q.size(1)),
                              Packing::equal(k.size(0), k.size(1)), at::Tensor()};
    return attend(q.flatten(0, 1), k.flatten(0, 1), v.flatten(0, 1), heads, sequences, pass)
        .reshape(q.sizes());
}

at::Tensor attend_plain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t heads, const Sequences& sequences, Pass& pass) {
    const auto mask = pass.drops() ? next_mask(pass, 0) : DropoutMask{};
    auto single = pass;
    single.mode = Mode::evaluate;
    std::vector<at::Tensor> results;
    for (std::int64_t s = 0; s < sequences.queries.count(); ++s) {
        const auto place = sequences.keys.count() == 1 ? 0 : s;
        const auto first = sequences.keys.first(place), keys = sequences.keys.length(place);
        const auto query = q.narrow(0, sequences.queries.first(s), sequences.queries.length(s));
        if (keys == 0 || query.size(0) == 0) {
            results.push_back(query * 0.0);
            continue;
        }
        const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(-1) / heads));
        const auto split = [&](const at::Tensor& x) { return by_head(x.unsqueeze(0), heads); };
        auto weights = product(split(query * scale),
                               split(k.narrow(0, first, keys)).transpose(-2, -1), single);
        if (sequences.visible.defined()) {
            const auto hidden = sequences.visible.narrow(0, first, keys).logical_not();
            weights = at::softmax(weights.masked_fill(hidden, -1e30), -1).masked_fill(hidden, 0.0);
        } else {
            weights = at::softmax(weights, -1);
        }
        if (mask.probability > 0) weights = drop_weights(weights, mask, pass.first_entry + s);
        results.push_back(product(weights, split(v.narrow(0, first, keys)), single)
                              .transpose(1, 2)
                              .reshape(query.sizes()));
    }
    return results.empty() ? q * 0.0 : at::cat(results);
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads,
                  const Sequences& sequences, Pass& pass) {
    if (!fused_applies(q, pass) || !head_size_is_fused(q.size(-1) / heads)) {
        return attend_plain(q, k, v, heads, sequences, pass);
    }
    const auto mask = pass.drops() ? next_mask(pass, 0) : DropoutMask{};
    auto numbered = sequences;
    numbered.first_entry = pass.first_entry;
    if (pass.precision == tensor::Precision::float32) {
        return attend_fused(q, k, v, heads, numbered, mask);
    }
    const auto narrow = [](const at::Tensor& x) { return x.to(at::kBFloat16); };
    return attend_fused(narrow(q), narrow(k), narrow(v), heads, numbered, mask).to(q.scalar_type());
}

Attention Attention::make(std::int64_t channels, std::int64_t heads,
                          const at::TensorOptions& options) {
    HODO_DOOR(heads >= 1 && channels % heads == 0);
    return {make_parameter({3 * channels, channels}, options),
            make_parameter({3 * channels}, options), Linear::make(channels, channels, options),
            heads};
}

void Attention::visit(tensor::ParameterVisitor& v) {
    v("in_proj_weight", in_proj_weight);
    v("in_proj_bias", in_proj_bias);
    v.group("out_proj", out_proj);
}

void Attention::initialise(const base::Random& random) {
    const auto sum = static_cast<double>(in_proj_weight.size(0) + in_proj_weight.size(1));
    fill_uniform(in_proj_weight, std::sqrt(6.0 / sum), random.child("in_proj_weight"));
    fill_constant(in_proj_bias, 0.0);
    out_proj.initialise(random.child("out_proj"));
    fill_constant(out_proj.bias, 0.0);
}

at::Tensor Attention::project(const at::Tensor& x, std::int64_t first, std::int64_t count,
                              const Pass& pass) const {
    const auto channels = in_proj_weight.size(1);
    const Linear part{in_proj_weight.narrow(0, first * channels, count * channels),
                      in_proj_bias.narrow(0, first * channels, count * channels)};
    return part(x, pass);
}

at::Tensor Attention::operator()(const at::Tensor& x, Pass& pass) const {
    const auto packed = project(x, 0, 3, pass).chunk(3, -1);
    return out_proj(attend(packed[0], packed[1], packed[2], heads, pass), pass);
}

at::Tensor Attention::operator()(const at::Tensor& x, const Packing& packing, Pass& pass,
                                 const at::Tensor& visible) const {
    const auto packed = project(x, 0, 3, pass).chunk(3, -1);
    const Sequences sequences{packing, packing, visible};
    return out_proj(attend(packed[0], packed[1], packed[2], heads, sequences, pass), pass);
}

Memory Attention::remember(const at::Tensor& memory, const Pass& pass) const {
    const auto packed = project(memory.unsqueeze(0), 1, 2, pass).chunk(2, -1);
    return {packed[0], packed[1]};
}

at::Tensor Attention::operator()(const at::Tensor& x, const Memory& memory, Pass& pass) const {
    const auto q = project(x, 0, 1, pass);
    return out_proj(attend(q, memory.keys, memory.values, heads, pass), pass);
}

}  // namespace hodo::nn
