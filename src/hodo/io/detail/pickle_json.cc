#include "hodo/io/detail/pickle_json.hh"

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

constexpr std::size_t deepest = 200;
constexpr std::size_t most_values = 4'000'000;

class Writer {
  public:
    Writer(Unknown unknown, std::string_view origin) : unknown_(unknown), origin_(origin) {}

    Json write(const PickleValue& value, const std::string& path, std::size_t depth) {
        HODO_CHECK(depth <= deepest,
                   "{}: '{}' is nested deeper than {} levels (it may contain "
                   "itself); save plain data",
                   origin_, path.substr(0, 80), deepest);
        HODO_CHECK(++count_ <= most_values,
                   "{}: '{}' holds more than {} values; save less beside "
                   "the weights",
                   origin_, path.substr(0, 80), most_values);
        switch (value.kind()) {
            case PickleKind::none:
                return {};
            case PickleKind::boolean:
                return value.boolean();
            case PickleKind::integer:
                return value.integer();
            case PickleKind::real:
                return value.real();
            case PickleKind::text:
            case PickleKind::big_integer:
                return valid_text(value.text());
            case PickleKind::tuple:
            case PickleKind::list:
            case PickleKind::set:
                return write_list(value, path, depth);
            case PickleKind::dict:
                return write_object(value, path, depth);
            case PickleKind::tensor:
                return write_tensor(value.tensor());
            default:
                return write_unknown(value, path);
        }
    }

  private:
    /// Bytes that are no UTF-8 are replaced, so that the text can be written again.
    static std::string valid_text(std::string_view text) {
        std::string valid;
        for (std::size_t i = 0; i < text.size();) {
            const auto lead = static_cast<unsigned char>(text[i]);
            const std::size_t length = lead < 0x80                   ? 1
                                       : lead >= 0xC2 && lead < 0xE0 ? 2
                                       : lead >= 0xE0 && lead < 0xF0 ? 3
                                       : lead >= 0xF0 && lead < 0xF5 ? 4
                                                                     : 0;
            if (is_sequence(text.substr(i), length)) {
                valid += text.substr(i, length);
                i += length;
            } else {
                valid += '?';
                ++i;
            }
        }
        return valid;
    }
    static bool is_sequence(std::string_view text, std::size_t length) {
        if (length == 0 || length > text.size()) return false;
        const auto second = static_cast<unsigned char>(text.size() > 1 ? text[1] : 0);
        const auto lead = static_cast<unsigned char>(text[0]);
        const bool is_overlong_or_surrogate =
            (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||
            (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90);
        for (std::size_t i = 1; i < length; ++i) {
            if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return false;
        }
        return length < 3 || !is_overlong_or_surrogate;
    }

    Json write_list(const PickleValue& value, const std::string& path, std::size_t depth) {
        Json::List list;
        for (std::size_t i = 0; i < value.size(); ++i) {
            list.push_back(write(value.item(i), path + '.' + std::to_string(i), depth + 1));
        }
        return list;
    }

    static std::string key_text(const PickleValue& key) {
        switch (key.kind()) {
            case PickleKind::text:
                return valid_text(key.text());
            case PickleKind::integer:
                return std::to_string(key.integer());
            case PickleKind::real:
                return base::format("{}", key.real());
            case PickleKind::boolean:
                return key.boolean() ? "true" : "false";
            default:
                return valid_text(key.description());
        }
    }

    Json write_object(const PickleValue& value, const std::string& path, std::size_t depth) {
        Json::Object object;
        for (std::size_t i = 0; i < value.size(); ++i) {
            auto key = key_text(value.key(i));
            auto member = write(value.value(i), path.empty() ? key : path + '.' + key, depth + 1);
            object.emplace_back(std::move(key), std::move(member));
        }
        return object;
    }

    static Json write_tensor(const PickleTensor& tensor) {
        Json::List shape;
        for (const auto size : tensor.shape) shape.emplace_back(size);
        Json::Object content{{"dtype", name(tensor.storage.dtype)}, {"shape", std::move(shape)}};
        return Json::Object{{"tensor", std::move(content)}};
    }

    Json write_unknown(const PickleValue& value, const std::string& path) const {
        const bool is_bytes = value.is(PickleKind::bytes);
        HODO_CHECK(unknown_ == Unknown::opaque,
                   "{}: '{}' holds {}, which is no plain data (nothing in a weight file is "
                   "executed); save it as numbers or text",
                   origin_, path.substr(0, 200), valid_text(value.description()));
        const auto what = is_bytes ? base::format("{} bytes", value.text().size())
                          : value.is(PickleKind::storage) ? std::string("storage")
                                                          : valid_text(value.text());
        return Json::Object{{"opaque", what}};
    }

    Unknown unknown_;
    std::string_view origin_;
    std::size_t count_ = 0;
};

}  // namespace

Json to_json(const PickleValue& value, Unknown unknown, std::string_view origin,
             std::string_view path) {
    return Writer(unknown, origin).write(value, std::string(path), 0);
}

}  // namespace hodo::io
