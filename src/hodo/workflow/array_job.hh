#pragma once
/// A verb's work done by the tasks of an array job, in any order, on any machines.
///
///     hodo ... OUTPUT --shard i/n    for every i: one part each
///     hodo ... OUTPUT --verify       says what is missing, or joins the parts
///
/// Parts lie in a folder of their own: `OUTPUT/shards`, or `OUTPUT.shards` when the output is one
/// file. It holds
///
///     plan.json              number of shards, options and inputs; the first task writes it
///     .<i>-of-<n>.<host>-<pid>/   a part in work
///     <i>-of-<n>/            a whole part: its files, and whole.json with their sizes and hashes
///
/// A part appears under its name by renaming its folder, so it is there whole or not at all; there
/// are no locks. Two tasks that do the same shard at the same time each make it, and one is kept. A
/// task whose part is whole does nothing. A task whose options or inputs differ from the plan is
/// refused with the first difference.
///
/// `--verify` reads every part. If some are missing or damaged it prints the commands that make
/// them, one a line on standard output, and fails. Otherwise it joins: the output becomes what one
/// process would have written. Killed in between, it can be called again. Then the parts are
/// removed, and the plan, which now names the output's files, stays for a later `--verify`.

#include "hodo/io/table.hh"
#include "hodo/workflow/workflow.hh"

#include <functional>
#include <vector>

namespace hodo::workflow {

/// A whole part and its files, in natural order of their names.
struct Part {
    base::Path folder;
    std::vector<base::Path> files;
};

/// What a verb must know to be divided.
struct ArrayJob {
    base::Path output;
    std::vector<base::Path> inputs;
    /// What decides the result beside options and inputs: {"weights", "3f2a..."}.
    io::KeyValues circumstances;
    /// Writes the part of `shard` into an empty folder.
    std::function<void(const base::Path& folder, const Shard& shard)> make;
    /// Makes the output of all parts in order and returns its files; those that an interrupted call
    /// left may be kept or replaced.
    std::function<std::vector<base::Path>(const std::vector<Part>& parts)> join;
};

/// Does the portion that `job` asks for, which is not the whole.
void run_array(const Job& job, const ArrayJob& array);

/// Whether `output` is one file by its name: .parquet or .npz.
bool is_one_file(const base::Path& output);

/// For joining by name only: gives `part` the name `target` too (or copies it), whole at once.
void place_file(const base::Path& part, const base::Path& target);
/// The same for all files of the parts, which keep their names; returns where they are now.
std::vector<base::Path> place_files(const std::vector<Part>& parts, const base::Path& folder);

}  // namespace hodo::workflow
