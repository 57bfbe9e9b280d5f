#pragma once
/// Help, defaults and the manual: all made from the table of workflows and their fields.

#include "hodo/workflow/workflow.hh"

#include <string>

namespace hodo::cli {

/// What `hodo` and `hodo help` print.
std::string overview();
std::string workflow_help(const workflow::Workflow& workflow);
std::string verb_help(const workflow::Workflow& workflow, const workflow::Verb& verb);
/// A complete commented YAML section for `hodo defaults`.
std::string verb_defaults(const workflow::Verb& verb);
/// The reference page of all verbs and keys, in Markdown.
std::string reference_markdown();
/// The manual page hodo(1).
std::string manual_page();

/// Version, build type and commit on one line.
std::string version_line();

}  // namespace hodo::cli
