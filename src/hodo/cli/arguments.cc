#include "hodo/cli/arguments.hh"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>

#include "hodo/base/error.hh"
#include "hodo/base/launch.hh"
#include "hodo/base/log.hh"
#include "hodo/base/threads.hh"

namespace hodo::cli {

namespace {

/// What the options every verb has were given as.
struct CommonOptions {
    std::string config, out, device = "cpu";
    std::vector<std::string> sets;
    int threads = 0;
    std::string shard;
    bool verify = false, resume = false, overwrite = false, dry_run = false, quiet = false,
         verbose = false, help = false;
};

void add_common(CLI::App& app, CommonOptions& common) {
    app.add_option("--config", common.config);
    app.add_option("--out", common.out);
    app.add_option("--device", common.device);
    app.add_option("--set", common.sets)->allow_extra_args(false);
    app.add_option("--threads", common.threads)->check(CLI::Range(1, 4096));
    app.add_option("--shard", common.shard);
    app.add_flag("--verify", common.verify);
    app.add_flag("--resume", common.resume);
    app.add_flag("--overwrite", common.overwrite);
    app.add_flag("--dry-run", common.dry_run);
    app.add_flag("-q,--quiet", common.quiet);
    app.add_flag("-v,--verbose", common.verbose);
    app.add_flag("-h,--help", common.help);
}

bool is_list(const base::FieldEntry& entry) {
    return entry.type.starts_with("list of");
}

/// One `--option` per field; what was given lands in `given`, as YAML.
void add_fields(CLI::App& app, const std::vector<base::FieldEntry>& fields,
                std::map<std::string, std::vector<std::string>>& given) {
    for (const auto& field : fields) {
        const auto option = option_name(field.path);
        if (field.is_group || app.get_option_no_throw(option) != nullptr) continue;
        auto& values = given[field.path];
        if (field.type == "true or false") {
            app.add_flag(option + "{true}", values);
        } else {
            app.add_option(option, values)->allow_extra_args(is_list(field));
        }
    }
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

bool is_config_file(std::string_view word) {
    return word.ends_with(".yaml") || word.ends_with(".yml") || word.ends_with(".cfg");
}

/// Words as one YAML value: a list for list fields, else the last word, quoted where needed.
std::string yaml_value(const base::FieldEntry& field, const std::vector<std::string>& words) {
    const bool is_text =
        field.type == "text" || field.type == "list of texts" || field.type.starts_with("one of");
    const auto item = [&](const std::string& word) {
        if (!is_text) return word;
        std::string escaped = "\"";
        for (const char c : word) {
            if (c == '"' || c == '\\') escaped += '\\';
            escaped += c;
        }
        return escaped + "\"";
    };
    if (!is_list(field)) return item(words.back());
    std::string list = "[";
    for (const auto& word : words) list += (list.size() > 1 ? ", " : "") + item(word);
    return list + "]";
}

const base::FieldEntry& field_of(const std::vector<base::FieldEntry>& fields,
                                 std::string_view path) {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& field) { return field.path == path; });
    HODO_DOOR(found != fields.end());
    return *found;
}

/// `--resume N` as `--resume --resume-from N`, for verbs with an option `resume_from`.
std::vector<std::string> with_place_to_resume(std::span<const std::string> words,
                                              const std::vector<base::FieldEntry>& fields) {
    std::vector<std::string> clear;
    const bool has_place = std::any_of(fields.begin(), fields.end(), [](const auto& field) {
        return field.path == "resume_from";
    });
    for (const auto& word : words) {
        const bool is_place =
            has_place && !clear.empty() && clear.back() == "--resume" && base::parse_int(word);
        if (is_place) clear.emplace_back("--resume-from");
        clear.push_back(word);
    }
    return clear;
}

/// Hands the positional words to the fields named by the verb.
void assign_positionals(const workflow::Verb& verb, const std::vector<base::FieldEntry>& fields,
                        std::vector<std::string> words,
                        std::map<std::string, std::vector<std::string>>& given) {
    const auto names =
        verb.positionals.empty() ? std::vector<std::string>() : base::split(verb.positionals, ' ');
    for (std::size_t i = 0; i < names.size() && !words.empty(); ++i) {
        const auto later = names.size() - i - 1;
        std::size_t count = 1;
        if (is_list(field_of(fields, names[i])) && words.size() > later)
            count = words.size() - later;
        const auto end = words.begin() + static_cast<std::ptrdiff_t>(count);
        given[names[i]].assign(words.begin(), end);
        words.erase(words.begin(), end);
    }
    if (!words.empty()) {
        base::fail_usage("unexpected argument '{}'; '{}' takes {}", words.front(), verb.name,
                         names.empty() ? "no arguments beside options" : base::join(names, ", "));
    }
}

/// The verb's section of the configuration file, in our own keys.
base::Config read_section(const workflow::Workflow& workflow, const workflow::Verb& verb,
                          const std::string& file) {
    if (file.empty()) return base::Config("command line");
    const auto whole = base::Config::read(file);
    if (workflow.translate != nullptr) {
        if (auto translated = workflow.translate(whole, verb.name)) return *translated;
    }
    if (whole.has("workflow")) {
        const auto name = whole.text("workflow");
        HODO_CHECK(name == workflow.name, "{}: this file is for workflow '{}', not '{}'",
                   whole.where("workflow"), name, workflow.name);
    }
    std::vector<std::string> known{"workflow"};
    for (const auto& other : workflow.verbs) known.emplace_back(other.name);
    for (const auto& key : whole.keys()) {
        HODO_CHECK(std::find(known.begin(), known.end(), key) != known.end(),
                   "{}: unknown key '{}'{}; at the top stand 'workflow' and one section per verb",
                   whole.where(key), key, base::did_you_mean(key, known));
    }
    return whole.section(verb.name);
}

/// All cores, or this process's part of them. Variables that make no sense are the affair of the
/// verbs that use them.
int default_threads() {
    try {
        return base::threads_of(base::read_launch(base::launch_variables()), base::threads());
    } catch (const base::Error&) {
        return base::threads();
    }
}

/// Applies `--set section.key=value`; the section may be left out.
void apply_sets(base::Config& section, std::string_view verb,
                const std::vector<std::string>& sets) {
    for (const auto& text : sets) {
        const auto equals = text.find('=');
        if (equals == std::string::npos) {
            base::fail_usage("--set {}: write it as --set key=value", text);
        }
        std::string key = text.substr(0, equals);
        if (key.starts_with(std::string(verb) + ".")) key.erase(0, verb.size() + 1);
        section.set(key, text.substr(equals + 1));
    }
}

/// Whether a part of the work is asked for, and which.
void choose_portion(const workflow::Workflow& workflow, const workflow::Verb& verb,
                    const CommonOptions& common, workflow::Job& job) {
    if (common.shard.empty() && !common.verify) return;
    if (verb.divisible == workflow::Divisible::no) {
        base::fail_usage("'hodo {} {}' cannot be divided; --shard and --verify are for {}",
                         workflow.name, verb.name,
                         base::join(workflow::divisible_verbs(workflow), ", "));
    }
    if (common.verify && !common.shard.empty()) {
        base::fail_usage(
            "--shard and --verify exclude each other; verify when all shards are done");
    }
    if (common.overwrite) {
        base::fail_usage(
            "--overwrite would remove what other shards have made; remove the output before the "
            "array job begins");
    }
    job.portion = common.verify ? workflow::Portion::verify : workflow::Portion::shard;
    if (!common.verify) job.shard = workflow::parse_shard(common.shard, std::getenv);
}

}  // namespace

std::string option_name(std::string_view field) {
    std::string name = "--" + std::string(field);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

Arguments parse_arguments(const workflow::Workflow& workflow, const workflow::Verb& verb,
                          std::span<const std::string> words) {
    base::FieldList list;
    verb.describe(list);
    const auto& fields = list.entries();

    CommonOptions common;
    std::map<std::string, std::vector<std::string>> given;
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    add_common(app, common);
    add_fields(app, fields, given);
    try {
        auto reversed = with_place_to_resume(words, fields);
        std::reverse(reversed.begin(), reversed.end());
        app.parse(reversed);
    } catch (const CLI::ParseError& error) {
        base::fail_usage("{}; see 'hodo help {} {}'", error.what(), workflow.name, verb.name);
    }

    Arguments arguments;
    arguments.help = common.help;
    if (common.help) return arguments;
    auto rest = app.remaining();
    std::erase(rest, "--");
    for (const auto& word : rest) {
        if (word.size() > 1 && word.front() == '-' && !base::parse_double(word)) {
            base::fail_usage("unknown option '{}'{}; see 'hodo help {} {}'", word,
                             base::did_you_mean(word, option_names(app)), workflow.name, verb.name);
        }
    }
    const auto config = std::find_if(rest.begin(), rest.end(), is_config_file);
    if (common.config.empty() && config != rest.end()) {
        common.config = *config;
        rest.erase(config);
    }
    assign_positionals(verb, fields, rest, given);
    if (!common.out.empty()) given["output"] = {common.out};

    auto& job = arguments.job;
    job.config = read_section(workflow, verb, common.config);
    apply_sets(job.config, verb.name, common.sets);
    for (const auto& [path, values] : given) {
        if (values.empty()) continue;
        job.config.set(path, yaml_value(field_of(fields, path), values), option_name(path));
    }
    if (common.resume && common.overwrite) {
        base::fail_usage("--resume and --overwrite exclude each other; give one");
    }
    if (common.quiet) base::set_verbosity(base::Verbosity::quiet);
    if (common.verbose) base::set_verbosity(base::Verbosity::verbose);
    base::set_threads(common.threads > 0 ? common.threads : default_threads());
    choose_portion(workflow, verb, common, job);
    job.workflow = workflow.name;
    job.verb = verb.name;
    if (!computes_on_devices(verb) && common.device != job.device) {
        base::fail_usage("'hodo {} {}' computes on the CPU alone; leave --device {} out",
                         workflow.name, verb.name, common.device);
    }
    job.device = common.device;
    job.threads = base::threads();
    job.existing = common.resume      ? workflow::Existing::resume
                   : common.overwrite ? workflow::Existing::overwrite
                                      : workflow::Existing::refuse;
    job.resolved = base::to_yaml(job.config.resolve(verb.describe), base::Comments::no, 2);
    arguments.dry_run = common.dry_run;
    return arguments;
}

}  // namespace hodo::cli
