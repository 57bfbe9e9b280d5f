#include "hodo/workflow/om2vec/model_options.hh"

#include "hodo/base/text.hh"

namespace hodo::om2vec {

namespace {

using workflow::NamedShape;

void add_linear(std::vector<NamedShape>& list, const std::string& name, std::int64_t out,
                std::int64_t in) {
    list.push_back({name + ".weight", {out, in}});
    list.push_back({name + ".bias", {out}});
}

void add_attention(std::vector<NamedShape>& list, const std::string& name, std::int64_t embed) {
    list.push_back({name + ".in_proj_weight", {3 * embed, embed}});
    list.push_back({name + ".in_proj_bias", {3 * embed}});
    add_linear(list, name + ".out_proj", embed, embed);
}

void add_layer(std::vector<NamedShape>& list, const std::string& name, const ModelOptions& options,
               int norms) {
    add_attention(list, name + ".self_attn", options.embed);
    if (norms == 3) add_attention(list, name + ".multihead_attn", options.embed);
    add_linear(list, name + ".linear1", options.feedforward, options.embed);
    add_linear(list, name + ".linear2", options.embed, options.feedforward);
    for (int norm = 1; norm <= norms; ++norm) {
        list.push_back({base::format("{}.norm{}.weight", name, norm), {options.embed}});
        list.push_back({base::format("{}.norm{}.bias", name, norm), {options.embed}});
    }
}

}  // namespace

void ModelOptions::describe(base::Fields& f) {
    f("bins", bins, "time bins of a histogram").at_least(1);
    f("latent", latent, "numbers in a latent vector").at_least(1);
    f("embed", embed, "channels of a token").at_least(1);
    f("heads", heads, "attention heads").at_least(1);
    f("feedforward", feedforward, "hidden width of the feed-forward parts").at_least(1);
    f("tokens", tokens, "token counts of the transformer layers, from the input inwards")
        .at_least(1);
    f("dropout", dropout, "probability to drop a number while training").at_least(0).below(1);
    f("sensor_positional_encoding", sensor_positional_encoding,
      "add a linear map of the module's position to the input");
    f.rule(heads < 1 || embed % heads == 0, "embed must be a multiple of heads");
    f.rule(!tokens.empty(), "tokens must have at least one entry");
}

ModelOptions preset(Preset size) {
    ModelOptions options;
    if (size == Preset::toy) {
        options.bins = 256;
        options.latent = 8;
        options.embed = 16;
        options.heads = 2;
        options.feedforward = 64;
        options.tokens = {64, 32, 16};
    } else if (size == Preset::small) {
        options.latent = 32;
        options.embed = 16;
        options.heads = 2;
        options.feedforward = 256;
        options.tokens = {256, 128, 64};
    }
    return options;
}

std::vector<NamedShape> parameter_shapes(const ModelOptions& options) {
    std::vector<NamedShape> list;
    const auto& tokens = options.tokens;
    const auto levels = tokens.size();
    list.push_back({"mem_embedding", {options.latent, options.embed}});
    add_linear(list, "embedding", options.embed, 1);
    add_linear(list, "initial_downsample.0", tokens.front(), options.bins);
    for (std::size_t i = 0; i < levels; ++i) {
        const auto name = base::format("encoder.{}", i);
        add_layer(list, name + ".enc_layer", options, 2);
        add_linear(list, name + ".downsample", i + 1 < levels ? tokens[i + 1] : 2 * options.latent,
                   tokens[i]);
    }
    add_linear(list, "latent_output", 1, options.embed);
    add_linear(list, "fc_mu", options.latent, 2 * options.latent);
    add_linear(list, "fc_logvar", options.latent, 2 * options.latent);
    add_linear(list, "decoder_embedding", options.embed, 1);
    std::int64_t length = options.latent;
    for (std::size_t i = 0; i <= levels; ++i) {
        const auto name = base::format("decoder.{}", i);
        const auto next = i < levels ? tokens[levels - 1 - i] : options.bins;
        add_layer(list, name + ".dec_layer", options, 3);
        add_linear(list, name + ".upsample", next, length);
        length = next;
    }
    add_linear(list, "output", 1, options.embed);
    if (options.sensor_positional_encoding) {
        add_linear(list, "sensor_positional_encoding", options.bins, 3);
    }
    return list;
}

std::int64_t parameter_count(const ModelOptions& options) {
    std::int64_t total = 0;
    for (const auto& tensor : parameter_shapes(options)) {
        std::int64_t size = 1;
        for (const auto length : tensor.shape) size *= length;
        total += size;
    }
    return total;
}

ModelOptions infer_options(std::span<const NamedShape> tensors, std::string_view origin) {
    const workflow::ShapeBook book(tensors, origin, "an om2vec network");
    const auto matrix = [&](const std::string& name) { return book.shape(name, 2); };
    ModelOptions options;
    const auto initial = matrix("initial_downsample.0.weight");
    const auto memory = matrix("mem_embedding");
    options.bins = initial[1];
    options.latent = memory[0];
    options.embed = memory[1];
    options.tokens = {initial[0]};
    options.feedforward = matrix("encoder.0.enc_layer.linear1.weight")[0];
    for (int i = 1; book.has(base::format("encoder.{}.downsample.weight", i)); ++i) {
        options.tokens.push_back(matrix(base::format("encoder.{}.downsample.weight", i))[1]);
    }
    if (options.embed % options.heads != 0) options.heads = 1;
    options.sensor_positional_encoding = book.has("sensor_positional_encoding.weight");
    book.compare(parameter_shapes(options));
    return options;
}

}  // namespace hodo::om2vec
