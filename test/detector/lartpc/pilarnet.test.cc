// Events of PILArNet-M that are not as they should be.

#include "hodo/detector/lartpc/pilarnet.hh"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>

#include "support/ragged_hdf5.hh"
#include "support/reference.hh"

namespace hodo::lartpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// One event of two points in one cluster of version 1, with one number changed.
struct Event {
    std::vector<double> points{4, 5, 6, 2.5, 4, 5, 0, 0, 5, 5, 6, 3.5, 5, 5, 0, 0};
    std::vector<double> cluster{2, 0, 7, 1, 3};
};

class Pilarnet : public testing::Test {
  protected:
    PilarnetFile write(const Event& event) {
        const auto file = folder / "events.h5";
        std::ofstream(file, std::ios::binary)
            << test::ragged_hdf5({{"point", {event.points}}, {"cluster", {event.cluster}}});
        return PilarnetFile(file);
    }
    std::string refusal(const Event& event) {
        const auto file = write(event);
        return test::error_of([&] { file.read(0, 1, {}); });
    }
    test::TemporaryFolder folder;
};

TEST_F(Pilarnet, gives_points_the_labels_of_their_cluster) {
    const auto cloud = write({}).read(0, 1, {});
    EXPECT_THAT(cloud.voxels, ElementsAre(Voxel{4, 5, 6}, Voxel{5, 5, 6}));
    EXPECT_THAT(cloud.features, ElementsAre(2.5f, 5, 3.5f, 5));
    EXPECT_THAT(cloud.group, ElementsAre(7, 7));
    EXPECT_THAT(cloud.semantic, ElementsAre(3, 3));
}

TEST_F(Pilarnet, refuses_labels_that_are_no_integers) {
    for (const std::size_t column : {2U, 3U, 4U}) {
        for (const double value : {std::nan(""), 1e300, -3e9, 0.5}) {
            Event event;
            event.cluster[column] = value;
            EXPECT_THAT(refusal(event), HasSubstr("events.h5: event 0 has a cluster labelled"));
        }
    }
}

TEST_F(Pilarnet, refuses_energies_and_times_that_are_not_finite) {
    for (const std::size_t column : {3U, 5U, 11U}) {
        for (const double value : {std::nan(""), double{INFINITY}, 1e300}) {
            Event event;
            event.points[column] = value;
            EXPECT_THAT(refusal(event), HasSubstr("events.h5: event 0 has a point with"));
        }
    }
}

TEST_F(Pilarnet, refuses_clusters_that_do_not_fit_the_points) {
    for (const double points : {1.0, 3.0, -1.0, std::nan("")}) {
        Event event;
        event.cluster[0] = points;
        EXPECT_THAT(refusal(event), HasSubstr("events.h5: event 0"));
    }
}

}  // namespace
}  // namespace hodo::lartpc
