#include "hodo/train/metrics_file.hh"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <unistd.h>

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"

namespace hodo::train {

namespace {

std::vector<std::string> read_lines(const base::Path& path) {
    if (!std::filesystem::exists(path)) return {};
    const auto text = io::read_text(path);
    std::vector<std::string> lines;
    // A last line without its end was cut by a crash and does not count.
    for (std::size_t begin = 0, end = text.find('\n'); end != std::string::npos;
         begin = end + 1, end = text.find('\n', begin)) {
        lines.push_back(text.substr(begin, end - begin));
    }
    return lines;
}

}  // namespace

LineFile::LineFile(base::Path path) : path_(std::move(path)), file_(nullptr, &std::fclose) {
    lines_ = static_cast<std::int64_t>(read_lines(path_).size());
    open();
}

void LineFile::open() {
    file_.reset(std::fopen(path_.c_str(), "a"));
    HODO_CHECK(file_ != nullptr, "{}: cannot be opened for writing ({})", path_,
               std::strerror(errno));
}

void LineFile::append(std::string_view line) {
    const auto text = std::string(line) + "\n";
    const bool written = std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size() &&
                         std::fflush(file_.get()) == 0;
    HODO_CHECK(written, "{}: cannot be written ({}); is the disk full?", path_,
               std::strerror(errno));
    ++lines_;
}

void LineFile::cut(std::int64_t lines) {
    auto kept = read_lines(path_);
    HODO_CHECK(static_cast<std::int64_t>(kept.size()) >= lines,
               "{}: has {} lines, but the checkpoint was written after {}; the file was shortened, "
               "so the log cannot be continued: restore it or start a new run",
               path_, kept.size(), lines);
    kept.resize(static_cast<std::size_t>(lines));
    rewrite(kept);
}

void LineFile::rewrite(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    file_.reset();
    io::write_text(path_, text);
    lines_ = static_cast<std::int64_t>(lines.size());
    open();
}

void LineFile::synchronise() {
    std::fflush(file_.get());
    fsync(fileno(file_.get()));
}

MetricsFile::MetricsFile(const base::Path& path) : file_(path) {
    const auto lines = read_lines(path);
    if (lines.empty()) return;
    columns_ = base::split(lines.front(), ',');
    columns_.erase(columns_.begin(),
                   columns_.begin() + std::min<std::ptrdiff_t>(3, std::ssize(columns_)));
}

std::int64_t MetricsFile::rows() const {
    return std::max<std::int64_t>(0, file_.lines() - 1);
}

std::string MetricsFile::header() const {
    std::string text = "step,epoch,set";
    for (const auto& column : columns_) text += "," + column;
    return text;
}

void MetricsFile::set_columns(std::vector<std::string> columns, std::int64_t rows) {
    auto lines = read_lines(file_.path());
    lines.resize(std::min(lines.size(), static_cast<std::size_t>(rows + 1)));
    columns_ = std::move(columns);
    if (lines.empty()) lines.emplace_back();
    lines.front() = header();
    for (std::size_t i = 1; i < lines.size(); ++i) {
        auto cells = base::split(lines[i], ',');
        cells.resize(3 + columns_.size());
        lines[i] = base::join(cells, ",");
    }
    file_.rewrite(lines);
}

void MetricsFile::cut(std::int64_t rows, const std::vector<std::string>& columns) {
    HODO_CHECK(this->rows() >= rows,
               "{}: has {} rows, but the checkpoint was written after {}; the file was shortened, "
               "so the log cannot be continued: restore it or start a new run",
               file_.path(), this->rows(), rows);
    if (rows == 0 && columns.empty()) {
        columns_.clear();
        file_.rewrite({});
        return;
    }
    set_columns(columns, rows);
}

void MetricsFile::append(std::int64_t step, std::int64_t epoch, std::string_view set,
                         const Scalars& scalars) {
    auto columns = columns_;
    for (const auto& [name, value] : scalars.entries()) {
        if (std::find(columns.begin(), columns.end(), name) == columns.end())
            columns.push_back(name);
    }
    if (file_.lines() == 0 || columns.size() != columns_.size()) set_columns(columns, rows());
    auto line = base::format("{},{},{}", step, epoch, set);
    for (const auto& column : columns_) {
        const auto value = scalars.find(column);
        line += "," + (value ? shortest(*value) : std::string());
    }
    file_.append(line);
}

std::string shortest(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

}  // namespace hodo::train
