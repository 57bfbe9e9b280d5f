#include "hodo/workflow/array_job.hh"

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/json.hh"
#include "hodo/io/mapped_file.hh"
#include "hodo/io/provenance.hh"
#include "hodo/workflow/output.hh"
#include "hodo/workflow/shard.hh"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace hodo::workflow {

namespace {

namespace fs = std::filesystem;

constexpr const char* manifest_name = "whole.json";

std::vector<base::Path> entries(const base::Path& folder) {
    std::vector<base::Path> found;
    std::error_code problem;
    for (const auto& entry : fs::directory_iterator(folder, problem)) found.push_back(entry.path());
    std::sort(found.begin(), found.end(), [](const base::Path& a, const base::Path& b) {
        return base::natural_less(a.filename().string(), b.filename().string());
    });
    return found;
}

io::Json file_record(const base::Path& file) {
    const auto content = io::map_file(file);
    auto record = io::Json::object();
    record["name"] = file.filename().string();
    record["bytes"] = static_cast<std::int64_t>(content.bytes.size());
    record["hash"] = base::format("{:016x}", base::fnv1a(content.text()));
    return record;
}

/// What is wrong with the recorded files of `folder`, or an empty text.
std::string damage(const base::Path& folder, const io::Json& records) {
    for (const auto& record : records.items()) {
        const auto file = folder / record.at("name").text();
        std::error_code problem;
        const auto bytes = fs::file_size(file, problem);
        if (problem) return base::format("{} is missing", file);
        if (static_cast<std::int64_t>(bytes) != record.at("bytes").integer()) {
            return base::format("{} has {} bytes instead of {}", file, bytes,
                                record.at("bytes").integer());
        }
        if (file_record(file).at("hash").text() != record.at("hash").text()) {
            return base::format("{} has changed since it was written", file);
        }
    }
    return {};
}

/// The options by their dotted keys, without the output's own name, which may be spelt in several
/// ways.
void add_options(io::Json& settings, const std::string& yaml) {
    std::vector<std::string> groups;
    for (const auto& line : base::split(yaml, '\n')) {
        const auto indent = line.find_first_not_of(' ');
        const auto colon = line.find(':');
        if (indent == std::string::npos || colon == std::string::npos) continue;
        const auto level = indent / 2 - 1;
        groups.resize(std::min(groups.size(), level));
        groups.push_back(line.substr(indent, colon - indent));
        const auto key = base::join(groups, ".");
        const auto value = std::string(base::trim(std::string_view(line).substr(colon + 1)));
        if (!value.empty() && key != "output" && key != "read.threads") settings[key] = value;
    }
}

io::Json settings_of(const Job& job, const ArrayJob& array, std::int64_t shards) {
    auto settings = io::Json::object();
    settings["command"] = job.workflow + " " + job.verb;
    settings["shards"] = std::to_string(shards);
    add_options(settings, job.resolved);
    for (const auto& [key, value] : array.circumstances) settings[key] = value;
    for (const auto& input : array.inputs) {
        const auto identity = io::file_identity(input);
        settings["input " + input.string()] =
            identity.at("bytes").is_null()
                ? std::string("absent")
                : base::format("{} bytes, {}", identity.at("bytes").integer(),
                               identity.at("fingerprint").text());
    }
    return settings;
}

/// "'min_modules' is 3, not 0": the first difference of two settings; empty when they agree.
std::string difference(const io::Json& planned, const io::Json& asked) {
    const auto value = [](const io::Json& settings, const std::string& key) {
        return settings.has(key) ? settings.at(key).text() : std::string("absent");
    };
    for (const auto* side : {&asked, &planned}) {
        for (const auto& [key, ignored] : side->members()) {
            const auto before = value(planned, key), now = value(asked, key);
            if (before != now) return base::format("'{}' is {}, not {}", key, now, before);
        }
    }
    return {};
}

/// How a shard was found; if it is not whole, why: "has not been made".
struct Finding {
    bool is_whole = false;
    std::string sentence;
};

/// The folder of the parts.
class Parts {
  public:
    explicit Parts(const base::Path& output)
        : output_(output),
          folder_(is_one_file(output) ? base::Path(output.string() + ".shards")
                                      : output / "shards") {}

    bool has_plan() const { return fs::exists(plan_file()); }
    io::Json plan() const {
        return io::Json::parse(io::read_text(plan_file()), plan_file().string());
    }
    void write_plan(const io::Json& plan) const {
        io::write_text(plan_file(), plan.dump(2) + "\n");
    }
    /// Writes the plan unless another process has done so.
    void offer_plan(const io::Json& plan) const {
        const auto mine = folder_ / base::format(".plan.{}-{}", io::host_name(),
                                                 static_cast<std::int64_t>(getpid()));
        io::write_text(mine, plan.dump(2) + "\n");
        std::error_code problem, ignored;
        fs::create_hard_link(mine, plan_file(), problem);
        // Some file systems know no links.
        if (problem && !has_plan()) fs::rename(mine, plan_file(), problem);
        fs::remove(mine, ignored);
        HODO_CHECK(has_plan(), "{}: cannot be written ({})", plan_file(), problem.message());
    }

    base::Path part(const Shard& shard) const {
        return folder_ / base::format("{}-of-{}", shard.index, shard.count);
    }

    Finding look_at(const Shard& shard, const io::Json& settings) const {
        const auto folder = part(shard);
        if (!fs::exists(folder)) return look_for_half(shard);
        const auto manifest = folder / manifest_name;
        try {
            const auto json = io::Json::parse(io::read_text(manifest), manifest.string());
            if (const auto other = difference(json.at("settings"), settings); !other.empty()) {
                return {false, base::format("was made with other settings ({})", other)};
            }
            const auto what = damage(folder, json.at("files"));
            return {what.empty(), what};
        } catch (const base::Error& error) {
            return {false, error.what()};
        }
    }

    /// All parts, which must be whole.
    std::vector<Part> whole(std::int64_t count) const {
        std::vector<Part> parts;
        for (std::int64_t index = 0; index < count; ++index) {
            parts.push_back({part({index, count}), {}});
            const auto manifest = parts.back().folder / manifest_name;
            const auto json = io::Json::parse(io::read_text(manifest), manifest.string());
            for (const auto& record : json.at("files").items()) {
                parts.back().files.push_back(parts.back().folder / record.at("name").text());
            }
        }
        return parts;
    }

    /// An empty folder in which this process may make the part.
    base::Path begin(const Shard& shard) const {
        remove_abandoned(shard);
        const auto folder = folder_ / base::format("{}{}-{}", work_prefix(shard), io::host_name(),
                                                   static_cast<std::int64_t>(getpid()));
        std::error_code problem;
        fs::remove_all(folder, problem);
        fs::create_directories(folder, problem);
        HODO_CHECK(!problem, "{}: cannot be created ({}); choose a writable --output", folder,
                   problem.message());
        return folder;
    }

    /// Gives a finished part its name, unless another process has made it meanwhile.
    void publish(const base::Path& work, const Shard& shard, const io::Json& settings) const {
        auto manifest = io::Json::object();
        manifest["settings"] = settings;
        manifest["files"] = io::Json::list();
        for (const auto& file : entries(work)) manifest["files"].push(file_record(file));
        io::write_text(work / manifest_name, manifest.dump(2) + "\n");
        const auto name = part(shard);
        const base::Path aside = work.string() + ".damaged";
        for (int attempt = 0; attempt < 10; ++attempt) {
            if (std::rename(work.c_str(), name.c_str()) == 0) {
                std::error_code problem;
                fs::remove_all(aside, problem);
                return;
            }
            HODO_CHECK(errno == ENOTEMPTY || errno == EEXIST, "{}: cannot be given its name ({})",
                       name, std::generic_category().message(errno));
            if (look_at(shard, settings).is_whole) return discard(work);
            std::rename(name.c_str(), aside.c_str());
        }
        base::fail("{}: other processes keep putting damaged parts there; look at the disk", name);
    }

    void discard(const base::Path& work) const {
        std::error_code problem;
        fs::remove_all(work, problem);
    }

    void remove_parts() const {
        for (const auto& entry : entries(folder_)) {
            if (fs::is_directory(entry)) discard(entry);
        }
    }

  private:
    base::Path plan_file() const { return folder_ / "plan.json"; }
    static std::string work_prefix(const Shard& shard) {
        return base::format(".{}-of-{}.", shard.index, shard.count);
    }

    Finding look_for_half(const Shard& shard) const {
        for (const auto& entry : entries(folder_)) {
            if (entry.filename().string().starts_with(work_prefix(shard))) {
                return {false, base::format("is in work or was broken off ({})", entry)};
            }
        }
        return {false, "has not been made"};
    }

    /// Removes what processes of this machine that are no more left of the shard.
    void remove_abandoned(const Shard& shard) const {
        const auto prefix = work_prefix(shard) + io::host_name() + "-";
        for (const auto& entry : entries(folder_)) {
            const auto name = entry.filename().string();
            if (!name.starts_with(prefix)) continue;
            const auto rest = base::split(name.substr(prefix.size()), '.').front();
            const auto process = base::parse_int(rest);
            if (process && kill(static_cast<pid_t>(*process), 0) != 0 && errno == ESRCH) {
                discard(entry);
            }
        }
    }

    base::Path output_, folder_;
};

/// Refuses an output that holds something else than parts of this job.
void claim(const base::Path& output, const Parts& parts) {
    if (parts.has_plan()) return;
    if (is_one_file(output)) return claim_file(output, Existing::refuse);
    for (const auto& entry : entries(output)) {
        const auto name = entry.filename().string();
        const bool of_other_tasks = name == "shards" || name.starts_with(".unfinished");
        if (!of_other_tasks) return claim_folder(output, Existing::refuse);
    }
    std::error_code problem;
    fs::create_directories(output, problem);
    HODO_CHECK(!problem, "{}: cannot be created ({}); choose a writable --output", output,
               problem.message());
    io::mark_unfinished(output);
}

void require_same(const base::Path& output, const io::Json& planned, const io::Json& asked) {
    const auto other = difference(planned, asked);
    HODO_CHECK(other.empty(),
               "{}: other shards of it were begun with other settings: here {}; give the same, or "
               "choose another --output",
               output, other);
}

bool is_joined(const io::Json& plan) {
    return plan.has("joined");
}

void make_shard(const Job& job, const ArrayJob& array) {
    const Parts parts(array.output);
    const auto settings = settings_of(job, array, job.shard.count);
    claim(array.output, parts);
    if (!parts.has_plan()) {
        auto plan = io::Json::object();
        plan["settings"] = settings;
        parts.offer_plan(plan);
    }
    const auto plan = parts.plan();
    require_same(array.output, plan.at("settings"), settings);
    const auto name = text_of(job.shard);
    if (is_joined(plan)) {
        if (!is_one_file(array.output)) io::mark_finished(array.output);
        return base::say("{} is complete; shard {} has nothing to do", array.output, name);
    }
    if (parts.look_at(job.shard, settings).is_whole) {
        return base::say("shard {} of {} is whole already", name, array.output);
    }
    const auto work = parts.begin(job.shard);
    try {
        array.make(work, job.shard);
        // Two first tasks may have written two plans: the last one counts.
        require_same(array.output, parts.plan().at("settings"), settings);
        parts.publish(work, job.shard, settings);
    } catch (...) {
        parts.discard(work);
        if (!is_joined(parts.plan())) throw;
    }
    // Others may have made this shard and joined all meanwhile.
    if (is_joined(parts.plan())) parts.remove_parts();
    base::say("shard {} of {} is whole", name, array.output);
}

/// The command that makes `shard`, from the one that verifies.
std::string command_for(const Job& job, const Shard& shard) {
    auto command = job.command_line;
    const std::string word = "--verify";
    const auto at = command.find(word);
    if (at == std::string::npos) return command;
    return command.replace(at, word.size(), "--shard " + text_of(shard));
}

void verify_joined(const base::Path& output, const io::Json& plan) {
    const auto folder = is_one_file(output) ? output.parent_path() : output;
    const auto what = damage(folder, plan.at("joined"));
    HODO_CHECK(what.empty(),
               "{}, and the parts it was joined of are removed; remove {} with its shards and run "
               "the array job again",
               what, output);
    const auto shards = base::parse_int(plan.at("settings").at("shards").text()).value_or(0);
    base::say("{} is complete: {} of {}", output,
              base::counted(std::ssize(plan.at("joined").items()), "files"),
              base::counted(shards, "shards"));
}

void join(const Job& job, const ArrayJob& array, const Parts& parts, io::Json plan,
          std::int64_t count) {
    try {
        const auto files = array.join(parts.whole(count));
        if (!is_one_file(array.output)) record_run(array.output, job, array.inputs);
        plan["joined"] = io::Json::list();
        for (const auto& file : files) plan["joined"].push(file_record(file));
    } catch (const base::Error&) {
        // Another --verify may have finished meanwhile and removed the parts.
        if (is_joined(parts.plan())) return verify_joined(array.output, parts.plan());
        throw;
    }
    parts.write_plan(plan);
    parts.remove_parts();
    verify_joined(array.output, plan);
}

/// The shards that are not whole, and why.
std::vector<std::pair<Shard, std::string>> missing_shards(const Parts& parts,
                                                          const io::Json& settings,
                                                          std::int64_t count) {
    std::vector<std::pair<Shard, std::string>> missing;
    for (std::int64_t index = 0; index < count; ++index) {
        const Shard shard{index, count};
        const auto finding = parts.look_at(shard, settings);
        if (!finding.is_whole) missing.emplace_back(shard, finding.sentence);
    }
    return missing;
}

void verify(const Job& job, const ArrayJob& array) {
    const Parts parts(array.output);
    HODO_CHECK(parts.has_plan(),
               "{}: no shard of it has been made; run the command with --shard i/n for i from 0 to "
               "n - 1",
               array.output);
    const auto plan = parts.plan();
    if (is_joined(plan)) return verify_joined(array.output, plan);
    const auto count = base::parse_int(plan.at("settings").at("shards").text()).value_or(1);
    const auto settings = settings_of(job, array, count);
    require_same(array.output, plan.at("settings"), settings);
    const auto missing = missing_shards(parts, settings, count);
    // Another --verify may have finished meanwhile and removed the parts.
    if (is_joined(parts.plan())) return verify_joined(array.output, parts.plan());
    for (const auto& [shard, sentence] : missing) {
        base::warn("shard {} {}", text_of(shard), sentence);
        std::fputs((command_for(job, shard) + "\n").c_str(), stdout);
    }
    HODO_CHECK(missing.empty(),
               "{}: {} of {} shards are not whole; run the commands listed, then --verify again",
               array.output, missing.size(), count);
    join(job, array, parts, plan, count);
}

}  // namespace

void run_array(const Job& job, const ArrayJob& array) {
    HODO_DOOR(job.portion != Portion::whole);
    HODO_CHECK(!array.output.empty(), "no output is named; add --output");
    if (job.portion == Portion::shard) {
        make_shard(job, array);
    } else {
        verify(job, array);
    }
}

bool is_one_file(const base::Path& output) {
    return output.extension() == ".parquet" || output.extension() == ".npz";
}

void place_file(const base::Path& part, const base::Path& target) {
    const base::Path temporary =
        target.string() + base::format(".part-{}", static_cast<std::int64_t>(getpid()));
    std::error_code problem;
    fs::remove(temporary, problem);
    fs::create_hard_link(part, temporary, problem);
    if (problem) fs::copy_file(part, temporary, fs::copy_options::overwrite_existing, problem);
    if (!problem) fs::rename(temporary, target, problem);
    std::error_code ignored;
    fs::remove(temporary, ignored);
    HODO_CHECK(!problem, "{}: cannot be put in its place ({})", target, problem.message());
}

std::vector<base::Path> place_files(const std::vector<Part>& parts, const base::Path& folder) {
    std::vector<base::Path> placed;
    for (const auto& part : parts) {
        for (const auto& file : part.files) {
            placed.push_back(folder / file.filename());
            place_file(file, placed.back());
        }
    }
    return placed;
}

}  // namespace hodo::workflow
