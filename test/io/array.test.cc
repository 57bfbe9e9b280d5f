#include "hodo/io/array.hh"

#include "support/reference.hh"

#include <cmath>

namespace {

namespace io = hodo::io;
namespace test = hodo::test;
using io::DType;

TEST(Array, every_type_has_a_name_and_a_size) {
    for (int i = 0; i <= static_cast<int>(DType::c128); ++i) {
        EXPECT_FALSE(io::name(static_cast<DType>(i)).empty());
        EXPECT_GE(io::item_size(static_cast<DType>(i)), 1U);
    }
    EXPECT_EQ(io::item_size(DType::bf16), 2U);
    EXPECT_EQ(io::item_size(DType::c128), 16U);
    EXPECT_EQ(io::name(DType::c128), "complex128");
}

TEST(Array, gives_its_elements_in_place_only_as_the_stored_type) {
    const auto array = io::make_array(std::vector<float>{1, 2, 3});
    EXPECT_EQ(array.as<float>()[2], 3.0F);
    const auto message = test::error_of([&] { array.as<double>(); });
    EXPECT_NE(message.find("float32"), std::string::npos);
    EXPECT_NE(message.find("float64"), std::string::npos);
}

TEST(Array, converts_half_precision_by_its_definition) {
    // 1, -2, largest 65504, smallest subnormal 2^-24, infinity, not a number
    const std::vector<std::uint16_t> bits{0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x7e00};
    auto array = io::make_array(bits);
    array.dtype = DType::f16;
    const auto values = array.doubles();
    EXPECT_EQ(values[0], 1.0);
    EXPECT_EQ(values[1], -2.0);
    EXPECT_EQ(values[2], 65504.0);
    EXPECT_EQ(values[3], std::ldexp(1.0, -24));
    EXPECT_TRUE(std::isinf(values[4]));
    EXPECT_TRUE(std::isnan(values[5]));
}

TEST(Array, converts_brain_floats_as_the_upper_half_of_floats) {
    auto array = io::make_array(std::vector<std::uint16_t>{0x3f80, 0xc040});
    array.dtype = DType::bf16;
    EXPECT_EQ(array.floats(), (std::vector<float>{1.0F, -3.0F}));
}

TEST(Array, gives_integers_only_from_whole_numbers) {
    EXPECT_EQ(io::make_array(std::vector<double>{3, -4}).integers(),
              (std::vector<std::int64_t>{3, -4}));
    EXPECT_NE(
        test::error_of([] { io::make_array(std::vector<double>{0.5}).integers(); }).find("0.5"),
        std::string::npos);
    test::error_of([] { io::make_array(std::vector<std::uint64_t>{~0ULL}).integers(); });
}

TEST(Array, with_an_extent_of_zero_has_no_elements_however_large_the_others) {
    io::Array array;
    array.shape = {std::int64_t{1} << 62, 8, 0};
    EXPECT_EQ(array.size(), 0);
}

TEST(Array, an_unknown_name_is_met_with_the_nearest) {
    const io::NamedArrays arrays{{"weights", {}}, {"bias", {}}};
    const auto message = test::error_of([&] { io::find(arrays, "weight", "a.npz"); });
    EXPECT_NE(message.find("a.npz"), std::string::npos);
    EXPECT_NE(message.find("'weights'"), std::string::npos);
}

}  // namespace
