#pragma once
/// Workflows and their verbs, as data.
///
/// A verb describes its options (see base/fields.hh); the command line makes from them a section
/// of the configuration file, one `--option` per field, positional arguments, help and defaults.
/// Verbs that need LibTorch are listed here with a description and no `run`: their `run` lives in
/// libhodo_learn.so, which is opened when such a verb is asked for.

#include "hodo/base/config.hh"
#include "hodo/base/text.hh"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::workflow {

/// What to do with a run directory or output that exists.
enum class Existing { refuse, overwrite, resume };

/// One call of a verb: everything it knows of the outside.
struct Job {
    std::string workflow, verb;
    base::Config config;  ///< The verb's section, command-line options merged in.
    base::Path out;       ///< `--out`: the run directory, or empty.
    std::string device = "cpu";
    int threads = 1;
    std::uint64_t seed = 1;
    Existing existing = Existing::refuse;
    bool dry_run = false;
    std::string command_line;  ///< As typed, for provenance.

    template <class Options>
    Options options() const {
        return config.as<Options>();
    }
};

struct Verb {
    std::string_view name;
    std::string_view summary;
    /// Names of fields that are given as positional arguments, in order: {"input", "output"}.
    std::span<const std::string_view> positionals;
    void (*describe)(base::Fields&);
    void (*run)(const Job&);  ///< Null when the verb learns (libhodo_learn.so).
    /// An example line for the help page, without the leading "hodo".
    std::string_view example;
};

struct Workflow {
    std::string_view name;
    std::string_view summary;
    std::span<const Verb> verbs;
};

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
