#include "hodo/draw/report.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/draw/detail/assets.hh"
#include "hodo/draw/html.hh"
#include "hodo/io/atomic_file.hh"

namespace hodo::draw {
namespace {

/// The notation of Canvas::text as HTML: only powers of ten occur in numbers.
std::string raised(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i, 2) == "^{") {
            result += "<sup>";
            ++i;
        } else if (text[i] == '}') {
            result += "</sup>";
        } else {
            result += text[i];
        }
    }
    return result;
}

std::string cell_html(const io::Json& cell) {
    if (cell.is_text()) return "<td>" + escape_html(cell.text()) + "</td>";
    if (cell.is_null()) return "<td class=\"number\">\u2013</td>";
    if (!cell.is_number()) return "<td>" + escape_html(cell.dump()) + "</td>";
    return "<td class=\"number\">" + number_html(cell.number(), std::nan("")) + "</td>";
}

Figure printed(const Curves& curves) {
    Figure figure({.width = 460, .height = 270});
    Axes& axes = figure.panel();
    axes.x({.label = curves.x_label}).y({.label = curves.y_label, .scale = curves.y_scale});
    for (const auto& line : curves.lines) axes.line(line.x, line.y, {.label = line.label});
    return figure;
}

io::Json curves_json(const std::string& caption, const Curves& curves) {
    io::Json json = io::Json::object();
    json["caption"] = caption;
    json["x_label"] = curves.x_label;
    json["y_label"] = curves.y_label;
    json["y_scale"] = curves.y_scale == Scale::log ? "log" : "linear";
    io::Json lines = io::Json::list();
    for (std::size_t i = 0; i < curves.lines.size(); ++i) {
        const auto& line = curves.lines[i];
        io::Json one = io::Json::object();
        one["label"] = line.label;
        one["colour"] = palette(i).hex();
        one["x"] = io::Json::List(line.x.begin(), line.x.end());
        one["y"] = io::Json::List(line.y.begin(), line.y.end());
        lines.push(std::move(one));
    }
    json["lines"] = std::move(lines);
    return json;
}

io::Json clouds_json(const Clouds& clouds) {
    io::Json json = io::Json::object();
    json["axes"] = io::Json::List(clouds.axes.begin(), clouds.axes.end());
    json["side"] = clouds.side;
    io::Json list = io::Json::list();
    for (const auto& cloud : clouds.clouds) {
        HODO_DOOR(cloud.points.size() % 3 == 0);
        io::Json one = io::Json::object();
        one["label"] = cloud.label;
        one["colour"] = cloud.colour.hex();
        one["points"] = base64_floats(cloud.points);
        one["shown"] = cloud.shown == Clouds::Shown::from_start;
        list.push(std::move(one));
    }
    json["clouds"] = std::move(list);
    return json;
}

}  // namespace

std::string number_html(double value, double error) {
    if (!std::isfinite(value) || !std::isfinite(error) || error <= 0) {
        const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
        return whole ? base::with_thousands(static_cast<std::int64_t>(value))
                     : raised(number_text(value));
    }
    const auto leading = static_cast<int>(std::floor(std::log10(error)));
    if (leading < -6 || std::abs(value) >= 1e7) {
        return raised(number_text(value)) + " \u00B1 " + raised(number_text(error));
    }
    const int decimals = std::max(0, 1 - leading);
    std::string text = base::format("{:.{}f}", value, decimals);
    if (text[0] == '-') text.replace(0, 1, "\u2212");
    return base::format("{} \u00B1 {:.{}f}", text, error, decimals);
}

Report::Report(std::string title) : title_(std::move(title)) {}

Report::Section& Report::current() {
    if (sections_.empty()) sections_.emplace_back();
    return sections_.back();
}

std::string& Report::body() {
    Section& now = current();
    if (std::exchange(now.in_numbers, false)) now.body += "</tbody></table>\n";
    return now.body;
}

Report& Report::section(std::string heading, std::string paragraph) {
    if (!sections_.empty()) body();
    sections_.emplace_back().heading = std::move(heading);
    if (!paragraph.empty()) text(std::move(paragraph));
    return *this;
}

Report& Report::text(std::string paragraph) {
    body() += "<p>" + escape_html(paragraph) + "</p>\n";
    current().text.push(std::move(paragraph));
    return *this;
}

Report& Report::number(std::string name, double value, double error, std::string unit) {
    Section& now = current();
    if (!std::exchange(now.in_numbers, true)) {
        now.body +=
            "<table class=\"numbers\"><thead><tr><th scope=\"col\">quantity</th><th "
            "scope=\"col\">value</th><th scope=\"col\">unit</th></tr></thead><tbody>\n";
    }
    now.body +=
        base::format("<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td>{}</td></tr>\n",
                     escape_html(name), number_html(value, error), escape_html(unit));
    io::Json json = io::Json::object();
    json["name"] = std::move(name);
    json["value"] = value;
    json["error"] = error;
    json["unit"] = std::move(unit);
    now.numbers.push(std::move(json));
    return *this;
}

Report& Report::table(std::vector<std::string> columns, std::vector<std::vector<io::Json>> rows,
                      std::string caption) {
    std::string& html = body();
    html += "<div class=\"scroll\"><table>";
    if (!caption.empty()) html += "<caption>" + escape_html(caption) + "</caption>";
    html += "<thead><tr>";
    for (const auto& column : columns) html += "<th scope=\"col\">" + escape_html(column) + "</th>";
    html += "</tr></thead><tbody>\n";
    io::Json list = io::Json::list();
    for (auto& row : rows) {
        HODO_DOOR(row.size() == columns.size());
        html += "<tr>";
        for (const auto& cell : row) html += cell_html(cell);
        html += "</tr>\n";
        list.push(io::Json(io::Json::List(std::move(row))));
    }
    html += "</tbody></table></div>\n";
    io::Json json = io::Json::object();
    json["caption"] = std::move(caption);
    json["columns"] = io::Json(io::Json::List(columns.begin(), columns.end()));
    json["rows"] = std::move(list);
    current().tables.push(std::move(json));
    return *this;
}

Report& Report::figure(std::string caption, const Figure& figure) {
    const int index = ++figures_;
    body() +=
        base::format("<figure>{}<figcaption><b>Figure {}.</b> {}</figcaption></figure>\n",
                     figure.svg(base::format("f{}-", index), caption), index, escape_html(caption));
    io::Json json = io::Json::object();
    json["caption"] = std::move(caption);
    json["panels"] = figure.numbers();
    current().figures.push(std::move(json));
    return *this;
}

Report& Report::curves(std::string caption, Curves curves) {
    const int index = ++figures_;
    for (const auto& line : curves.lines) HODO_DOOR(line.x.size() == line.y.size());
    std::string& html = body();
    Section& now = current();
    html += base::format(
        "<figure class=\"curves\" data-section=\"{}\" data-curves=\"{}\"><div class=\"still\">{}"
        "</div><figcaption><b>Figure {}.</b> {}</figcaption></figure>\n",
        sections_.size() - 1, now.curves.items().size(),
        printed(curves).svg(base::format("f{}-", index), caption), index, escape_html(caption));
    now.curves.push(curves_json(caption, curves));
    return *this;
}

Report& Report::clouds(std::string caption, const Figure& still, const Clouds& clouds) {
    const int index = ++figures_;
    body() += base::format(
        "<figure class=\"clouds\" data-clouds=\"{}\"><div class=\"still\">{}</div><figcaption>"
        "<b>Figure {}.</b> {}</figcaption></figure>\n",
        clouds_.items().size(), still.svg(base::format("f{}-", index), caption), index,
        escape_html(caption));
    clouds_.push(clouds_json(clouds));
    io::Json json = io::Json::object();
    json["caption"] = std::move(caption);
    json["panels"] = still.numbers();
    current().figures.push(std::move(json));
    return *this;
}

io::Json Report::numbers() const {
    io::Json json = io::Json::object();
    json["title"] = title_;
    json["numbers"] = io::Json::object();
    io::Json list = io::Json::list();
    for (const Section& section : sections_) {
        for (const io::Json& number : section.numbers.items()) {
            io::Json entry = io::Json::object();
            for (const char* key : {"value", "error", "unit"}) entry[key] = number.at(key);
            json["numbers"][number.at("name").text()] = std::move(entry);
        }
        io::Json one = io::Json::object();
        one["heading"] = section.heading;
        one["text"] = section.text;
        one["numbers"] = section.numbers;
        one["tables"] = section.tables;
        one["figures"] = section.figures;
        one["curves"] = section.curves;
        list.push(std::move(one));
    }
    json["sections"] = std::move(list);
    return json;
}

std::string Report::html() const {
    std::string content = "<main>\n<h1>" + escape_html(title_) + "</h1>\n";
    if (sections_.size() > 2) {
        content += "<nav aria-label=\"Contents\"><ol>";
        for (std::size_t i = 0; i < sections_.size(); ++i) {
            if (sections_[i].heading.empty()) continue;
            content += base::format("<li><a href=\"#s{}\">{}</a></li>", i,
                                    escape_html(sections_[i].heading));
        }
        content += "</ol></nav>\n";
    }
    for (std::size_t i = 0; i < sections_.size(); ++i) {
        content += base::format("<section id=\"s{}\">\n", i);
        if (!sections_[i].heading.empty()) {
            content += "<h2>" + escape_html(sections_[i].heading) + "</h2>\n";
        }
        content += sections_[i].body;
        if (sections_[i].in_numbers) content += "</tbody></table>\n";
        content += "</section>\n";
    }
    content += "</main>\n<script type=\"application/json\" id=\"numbers\">" +
               script_json(numbers()) + "</script>";
    std::vector<std::string> scripts{std::string(detail::asset("chart_numbers.js")),
                                     std::string(detail::asset("curves.js"))};
    if (!clouds_.items().empty()) {
        content +=
            "<script type=\"application/json\" id=\"clouds\">" + script_json(clouds_) + "</script>";
        scripts.emplace_back(detail::asset("event_camera.js"));
        scripts.emplace_back(detail::asset("clouds.js"));
    }
    return html_page({.title = title_,
                      .style = std::string(detail::asset("report.css")),
                      .body = std::move(content),
                      .scripts = std::move(scripts)});
}

void Report::save(const base::Path& path) const {
    io::write_text(path, html());
    io::write_text(base::Path(path).replace_extension(".json"), numbers().dump(2) + "\n");
}

}  // namespace hodo::draw
