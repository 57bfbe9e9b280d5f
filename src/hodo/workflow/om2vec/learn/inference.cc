#include "hodo/workflow/om2vec/learn/inference.hh"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>

#include <ATen/core/grad_mode.h>

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"
#include "hodo/base/threads.hh"

namespace hodo::om2vec {

namespace {

constexpr float leaky_slope = 0.01F;
constexpr std::int64_t modules_per_reading = 32;  // of the last map's panels
constexpr std::int64_t panels_per_part = 16;      // of the last map: 2 MB of weights

/// A float32 CPU copy that is contiguous.
at::Tensor plain(const at::Tensor& tensor) {
    return tensor.detach().to(at::kCPU, at::kFloat).contiguous();
}

std::span<const float> values(const at::Tensor& tensor) {
    return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

std::span<const float> numbers(const float* first, std::int64_t count) {
    return {first, static_cast<std::size_t>(count)};
}

nn::AlignedFloats copy(const at::Tensor& tensor) {
    nn::AlignedFloats result(tensor.numel());
    const auto source = plain(tensor);
    std::copy_n(source.data_ptr<float>(), source.numel(), result.data());
    return result;
}

/// A weight and its bias with the tensors that keep them alive.
struct Held {
    at::Tensor weight, bias;
    Held(const at::Tensor& w, const at::Tensor& b) : weight(plain(w)), bias(plain(b)) {}
    explicit Held(const nn::Linear& map) : Held(map.weight, map.bias) {}
    nn::WeightSpan span() const {
        return {values(weight), values(bias), weight.size(0), weight.size(1)};
    }
};

nn::PackedNorm pack(const nn::LayerNorm& norm) {
    return {values(plain(norm.weight)), values(plain(norm.bias))};
}

nn::PackedSelfAttention pack(const nn::Attention& attention) {
    const Held in(attention.in_proj_weight, attention.in_proj_bias), out(attention.out_proj);
    return {{in.span(), out.span()}, attention.heads};
}

nn::PackedFeedForward pack(const nn::Linear& first, const nn::Linear& second,
                           const nn::LayerNorm& norm) {
    return {nn::PackedLinear(Held(first).span()), nn::PackedLinear(Held(second).span()),
            pack(norm)};
}

nn::PackedEncoderLayer pack(const nn::EncoderLayer& layer) {
    return {pack(layer.self_attn), pack(layer.norm1),
            pack(layer.linear1, layer.linear2, layer.norm2)};
}

nn::PackedDecoderLayer pack(const nn::DecoderLayer& layer, const at::Tensor& memory) {
    const auto& cross = layer.multihead_attn;
    const Held in(cross.in_proj_weight, cross.in_proj_bias), out(cross.out_proj);
    const auto held = plain(memory);
    return {pack(layer.self_attn),
            {{in.span(), out.span()}, cross.heads, values(held), held.size(0)},
            pack(layer.norm1),
            pack(layer.norm2),
            pack(layer.linear1, layer.linear2, layer.norm3)};
}

/// The last map along the tokens with the constant part of the following map d -> 1.
nn::PackedLinear pack_commuted(const nn::Linear& tokens, const nn::Linear& channels) {
    const auto bias = tokens.bias * channels.weight.sum() + channels.bias;
    return nn::PackedLinear(Held(tokens.weight, bias).span());
}

/// The map d -> 1 without its bias, which is in the commuted map.
nn::PackedLinear pack_without_bias(const nn::Linear& map) {
    return nn::PackedLinear(Held(map.weight, at::zeros_like(map.bias)).span());
}

/// The self-attention of a layer that sees the lifted numbers.
nn::PackedScalarAttention pack_first(const nn::Attention& attention, const nn::Linear& lift) {
    const Held in(attention.in_proj_weight, attention.in_proj_bias), out(attention.out_proj);
    const Held lifted(lift);
    return {{in.span(), out.span()}, attention.heads, values(lifted.weight), values(lifted.bias)};
}

std::int64_t largest_length(const ModelOptions& options) {
    const auto longest = *std::max_element(options.tokens.begin(), options.tokens.end());
    return std::max(longest, 2 * options.latent);
}

}  // namespace

/// What one thread needs while it computes a module.
struct Inference::Work {
    explicit Work(const ModelOptions& options)
        : tokens(largest_length(options)),
          stride(nn::round_up(options.embed, nn::channel_multiple)),
          scalars(tokens),
          collected(tokens * nn::channel_multiple),
          code(nn::round_up(2 * options.latent, nn::channel_multiple)),
          result(nn::round_up(options.latent, nn::channel_multiple)),
          spare(options.latent),
          first(tokens * stride),
          second(tokens * stride),
          scratch(tokens, options.latent, options.embed, options.heads) {}

    std::int64_t tokens, stride;
    nn::AlignedFloats scalars, collected, code, result, spare, first, second;
    nn::Scratch scratch;
};

/// The single number of every token.
void Inference::collect(const nn::PackedLinear& map, nn::ConstMatrixView h, std::int64_t tokens,
                        Work& work, float* numbers) const {
    const nn::MatrixView rows{work.collected.data(), nn::channel_multiple};
    kernels_->dense(h, tokens, map.view(), rows);
    for (std::int64_t t = 0; t < tokens; ++t) numbers[t] = rows.data[t * rows.stride];
}

Inference::Inference(const Model& model, const nn::Kernels& kernels)
    : options_(model.options()), kernels_(&kernels) {
    HODO_CHECK(options_.embed / options_.heads <= nn::largest_head,
               "{} channels in {} heads make heads of {} (inference handles up to {}); use more "
               "heads",
               options_.embed, options_.heads, options_.embed / options_.heads, nn::largest_head);
    const at::NoGradGuard no_gradients;
    first_weight_ = copy(model.initial_downsample.weight.transpose(0, 1));
    first_bias_ = copy(model.initial_downsample.bias);
    if (options_.sensor_positional_encoding) {
        const auto weight = plain(model.initial_downsample.weight).to(at::kDouble);
        const auto& map = model.sensor_positional_encoding;
        position_ = copy(at::matmul(weight, map.weight.to(at::kDouble)).transpose(0, 1));
        const auto shift = at::mv(weight, map.bias.to(at::kDouble));
        first_bias_ = copy(model.initial_downsample.bias.to(at::kDouble) + shift);
    }
    lift_ = nn::PackedLinear(Held(model.embedding).span());
    decoder_lift_ = nn::PackedLinear(Held(model.decoder_embedding).span());
    collect_ = pack_without_bias(model.latent_output);
    decoder_collect_ = pack_without_bias(model.output);
    first_attention_ = pack_first(model.encoder.front().layer.self_attn, model.embedding);
    first_decoder_attention_ =
        pack_first(model.decoder.front().layer.self_attn, model.decoder_embedding);
    for (const auto& level : model.encoder) {
        encoder_.push_back(pack(level.layer));
        if (encoder_.size() < model.encoder.size()) {
            encoder_maps_.emplace_back(Held(level.downsample).span());
        }
    }
    for (const auto& level : model.decoder) {
        decoder_.push_back(pack(level.layer, model.mem_embedding));
        if (decoder_.size() < model.decoder.size()) {
            decoder_maps_.emplace_back(Held(level.upsample).span());
        }
    }
    code_ = pack_commuted(model.encoder.back().downsample, model.latent_output);
    mean_ = nn::PackedLinear(Held(model.fc_mu).span());
    log_variance_ = nn::PackedLinear(Held(model.fc_logvar).span());
    one_photon_ = std::make_unique<OnePhotonTable>(options_.bins, options_.latent);
    logits_ = pack_commuted(model.decoder.back().upsample, model.output);
}

void Inference::first_map(const CountView& counts, std::int64_t module, float* s) const {
    const auto length = first_bias_.size();
    const auto m = static_cast<std::size_t>(module);
    std::copy_n(first_bias_.data(), length, s);
    for (auto i = counts.offsets[m]; i < counts.offsets[m + 1]; ++i) {
        const auto entry = static_cast<std::size_t>(i);
        const auto bin = counts.bins[entry];
        HODO_CHECK(bin >= 0 && bin < options_.bins,
                   "module {}: bin {} lies outside 0..{} (the network reads {} bins); bin the "
                   "photons with the network's own geometry",
                   module, bin, options_.bins - 1, options_.bins);
        const auto x = static_cast<float>(std::log1p(static_cast<double>(counts.counts[entry])));
        kernels_->add_scaled(x, first_weight_.data() + bin * length, s, length);
    }
    if (position_.size() > 0) {
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const auto x = static_cast<float>(counts.positions[m][axis]);
            kernels_->add_scaled(x, position_.data() + static_cast<std::int64_t>(axis) * length, s,
                                 length);
        }
    }
    for (std::int64_t t = 0; t < length; ++t) s[t] = s[t] >= 0.0F ? s[t] : leaky_slope * s[t];
}

void Inference::encode_module(const CountView& counts, std::int64_t module, Work& work, float* mean,
                              float* log_variance) const {
    nn::MatrixView h{work.first.data(), work.stride}, next{work.second.data(), work.stride};
    std::int64_t tokens = first_bias_.size();
    first_map(counts, module, work.scalars.data());
    kernels_->dense({work.scalars.data(), 1}, tokens, lift_.view(), h);
    for (std::size_t i = 0; i < encoder_.size(); ++i) {
        if (i == 0) {
            first_attention_(*kernels_, numbers(work.scalars.data(), tokens), work.scratch);
            encoder_[i].finish(*kernels_, h, tokens, work.scratch);
        } else {
            encoder_[i](*kernels_, h, tokens, work.scratch);
        }
        if (i == encoder_maps_.size()) break;
        encoder_maps_[i](*kernels_, h, options_.embed, next);
        tokens = encoder_maps_[i].out();
        std::swap(h, next);
    }
    collect(collect_, h, tokens, work, work.scalars.data());
    const nn::MatrixView code{work.code.data(), work.code.size()};
    const nn::MatrixView result{work.result.data(), work.result.size()};
    kernels_->dense({work.scalars.data(), tokens}, 1, code_.view(), code);
    kernels_->dense(code, 1, mean_.view(), result);
    std::copy_n(result.data, options_.latent, mean);
    if (log_variance == nullptr) return;
    kernels_->dense(code, 1, log_variance_.view(), result);
    std::copy_n(result.data, options_.latent, log_variance);
}

std::int64_t Inference::single_bin(const CountView& counts, std::int64_t module) const {
    const auto m = static_cast<std::size_t>(module);
    const auto entry = static_cast<std::size_t>(counts.offsets[m]);
    if (options_.sensor_positional_encoding) return -1;
    if (counts.offsets[m + 1] - counts.offsets[m] != 1 || counts.counts[entry] != 1.0F) return -1;
    return counts.bins[entry] < options_.bins ? counts.bins[entry] : -1;
}

void Inference::encode(const CountView& counts, std::span<float> means,
                       std::span<float> log_variances) const {
    const auto latent = options_.latent;
    HODO_DOOR(std::ssize(means) == counts.size() * latent);
    HODO_DOOR(log_variances.empty() || log_variances.size() == means.size());
    HODO_CHECK(
        !options_.sensor_positional_encoding || counts.size() == 0 || !counts.positions.empty(),
        "the network reads the positions of modules (it was trained with "
        "sensor_positional_encoding), but the input has none; give an input with module "
        "positions");
    const auto place = [&](std::span<float> rows, std::int64_t module) {
        return rows.empty() ? nullptr : rows.data() + module * latent;
    };
    auto seen = counts;
    if (!options_.sensor_positional_encoding) seen.positions = {};
    std::vector<std::int64_t> unknown;
    for (std::int64_t m = 0; m < counts.size(); ++m) {
        const auto bin = single_bin(seen, m);
        if (bin < 0 || !one_photon_->find(bin, place(means, m), place(log_variances, m))) {
            unknown.push_back(m);
        }
    }
    const auto first_equal = first_equal_module(seen, unknown);
    std::vector<std::int64_t> distinct;
    for (std::size_t i = 0; i < unknown.size(); ++i) {
        if (first_equal[i] == unknown[i]) distinct.push_back(unknown[i]);
    }
    base::parallel_for(std::ssize(distinct), 1, [&](std::int64_t begin, std::int64_t end) {
        Work work(options_);
        for (auto i = begin; i < end; ++i) {
            const auto module = distinct[static_cast<std::size_t>(i)];
            const auto bin = single_bin(seen, module);
            float* mean = place(means, module);
            float* log_variance = place(log_variances, module);
            if (bin >= 0 && log_variance == nullptr) log_variance = work.spare.data();
            encode_module(seen, module, work, mean, log_variance);
            if (bin >= 0) one_photon_->add(bin, mean, log_variance);
        }
    });
    for (std::size_t i = 0; i < unknown.size(); ++i) {
        const auto source = first_equal[i], module = unknown[i];
        if (source == module) continue;
        std::copy_n(place(means, source), latent, place(means, module));
        if (!log_variances.empty()) {
            std::copy_n(place(log_variances, source), latent, place(log_variances, module));
        }
    }
}

void Inference::decode_module(const float* z, Work& work, float* summary) const {
    nn::MatrixView h{work.first.data(), work.stride}, next{work.second.data(), work.stride};
    std::int64_t tokens = options_.latent;
    kernels_->dense({z, 1}, tokens, decoder_lift_.view(), h);
    for (std::size_t i = 0; i < decoder_.size(); ++i) {
        if (i == 0) {
            first_decoder_attention_(*kernels_, numbers(z, tokens), work.scratch);
            decoder_[i].finish(*kernels_, h, tokens, work.scratch);
        } else {
            decoder_[i](*kernels_, h, tokens, work.scratch);
        }
        if (i == decoder_maps_.size()) break;
        decoder_maps_[i](*kernels_, h, options_.embed, next);
        tokens = decoder_maps_[i].out();
        std::swap(h, next);
    }
    collect(decoder_collect_, h, tokens, work, summary);
}

void Inference::decode(std::span<const float> z, std::span<float> logits) const {
    const auto modules = std::ssize(z) / options_.latent;
    HODO_DOOR(std::ssize(z) == modules * options_.latent);
    HODO_DOOR(std::ssize(logits) == modules * options_.bins);
    const auto length = logits_.in();
    nn::AlignedFloats summaries(modules * length);
    base::parallel_for(modules, 1, [&](std::int64_t begin, std::int64_t end) {
        Work work(options_);
        for (auto module = begin; module < end; ++module) {
            decode_module(z.data() + module * options_.latent, work,
                          summaries.data() + module * length);
        }
    });
    const auto panels = nn::round_up(options_.bins, nn::panel_width) / nn::panel_width;
    base::parallel_for(panels, panels_per_part, [&](std::int64_t begin, std::int64_t end) {
        last_map({summaries.data(), length}, modules, begin, end, logits);
    });
}

void Inference::last_map(nn::ConstMatrixView summaries, std::int64_t modules,
                         std::int64_t first_panel, std::int64_t last_panel,
                         std::span<float> logits) const {
    const auto first = first_panel * nn::panel_width;
    auto map = logits_.view();
    map.panels += first * map.in;
    map.bias += first;
    map.out = std::min(last_panel * nn::panel_width, options_.bins) - first;
    const auto stride = nn::round_up(map.out, nn::channel_multiple);
    nn::AlignedFloats rows(std::min(modules, modules_per_reading) * stride);
    for (std::int64_t top = 0; top < modules; top += modules_per_reading) {
        const auto count = std::min(modules_per_reading, modules - top);
        kernels_->dense({summaries.data + top * summaries.stride, summaries.stride}, count, map,
                        {rows.data(), stride});
        for (std::int64_t i = 0; i < count; ++i) {
            std::copy_n(rows.data() + i * stride, map.out,
                        logits.data() + (top + i) * options_.bins + first);
        }
    }
}

std::vector<std::int64_t> first_equal_module(const CountView& counts,
                                             std::span<const std::int64_t> modules) {
    const auto content = [&](std::int64_t module) {
        const auto begin =
            static_cast<std::size_t>(counts.offsets[static_cast<std::size_t>(module)]);
        const auto size =
            static_cast<std::size_t>(counts.offsets[static_cast<std::size_t>(module) + 1]) - begin;
        std::string bytes(size * (sizeof(std::int32_t) + sizeof(float)), '\0');
        if (size > 0) {
            std::memcpy(bytes.data(), &counts.bins[begin], size * sizeof(std::int32_t));
            std::memcpy(bytes.data() + size * sizeof(std::int32_t), &counts.counts[begin],
                        size * sizeof(float));
        }
        if (!counts.positions.empty()) {
            const auto& position = counts.positions[static_cast<std::size_t>(module)];
            bytes.append(reinterpret_cast<const char*>(position.data()), sizeof position);
        }
        return bytes;
    };
    std::unordered_map<std::string, std::int64_t> seen;
    std::vector<std::int64_t> first;
    for (const auto module : modules) {
        first.push_back(seen.try_emplace(content(module), module).first->second);
    }
    return first;
}

std::vector<std::int64_t> first_equal_module(const CountView& counts) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(counts.size()));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    return first_equal_module(counts, all);
}

}  // namespace hodo::om2vec
