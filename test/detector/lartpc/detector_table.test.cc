#include "hodo/detector/lartpc/detector_table.hh"
#include "detector/lartpc/detectors.hh"
#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

namespace lartpc = hodo::lartpc;
namespace test = hodo::test;
using testing::HasSubstr;

namespace {

class DetectorTable : public testing::Test {
  protected:
    /// The small table with `from` replaced by `to`.
    hodo::base::Path table(std::string_view from = "", std::string_view to = "") const {
        std::string text = lartpc::small_table;
        const auto place = text.find(from);
        EXPECT_NE(place, std::string::npos) << from;
        text.replace(place, from.size(), to);
        const auto file = folder_ / "small.yaml";
        hodo::io::write_text(file, text);
        return file;
    }

    std::string refusal(std::string_view from, std::string_view to) const {
        const auto file = table(from, to);
        const auto error = test::error_of([&] { lartpc::read_detector(file); });
        EXPECT_THAT(error, HasSubstr("small.yaml"));
        return error;
    }

    test::TemporaryFolder folder_;
};

}  // namespace

TEST_F(DetectorTable, the_table_of_protodune_is_the_built_in_detector) {
    const auto file = test::source_folder() / "configs/detectors/protodune-sp.yaml";
    EXPECT_EQ(lartpc::read_detector(file), lartpc::protodune_sp());
    EXPECT_EQ(lartpc::fact_of_detector(lartpc::read_detector(file)), "protodune-sp");
    EXPECT_EQ(lartpc::detector_of("protodune-sp"), lartpc::protodune_sp());
}

TEST_F(DetectorTable, what_a_table_says_is_what_is_read) {
    EXPECT_EQ(lartpc::detector_of(table().string()), lartpc::small_detector());
    const auto beam = "beam: {tpc: 0, entry: [1, 2, 3], direction: [0, 0, 1]}\nfaces:";
    const auto detector = lartpc::read_detector(table("faces:", beam));
    EXPECT_EQ(detector.beam.value().entry, (lartpc::Point3{1, 2, 3}));
}

TEST_F(DetectorTable, tables_that_differ_in_any_number_have_different_facts) {
    const auto fact = lartpc::fact_of_detector(lartpc::read_detector(table()));
    EXPECT_THAT(fact, HasSubstr("small ("));
    for (const auto& [from, to] :
         {std::pair{"offset: -120", "offset: -121"}, std::pair{"tick: 0.5", "tick: 0.25"},
          std::pair{"200, 1]", "200, 1], [100, 1, 200, 1]"}, std::pair{"50, 135", "51, 135"},
          std::pair{"faces:", "beam: {tpc: 0, entry: [0, 0, 0], direction: [0, 0, 1]}\nfaces:"}}) {
        EXPECT_NE(lartpc::fact_of_detector(lartpc::read_detector(table(from, to))), fact) << to;
    }
}

TEST_F(DetectorTable, tables_that_cannot_be_are_refused_with_a_sentence) {
    EXPECT_THAT(refusal("name: small\n", ""), HasSubstr("the detector has no key name; add it"));
    EXPECT_THAT(refusal("name: small", "name: ''"), HasSubstr("name is empty"));
    EXPECT_THAT(refusal("tick: 0.5", "tick: 0"), HasSubstr("tick is 0 but must be 0.01 to 1000"));
    EXPECT_THAT(refusal("tick: 0.5", "tick: .nan"),
                HasSubstr("'tick' is '.nan' but must be a number"));
    EXPECT_THAT(refusal("tick: 0.5", "tick: 0.5\nsimulation_time: 32"),
                HasSubstr("simulation_time is 32 us but the readout window"));
    EXPECT_THAT(refusal("pixels_z: 80", "pixels_z: 0"), HasSubstr("pixels_z is 0"));
    EXPECT_THAT(refusal("pixels_z", "pixel_z"), HasSubstr("pixel_z"));
    EXPECT_THAT(refusal("angle: -60", "angle: 45"), HasSubstr("sorted by angle"));
    EXPECT_THAT(
        refusal("      C: {angle: 90, pitch: 3, offset: 1, segments: [[0, 100, 200, 1]]}\n", ""),
        HasSubstr("has 2 planes but must have three"));
    EXPECT_THAT(refusal("angle: -60, ", ""), HasSubstr("face 0, plane A has no key angle"));
    EXPECT_THAT(refusal("angle: -60", "angle: -.inf"), HasSubstr("plane A: angle is -inf"));
    EXPECT_THAT(refusal("angle: 30, pitch: 3", "angle: 30, pitch: 0"),
                HasSubstr("face 0, plane B: pitch is 0"));
    EXPECT_THAT(refusal("offset: -120", "offset: 120"),
                HasSubstr("face 0, plane A: none of its wires crosses the face"));
    EXPECT_THAT(refusal("pixel: 1.5", "pixel: 2.5"), HasSubstr("could meet three wires"));
    EXPECT_THAT(refusal("[0, 100, 200, 1]", "[0, 100, 199, 1]"),
                HasSubstr("channel 199 reads wires of plane B and of plane C"));
    EXPECT_THAT(refusal("[0, 100, 200, 1]", "[0, 100, 201, 1]"),
                HasSubstr("plane C: channels 201 to 300 are outside 0 to 299"));
    EXPECT_THAT(refusal("[0, 100, 200, 1]", "[0, 100, 98, -1]"), HasSubstr("channels 98 to -1"));
    EXPECT_THAT(refusal("[0, 100, 200, 1]", "[1, 100, 200, 1]"), HasSubstr("must begin at wire 0"));
    EXPECT_THAT(refusal("[0, 100, 200, 1]", "[0, 100, 200, 2]"), HasSubstr("1 or -1"));
    EXPECT_THAT(refusal("[0, 100, 200, 1]", "[0, 100, 200]"), HasSubstr("needs four"));
    EXPECT_THAT(refusal("high: [50, 135", "high: [50, 0"), HasSubstr("along y it reaches"));
    EXPECT_THAT(refusal("low: [0, 0, 0]", "low: [0, 0]"), HasSubstr("needs three numbers"));
    EXPECT_THAT(refusal("face: 0", "face: 1"), HasSubstr("there is no face 1; faces are 0 to 0"));
    EXPECT_THAT(refusal("drift_direction: 1", "drift_direction: 2"), HasSubstr("drift_direction"));
    EXPECT_THAT(refusal("  0: {anode", "  1: {anode"), HasSubstr("must be numbered 0, 1, 2"));
    EXPECT_THAT(refusal("faces:", "beam: {tpc: 1, entry: [0, 0, 0], direction: [0, 0, 1]}\nfaces:"),
                HasSubstr("there is no TPC 1"));
    EXPECT_THAT(refusal("faces:", "beam: {tpc: 0, entry: [0, 0, 0], direction: [0, 1, 1]}\nfaces:"),
                HasSubstr("must have length 1"));
    EXPECT_THAT(refusal("anode: 0, ", ""), HasSubstr("TPC 0 has no key anode"));
    EXPECT_THAT(refusal("low: [0, 0, 0]", "low: [.nan, 0, 0]"),
                HasSubstr("'tpcs.0.low' is '.nan' but must"));
    EXPECT_THAT(refusal("pixels_y: 90", "pixels_y: 60"),
                HasSubstr("the box is 135 mm long in y, but 60 pixels of 1.5 mm tile 90 mm"));
}

TEST_F(DetectorTable, sizes_that_fit_no_memory_are_refused_before_anything_is_made) {
    EXPECT_THAT(refusal("pixels_z: 80", "pixels_z: 1000000000"),
                HasSubstr("pixels_z is 1000000000"));
    EXPECT_THAT(refusal("pixels_z: 80\npixels_y: 90", "pixels_z: 30000\npixels_y: 30000"),
                HasSubstr("30000 by 30000 pixels are more than 100000000 in all"));
    EXPECT_THAT(refusal("ticks: 64", "ticks: 1000000000"), HasSubstr("ticks is 1000000000"));
    EXPECT_THAT(refusal("ticks: 64", "ticks: 100000000000"), HasSubstr("ticks"));
    EXPECT_THAT(refusal("channels_per_anode: 300", "channels_per_anode: 1000000000"),
                HasSubstr("channels_per_anode is 1000000000"));
    EXPECT_THAT(refusal("ticks: 64\npixel: 1.5\npixels_z: 80\npixels_y: 90\n"
                        "channels_per_anode: 300",
                        "ticks: 100000\npixel: 1.5\npixels_z: 80\npixels_y: 90\n"
                        "channels_per_anode: 3001"),
                HasSubstr("100000 ticks of 3001 channels are more than"));
    EXPECT_THAT(refusal("[0, 100, 200, 1]", "[0, 1000000000, 200, 1]"),
                HasSubstr("a segment of 1000000000 wires cannot be"));
    EXPECT_THAT(refusal("high: [50,", "high: [1e9,"), HasSubstr("high is 1000000000 but must be"));
}

TEST_F(DetectorTable, what_is_no_table_is_refused_with_a_sentence) {
    for (const auto& name : {std::string("sbnd"), std::string(), folder_.path().string()}) {
        EXPECT_THAT(test::error_of([&] { lartpc::detector_of(name); }),
                    HasSubstr("there is no detector '" + name + "'"));
    }
    const auto file = folder_ / "list.yaml";
    hodo::io::write_text(file, "- 1\n- 2\n");
    EXPECT_THAT(test::error_of([&] { lartpc::read_detector(file); }), HasSubstr("list.yaml"));
    hodo::io::write_text(file, "");
    EXPECT_THAT(test::error_of([&] { lartpc::read_detector(file); }), HasSubstr("has no key name"));
    hodo::io::write_text(file, "name: [");
    EXPECT_THAT(test::error_of([&] { lartpc::read_detector(file); }), HasSubstr("not valid YAML"));
}
