#include "hodo/workflow/network_file.hh"

#include <gmock/gmock.h>

#include "support/reference.hh"

namespace hodo::workflow {
namespace {

using testing::HasSubstr;

struct Tower {
    std::int64_t floors = 3;
    void describe(base::Fields& f) { f("floors", floors, "above the ground"); }
};

const std::vector<NamedShape> shapes{{"wide.weight", {4, 2}}, {"wide.bias", {4}}};

std::string complaint(const std::vector<NamedShape>& expected) {
    const ShapeBook book(shapes, "weights.pt", "a tower");
    return test::error_of([&] { book.compare(expected); });
}

TEST(ShapeBook, gives_the_shapes_that_a_network_is_told_by) {
    const ShapeBook book(shapes, "weights.pt", "a tower");
    EXPECT_TRUE(book.has("wide.bias"));
    EXPECT_FALSE(book.has("narrow.bias"));
    EXPECT_THAT(book.shape("wide.weight", 2), testing::ElementsAre(4, 2));
    EXPECT_THAT(test::error_of([&] { book.shape("narrow.bias", 1); }),
                HasSubstr("weights.pt: tensor 'narrow.bias' is missing"));
    const auto message = test::error_of([&] { book.shape("wide.bias", 2); });
    EXPECT_THAT(message, HasSubstr("has shape (4) where 2 dimensions are expected"));
    EXPECT_THAT(message, HasSubstr("not a weight file of a tower"));
}

TEST(ShapeBook, says_which_tensor_is_missing_wrong_or_foreign) {
    ShapeBook(shapes, "weights.pt", "a tower").compare(shapes);
    auto more = shapes;
    more.push_back({"top.bias", {1}});
    EXPECT_THAT(complaint(more), HasSubstr("tensor 'top.bias' is missing"));
    auto other = shapes;
    other[1].shape = {5};
    EXPECT_THAT(complaint(other), HasSubstr("'wide.bias' has shape (4) where (5) is expected"));
    EXPECT_THAT(complaint({{"wide.weight", {4, 2}}, {"wide.bia", {4}}}),
                HasSubstr("tensor 'wide.bia' is missing"));
    EXPECT_THAT(complaint({{"wide.weight", {4, 2}}}),
                HasSubstr("'wide.bias' does not belong to a tower"));
}

TEST(StoredOptions, are_those_of_the_metadata_and_nothing_without) {
    const test::TemporaryFolder folder;
    const io::NamedArrays weights{{"wide.bias", io::make_array(std::vector<float>{1, 2, 3, 4})}};
    Tower tall{12};
    auto metadata = io::Json::object();
    metadata["tower"] = base::options_yaml(tall);
    io::write_weights(folder / "with.safetensors", weights, metadata);
    io::write_weights(folder / "without.pt", weights);
    const auto with = io::WeightFile::open(folder / "with.safetensors");
    ASSERT_TRUE(stored_options<Tower>(with, "tower"));
    EXPECT_EQ(stored_options<Tower>(with, "tower")->floors, 12);
    EXPECT_FALSE(stored_options<Tower>(with, "bridge"));
    EXPECT_FALSE(stored_options<Tower>(io::WeightFile::open(folder / "without.pt"), "tower"));
    ASSERT_EQ(shapes_of(with).size(), 1U);
    EXPECT_EQ(shapes_of(with)[0].name, "wide.bias");
    EXPECT_THAT(shapes_of(with)[0].shape, testing::ElementsAre(4));
}

}  // namespace
}  // namespace hodo::workflow
