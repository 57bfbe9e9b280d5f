#include "hodo/io/detail/checkpoint_layout.hh"

#include <algorithm>

#include "hodo/base/error.hh"
#include "hodo/io/detail/pickle_json.hh"

namespace hodo::io {

namespace {

constexpr std::size_t deepest_names = 50;
constexpr std::size_t most_visits = 4'000'000;
constexpr std::string_view strict_member = "hyper_parameters";

/// A mapping of names to tensors and the words that lead to it.
struct Mapping {
    PickleValue value;
    std::string path;
};

std::string key_text(const PickleValue& key) {
    return key.is(PickleKind::integer) ? std::to_string(key.integer())
           : key.is(PickleKind::text)  ? std::string(key.text())
                                       : key.description();
}

std::optional<Mapping> member(const PickleValue& root, std::string_view key) {
    const auto value = root.find(key);
    if (!value || !value->is(PickleKind::dict)) return {};
    return Mapping{*value, std::string(key)};
}

/// The state of a callback whose name begins with `callback`, under `key`.
std::optional<Mapping> callback_member(const PickleValue& root, std::string_view callback,
                                       std::string_view key) {
    const auto callbacks = root.find("callbacks");
    if (!callbacks || !callbacks->is(PickleKind::dict)) return {};
    for (std::size_t i = 0; i < callbacks->size(); ++i) {
        const auto word = key_text(callbacks->key(i));
        if (!word.starts_with(callback)) continue;
        auto found = member(callbacks->value(i), key);
        if (found) found->path = "callbacks." + word + '.' + std::string(key);
        if (found) return found;
    }
    return {};
}

std::optional<Mapping> find_average(const PickleValue& root, WeightChoice choice) {
    if (choice == WeightChoice::swa) {
        return callback_member(root, "StochasticWeightAveraging", "average_model_state");
    }
    for (const auto* key : {"ema_state_dict", "state_dict_ema", "model_ema", "ema_model", "ema"}) {
        if (auto found = member(root, key)) return found;
    }
    return callback_member(root, "EMA", "ema_state_dict");
}

/// Collects the tensors of nested mappings into a body.
class Collector {
  public:
    Collector(WeightBody& body, std::shared_ptr<const Pickle> pickle, const StorageSource& source,
              Unknown unknown)
        : body_(body), pickle_(std::move(pickle)), source_(source), unknown_(unknown) {}

    /// Adds what is below `value`; `name` is its dotted name, `path` where it stands in the file.
    void collect(const PickleValue& value, const std::string& name, const std::string& path,
                 std::size_t depth) {
        visit(path, depth);
        if (value.is(PickleKind::tensor)) {
            add(value.tensor(), name);
        } else if (value.is(PickleKind::dict)) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                const auto key = key_text(value.key(i));
                if (depth == 0 && unknown_ == Unknown::opaque && key.starts_with("optim")) continue;
                collect(value.value(i), name.empty() ? key : name + '.' + key, path + '.' + key,
                        depth + 1);
            }
        } else if (has_tensors(value)) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                const auto index = std::to_string(i);
                collect(value.item(i), name.empty() ? index : name + '.' + index,
                        path + '.' + index, depth + 1);
            }
        } else if (unknown_ == Unknown::error) {
            to_json(value, unknown_, source_.origin, path);
        }
    }

  private:
    void visit(const std::string& path, std::size_t depth) {
        HODO_CHECK(depth <= deepest_names && ++visits_ <= most_visits,
                   "{}: the mapping of weights at '{}' is too deep or too large (it may contain "
                   "itself); save a plain state_dict",
                   source_.origin, path.substr(0, 80));
    }
    static bool has_tensors(const PickleValue& value) {
        if (!value.is(PickleKind::list) && !value.is(PickleKind::tuple)) return false;
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (value.item(i).is(PickleKind::tensor)) return true;
        }
        return false;
    }
    void add(const PickleTensor& tensor, const std::string& name) {
        auto loader = [pickle = pickle_, source = source_, &tensor] {
            return load_tensor(tensor, source);
        };
        body_.add({name.empty() ? "tensor" : name, tensor.storage.dtype, tensor.shape},
                  std::move(loader));
    }

    WeightBody& body_;
    std::shared_ptr<const Pickle> pickle_;
    const StorageSource& source_;
    Unknown unknown_;
    std::size_t visits_ = 0;
};

/// The members of the file's mapping, for a message.
std::string known_keys(const PickleValue& root) {
    if (!root.is(PickleKind::dict)) return root.description();
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < std::min<std::size_t>(root.size(), 12); ++i) {
        keys.push_back("'" + key_text(root.key(i)) + "'");
    }
    return keys.empty() ? "an empty dictionary" : base::join(keys, ", ");
}

std::optional<Mapping> find_weights(const PickleValue& root) {
    for (const auto* key : {"state_dict", "model_state_dict", "model"}) {
        if (auto found = member(root, key)) return found;
    }
    return {};
}

OptimizerSlot read_slot(const PickleValue& key, const PickleValue& state,
                        const StorageSource& source) {
    OptimizerSlot slot;
    slot.parameter = key.integer();
    for (std::size_t i = 0; i < state.size(); ++i) {
        const auto word = key_text(state.key(i));
        const auto value = state.value(i);
        if (value.is(PickleKind::tensor)) {
            auto array = load_tensor(value.tensor(), source);
            if (word == "step" && array.size() == 1) {
                slot.step = array.doubles().front();
            } else {
                slot.moments.push_back({word, std::move(array)});
            }
        } else if (word == "step" && value.is_number()) {
            slot.step = value.real();
        }
    }
    return slot;
}

OptimizerState read_optimizer(const PickleValue& value, const StorageSource& source) {
    OptimizerState optimizer;
    const auto state = value.find("state");
    HODO_CHECK(state && state->is(PickleKind::dict),
               "{}: an optimizer lacks its 'state' (needed to resume); use a file that holds it",
               source.origin);
    for (std::size_t i = 0; i < state->size(); ++i) {
        if (!state->value(i).is(PickleKind::dict)) continue;
        optimizer.slots.push_back(read_slot(state->key(i), state->value(i), source));
    }
    std::sort(optimizer.slots.begin(), optimizer.slots.end(),
              [](const auto& a, const auto& b) { return a.parameter < b.parameter; });
    if (const auto groups = value.find("param_groups")) {
        optimizer.groups = to_json(*groups, Unknown::opaque, source.origin, "param_groups");
    }
    return optimizer;
}

void find_optimizers(WeightBody& body, const std::shared_ptr<const Pickle>& pickle,
                     const StorageSource& source) {
    const auto add = [&](const PickleValue& value) {
        if (!value.is(PickleKind::dict) || !value.find("state")) return;
        body.optimizers.push_back(
            [pickle, source, value] { return read_optimizer(value, source); });
    };
    const auto root = pickle->root();
    if (const auto list = root.find("optimizer_states")) {
        for (std::size_t i = 0; list->is(PickleKind::list) && i < list->size(); ++i) {
            add(list->item(i));
        }
    }
    for (const auto* key : {"optimizer_state_dict", "optimizer"}) {
        if (const auto value = root.find(key)) add(*value);
    }
}

/// Whether weights are called `key` or begin with it and a dot.
bool has_below(const WeightBody& body, const std::string& key) {
    const auto next = body.index.lower_bound(key + '.');
    return body.index.contains(key) ||
           (next != body.index.end() && next->first.starts_with(key + '.'));
}

/// The members of the file's mapping beside the weights, as plain data.
Json describe_rest(const WeightBody& body, const PickleValue& root, std::string_view origin) {
    Json::Object rest;
    const auto weights = find_weights(root);
    for (std::size_t i = 0; root.is(PickleKind::dict) && i < root.size(); ++i) {
        const auto key = key_text(root.key(i));
        const auto value = root.value(i);
        if (weights ? key == weights->path : has_below(body, key)) continue;
        const auto unknown = key == strict_member ? Unknown::error : Unknown::opaque;
        rest.emplace_back(key, to_json(value, unknown, origin, key));
    }
    return rest;
}

}  // namespace

void lay_out_checkpoint(WeightBody& body, const Pickle& pickle, const StorageSource& source,
                        WeightChoice choice) {
    const auto kept = std::make_shared<const Pickle>(pickle);
    const auto root = kept->root();
    const bool is_average = choice == WeightChoice::swa || choice == WeightChoice::ema;
    auto mapping = is_average ? find_average(root, choice) : find_weights(root);
    HODO_CHECK(mapping || !is_average,
               "{}: holds no {} weights (its members: {}); read the last ones instead",
               source.origin, names(choice)[static_cast<std::size_t>(choice)], known_keys(root));
    const auto unknown = mapping ? Unknown::error : Unknown::opaque;
    if (!mapping) mapping = Mapping{root, ""};
    Collector(body, kept, source, unknown).collect(mapping->value, "", mapping->path, 0);
    HODO_CHECK(!body.entries.empty() || !mapping->path.empty(),
               "{}: holds no weights ({}); save a state_dict with torch.save", source.origin,
               known_keys(root));
    body.metadata = describe_rest(body, root, source.origin);
    find_optimizers(body, kept, source);
}

}  // namespace hodo::io
