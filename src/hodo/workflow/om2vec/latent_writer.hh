#pragma once
/// Latents beside the events they were made of.
///
/// Files `chunk_<k>.parquet` of `chunk_size` events each, counted through all inputs; every input
/// column is copied unchanged and `latents` is added: per event a list of modules, ascending by
/// (string, sensor), each [string, sensor, latent_0, ..., latent_{width-1}]. Unless compatibility
/// is asked for, a column `modules` tells how many modules were hit, and events with fewer than
/// the least keep their row with empty latents; with it they are dropped.
///
/// `latents_only`: one row per module with columns file, event, string_id, sensor_id, latent.
/// An output that ends in .parquet or .npz is one file instead of chunks.

#include "hodo/detector/optical/binning.hh"
#include "hodo/detector/optical/events.hh"
#include "hodo/io/parquet.hh"
#include "hodo/io/table.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/workflow.hh"

#include <memory>
#include <span>
#include <vector>

namespace hodo::om2vec {

/// What becomes of an event, decided before anything is encoded.
enum class EventFate {
    encode,   ///< Its modules are encoded and written.
    empty,    ///< Written without latents: fewer modules than the least.
    drop,     ///< Not written.
    present,  ///< Its file exists already and the run resumes.
};

/// Where encoded events go.
class LatentSink {
  public:
    virtual ~LatentSink() = default;

    /// The fate of the next event, which has `modules` modules; call once per event, in order.
    virtual EventFate admit(std::int64_t modules) = 0;
    /// Adds the next admitted event that is not dropped: its place in the input and, when it is to
    /// be encoded, its modules and their latents [ids, width].
    virtual void add(const io::RowReference& place, EventFate fate, std::int64_t modules,
                     std::span<const optical::ModuleId> ids, std::span<const float> latents) = 0;
};

class LatentWriter final : public LatentSink {
  public:
    /// `width` numbers per module. `metadata` goes into every file.
    LatentWriter(std::vector<base::Path> inputs, const LatentOutput& options,
                 workflow::Existing existing, std::int64_t width, io::KeyValues metadata);
    ~LatentWriter() override;
    LatentWriter(const LatentWriter&) = delete;
    LatentWriter& operator=(const LatentWriter&) = delete;

    EventFate admit(std::int64_t modules) override;
    void add(const io::RowReference& place, EventFate fate, std::int64_t modules,
             std::span<const optical::ModuleId> ids, std::span<const float> latents) override;
    /// Writes what is left; the files of this run in order.
    std::vector<base::Path> finish();

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

/// `value` rounded to IEEE half precision (ties to even), as a float, and its 16 bits.
float round_to_half(float value);
std::uint16_t half_bits(float value);

}  // namespace hodo::om2vec
