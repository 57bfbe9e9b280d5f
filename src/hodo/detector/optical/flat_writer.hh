#pragma once
/// Writing events as flat tables of GraphNeT.
///
/// `<directory>/total/total_0.parquet`, `total_1.parquet`, ...: one row per photon with event_no,
/// sensor_pos_x, sensor_pos_y, sensor_pos_z, sensor_string_id, sensor_id, t, and `charge` when
/// photons have weights; `<directory>/mc_truth/mc_truth_0.parquet`, ...: one row per event under
/// the names GraphNeT's Prometheus extractors use (injection_..., primary_lepton_1_...,
/// primary_hadron_1_..., total_energy). Events of one number are in files of one number.
/// The lepton is the first final-state particle that is a lepton, the hadrons are the other ones'
/// energies together, with the direction of the most energetic.

#include <memory>
#include <vector>

#include "hodo/base/text.hh"
#include "hodo/detector/optical/events.hh"

namespace hodo::optical {

struct FlatWriteOptions {
    std::int64_t first_event = 0;  ///< The `event_no` of the first event.
    std::int64_t events_per_file = 2048;
};

class FlatEventWriter {
  public:
    explicit FlatEventWriter(base::Path directory, FlatWriteOptions options = {});
    ~FlatEventWriter();
    /// Events need truth; weights in the first events decide about `charge`.
    void append(const Events& events);
    /// Finishes the last files and returns the photon files in order.
    std::vector<base::Path> finish();

  private:
    class Body;
    std::unique_ptr<Body> body_;
};

}  // namespace hodo::optical
