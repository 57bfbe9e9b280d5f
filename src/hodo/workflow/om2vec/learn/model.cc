#include "hodo/workflow/om2vec/learn/model.hh"

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"
#include "hodo/base/text.hh"
#include "hodo/nn/initialise.hh"

namespace hodo::om2vec {

namespace {

constexpr double leaky_slope = 0.01;

/// The map along the tokens followed by the map d -> 1, in the cheap order: [B, T, d] to [B, out].
at::Tensor commuted(const at::Tensor& h, const nn::Linear& tokens, const nn::Linear& channels,
                    const nn::Pass& pass) {
    if (pass.engine == nn::Engine::as_written) {
        return channels(tokens.along_tokens(h, pass), pass).squeeze(-1);
    }
    const auto flat = nn::product(h, channels.weight.transpose(0, 1), pass).squeeze(-1);
    const nn::Linear map{tokens.weight, tokens.bias * channels.weight.sum() + channels.bias};
    return map(flat, pass);
}

/// Each scalar of x [B, T] lifted to channels: [B, T, d].
at::Tensor lift(const at::Tensor& x, const nn::Linear& map) {
    return x.unsqueeze(-1) * map.weight.squeeze(-1) + map.bias;
}

}  // namespace

void EncoderLevel::visit(tensor::ParameterVisitor& v) {
    v.group("enc_layer", layer);
    v.group("downsample", downsample);
}

void DecoderLevel::visit(tensor::ParameterVisitor& v) {
    v.group("dec_layer", layer);
    v.group("upsample", upsample);
}

Model::Model(const ModelOptions& options, const at::TensorOptions& tensors) : options_(options) {
    const auto linear = [&](std::int64_t in, std::int64_t out) {
        return nn::Linear::make(in, out, tensors);
    };
    const auto& tokens = options.tokens;
    const auto levels = tokens.size();
    const nn::LayerSize size{options.embed, options.heads, options.feedforward};
    mem_embedding = nn::make_parameter({options.latent, options.embed}, tensors);
    embedding = linear(1, options.embed);
    initial_downsample = linear(options.bins, tokens.front());
    for (std::size_t i = 0; i < levels; ++i) {
        const auto next = i + 1 < levels ? tokens[i + 1] : 2 * options.latent;
        encoder.push_back({nn::EncoderLayer::make(size, tensors), linear(tokens[i], next)});
    }
    latent_output = linear(options.embed, 1);
    fc_mu = linear(2 * options.latent, options.latent);
    fc_logvar = linear(2 * options.latent, options.latent);
    decoder_embedding = linear(1, options.embed);
    std::int64_t length = options.latent;
    for (std::size_t i = 0; i <= levels; ++i) {
        const auto next = i < levels ? tokens[levels - 1 - i] : options.bins;
        decoder.push_back({nn::DecoderLayer::make(size, tensors), linear(length, next)});
        length = next;
    }
    output = linear(options.embed, 1);
    if (options.sensor_positional_encoding) sensor_positional_encoding = linear(3, options.bins);
}

void Model::visit(tensor::ParameterVisitor& v) {
    v("mem_embedding", mem_embedding);
    v.group("embedding", embedding);
    v.group("initial_downsample.0", initial_downsample);
    for (std::size_t i = 0; i < encoder.size(); ++i) {
        v.group(base::format("encoder.{}", i), encoder[i]);
    }
    v.group("latent_output", latent_output);
    v.group("fc_mu", fc_mu);
    v.group("fc_logvar", fc_logvar);
    v.group("decoder_embedding", decoder_embedding);
    for (std::size_t i = 0; i < decoder.size(); ++i) {
        v.group(base::format("decoder.{}", i), decoder[i]);
    }
    v.group("output", output);
    if (options_.sensor_positional_encoding) {
        v.group("sensor_positional_encoding", sensor_positional_encoding);
    }
}

void Model::initialise(std::uint64_t seed) {
    const base::Random random(seed, "om2vec parameters");
    nn::fill_normal(mem_embedding, 1.0, random.child("mem_embedding"));
    embedding.initialise(random.child("embedding"));
    initial_downsample.initialise(random.child("initial_downsample"));
    for (std::size_t i = 0; i < encoder.size(); ++i) {
        encoder[i].layer.initialise(random.child("encoder layer", i));
        encoder[i].downsample.initialise(random.child("encoder map", i));
    }
    latent_output.initialise(random.child("latent_output"));
    fc_mu.initialise(random.child("fc_mu"));
    fc_logvar.initialise(random.child("fc_logvar"));
    decoder_embedding.initialise(random.child("decoder_embedding"));
    for (std::size_t i = 0; i < decoder.size(); ++i) {
        decoder[i].layer.initialise(random.child("decoder layer", i));
        decoder[i].upsample.initialise(random.child("decoder map", i));
    }
    output.initialise(random.child("output"));
    if (options_.sensor_positional_encoding) {
        sensor_positional_encoding.initialise(random.child("sensor_positional_encoding"));
    }
}

at::Tensor Model::first_map(const Batch& batch, const nn::Pass& pass) const {
    HODO_DOOR(batch.bins == options_.bins);
    const auto& [weight, bias] = initial_downsample;
    // Bins without photons in any module of the batch contribute nothing.
    auto place = batch.bin, used_weight = weight;
    if (pass.engine != nn::Engine::as_written) {
        at::Tensor used;
        std::tie(used, place) = at::_unique(batch.bin, true, true);
        used_weight = weight.index_select(1, used);
    }
    const auto columns = used_weight.size(1);
    const auto x = at::zeros({batch.modules * columns}, batch.count.options())
                       .index_add(0, batch.row * columns + place, at::log1p(batch.count))
                       .reshape({batch.modules, columns})
                       .to(type());
    auto s = nn::Linear{used_weight, bias}(x, pass);
    if (options_.sensor_positional_encoding) {
        HODO_CHECK(batch.position.defined(),
                   "the network reads the positions of modules (it was trained with "
                   "sensor_positional_encoding), but the batch has none; give an input with module "
                   "positions");
        const auto& [position_weight, position_bias] = sensor_positional_encoding;
        const nn::Linear map{at::matmul(weight, position_weight), at::mv(weight, position_bias)};
        s = s + map(batch.position.to(type()), pass);
    }
    return at::leaky_relu(s, leaky_slope);
}

at::Tensor Model::encoder_tokens(const at::Tensor& s, nn::Pass& pass) const {
    auto h = lift(s, embedding);
    for (std::size_t i = 0; i < encoder.size(); ++i) {
        h = encoder[i].layer(h, pass);
        if (i + 1 < encoder.size()) h = encoder[i].downsample.along_tokens(h, pass);
    }
    return h;
}

Latent Model::encode(const Batch& batch, nn::Pass& pass) const {
    const auto h = encoder_tokens(first_map(batch, pass), pass);
    const auto code = commuted(h, encoder.back().downsample, latent_output, pass);
    return {fc_mu(code, pass), fc_logvar(code, pass)};
}

at::Tensor Model::decoder_tokens(const at::Tensor& z, nn::Pass& pass) const {
    auto h = lift(z, decoder_embedding);
    for (std::size_t i = 0; i < decoder.size(); ++i) {
        h = decoder[i].layer(h, mem_embedding, pass);
        if (i + 1 < decoder.size()) h = decoder[i].upsample.along_tokens(h, pass);
    }
    return h;
}

at::Tensor Model::decode(const at::Tensor& z, nn::Pass& pass) const {
    HODO_DOOR(z.dim() == 2 && z.size(1) == options_.latent);
    return commuted(decoder_tokens(z, pass), decoder.back().upsample, output, pass);
}

Output Model::forward(const Batch& batch, const at::Tensor& eps, nn::Pass& pass) const {
    auto latent = encode(batch, pass);
    const auto z = latent.mean + eps * at::exp(latent.log_variance * 0.5);
    auto logits = decode(z, pass);
    return {std::move(latent), z, std::move(logits)};
}

nn::Pass make_pass(const Model& model, nn::Mode mode) {
    nn::Pass pass;
    pass.mode = mode;
    pass.dropout = model.options().dropout;
    return pass;
}

at::Tensor latent_noise(std::uint64_t seed, std::int64_t step, std::int64_t first,
                        std::int64_t modules, std::int64_t latent, at::ScalarType type) {
    auto noise = at::empty({modules, latent}, at::TensorOptions().dtype(at::kDouble));
    const base::Random step_stream(seed, "latent noise", static_cast<std::uint64_t>(step));
    for (std::int64_t module = 0; module < modules; ++module) {
        auto random = step_stream.child("module", static_cast<std::uint64_t>(first + module));
        double* value = noise.data_ptr<double>() + module * latent;
        for (std::int64_t i = 0; i < latent; ++i) value[i] = random.normal();
    }
    return noise.to(type);
}

}  // namespace hodo::om2vec
