#include "hodo/workflow/network_file.hh"

#include <algorithm>

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

namespace hodo::workflow {

namespace {

std::string text(const std::vector<std::int64_t>& shape) {
    std::vector<std::string> parts;
    for (const auto size : shape) parts.push_back(std::to_string(size));
    return "(" + base::join(parts, ", ") + ")";
}

}  // namespace

std::vector<NamedShape> shapes_of(const io::WeightFile& file) {
    std::vector<NamedShape> shapes;
    for (const auto& entry : file.entries()) shapes.push_back({entry.name, entry.shape});
    return shapes;
}

ShapeBook::ShapeBook(std::span<const NamedShape> tensors, std::string_view origin,
                     std::string_view network)
    : origin_(origin), network_(network) {
    for (const auto& tensor : tensors) shapes_[tensor.name] = tensor.shape;
}

const std::vector<std::int64_t>& ShapeBook::shape(const std::string& name,
                                                  std::size_t dimensions) const {
    const auto found = shapes_.find(name);
    HODO_CHECK(found != shapes_.end(),
               "{}: tensor '{}' is missing (it fixes the size of the network), so this is not a "
               "weight file of {}; choose another file",
               origin_, name, network_);
    HODO_CHECK(found->second.size() == dimensions,
               "{}: tensor '{}' has shape {} where {} dimensions are expected, so this is not a "
               "weight file of {}; choose another file",
               origin_, name, text(found->second), dimensions, network_);
    return found->second;
}

void ShapeBook::compare(std::span<const NamedShape> expected) const {
    std::vector<std::string> known;
    for (const auto& tensor : expected) {
        known.push_back(tensor.name);
        const auto found = shapes_.find(tensor.name);
        HODO_CHECK(found != shapes_.end(),
                   "{}: tensor '{}' is missing (the network cannot run without it); the file is "
                   "incomplete, export it again",
                   origin_, tensor.name);
        HODO_CHECK(found->second == tensor.shape,
                   "{}: tensor '{}' has shape {} where {} is expected from the other tensors; the "
                   "file does not belong to {}, choose another file",
                   origin_, tensor.name, text(found->second), text(tensor.shape), network_);
    }
    for (const auto& [name, shape] : shapes_) {
        HODO_CHECK(std::find(known.begin(), known.end(), name) != known.end(),
                   "{}: tensor '{}' does not belong to {}{}; choose another file", origin_, name,
                   network_, base::did_you_mean(name, known));
    }
}

}  // namespace hodo::workflow
