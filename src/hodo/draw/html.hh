#pragma once
/// Pages that need nothing but themselves: escaping, packing and the frame of a page.
///
/// A page states a Content-Security-Policy that allows no request at all and only the scripts and
/// styles whose SHA-256 it names, so text from data files cannot run or load anything.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hodo/io/json.hh"

namespace hodo::draw {

/// `text` for the content or a quoted attribute of an element: & < > " ' become references.
std::string escape_html(std::string_view text);

/// JSON for the content of a script element: "<" and ">" and the line separators of JavaScript are
/// written as \u escapes, so no text can end the element.
std::string script_json(const io::Json& json);

/// RFC 4648 base64, with padding.
std::string base64(std::span<const unsigned char> bytes);
/// Little-endian 32-bit floats as base64.
std::string base64_floats(std::span<const float> values);

/// A whole page.
struct Page {
    std::string title;
    std::string style;                 ///< Style sheet.
    std::string body;                  ///< HTML of the body, already escaped.
    std::vector<std::string> scripts;  ///< Run in order after the body.
};
std::string html_page(const Page& page);

}  // namespace hodo::draw
