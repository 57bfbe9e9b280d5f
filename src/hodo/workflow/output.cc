#include "hodo/workflow/output.hh"

#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/provenance.hh"

#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace hodo::workflow {

namespace {

/// Whether there is more in a folder than the mark of a run that failed before its first file.
bool holds_something(const base::Path& folder) {
    std::error_code problem;
    const auto entries = std::distance(std::filesystem::directory_iterator(folder, problem), {});
    return entries > (io::is_unfinished(folder) ? 1 : 0);
}

/// The lowest folder above a file that is there; what is missing below can be made in it.
base::Path nearest_folder(const base::Path& file) {
    std::error_code problem;
    auto folder = std::filesystem::absolute(file).parent_path();
    while (folder.has_relative_path() && !std::filesystem::exists(folder, problem)) {
        folder = folder.parent_path();
    }
    return folder;
}

}  // namespace

void claim_folder(const base::Path& folder, Existing existing) {
    HODO_CHECK(!folder.empty(), "no output folder is named; add --output FOLDER");
    std::error_code problem;
    const bool is_there = std::filesystem::exists(folder, problem);
    HODO_CHECK(!is_there || std::filesystem::is_directory(folder, problem),
               "{}: is a file, but a folder is to be written there; choose another --output",
               folder);
    const bool has_content = is_there && holds_something(folder);
    if (has_content && existing == Existing::refuse) {
        HODO_CHECK(!io::is_unfinished(folder),
                   "{}: was left unfinished by a run that was broken off, or one that still "
                   "writes there; add --resume to go on with it, --overwrite to begin again, or "
                   "choose another --output",
                   folder);
        base::fail(
            "{}: exists and is not empty; add --overwrite to replace it, --resume to go on "
            "with it, or choose another --output",
            folder);
    }
    if (has_content && existing == Existing::overwrite) {
        HODO_CHECK(
            std::filesystem::exists(folder / "run.json", problem) || io::is_unfinished(folder),
            "{}: was not written by hodo (no run.json), so --overwrite does not remove it; "
            "remove it yourself or choose another --output",
            folder);
        std::filesystem::remove_all(folder, problem);
        HODO_CHECK(!problem, "{}: cannot be removed ({})", folder, problem.message());
    }
    std::filesystem::create_directories(folder, problem);
    HODO_CHECK(!problem, "{}: cannot be created ({}); choose a writable --output", folder,
               problem.message());
    io::remove_abandoned_parts(folder);
    io::mark_unfinished(folder);
    base::say_before_ending(base::format(
        "interrupted; what is whole in {} is kept: the same command with --resume goes on",
        folder));
}

void claim_file(const base::Path& file, Existing existing) {
    HODO_CHECK(!file.empty(), "no output file is named; add --output FILE");
    std::error_code problem;
    HODO_CHECK(!std::filesystem::is_directory(file, problem),
               "{}: is a folder, but a file is to be written there; choose another --output", file);
    HODO_CHECK(existing == Existing::overwrite || !std::filesystem::exists(file, problem),
               "{}: exists already; add --overwrite to replace it or choose another --output",
               file);
    const auto folder = nearest_folder(file);
    HODO_CHECK(std::filesystem::is_directory(folder, problem),
               "{}: cannot be written, for {} is no folder; choose another --output", file, folder);
    auto trial = (folder / ".hodo-XXXXXX").string();
    const int descriptor = ::mkstemp(trial.data());
    HODO_CHECK(descriptor >= 0,
               "{}: cannot be written, for nothing can be made in the folder {} ({}); choose "
               "another --output",
               file, folder, std::strerror(errno));
    ::close(descriptor);
    ::unlink(trial.c_str());
}

void record_run(const base::Path& folder, const Job& job, const std::vector<base::Path>& inputs,
                std::uint64_t seed) {
    const auto config = base::format("workflow: {}\n{}:\n{}", job.workflow, job.verb, job.resolved);
    io::write_provenance(folder, config,
                         {.title = job.workflow + " " + job.verb,
                          .command_line = job.command_line,
                          .seed = seed,
                          .device = job.device,
                          .threads = job.threads,
                          .inputs = inputs});
    io::mark_finished(folder);
}

}  // namespace hodo::workflow
