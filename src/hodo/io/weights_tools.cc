#include "hodo/io/weights_tools.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

constexpr std::size_t longest_value = 100;
constexpr std::size_t most_lines = 60;

bool is_complex(DType type) {
    return type == DType::c64 || type == DType::c128;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::vector<std::string> sizes;
    for (const auto size : shape) sizes.push_back(std::to_string(size));
    return '(' + base::join(sizes, ", ") + ')';
}

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
    std::int64_t count = 1;
    for (const auto size : shape) count *= size;
    return count;
}

/// The numbers of an array; real and imaginary parts in turn for complex ones.
std::vector<double> numbers(const Array& array) {
    if (!is_complex(array.dtype)) return array.doubles();
    auto parts = array;
    parts.dtype = array.dtype == DType::c64 ? DType::f32 : DType::f64;
    parts.shape.push_back(2);
    return parts.doubles();
}

double norm(const Array& array) {
    double sum = 0;
    for (const auto value : numbers(array)) sum += value * value;
    return std::sqrt(sum);
}

/// Rows as text with aligned columns.
class Table {
  public:
    explicit Table(std::vector<std::string> heads) : widths_(heads.size()) {
        add(std::move(heads));
    }
    void add(std::vector<std::string> row) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths_[i] = std::max(widths_[i], row[i].size());
        }
        rows_.push_back(std::move(row));
    }
    std::string text() const {
        std::string text;
        for (const auto& row : rows_) {
            std::string line;
            for (std::size_t i = 0; i < row.size(); ++i) {
                line += row[i] + std::string(widths_[i] - row[i].size() + 2, ' ');
            }
            line.erase(line.find_last_not_of(' ') + 1);
            text += line + '\n';
        }
        return text;
    }

  private:
    std::vector<std::size_t> widths_;
    std::vector<std::vector<std::string>> rows_;
};

/// Whether a value is plain data throughout: no tensor, no object of unknown class.
bool is_plain(const Json& value) {
    if (value.is_list()) return std::all_of(value.items().begin(), value.items().end(), is_plain);
    if (!value.is_object()) return true;
    return std::all_of(value.members().begin(), value.members().end(), [](const auto& member) {
        return member.first != "tensor" && member.first != "opaque" && is_plain(member.second);
    });
}

/// Metadata one value a line; nested objects get dotted names.
void describe(const Json& value, const std::string& name, std::vector<std::string>& lines) {
    if (value.is_object() && is_plain(value) && !value.members().empty()) {
        for (const auto& [key, member] : value.members()) {
            describe(member, name.empty() ? key : name + '.' + key, lines);
        }
        return;
    }
    if (value.is_object() && !is_plain(value)) {
        lines.push_back(name + ": (tensors or objects)");
        return;
    }
    auto text = value.dump();
    if (text.size() > longest_value) text = text.substr(0, longest_value) + "...";
    lines.push_back(name + ": " + text);
}

std::string describe_metadata(const Json& metadata) {
    std::vector<std::string> lines;
    for (const auto& [key, value] : metadata.members()) describe(value, key, lines);
    if (lines.empty()) return {};
    const auto hidden = lines.size() > most_lines ? lines.size() - most_lines : 0;
    lines.resize(lines.size() - hidden);
    std::string text = "\nMetadata\n";
    for (const auto& line : lines) text += "  " + line + '\n';
    if (hidden > 0) text += base::format("  ... and {} more values\n", hidden);
    return text;
}

/// The members of a checkpoint that belong to the weights.
Json portable_metadata(const WeightFile& file) {
    if (!file.format().starts_with("pytorch")) return file.metadata();
    auto result = Json::object();
    for (const auto* key : {"hyper_parameters", "epoch", "global_step"}) {
        const bool is_known = file.metadata().has(key) && is_plain(file.metadata().at(key));
        if (is_known) result[key] = file.metadata().at(key);
    }
    return result;
}

struct Gap {
    double absolute = 0, magnitude = 0;
    bool has_mismatch = false;  ///< a value that is finite in one file only

    bool is_within(double tolerance) const {
        return !has_mismatch && absolute <= tolerance * magnitude;
    }
};

Gap compare(const Array& a, const Array& b, double floor) {
    const auto left = numbers(a), right = numbers(b);
    Gap gap;
    for (std::size_t i = 0; i < left.size(); ++i) {
        const bool is_same = left[i] == right[i] || (std::isnan(left[i]) && std::isnan(right[i]));
        if (std::isfinite(left[i])) gap.magnitude = std::max(gap.magnitude, std::abs(left[i]));
        const auto distance = std::abs(left[i] - right[i]);
        if (is_same || distance <= floor) continue;
        if (std::isfinite(distance)) {
            gap.absolute = std::max(gap.absolute, distance);
        } else {
            gap.has_mismatch = true;
        }
    }
    return gap;
}

/// Collects what differs.
class Difference {
  public:
    Difference(const WeightFile& a, const WeightFile& b, Tolerance tolerance)
        : a_(a), b_(b), tolerance_(tolerance) {}

    WeightDifference compare_all() {
        for (const auto& entry : a_.entries()) compare_entry(entry);
        for (const auto& entry : b_.entries()) {
            if (!a_.has(entry.name)) only_in(b_, entry.name);
        }
        const bool is_equal = count_ == 0;
        auto report = is_equal ? std::string() : table_.text() + '\n';
        report += base::format(
            "{} of {} shared tensors agree{}, {} differences, largest relative difference {:.3g}\n",
            agreeing_, shared_, limits(), count_, largest_);
        return {is_equal, report};
    }

  private:
    std::string limits() const {
        std::vector<std::string> words;
        if (tolerance_.relative > 0) words.push_back(base::format("{:g}", tolerance_.relative));
        if (tolerance_.floor > 0) words.push_back(base::format("the floor {:g}", tolerance_.floor));
        return words.empty() ? " exactly" : " within " + base::join(words, " or ");
    }
    void only_in(const WeightFile& file, const std::string& name) {
        table_.add({name, "only in " + file.path().string(), "", ""});
        ++count_;
    }
    void compare_entry(const WeightFile::Entry& entry) {
        if (!b_.has(entry.name)) return only_in(a_, entry.name);
        ++shared_;
        const auto left = a_.get(entry.name), right = b_.get(entry.name);
        if (left.shape != right.shape || is_complex(left.dtype) != is_complex(right.dtype)) {
            table_.add({entry.name,
                        "shape " + shape_text(left.shape) + " and " + shape_text(right.shape), "",
                        ""});
            ++count_;
            return;
        }
        const auto gap = compare(left, right, tolerance_.floor);
        const auto relative = gap.magnitude > 0 ? gap.absolute / gap.magnitude : gap.absolute;
        largest_ = std::max(largest_, relative);
        if (gap.is_within(tolerance_.relative)) {
            ++agreeing_;
            return;
        }
        table_.add({entry.name, gap.has_mismatch ? "not finite in one file" : "values",
                    base::format("{:.6g}", gap.absolute), base::format("{:.3g}", relative)});
        ++count_;
    }

    const WeightFile& a_;
    const WeightFile& b_;
    Tolerance tolerance_;
    Table table_{{"tensor", "difference", "largest", "relative"}};
    std::size_t count_ = 0, shared_ = 0, agreeing_ = 0;
    double largest_ = 0;
};

}  // namespace

std::string list_weights(const base::Path& file, WeightChoice choice, Norms norms) {
    const auto weights = WeightFile::open(file, choice);
    const bool has_norms = norms == Norms::compute;
    std::vector<std::string> heads{"tensor", "type", "shape", "elements"};
    if (has_norms) heads.emplace_back("norm");
    Table table(heads);
    std::int64_t elements = 0;
    double bytes = 0;
    for (const auto& entry : weights.entries()) {
        const auto count = element_count(entry.shape);
        elements += count;
        bytes += static_cast<double>(count) * static_cast<double>(item_size(entry.dtype));
        std::vector<std::string> row{entry.name, std::string(name(entry.dtype)),
                                     shape_text(entry.shape), base::with_thousands(count)};
        if (has_norms) row.push_back(base::format("{:.6g}", norm(weights.get(entry.name))));
        table.add(std::move(row));
    }
    auto text = base::format("{}: {}\n\n", file, weights.format()) + table.text();
    text += base::format("\n{} tensors, {} elements, {}\n", weights.entries().size(),
                         base::with_thousands(elements), base::human_bytes(bytes));
    if (weights.optimizer_count() > 0) {
        text += base::format("with the state of {} optimizer(s)\n", weights.optimizer_count());
    }
    return text + describe_metadata(weights.metadata());
}

std::string convert_weights(const base::Path& in, const base::Path& out, WeightChoice choice) {
    const auto weights = WeightFile::open(in, choice);
    write_weights(out, weights.all(), portable_metadata(weights));
    return base::format("{}: {} tensors written", out, weights.entries().size());
}

WeightDifference diff_weights(const base::Path& a, const base::Path& b, Tolerance tolerance,
                              WeightChoice choice) {
    for (const double limit : {tolerance.relative, tolerance.floor}) {
        HODO_CHECK(limit >= 0, "the tolerance {} is negative; give 0 or more", limit);
    }
    const auto left = WeightFile::open(a, choice), right = WeightFile::open(b, choice);
    return Difference(left, right, tolerance).compare_all();
}

}  // namespace hodo::io
