// Archives: every kind of value comes back bit for bit, and nothing is lost in silence.

#include "hodo/train/archive.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hodo/tensor/torch.hh"
#include "hodo/tensor/view.hh"
#include "hodo/train/scalars.hh"
#include "support/reference.hh"

namespace hodo::train {
namespace {

using testing::HasSubstr;

enum class Colour { red, green };

struct Part {
    double value = 0;
    std::vector<std::int64_t> list;
    void state(Archive& archive) {
        archive("value", value);
        archive("list", list);
    }
};

struct Everything {
    at::Tensor weight, single, scalar, nothing, empty, transposed, flags;
    std::vector<at::Tensor> tensors;
    std::int64_t whole = 0;
    std::uint64_t seed = 0;
    double real = 0, tiny = 0, endless = 0, missing = 0;
    int small = 0;
    bool yes = false;
    Colour colour = Colour::red;
    std::string text, blank = "x";
    std::vector<std::string> words;
    std::vector<float> numbers;
    Part part;
    Scalars scalars;

    void state(Archive& a) {
        a("weight", weight);
        a("single", single);
        a("scalar", scalar);
        a("nothing", nothing);
        a("empty", empty);
        a("transposed", transposed);
        a("flags", flags);
        a("tensors", tensors);
        a("whole", whole);
        a("seed", seed);
        a("real", real);
        a("tiny", tiny);
        a("endless", endless);
        a("missing", missing);
        a("small", small);
        a("yes", yes);
        a("colour", colour);
        a("text", text);
        a("blank", blank);
        a("words", words);
        a("numbers", numbers);
        a.group("part", part);
        a.group("scalars", scalars);
    }
};

Everything filled() {
    Everything e;
    e.weight = at::linspace(-1, 1, 6, at::kDouble).view({2, 3});
    e.single = at::linspace(-1, 1, 5).to(at::kBFloat16);
    e.scalar = at::full({}, 4, at::kLong);
    e.empty = at::empty({0, 3});
    e.transposed = at::arange(6, at::kFloat).view({2, 3}).t();
    e.flags = at::full({3}, true, at::kBool);
    e.tensors = {at::ones({2}), at::Tensor(), at::zeros({1})};
    e.whole = std::numeric_limits<std::int64_t>::min();
    e.seed = std::numeric_limits<std::uint64_t>::max();
    e.real = 0.1;
    e.tiny = std::numeric_limits<double>::denorm_min();
    e.endless = -std::numeric_limits<double>::infinity();
    e.missing = std::nan("");
    e.small = -7;
    e.yes = true;
    e.colour = Colour::green;
    e.text = "zwölf \"Zeilen\"\n";
    e.blank = "";
    e.words = {"", "a.b", "c"};
    e.numbers = {1.5F, -0.0F};
    e.part = {2.5, {3, 1, 4}};
    e.scalars = {{"loss", 0.25}, {"rate", 1e-300}};
    return e;
}

TEST(Archives, every_kind_of_value_comes_back_bit_for_bit) {
    const test::TemporaryFolder folder;
    auto original = filled();
    auto saved = Archive::to_save();
    original.state(saved);
    saved.write(folder / "state.safetensors", [] {
        auto remarks = io::Json::object();
        remarks["format"] = "test";
        return remarks;
    }());

    Everything back;
    auto stored = Archive::read(folder / "state.safetensors");
    back.state(stored);
    stored.finish();
    EXPECT_EQ(stored.metadata().at("format").text(), "test");
    for (auto member : {&Everything::weight, &Everything::single, &Everything::scalar,
                        &Everything::empty, &Everything::transposed, &Everything::flags}) {
        ASSERT_TRUE((back.*member).defined());
        EXPECT_EQ((back.*member).scalar_type(), (original.*member).scalar_type());
        EXPECT_TRUE(at::equal(back.*member, original.*member));
    }
    EXPECT_FALSE(back.nothing.defined());
    ASSERT_EQ(back.tensors.size(), 3U);
    EXPECT_TRUE(at::equal(back.tensors[0], original.tensors[0]));
    EXPECT_FALSE(back.tensors[1].defined());
    EXPECT_EQ(back.whole, original.whole);
    EXPECT_EQ(back.seed, original.seed);
    EXPECT_EQ(back.real, original.real);
    EXPECT_EQ(back.tiny, original.tiny);
    EXPECT_EQ(back.endless, original.endless);
    EXPECT_TRUE(std::isnan(back.missing));
    EXPECT_EQ(back.small, original.small);
    EXPECT_EQ(back.yes, true);
    EXPECT_EQ(back.colour, Colour::green);
    EXPECT_EQ(back.text, original.text);
    EXPECT_EQ(back.blank, "");
    EXPECT_EQ(back.words, original.words);
    EXPECT_EQ(back.numbers, original.numbers);
    EXPECT_TRUE(std::signbit(back.numbers[1]));
    EXPECT_EQ(back.part.list, original.part.list);
    EXPECT_EQ(back.scalars.entries(), original.scalars.entries());

    auto again = Archive::to_save();
    back.state(again);
    again.write(folder / "again.safetensors");
}

TEST(Archives, a_tensor_is_filled_in_place) {
    auto value = at::ones({2});
    auto saved = Archive::to_save();
    saved("w", value);
    value.fill_(5);
    const auto handle = value;
    auto stored = Archive::to_load(saved);
    stored("w", value);
    EXPECT_TRUE(value.is_same(handle));
    EXPECT_EQ(handle[0].item<float>(), 1.0F) << "what was saved does not follow later changes";
}

TEST(Archives, what_does_not_fit_is_an_error_that_names_it) {
    auto saved = Archive::to_save();
    auto weight = at::ones({2, 3});
    double number = 1;
    saved("weight", weight);
    saved("number", number);
    EXPECT_THROW(saved("number", number), base::Defect);

    auto other = at::ones({3, 2});
    auto stored = Archive::to_load(saved);
    EXPECT_THAT(test::error_of([&] { stored("weight", other); }),
                HasSubstr("'weight' is stored as Float [2, 3], but Float [3, 2] is expected"));
    auto wrong_type = at::ones({2, 3}, at::kDouble);
    EXPECT_THAT(test::error_of([&] { stored("weight", wrong_type); }), HasSubstr("Double"));
    EXPECT_EQ(other.sum().item<float>(), 6.0F);
    std::int64_t integer = 0;
    EXPECT_THAT(test::error_of([&] { stored("number", integer); }), HasSubstr("float64"));
    EXPECT_THAT(test::error_of([&] { stored("numbr", number); }), HasSubstr("no value 'numbr'"));
    EXPECT_TRUE(stored.has("number"));
    EXPECT_FALSE(stored.has("numb"));
}

TEST(Archives, values_nobody_asked_for_are_an_error) {
    auto saved = Archive::to_save();
    double a = 1, b = 2;
    saved("a", a);
    saved("b", b);
    auto stored = Archive::to_load(saved);
    stored("a", a);
    EXPECT_THAT(test::error_of([&] { stored.finish(); }), HasSubstr("'b'"));
    stored("b", b);
    stored.finish();
}

TEST(Archives, means_are_weighted_and_survive_a_stop) {
    ScalarMeans means;
    means.add({{"loss", 1.0}, {"rare", 5.0}}, 3);
    means.add({{"loss", 2.0}}, 1);
    auto saved = Archive::to_save();
    means.state(saved);
    ScalarMeans back;
    auto stored = Archive::to_load(saved);
    back.state(stored);
    back.add({{"loss", 2.0}}, 4);
    EXPECT_DOUBLE_EQ(*back.means().find("loss"), 13.0 / 8);
    EXPECT_DOUBLE_EQ(*back.means().find("rare"), 5.0);
    EXPECT_FALSE(back.means().find("other"));
}

}  // namespace
}  // namespace hodo::train
