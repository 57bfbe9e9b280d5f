#include "hodo/io/provenance.hh"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <fstream>
#include <system_error>

#include <unistd.h>

#include "hodo/base/error.hh"
#include "hodo/base/version.hh"
#include "hodo/io/atomic_file.hh"

namespace hodo::io {

namespace {

Json session(const Provenance& provenance, std::string_view resumed_at) {
    auto entry = Json::object();
    entry["time"] = utc_time();
    entry["host"] = host_name();
    entry["command"] = provenance.command_line;
    entry["threads"] = provenance.threads;
    entry["device"] = provenance.device;
    entry["libraries"] = provenance.libraries;
    if (!resumed_at.empty()) entry["resumed_at"] = resumed_at;
    return entry;
}

Json program() {
    auto entry = Json::object();
    entry["version"] = base::version();
    entry["commit"] = base::commit();
    entry["build"] = base::build();
    return entry;
}

constexpr const char* unfinished_mark = ".unfinished";

}  // namespace

void mark_unfinished(const base::Path& directory) {
    write_text(directory / unfinished_mark, "");
}

void mark_finished(const base::Path& directory) {
    std::error_code problem;
    std::filesystem::remove(directory / unfinished_mark, problem);
    HODO_CHECK(!problem, "{}: cannot be removed ({})", directory / unfinished_mark,
               problem.message());
}

bool is_unfinished(const base::Path& directory) {
    std::error_code problem;
    return std::filesystem::exists(directory / unfinished_mark, problem);
}

std::string utc_time() {
    const auto now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
    return name.data();
}

Json file_identity(const base::Path& file) {
    auto entry = Json::object();
    entry["path"] = file.string();
    std::error_code failed;
    const auto bytes = std::filesystem::file_size(file, failed);
    entry["bytes"] = failed ? Json() : Json(static_cast<std::int64_t>(bytes));
    if (failed) return entry;
    constexpr std::uintmax_t part = 65536;
    std::ifstream stream(file, std::ios::binary);
    std::string content(static_cast<std::size_t>(std::min(part, bytes)), '\0');
    stream.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (bytes > part) {
        std::string tail(static_cast<std::size_t>(std::min(part, bytes - part)), '\0');
        stream.seekg(-static_cast<std::streamoff>(tail.size()), std::ios::end);
        stream.read(tail.data(), static_cast<std::streamsize>(tail.size()));
        content += tail;
    }
    entry["fingerprint"] =
        base::format("{:016x}", base::fnv1a(std::to_string(bytes) + ":" + content));
    return entry;
}

void write_provenance(const base::Path& directory, std::string_view resolved_yaml,
                      const Provenance& provenance) {
    auto run = Json::object();
    run["hodoscope"] = program();
    run["title"] = provenance.title;
    run["seed"] = provenance.seed;
    run["inputs"] = Json::list();
    for (const auto& input : provenance.inputs) run["inputs"].push(file_identity(input));
    for (const auto& [name, value] : provenance.members.members()) run[name] = value;
    run["sessions"] = Json::list();
    run["sessions"].push(session(provenance, {}));
    write_text(directory / "config.yaml", resolved_yaml);
    write_text(directory / "run.json", run.dump(2) + "\n");
}

void append_session(const base::Path& directory, std::string_view resolved_yaml,
                    const Provenance& provenance, std::string_view resumed_at) {
    const auto file = directory / "run.json";
    if (!std::filesystem::exists(file)) {
        write_provenance(directory, resolved_yaml, provenance);
        return;
    }
    auto run = Json::parse(read_text(file), file.string());
    run["hodoscope"] = program();
    run["sessions"].push(session(provenance, resumed_at));
    write_text(directory / "config.yaml", resolved_yaml);
    write_text(file, run.dump(2) + "\n");
}

}  // namespace hodo::io
