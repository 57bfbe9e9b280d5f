#include "hodo/train/scalars.hh"

#include <algorithm>
#include <cmath>

namespace hodo::train {

void Scalars::set(std::string_view name, double value) {
    for (auto& [known, old] : entries_) {
        if (known == name) {
            old = value;
            return;
        }
    }
    entries_.emplace_back(name, value);
}

std::optional<double> Scalars::find(std::string_view name) const {
    for (const auto& [known, value] : entries_) {
        if (known == name) return value;
    }
    return std::nullopt;
}

std::optional<std::string> Scalars::first_non_finite() const {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
        return !std::isfinite(entry.second);
    });
    if (found == entries_.end()) return std::nullopt;
    return found->first;
}

void Scalars::state(Archive& archive) {
    std::vector<std::string> names;
    std::vector<double> values;
    for (const auto& [name, value] : entries_) {
        names.push_back(name);
        values.push_back(value);
    }
    archive("names", names);
    archive("values", values);
    entries_.clear();
    for (std::size_t i = 0; i < names.size(); ++i) entries_.emplace_back(names[i], values.at(i));
}

void ScalarMeans::add(const Scalars& scalars, double weight) {
    for (const auto& [name, value] : scalars.entries()) {
        // What has no weight may be any number, NaN included; its name counts.
        const double term = weight > 0 ? weight * value : 0.0;
        sums_.set(name, sums_.find(name).value_or(0.0) + term);
        weights_.set(name, weights_.find(name).value_or(0.0) + weight);
    }
}

Scalars ScalarMeans::means() const {
    Scalars means;
    for (const auto& [name, sum] : sums_.entries()) {
        const double weight = *weights_.find(name);
        means.set(name, weight > 0 ? sum / weight : 0.0);
    }
    return means;
}

void ScalarMeans::clear() {
    sums_ = {};
    weights_ = {};
}

std::vector<double> ScalarMeans::numbers() const {
    std::vector<double> found;
    for (const auto* part : {&sums_, &weights_}) {
        for (const auto& [name, value] : part->entries()) found.push_back(value);
    }
    return found;
}

void ScalarMeans::set_numbers(const std::vector<double>& numbers) {
    auto number = numbers.begin();
    for (auto* part : {&sums_, &weights_}) {
        auto filled = *part;
        for (const auto& [name, value] : part->entries()) filled.set(name, *number++);
        *part = filled;
    }
}

void ScalarMeans::state(Archive& archive) {
    archive.group("sums", sums_);
    archive.group("weights", weights_);
}

}  // namespace hodo::train
