#include "hodo/io/array.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

struct TypeFacts {
    std::string_view name;
    std::size_t size;
};

/// In the order of DType.
constexpr std::array<TypeFacts, 15> type_facts{{{"float64", 8},
                                                {"float32", 4},
                                                {"float16", 2},
                                                {"bfloat16", 2},
                                                {"int64", 8},
                                                {"int32", 4},
                                                {"int16", 2},
                                                {"int8", 1},
                                                {"uint64", 8},
                                                {"uint32", 4},
                                                {"uint16", 2},
                                                {"uint8", 1},
                                                {"bool", 1},
                                                {"complex64", 8},
                                                {"complex128", 16}}};

float half_to_float(std::uint16_t half) {
    const auto sign = half >> 15 == 0 ? 1.0F : -1.0F;
    const int exponent = (half >> 10) & 31;
    const auto fraction = static_cast<float>(half & 1023) / 1024.0F;
    if (exponent == 31) {
        return fraction == 0.0F ? sign * std::numeric_limits<float>::infinity()
                                : std::numeric_limits<float>::quiet_NaN();
    }
    if (exponent == 0) return sign * std::ldexp(fraction, -14);
    return sign * std::ldexp(1.0F + fraction, exponent - 15);
}

float bfloat_to_float(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

template <class Stored>
Stored load(const std::byte* place) {
    Stored value;
    std::memcpy(&value, place, sizeof(Stored));
    return value;
}

template <class To, class Stored>
void convert_as(const Array& array, std::vector<To>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<To>(load<Stored>(array.bytes.data() + i * sizeof(Stored)));
    }
}

template <class To>
void convert_sixteen_bits(const Array& array, std::vector<To>& values,
                          float (*decode)(std::uint16_t)) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<To>(decode(load<std::uint16_t>(array.bytes.data() + 2 * i)));
    }
}

/// Every stored type except complex to To; callers that want integers exclude fractions before.
template <class To>
std::vector<To> convert(const Array& array) {
    std::vector<To> values(static_cast<std::size_t>(array.size()));
    HODO_DOOR(array.bytes.size() == values.size() * item_size(array.dtype));
    switch (array.dtype) {
        case DType::f64:
            convert_as<To, double>(array, values);
            break;
        case DType::f32:
            convert_as<To, float>(array, values);
            break;
        case DType::f16:
            convert_sixteen_bits(array, values, half_to_float);
            break;
        case DType::bf16:
            convert_sixteen_bits(array, values, bfloat_to_float);
            break;
        case DType::i64:
            convert_as<To, std::int64_t>(array, values);
            break;
        case DType::i32:
            convert_as<To, std::int32_t>(array, values);
            break;
        case DType::i16:
            convert_as<To, std::int16_t>(array, values);
            break;
        case DType::i8:
            convert_as<To, std::int8_t>(array, values);
            break;
        case DType::u64:
            convert_as<To, std::uint64_t>(array, values);
            break;
        case DType::u32:
            convert_as<To, std::uint32_t>(array, values);
            break;
        case DType::u16:
            convert_as<To, std::uint16_t>(array, values);
            break;
        case DType::u8:
        case DType::boolean:
            convert_as<To, std::uint8_t>(array, values);
            break;
        case DType::c64:
        case DType::c128:
            base::fail("an array of {} was found where real numbers are needed", name(array.dtype));
    }
    return values;
}

bool is_floating(DType type) {
    return type == DType::f64 || type == DType::f32 || type == DType::f16 || type == DType::bf16;
}

}  // namespace

std::size_t item_size(DType type) {
    return type_facts[static_cast<std::size_t>(type)].size;
}

std::string_view name(DType type) {
    return type_facts[static_cast<std::size_t>(type)].name;
}

std::int64_t Array::size() const {
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    return count;
}

void Array::require(DType wanted) const {
    HODO_CHECK(dtype == wanted, "an array of {} was found where {} is needed", name(dtype),
               name(wanted));
}

std::vector<double> Array::doubles() const {
    return convert<double>(*this);
}

std::vector<float> Array::floats() const {
    return convert<float>(*this);
}

std::vector<std::int64_t> Array::integers() const {
    if (dtype == DType::u64) {
        for (const std::uint64_t value : as<std::uint64_t>()) {
            HODO_CHECK(
                value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()),
                "the value {} does not fit into 64 signed bits", value);
        }
    }
    if (!is_floating(dtype)) return convert<std::int64_t>(*this);
    const std::vector<double> numbers = doubles();
    std::vector<std::int64_t> values(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        HODO_CHECK(std::abs(numbers[i]) < 9.2e18 && std::trunc(numbers[i]) == numbers[i],
                   "the value {} was found where whole numbers are needed", numbers[i]);
        values[i] = static_cast<std::int64_t>(numbers[i]);
    }
    return values;
}

const Array& find(const NamedArrays& arrays, std::string_view name, std::string_view origin) {
    std::vector<std::string> known;
    for (const NamedArray& named : arrays) {
        if (named.name == name) return named.array;
        known.push_back(named.name);
    }
    base::fail("{}: has no array '{}'{}", origin, name, base::did_you_mean(name, known));
}

}  // namespace hodo::io
