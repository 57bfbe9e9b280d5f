#include "hodo/tensor/weights.hh"

#include <set>
#include <vector>

#include <ATen/core/grad_mode.h>

#include "hodo/base/error.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/view.hh"

namespace hodo::tensor {

namespace {

/// "a, b, c and 12 more".
std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 5;
    const auto count = std::min(shown, names.size());
    auto text = base::join(std::span(names).first(count), ", ");
    if (names.size() > shown) text += base::format(" and {} more", names.size() - shown);
    return text;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::vector<std::string> sizes;
    for (const auto size : shape) sizes.push_back(std::to_string(size));
    return "[" + base::join(sizes, ", ") + "]";
}

/// What keeps `file` from filling `parameters`, or nothing.
std::vector<std::string> mismatches(std::span<const NamedParameter> parameters,
                                    std::span<const std::string> wanted,
                                    const io::WeightFile& file) {
    std::vector<std::string> missing, unexpected, shapes;
    const std::set<std::string> known(wanted.begin(), wanted.end());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (!file.has(wanted[i])) missing.push_back(wanted[i]);
    }
    for (const auto& entry : file.entries()) {
        if (!known.contains(entry.name)) unexpected.push_back(entry.name);
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (wanted[i] != entry.name) continue;
            const auto expected = parameters[i].tensor->sizes().vec();
            if (expected == entry.shape) continue;
            shapes.push_back(base::format("{} is {} instead of {}", entry.name,
                                          shape_text(entry.shape), shape_text(expected)));
        }
    }
    std::vector<std::string> problems;
    if (!missing.empty()) problems.push_back("missing are " + listed(missing));
    if (!unexpected.empty()) problems.push_back("unexpected are " + listed(unexpected));
    if (!shapes.empty()) problems.push_back("of another shape are " + listed(shapes));
    return problems;
}

}  // namespace

void load_parameters(std::span<const NamedParameter> parameters, const io::WeightFile& file,
                     const NameMap& name_in_file) {
    std::vector<std::string> wanted;
    for (const auto& parameter : parameters) {
        wanted.push_back(name_in_file ? name_in_file(parameter.name) : parameter.name);
    }
    const auto problems = mismatches(parameters, wanted, file);
    HODO_CHECK(problems.empty(),
               "{}: the weights do not fit this network: {}; check the network's options",
               file.path(), base::join(problems, "; "));
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        parameters[i].tensor->copy_(from_array(file.get(wanted[i])));
    }
}

io::NamedArrays parameter_arrays(std::span<const NamedParameter> parameters) {
    io::NamedArrays arrays;
    for (const auto& parameter : parameters) {
        arrays.push_back({parameter.name, to_array(parameter.tensor->detach().clone())});
    }
    return arrays;
}

std::string fingerprint(std::span<const NamedParameter> parameters) {
    constexpr std::uint64_t fnv_prime = 0x100000001b3ULL;
    std::uint64_t hash = 0;
    for (const auto& [name, array] : parameter_arrays(parameters)) {
        const std::string_view bytes(reinterpret_cast<const char*>(array.bytes.data()),
                                     array.bytes.size());
        hash = hash * fnv_prime ^ base::fnv1a(name) ^ base::fnv1a(bytes);
    }
    return base::format("{:016x}", hash);
}

std::int64_t parameter_count(std::span<const NamedParameter> parameters) {
    std::int64_t count = 0;
    for (const auto& parameter : parameters) count += parameter.tensor->numel();
    return count;
}

}  // namespace hodo::tensor
