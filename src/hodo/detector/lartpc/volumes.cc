#include "hodo/detector/lartpc/volumes.hh"

#include <cmath>

namespace hodo::lartpc {

std::optional<Point3> local_point(const Detector& detector, int tpc, const Point3& point,
                                  double time, Limits limits) {
    const auto& box = detector.tpc(tpc);
    if (limits == Limits::box) {
        for (std::size_t d = 0; d < 3; ++d) {
            if (point[d] < box.low[d] || point[d] > box.high[d]) return std::nullopt;
        }
    }
    Point3 local{box.drift_direction > 0 ? box.high[0] - point[0] : point[0] - box.low[0],
                 point[1] - box.low[1], point[2] - box.low[2]};
    local[0] += detector.drift_speed * (time + detector.simulation_time);
    if (local[0] < 0 || local[0] > detector.window()) return std::nullopt;
    return local;
}

Voxel voxel_at(const Detector& detector, const Point3& local) {
    const auto sides = detector.voxel();
    Voxel voxel{};
    for (std::size_t d = 0; d < 3; ++d) {
        voxel[d] = static_cast<std::int32_t>(std::floor(local[d] / sides[d]));
    }
    return voxel;
}

CommonFrame::CommonFrame(const Detector& detector, int tpc, const Point3& sides, double start,
                         int first)
    : direction_(detector.tpc(tpc).drift_direction > 0 ? -1 : 1) {
    const auto anode = [&](const Tpc& box) {
        return Point3{box.drift_direction > 0 ? box.high[0] : box.low[0], box.low[1], box.low[2]};
    };
    const auto corner = anode(detector.tpc(tpc)), origin = anode(detector.tpc(first));
    for (std::size_t d = 0; d < 3; ++d) {
        double distance = corner[d] - origin[d];
        if (d == 0) distance -= direction_ * detector.drift_speed * start;
        offset_[d] = static_cast<std::int32_t>(std::nearbyint(distance / sides[d]));
        residual_[d] = offset_[d] * sides[d] - distance;
    }
}

Voxel CommonFrame::operator()(const Voxel& voxel) const {
    return {offset_[0] + direction_ * voxel[0], offset_[1] + voxel[1], offset_[2] + voxel[2]};
}

}  // namespace hodo::lartpc
