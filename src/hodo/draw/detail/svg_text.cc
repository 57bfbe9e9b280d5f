#include "hodo/draw/detail/svg_text.hh"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "hodo/base/text.hh"

namespace hodo::draw::detail {
namespace {

/// What stands before an id, and the character that ends it.
struct Mark {
    std::string_view before;
    char end;
};
constexpr std::array<Mark, 4> marks{
    {{" id=\"", '"'}, {"href=\"#", '"'}, {"url(#", ')'}, {"url('#", '\''}}};

}  // namespace

std::string with_stable_ids(std::string_view svg, std::string_view prefix) {
    std::map<std::string, std::string, std::less<>> names;
    const std::string stem(prefix.empty() ? "i" : prefix);
    std::string result;
    result.reserve(svg.size());
    std::array<std::size_t, marks.size()> next{};  // Where each mark comes next.
    for (std::size_t i = 0; i < marks.size(); ++i) next[i] = svg.find(marks[i].before);
    std::size_t from = 0;
    while (true) {
        const auto nearest = static_cast<std::size_t>(
            std::distance(next.begin(), std::min_element(next.begin(), next.end())));
        const std::size_t place = next[nearest];
        const Mark& found = marks[nearest];
        if (place == std::string_view::npos) break;
        const std::size_t start = place + found.before.size();
        const std::size_t stop = svg.find(found.end, start);
        if (stop == std::string_view::npos) break;
        const std::string_view id = svg.substr(start, stop - start);
        auto known = names.find(id);
        if (known == names.end()) {
            known = names.emplace(id, base::format("{}{}", stem, names.size())).first;
        }
        result += svg.substr(from, start - from);
        result += known->second;
        from = stop;
        next[nearest] = svg.find(found.before, from);
    }
    result += svg.substr(from);
    return result;
}

}  // namespace hodo::draw::detail
