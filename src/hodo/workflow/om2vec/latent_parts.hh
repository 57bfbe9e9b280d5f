#pragma once
/// Latents on their way from the shards of an array job to the output.
///
/// A part is one Parquet file `latents.parquet`, one row per event that is not dropped: `file` and
/// `row` of the event, `modules` hit, the lists `string` and `sensor` of the modules encoded, and
/// `latent`, their numbers one after the other. Joining writes them with a `LatentWriter`, so the
/// output is what one process would have written; the events' own columns are copied only then.

#include "hodo/io/parquet.hh"
#include "hodo/workflow/array_job.hh"
#include "hodo/workflow/om2vec/latent_writer.hh"

#include <vector>

namespace hodo::om2vec {

class LatentPartWriter final : public LatentSink {
  public:
    LatentPartWriter(const base::Path& folder, const LatentOutput& options, std::int64_t width);

    EventFate admit(std::int64_t modules) override;
    void add(const io::RowReference& place, EventFate fate, std::int64_t modules,
             std::span<const optical::ModuleId> ids, std::span<const float> latents) override;
    void finish();

  private:
    void flush();

    LatentOutput options_;
    std::int64_t width_;
    io::ParquetWriter file_;
    std::vector<std::int64_t> files_, rows_, modules_, strings_, sensors_;
    std::vector<std::int64_t> id_offsets_{0}, latent_offsets_{0};
    std::vector<float> latents_;
};

/// Hands all events of the parts, in order, to `writer`.
void join_latents(const std::vector<workflow::Part>& parts, std::int64_t width,
                  LatentWriter& writer);

}  // namespace hodo::om2vec
