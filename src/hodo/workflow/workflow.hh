#pragma once
/// Workflows and their verbs, as data.
///
/// A verb describes its options (see base/fields.hh); the command line makes from them a section
/// of the configuration file, one `--option` per field, positional arguments, help and defaults.
/// Verbs that need LibTorch are listed here with a description and no `run`: their `run` lives in
/// libhodo_learn.so, which is opened when such a verb is asked for.

#include "hodo/base/config.hh"
#include "hodo/base/text.hh"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::workflow {

/// What to do with an output that exists.
enum class Existing { refuse, overwrite, resume };

/// One of the equal parts into which an array job cuts a verb's work; `index` counts from 0.
struct Shard {
    std::int64_t index = 0, count = 1;
};

/// The value of an environment variable, or null.
using Environment = std::function<const char*(const char* name)>;

/// Reads "2/7", or "auto": the task of the array job that this process is, from the variables of
/// Slurm (SLURM_ARRAY_TASK_ID, _MIN, _COUNT, _STEP), Grid Engine (SGE_TASK_ID, _FIRST, _LAST,
/// _STEPSIZE) or LSF (LSB_JOBINDEX, _END, _STEP). PBS and HTCondor do not say how many tasks there
/// are: write `$PBS_ARRAY_INDEX/N`, `$(Process)/N`. Fails with exit code 2.
Shard parse_shard(std::string_view text, const Environment& environment);

/// How much of its work a call does (see array_job.hh).
enum class Portion {
    whole,
    shard,   ///< `--shard 2/7`: one part.
    verify,  ///< `--verify`: look at all parts and join them.
};

/// One call of a verb: everything it knows of the outside.
struct Job {
    std::string workflow, verb;
    base::Config config;   ///< The verb's section, command-line options merged in.
    std::string resolved;  ///< The section with every default filled in, as YAML.
    std::string device = "cpu";
    int threads = 1;
    Existing existing = Existing::refuse;
    std::string command_line;  ///< As typed, for provenance.
    Portion portion = Portion::whole;
    Shard shard;  ///< For Portion::shard.
};

/// Whether the work of a verb can be cut into the shards of an array job.
enum class Divisible { no, yes };

struct Verb {
    std::string_view name;
    std::string_view summary;
    /// Fields given as positional arguments, in order: "input output". A field that is a list
    /// takes as many as are left.
    std::string_view positionals;
    void (*describe)(base::Fields&);
    void (*run)(const Job&);  ///< Null when the verb learns (libhodo_learn.so).
    /// An example for the help page, without the leading "hodo".
    std::string_view example;
    Divisible divisible = Divisible::no;
};

struct Workflow {
    std::string_view name;
    std::string_view summary;
    std::span<const Verb> verbs;
    /// Translates a configuration file of the original program into the section of `verb`, or
    /// returns nothing when `file` is not one. May be null.
    std::optional<base::Config> (*translate)(const base::Config& file, std::string_view verb);
    /// Whether `hodo view` should show `file` through this workflow's verb "view".
    bool (*recognises)(const base::Path& file);

    const Verb* find(std::string_view verb) const;
};

/// Whether a verb may be given another device than the CPU: those that learn may.
inline bool computes_on_devices(const Verb& verb) {
    return verb.run == nullptr;
}

/// The names of the verbs that array jobs can divide.
std::vector<std::string> divisible_verbs(const Workflow& workflow);

/// All workflows (workflow/table.cc).
std::span<const Workflow* const> workflows();

/// The half of the table in libhodo_learn.so.
struct LearningVerb {
    std::string_view workflow, verb;
    void (*run)(const Job&);
};

}  // namespace hodo::workflow

/// The one entry point of libhodo_learn.so: fills `verbs`, returns their count.
extern "C" int hodo_learn_verbs(const hodo::workflow::LearningVerb** verbs);
