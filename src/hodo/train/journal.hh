#pragma once
/// The run directory: what was run, how it went, and where it can go on.
///
///   config.yaml           resolved configuration
///   run.json              version, seed, inputs, one entry per session (io/provenance.hh)
///   metrics.csv           step,epoch,set,<scalars>: a row per logged step and validation pass;
///                         set is "train" or "valid"; numbers read back bit for bit
///   log.jsonl             the same with wall-clock time, rate and waiting; one JSON object a line
///   events.out.tfevents.* for TensorBoard (train/events_file.hh)
///   checkpoints/          step-<n>.safetensors (the newest `keep`), last.safetensors and
///                         best.safetensors (links or copies); see train/archive.hh
///   failure/              batch.safetensors and state.safetensors of a step that was not finite
///
/// Files appear whole or not at all. A resumed run cuts its logs back to the restored step, so that
/// metrics.csv of a stopped and resumed run equals that of an uninterrupted one byte for byte.
/// Wall-clock time stands in log.jsonl (members "time", "rate" and "waited"), run.json and the
/// events only.

#include "hodo/base/fields.hh"
#include "hodo/base/text.hh"
#include "hodo/io/json.hh"
#include "hodo/train/archive.hh"
#include "hodo/train/plan.hh"

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::train {

/// What to do with a run directory that exists.
enum class Existing { refuse, overwrite, resume };

/// What a run directory says about its run.
struct RunInfo {
    base::Path folder;
    Existing existing = Existing::refuse;
    std::string title = "training";  ///< Label of the progress line: "om2vec train".
    std::string config;              ///< Resolved YAML.
    std::string command_line;
    /// The command that replays a failed step; "FOLDER" stands for the failure folder.
    std::string replay = "--replay FOLDER";
    std::uint64_t seed = 1;
    std::string device = "cpu";
    int threads = 1;
    int rank = 0;  ///< Only rank 0 writes.
    std::vector<base::Path> inputs;
    std::string libraries;                ///< tensor::library_line()
    io::Json extra = io::Json::object();  ///< Further members of run.json.
};

struct JournalOptions {
    std::int64_t log_every = 1;
    int keep = 3;
    bool tensorboard = true;
    void describe(base::Fields& f);
};

/// A state of the run as a function over an archive, both directions.
using StateFunction = std::function<void(Archive&)>;

class Journal {
  public:
    /// Prepares the directory. An existing run is refused, removed or continued as `info` says;
    /// resuming a directory without checkpoint starts afresh. A configuration that differs from
    /// the stored one gives a warning that names the first difference. A rank other than 0 leaves
    /// the directory as it is: it reads checkpoints, and writes nothing but the batch of a failed
    /// step; rank 0 comes first.
    Journal(RunInfo info, const JournalOptions& options);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Restores the newest readable checkpoint through `state` and cuts the logs back to it; false
    /// when there is none. A damaged checkpoint is skipped with a warning.
    bool restore(const StateFunction& state);
    /// The checkpoint with the best validation, or the newest without validation; for export.
    base::Path best_checkpoint() const;

    /// The step about to be done waited this long for its batch. Rows of log.jsonl tell the share
    /// of time since the last row, and the end of the run that of all.
    void note_waiting(std::chrono::nanoseconds waited);
    /// A finished training step. Rows are means since the last row, every `log_every` steps.
    void record(const Clock& clock, const Step& step);
    /// A validation pass.
    void record_validation(const Clock& clock, const Scalars& means);
    enum class Mark { none, best };
    /// Writes a checkpoint and removes old ones.
    void save(const Clock& clock, const StateFunction& state, Mark mark = Mark::none);
    /// Keeps what is needed to replay a failed step. Returns the sentence for the user's error.
    std::string keep_failure(const Clock& clock, const std::string& problem,
                             const StateFunction& batch, const StateFunction& state);
    /// Ends the progress line.
    void finish(const Clock& clock, std::string_view outcome);

    const base::Path& folder() const;

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

}  // namespace hodo::train
