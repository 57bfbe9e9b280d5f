#include "hodo/cli/tools.hh"

#include "hodo/base/error.hh"
#include "hodo/base/launch.hh"
#include "hodo/base/log.hh"
#include "hodo/base/threads.hh"
#include "hodo/cli/learn_library.hh"
#include "hodo/io/parquet.hh"
#include "hodo/io/weights.hh"
#include "hodo/io/weights_tools.hh"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>

namespace hodo::cli {

namespace {

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

// ---- view -----------------------------------------------------------------------------------

/// Only the key that `view` itself needs; the rest belongs to the workflow that shows the file.
const workflow::Workflow& viewer_of(const base::Path& file) {
    HODO_CHECK(std::filesystem::exists(file), "{}: no such file; check the path", file);
    for (const auto* workflow : workflow::workflows()) {
        if (workflow->recognises != nullptr && workflow->recognises(file)) return *workflow;
    }
    base::fail(
        "{}: no workflow knows how to show this file; 'hodo view' shows event files such as "
        "Prometheus Parquet",
        file);
}

struct ViewOptions {
    std::string input, output;
    std::int64_t first = 0, events = 50;
    bool open = false;
    void describe(base::Fields& f) {
        f("input", input, "event file to show");
        f("output", output, "HTML file to write; default: the input's name with .html");
        f("first", first, "number of the first event").at_least(0);
        f("events", events, "how many events to include").at_least(1);
        f("open", open, "open the page with the desktop's browser");
    }
};

/// Hands a file to the desktop's opener, without a shell in between.
void open_in_browser(const std::string& file) {
    std::string program = "xdg-open", argument = file;
    char* const words[] = {program.data(), argument.data(), nullptr};
    pid_t child = 0;
    int status = 1;
    if (posix_spawnp(&child, words[0], nullptr, nullptr, words, environ) == 0) {
        waitpid(child, &status, 0);
    }
    if (status != 0) base::warn("no browser could be opened; open {} yourself", file);
}

void view(const workflow::Job& job) {
    auto options = job.config.as<ViewOptions>();
    HODO_CHECK(!options.input.empty(), "no file to show; write 'hodo view FILE'");
    const base::Path input = options.input;
    const auto& workflow = viewer_of(input);
    if (options.output.empty()) {
        options.output = base::Path(options.input).filename().replace_extension(".html").string();
    }
    auto inner = job;
    inner.config = base::Config("command line");
    inner.config.set("input", "\"" + options.input + "\"");
    inner.config.set("output", "\"" + options.output + "\"");
    inner.config.set("first", std::to_string(options.first));
    inner.config.set("events", std::to_string(options.events));
    workflow.find("view")->run(inner);
    if (options.open) {
        open_in_browser(options.output);
    }
}

// ---- doctor ---------------------------------------------------------------------------------

/// What the environment says of other processes of this job.
std::string launch_line() {
    const auto variables = base::launch_variables();
    std::vector<std::string> seen;
    for (const auto& [name, value] : variables) seen.push_back(name + "=" + value);
    const auto list = seen.empty() ? std::string() : " (" + base::join(seen, " ") + ")";
    try {
        const auto launch = base::read_launch(variables);
        if (launch.size == 1) return "a single process" + list;
        return base::format("rank {} of {}, started by {}{}", launch.rank, launch.size,
                            launch.starter, list);
    } catch (const base::Error& error) {
        return error.what() + list;
    }
}

void doctor(const workflow::Job& job) {
    print(base::format("threads        {}\n", base::threads()));
    print(base::format("ranks          {}\n", launch_line()));
    const auto duckdb = io::duckdb_version();
    print(base::format("DuckDB         {}\n",
                       duckdb ? *duckdb : "missing: Parquet files cannot be read"));
    std::fflush(stdout);
    learning_verb("", "doctor")(job);
}

// ---- weights --------------------------------------------------------------------------------

struct ListOptions {
    std::string file;
    io::WeightChoice choice = io::WeightChoice::automatic;
    void describe(base::Fields& f) {
        f("file", file, "weight file: .pt, .pth, .ckpt, .safetensors or .npz");
        f("choice", choice, "which parameters of a training checkpoint");
    }
};

struct ConvertOptions {
    std::string input, output;
    io::WeightChoice choice = io::WeightChoice::automatic;
    void describe(base::Fields& f) {
        f("input", input, "weight file to read");
        f("output", output, "weight file to write; its extension tells the format");
        f("choice", choice, "which parameters of a training checkpoint");
    }
};

struct DiffOptions {
    std::string first, second;
    io::Tolerance tolerance;
    void describe(base::Fields& f) {
        f("first", first, "weight file");
        f("second", second, "weight file compared with it");
        f("tolerance", tolerance.relative,
          "difference called equal, relative to the largest magnitude of the tensor")
            .at_least(0);
        f("floor", tolerance.floor, "difference of two numbers that is called equal in any case")
            .at_least(0);
    }
};

void list_weights(const workflow::Job& job) {
    const auto options = job.config.as<ListOptions>();
    HODO_CHECK(!options.file.empty(), "no weight file; write 'hodo weights list FILE'");
    print(io::list_weights(options.file, options.choice));
}

void convert_weights(const workflow::Job& job) {
    const auto options = job.config.as<ConvertOptions>();
    HODO_CHECK(!options.input.empty() && !options.output.empty(),
               "two files are needed; write 'hodo weights convert INPUT OUTPUT'");
    HODO_CHECK(
        job.existing == workflow::Existing::overwrite || !std::filesystem::exists(options.output),
        "{}: exists already; add --overwrite to replace it", options.output);
    base::say("{}", io::convert_weights(options.input, options.output, options.choice));
}

void diff_weights(const workflow::Job& job) {
    const auto options = job.config.as<DiffOptions>();
    HODO_CHECK(!options.first.empty() && !options.second.empty(),
               "two files are needed; write 'hodo weights diff FIRST SECOND'");
    const auto difference = io::diff_weights(options.first, options.second, options.tolerance);
    print(difference.report);
    HODO_CHECK(difference.is_equal, "{} and {} differ", options.first, options.second);
}

// ---- the tables -----------------------------------------------------------------------------

template <class Options>
void describe_options(base::Fields& fields) {
    Options options;
    options.describe(fields);
}

void describe_nothing(base::Fields&) {}

const workflow::Verb singles[] = {
    {"view", "Write a 3D display of the events of a file as one HTML page", "input output",
     describe_options<ViewOptions>, view, "view events.parquet\nview events.parquet --open"},
    {"doctor", "Report what this machine and this build offer, with a warning where slow", "",
     describe_nothing, doctor, "doctor"},
};

const workflow::Verb weights_verbs[] = {
    {"list", "List the tensors and the plain data of a weight file", "file",
     describe_options<ListOptions>, list_weights, "weights list model.ckpt"},
    {"convert", "Convert a weight file to another format", "input output",
     describe_options<ConvertOptions>, convert_weights,
     "weights convert model.ckpt model.safetensors"},
    {"diff", "Compare two weight files; exit code 1 when they differ", "first second",
     describe_options<DiffOptions>, diff_weights, "weights diff a.pt b.safetensors"},
};

void check_section(const base::Config& section, const workflow::Verb& verb) {
    (void)section.resolve(verb.describe);
    base::say("{}: section '{}' is right", section.origin(), verb.name);
}

}  // namespace

const workflow::Workflow& single_commands() {
    static const workflow::Workflow commands{"", "", singles, nullptr, nullptr};
    return commands;
}

const workflow::Workflow& weights_commands() {
    static const workflow::Workflow commands{"weights", "List, convert and compare weight files",
                                             weights_verbs, nullptr, nullptr};
    return commands;
}

void check_file(const base::Path& file) {
    const auto whole = base::Config::read(file);
    for (const auto* workflow : workflow::workflows()) {
        if (workflow->translate == nullptr) continue;
        for (const auto& verb : workflow->verbs) {
            if (const auto section = workflow->translate(whole, verb.name)) {
                return check_section(*section, verb);
            }
        }
    }
    const auto name = whole.has("workflow") ? whole.text("workflow") : std::string();
    std::vector<std::string> known;
    for (const auto* workflow : workflow::workflows()) {
        known.emplace_back(workflow->name);
        if (workflow->name != name) continue;
        int sections = 0;
        std::vector<std::string> verbs{"workflow"};
        for (const auto& verb : workflow->verbs) {
            verbs.emplace_back(verb.name);
            if (!whole.has(verb.name)) continue;
            check_section(whole.section(verb.name), verb);
            ++sections;
        }
        for (const auto& key : whole.keys()) {
            HODO_CHECK(std::find(verbs.begin(), verbs.end(), key) != verbs.end(),
                       "{}: unknown key '{}'{}", whole.where(key), key,
                       base::did_you_mean(key, verbs));
        }
        HODO_CHECK(sections > 0, "{}: no section for a verb of {} ({})", file, name,
                   base::join(verbs, ", "));
        return;
    }
    HODO_CHECK(!name.empty(),
               "{}: key 'workflow' is missing (it tells which options are meant); add "
               "'workflow: {}' at the top",
               file, known.front());
    base::fail("{}: unknown workflow '{}'{}", whole.where("workflow"), name,
               base::did_you_mean(name, known));
}

}  // namespace hodo::cli
