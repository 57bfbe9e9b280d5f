#pragma once
/// Where results come from: config.yaml and run.json of a run directory.
///
/// config.yaml is the resolved configuration. run.json is one object:
///   hodoscope  {version, commit, build}
///   title, seed, inputs [{path, bytes, fingerprint}], and members the program adds
///   sessions   [{time, host, command, threads, device, libraries, resumed_at}], one for the start
///              and one for every resume
/// `fingerprint` is a 64-bit FNV-1a hash of the size and the first and last 64 KiB.

#include "hodo/base/text.hh"
#include "hodo/io/json.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace hodo::io {

struct Provenance {
    std::string title;  ///< "om2vec train"
    std::string command_line;
    std::uint64_t seed = 1;
    std::string device = "cpu";
    int threads = 1;
    std::vector<base::Path> inputs;
    std::string libraries;          ///< "LibTorch 1.13.0, libopenblas.so.0, ..."
    Json members = Json::object();  ///< Further members of run.json.
};

/// Writes config.yaml and run.json into `directory`, atomically.
void write_provenance(const base::Path& directory, std::string_view resolved_yaml,
                      const Provenance& provenance);

/// Adds a session to run.json and replaces config.yaml; `resumed_at` says where the run goes on
/// ("step 1200"). Without a readable run.json the same as `write_provenance`.
void append_session(const base::Path& directory, std::string_view resolved_yaml,
                    const Provenance& provenance, std::string_view resumed_at);

/// A folder that is being written carries the file `.unfinished`, so that nobody takes the files
/// that are there for all; `write_provenance` and `append_session` do not touch it.
void mark_unfinished(const base::Path& directory);
void mark_finished(const base::Path& directory);
bool is_unfinished(const base::Path& directory);

/// {path, bytes, fingerprint} of a file; a missing file has null bytes.
Json file_identity(const base::Path& file);

/// "2026-03-01T12:00:00Z".
std::string utc_time();
std::string host_name();

}  // namespace hodo::io
