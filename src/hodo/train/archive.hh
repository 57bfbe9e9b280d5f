#pragma once
/// One description of a state that serves both directions, so that saving and loading cannot drift
/// apart.
///
///     void state(Archive& a) {
///         a("step", step_);
///         a("weight", weight_);        // at::Tensor, filled in place when it exists
///         a.group("schedule", schedule_);
///     }
///
/// File: safetensors; every value is an array named "group.name", scalars have shape [], text is
/// its bytes as uint8, an undefined tensor is recorded as such. Values come back bit for bit.
/// Loading is strict: an absent name, another type or another shape is an error that names the
/// file and the value, and `finish` reports values that nobody asked for.

#include "hodo/base/text.hh"
#include "hodo/io/array.hh"
#include "hodo/io/json.hh"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace at {
class Tensor;
}

namespace hodo::train {

class Archive {
  public:
    /// An empty archive to be filled.
    static Archive to_save();
    /// An archive read from a file that `write` wrote.
    static Archive read(const base::Path& file);
    /// The values of `saved` (an archive that was filled), in memory.
    static Archive to_load(const Archive& saved);
    ~Archive();
    Archive(Archive&&) noexcept;
    Archive& operator=(Archive&&) noexcept;

    bool saving() const;
    bool loading() const { return !saving(); }

    /// Loading fills a defined tensor in place (same shape and type required; its device is kept)
    /// and creates an undefined one on the CPU.
    void operator()(std::string_view name, at::Tensor& value);
    void operator()(std::string_view name, std::vector<at::Tensor>& values);
    void operator()(std::string_view name, std::string& value);
    void operator()(std::string_view name, std::vector<std::string>& values);

    template <class T>
    requires std::is_arithmetic_v<T>
    void operator()(std::string_view name, T& value) {
        if (saving()) {
            put(name, io::make_array(std::span<const T>(&value, 1), {}));
        } else {
            value = get(name, io::dtype_of<T>(), Rank::scalar).template as<T>().front();
        }
    }
    template <class T>
    requires std::is_arithmetic_v<T>
    void operator()(std::string_view name, std::vector<T>& values) {
        if (saving()) {
            put(name, io::make_array(values));
        } else {
            const auto array = get(name, io::dtype_of<T>(), Rank::list);
            const auto stored = array.template as<T>();
            values.assign(stored.begin(), stored.end());
        }
    }
    template <class T>
    requires std::is_enum_v<T>
    void operator()(std::string_view name, T& value) {
        auto number = static_cast<std::int64_t>(value);
        (*this)(name, number);
        value = static_cast<T>(number);
    }

    /// Anything with `void state(Archive&)`; its names get "name." in front.
    template <class Part>
    void group(std::string_view name, Part& part) {
        const auto length = begin_group(name);
        part.state(*this);
        end_group(length);
    }

    /// Whether a loaded archive has a value or group of this name here.
    bool has(std::string_view name) const;
    /// Ends loading: an error when the archive has values that were not asked for.
    void finish() const;

    /// Remarks of the file (plain text members), not part of the state.
    const io::Json& metadata() const;
    /// Writes a filled archive atomically.
    void write(const base::Path& file, const io::Json& metadata = io::Json::object()) const;

  private:
    struct Body;
    explicit Archive(std::unique_ptr<Body> body);
    enum class Rank { scalar, list };
    void put(std::string_view name, io::Array array);
    io::Array get(std::string_view name, io::DType type, Rank rank);
    std::size_t begin_group(std::string_view name);
    void end_group(std::size_t length);
    std::unique_ptr<Body> body_;
};

}  // namespace hodo::train
