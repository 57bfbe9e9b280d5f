#pragma once
/// The command line of a verb: options made from its described fields, positionals, `--set`, and
/// the options every verb has.

#include "hodo/workflow/workflow.hh"

#include <span>
#include <string>

namespace hodo::cli {

/// A parsed command line.
struct Arguments {
    workflow::Job job;
    bool help = false;
    bool dry_run = false;
};

/// Parses what stands behind `hodo <workflow> <verb>`. A configuration file is the first
/// positional that ends in .yaml, .yml or .cfg, or `--config FILE`. Order of strength: defaults,
/// file, `--set`, options and positionals. Errors of form have exit code 2, of values 1.
/// Sets verbosity and the number of threads of this process.
Arguments parse_arguments(const workflow::Workflow& workflow, const workflow::Verb& verb,
                          std::span<const std::string> words);

/// "--min-modules" of "min_modules".
std::string option_name(std::string_view field);

}  // namespace hodo::cli
