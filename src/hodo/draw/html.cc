#include "hodo/draw/html.hh"

#include <bit>
#include <cstring>

#include "hodo/base/text.hh"
#include "hodo/draw/detail/sha256.hh"

namespace hodo::draw {
namespace {

std::string hash_source(std::string_view text) {
    return base::format("'sha256-{}'", base64(detail::sha256(text)));
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                result += c;
        }
    }
    return result;
}

std::string script_json(const io::Json& json) {
    const std::string text = json.dump();
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '<') {
            result += "\\u003c";
        } else if (text[i] == '>') {
            result += "\\u003e";
        } else if (text[i] == '&') {
            result += "\\u0026";
        } else if (text.compare(i, 3, "\u2028") == 0 || text.compare(i, 3, "\u2029") == 0) {
            result += text[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
            i += 2;
        } else {
            result += text[i];
        }
    }
    return result;
}

std::string base64(std::span<const unsigned char> bytes) {
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string result;
    result.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t left = bytes.size() - i;
        const unsigned group = static_cast<unsigned>(bytes[i] << 16) |
                               static_cast<unsigned>(left > 1 ? bytes[i + 1] << 8 : 0) |
                               static_cast<unsigned>(left > 2 ? bytes[i + 2] : 0);
        result += digits[group >> 18 & 63];
        result += digits[group >> 12 & 63];
        result += left > 1 ? digits[group >> 6 & 63] : '=';
        result += left > 2 ? digits[group & 63] : '=';
    }
    return result;
}

std::string base64_floats(std::span<const float> values) {
    std::vector<unsigned char> bytes;
    bytes.reserve(values.size() * 4);
    for (const float value : values) {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        for (int shift = 0; shift < 32; shift += 8) {
            bytes.push_back(static_cast<unsigned char>(bits >> shift));
        }
    }
    return base64(bytes);
}

std::string html_page(const Page& page) {
    std::string script_sources, scripts;
    for (const std::string& script : page.scripts) {
        script_sources += (script_sources.empty() ? "" : " ") + hash_source(script);
        scripts += "<script>" + script + "</script>\n";
    }
    if (script_sources.empty()) script_sources = "'none'";
    // Drawings carry style attributes, which hold no addresses the policy would let through.
    const std::string policy = base::format(
        "default-src 'none'; script-src {}; style-src-elem {}; style-src-attr 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'",
        script_sources, hash_source(page.style));
    std::string result = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    result += "<meta http-equiv=\"Content-Security-Policy\" content=\"" + policy + "\">\n";
    result += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    result += "<meta name=\"generator\" content=\"Hodoscope\">\n";
    result += "<title>" + escape_html(page.title) + "</title>\n";
    result += "<style>" + page.style + "</style>\n</head>\n<body>\n";
    result += page.body + "\n" + scripts + "</body>\n</html>\n";
    return result;
}

}  // namespace hodo::draw
