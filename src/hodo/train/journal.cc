#include "hodo/train/journal.hh"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <system_error>

#include <unistd.h>

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/base/version.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/provenance.hh"
#include "hodo/train/checkpoints.hh"
#include "hodo/train/events_file.hh"
#include "hodo/train/metrics_file.hh"

namespace hodo::train {

namespace {

namespace fs = std::filesystem;

/// Everything the journal writes; nothing else in the folder is ever removed.
void remove_run(const base::Path& folder) {
    for (const auto* name :
         {"config.yaml", "run.json", "metrics.csv", "log.jsonl", "checkpoints", "failure"}) {
        fs::remove_all(folder / name);
    }
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename().string().starts_with("events.out.tfevents.")) {
            fs::remove(entry.path());
        }
    }
}

double wall_time() {
    using Seconds = std::chrono::duration<double>;
    return Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The event file of this run: the one in the folder, or a new name.
base::Path events_path(const base::Path& folder) {
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename().string().starts_with("events.out.tfevents.")) {
            return entry.path();
        }
    }
    return folder / base::format("events.out.tfevents.{}.{}",
                                 static_cast<std::int64_t>(wall_time()), io::host_name());
}

/// A warning for a configuration that has changed since the run was started.
void compare_configuration(const base::Path& folder, const std::string& now) {
    const auto file = folder / "config.yaml";
    if (!fs::exists(file)) return;
    const auto before = base::split(io::read_text(file), '\n');
    const auto after = base::split(now, '\n');
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
        const auto old_line = i < before.size() ? std::string(base::trim(before[i])) : "(nothing)";
        const auto new_line = i < after.size() ? std::string(base::trim(after[i])) : "(nothing)";
        if (old_line == new_line) continue;
        base::warn("{}: the configuration has changed since the run was started: '{}' is now '{}'",
                   file, old_line, new_line);
        return;
    }
}

}  // namespace

struct Journal::Body {
    RunInfo info;
    JournalOptions options;
    Checkpoints checkpoints;
    MetricsFile metrics;
    LineFile log;
    base::Path events;
    std::optional<base::Progress> progress;
    ScalarMeans pending;
    std::int64_t pending_examples = 0;
    using Seconds = std::chrono::duration<double>;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
    std::optional<std::chrono::steady_clock::time_point> begin;
    Seconds waited{0}, waited_in_all{0};

    Body(RunInfo run, const JournalOptions& choice)
        : info(std::move(run)),
          options(choice),
          checkpoints(info.folder / "checkpoints", choice.keep),
          metrics(info.folder / "metrics.csv"),
          log(info.folder / "log.jsonl"),
          events(writes() ? events_path(info.folder) : base::Path()) {}

    bool writes() const { return info.rank == 0; }

    void append_events(std::string_view payload) const {
        if (!options.tensorboard) return;
        const bool fresh = !fs::exists(events);
        auto* file = std::fopen(events.c_str(), "ab");
        HODO_CHECK(file != nullptr, "{}: cannot be written ({})", events, std::strerror(errno));
        auto text = fresh ? event_record(version_event(wall_time())) : std::string();
        text += event_record(payload);
        const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
        HODO_CHECK(std::fclose(file) == 0 && written, "{}: cannot be written; is the disk full?",
                   events);
    }

    /// A row of all logs.
    void write_row(std::int64_t step, std::int64_t epoch, std::string_view set,
                   const Scalars& scalars, const io::Json& further) {
        metrics.append(step, epoch, set, scalars);
        auto line = io::Json::object();
        line["step"] = step;
        line["epoch"] = epoch;
        line["set"] = set;
        for (const auto& [name, value] : scalars.entries()) line[name] = value;
        line["time"] = io::utc_time();
        for (const auto& [name, value] : further.members()) line[name] = value;
        log.append(line.dump());
        append_events(scalar_event(wall_time(), step, set, scalars));
    }

    /// What a checkpoint must know of the logs to cut them back.
    void state(Archive& archive) {
        auto rows = metrics.rows();
        auto columns = metrics.columns();
        auto lines = log.lines();
        std::error_code failed;
        auto bytes = static_cast<std::int64_t>(fs::file_size(events, failed));
        if (failed) bytes = 0;
        archive("rows", rows);
        archive("columns", columns);
        archive("lines", lines);
        archive("event_bytes", bytes);
        archive("pending_examples", pending_examples);
        archive.group("pending", pending);
        if (archive.loading() && writes()) cut(rows, columns, lines, bytes);
    }
    void cut(std::int64_t rows, const std::vector<std::string>& columns, std::int64_t lines,
             std::int64_t event_bytes) {
        metrics.cut(rows, columns);
        log.cut(lines);
        if (!fs::exists(events)) return;
        if (event_bytes == 0) {
            fs::remove(events);
        } else if (static_cast<std::int64_t>(fs::file_size(events)) >= event_bytes) {
            fs::resize_file(events, static_cast<std::uintmax_t>(event_bytes));
        }
    }

    io::Provenance provenance() const {
        return {info.title,   info.command_line, info.seed,      info.device,
                info.threads, info.inputs,       info.libraries, info.extra};
    }
};

Journal::Journal(RunInfo info, const JournalOptions& options) {
    const auto folder = info.folder;
    HODO_CHECK(!folder.empty(), "no run directory was given; name one with --out DIR");
    if (info.rank > 0) {
        body_ = std::make_unique<Body>(std::move(info), options);
        return;
    }
    const bool exists = fs::exists(folder) && !fs::is_empty(folder);
    if (exists && info.existing == Existing::refuse) {
        base::fail(
            "{}: exists and is not empty (a run never replaces another by itself); continue "
            "it with --resume, replace it with --overwrite, or choose another --out",
            folder);
    }
    if (exists && info.existing == Existing::overwrite) remove_run(folder);
    std::error_code problem;
    fs::create_directories(folder / "checkpoints", problem);
    HODO_CHECK(!problem, "{}: cannot be created ({}); choose a writable --out", folder,
               problem.message());
    if (exists && info.existing == Existing::resume) compare_configuration(folder, info.config);
    io::remove_abandoned_parts(folder);
    io::remove_abandoned_parts(folder / "checkpoints");
    body_ = std::make_unique<Body>(std::move(info), options);
}

Journal::~Journal() = default;

const base::Path& Journal::folder() const {
    return body_->info.folder;
}

bool Journal::restore(const StateFunction& state) {
    auto& body = *body_;
    for (const auto& file : body.checkpoints.newest_first()) {
        std::optional<Archive> archive;
        try {
            archive = Archive::read(file);
        } catch (const base::Error& error) {
            if (!body.writes()) continue;
            base::warn("the checkpoint {} cannot be read and is skipped: {}", file, error.what());
            continue;
        }
        state(*archive);
        archive->group("journal", body);
        archive->finish();
        if (!body.writes()) return true;
        const auto step = Checkpoints::step_of(file);
        io::append_session(folder(), body.info.config, body.provenance(),
                           base::format("step {}", step));
        base::say("continuing {} after step {}", folder(), step);
        return true;
    }
    if (!body.writes()) return false;
    body.cut(0, {}, 0, 0);
    io::write_provenance(folder(), body.info.config, body.provenance());
    return false;
}

base::Path Journal::best_checkpoint() const {
    return body_->checkpoints.best();
}

void Journal::note_waiting(std::chrono::nanoseconds waited) {
    if (!body_->begin) body_->begin = std::chrono::steady_clock::now() - waited;
    body_->waited += waited;
    body_->waited_in_all += waited;
}

void Journal::record(const Clock& clock, const Step& step) {
    auto& body = *body_;
    if (!body.writes()) return;
    if (!body.progress) {
        body.progress.emplace(body.info.title, clock.total_steps() - clock.step() + 1, "steps");
    }
    body.pending.add(step.scalars, static_cast<double>(step.examples));
    body.pending_examples += step.examples;
    body.progress->advance();
    if (clock.step() % body.options.log_every != 0) return;
    const auto means = body.pending.means();
    const auto now = std::chrono::steady_clock::now();
    const auto elapsed = std::max(1e-9, Body::Seconds(now - body.since).count());
    auto pace = io::Json::object();
    pace["rate"] = static_cast<double>(body.pending_examples) / elapsed;
    pace["waited"] = std::min(1.0, body.waited.count() / elapsed);
    // The epoch of the step just done, not of the next one.
    body.write_row(clock.step(), clock.epoch_of_last_step(), "train", means, pace);
    if (!means.empty()) {
        const auto& [name, value] = means.entries().front();
        body.progress->remark(base::format("step {}, {} {:.5g}", clock.step(), name, value));
    }
    body.pending.clear();
    body.pending_examples = 0;
    body.waited = Body::Seconds(0);
    body.since = now;
}

void Journal::record_validation(const Clock& clock, const Scalars& means) {
    if (!body_->writes()) return;
    body_->write_row(clock.step(), clock.epoch_of_last_step(), "valid", means, io::Json::object());
    std::vector<std::string> parts;
    for (const auto& [name, value] : means.entries()) {
        parts.push_back(base::format("{} {:.5g}", name, value));
    }
    base::detail("step {}: validation {}", clock.step(), base::join(parts, ", "));
}

void Journal::save(const Clock& clock, const StateFunction& state, Mark mark) {
    auto& body = *body_;
    if (!body.writes()) return;
    body.metrics.synchronise();
    body.log.synchronise();
    auto archive = Archive::to_save();
    state(archive);
    archive.group("journal", body);
    auto metadata = io::Json::object();
    metadata["format"] = "hodoscope training state";
    metadata["version"] = base::version();
    metadata["step"] = base::format("{}", clock.step());
    body.checkpoints.add(clock.step(), archive, metadata, mark == Mark::best);
}

std::string Journal::keep_failure(const Clock& clock, const std::string& problem,
                                  const StateFunction& batch, const StateFunction& state) {
    const auto folder = body_->info.folder / "failure";
    auto kept_state = Archive::to_save();
    state(kept_state);
    kept_state.write(folder / "state.safetensors");
    auto kept_batch = Archive::to_save();
    batch(kept_batch);
    kept_batch.write(folder / "batch.safetensors");
    if (body_->progress) body_->progress->finish();
    auto command = body_->info.replay;
    if (const auto place = command.find("FOLDER"); place != std::string::npos) {
        command.replace(place, 6, folder.string());
    }
    return base::format(
        "training stopped at step {}: {} (further steps would only spread it); the "
        "batch and the state before it are in {}: replay the step with '{}', or "
        "resume with a smaller learning rate",
        clock.step(), problem, folder, command);
}

void Journal::finish(const Clock& clock, std::string_view outcome) {
    if (!body_->writes()) return;
    if (body_->progress) body_->progress->finish();
    base::say("{} {} after {} steps; results are in {}", body_->info.title, outcome, clock.step(),
              folder());
    if (!body_->begin) return;
    const Body::Seconds elapsed = std::chrono::steady_clock::now() - *body_->begin;
    base::say("{:.1f} % of the time was spent waiting for data",
              100 * body_->waited_in_all.count() / std::max(1e-9, elapsed.count()));
}

}  // namespace hodo::train
