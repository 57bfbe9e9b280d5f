/// The command `hodo`: finds the verb, runs it, and is the only place that prints an exception.

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/cli/arguments.hh"
#include "hodo/cli/chorus.hh"
#include "hodo/cli/help.hh"
#include "hodo/cli/launch.hh"
#include "hodo/cli/learn_library.hh"
#include "hodo/cli/tools.hh"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <new>
#include <span>
#include <string>
#include <vector>

namespace hodo::cli {

namespace {

using Words = std::span<const std::string>;

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

const workflow::Workflow* find_workflow(std::string_view name) {
    for (const auto* candidate : workflow::workflows()) {
        if (candidate->name == name) return candidate;
    }
    return name == "weights" ? &weights_commands() : nullptr;
}

const workflow::Workflow& known_workflow(std::string_view name) {
    if (const auto* found = find_workflow(name)) return *found;
    std::vector<std::string> known{"help", "defaults", "check", "launch", "weights"};
    for (const auto* other : workflow::workflows()) known.emplace_back(other->name);
    for (const auto& verb : single_commands().verbs) known.emplace_back(verb.name);
    base::fail_usage("unknown command '{}'{}; see 'hodo help'", name,
                     base::did_you_mean(name, known));
}

const workflow::Verb& known_verb(const workflow::Workflow& workflow, std::string_view name) {
    if (const auto* verb = workflow.find(name)) return *verb;
    std::vector<std::string> known;
    for (const auto& verb : workflow.verbs) known.emplace_back(verb.name);
    base::fail_usage("unknown verb '{} {}'{}; {} has {}", workflow.name, name,
                     base::did_you_mean(name, known), workflow.name, base::join(known, ", "));
}

void run_verb(const workflow::Workflow& workflow, const workflow::Verb& verb, Words words,
              const std::string& command_line) {
    auto arguments = parse_arguments(workflow, verb, words);
    if (arguments.help) return print(verb_help(workflow, verb));
    if (arguments.dry_run) return print(arguments.job.resolved);
    arguments.job.command_line = command_line;
    const auto run = verb.run != nullptr ? verb.run : learning_verb(workflow.name, verb.name);
    run(arguments.job);
}

void help(Words words) {
    if (words.empty()) return print(overview());
    if (words[0] == "--markdown") return print(reference_markdown());
    if (words[0] == "--man") return print(manual_page());
    if (words[0] == "launch") return print(launch_help());
    if (const auto* verb = single_commands().find(words[0])) {
        return print(verb_help(single_commands(), *verb));
    }
    const auto& workflow = known_workflow(words[0]);
    if (words.size() == 1) return print(workflow_help(workflow));
    print(verb_help(workflow, known_verb(workflow, words[1])));
}

void defaults(Words words) {
    if (words.empty()) base::fail_usage("name a workflow: hodo defaults <workflow> [verb]");
    const auto& workflow = known_workflow(words[0]);
    if (words.size() > 1) {
        const auto& verb = known_verb(workflow, words[1]);
        return print(base::format("workflow: {}\n", workflow.name) + verb_defaults(verb));
    }
    std::string text = base::format("workflow: {}\n", workflow.name);
    for (const auto& verb : workflow.verbs) text += "\n" + verb_defaults(verb);
    print(text);
}

/// The command as a shell would take it.
std::string shell_line(Words words) {
    std::string line = "hodo";
    for (const auto& word : words) {
        const bool is_plain = !word.empty() && word.find_first_of(" \t\n\"'\\$`*?[]{}()<>|&;#~!") ==
                                                   std::string::npos;
        line += is_plain ? " " + word : " '" + base::join(base::split(word, '\''), "'\\''") + "'";
    }
    return line;
}

/// Starts the ranks of a verb that trains. What is wrong with its words is said once, here.
void launch(Words words) {
    if (words.empty() || words[0] == "-h" || words[0] == "--help") return print(launch_help());
    const auto plan = parse_launch(words);
    const auto& workflow = known_workflow(plan.command[0]);
    const auto& verb = known_verb(workflow, plan.command[1]);
    base::FieldList fields;
    verb.describe(fields);
    const bool has_ranks =
        std::any_of(fields.entries().begin(), fields.entries().end(),
                    [](const base::FieldEntry& field) { return field.path == "ranks.use"; });
    if (!has_ranks) {
        base::fail_usage("'{} {}' does not work with ranks; start it without launch",
                         plan.command[0], plan.command[1]);
    }
    const Words rest(plan.command);
    const auto arguments = parse_arguments(workflow, verb, rest.subspan(2));
    if (arguments.help) return print(verb_help(workflow, verb));
    if (arguments.dry_run) return print(arguments.job.resolved);
    start_ranks(plan);
}

void run(Words words) {
    const auto command_line = shell_line(words);
    const std::string first = words.empty() ? "help" : words[0];
    const auto rest = words.empty() ? words : words.subspan(1);
    if (first == "--version" || first == "-V") return print(version_line() + "\n");
    if (first == "help" || first == "--help" || first == "-h") return help(rest);
    if (first == "defaults") return defaults(rest);
    if (first == "launch") return launch(rest);
    if (first == "check") {
        if (rest.size() != 1) base::fail_usage("name one configuration file: hodo check FILE");
        return check_file(rest[0]);
    }
    if (const auto* verb = single_commands().find(first)) {
        return run_verb(single_commands(), *verb, rest, command_line);
    }
    const auto& workflow = known_workflow(first);
    if (rest.empty() || rest[0] == "--help" || rest[0] == "-h")
        return print(workflow_help(workflow));
    run_verb(workflow, known_verb(workflow, rest[0]), rest.subspan(1), command_line);
}

/// An error without message has been reported by another process.
int complain(std::string_view message, base::ExitCode code) {
    if (message.empty() || is_said_by_first_rank(message, code)) return static_cast<int>(code);
    const char* const label = base::terminal_has_colour() ? "\033[31mhodo:\033[0m" : "hodo:";
    std::fprintf(stderr, "%s %.*s\n", label, static_cast<int>(message.size()), message.data());
    tell_other_ranks(message, code);
    return static_cast<int>(code);
}

int guarded(Words words) {
    try {
        run(words);
        return std::fflush(stdout) == 0 && std::ferror(stdout) == 0
                   ? 0
                   : complain("standard output cannot be written", base::ExitCode::data);
    } catch (const base::Error& error) {
        return complain(error.what(), error.code());
    } catch (const std::bad_alloc&) {
        return complain("out of memory; use a smaller batch, fewer threads or a larger machine",
                        base::ExitCode::data);
    } catch (const std::filesystem::filesystem_error& error) {
        return complain(base::format("{}: {}", error.path1(), error.code().message()),
                        base::ExitCode::data);
    } catch (const std::exception& error) {
        return complain(base::format("bug in Hodoscope ({}): {}; please report this line",
                                     version_line(), error.what()),
                        base::ExitCode::defect);
    }
}

}  // namespace

}  // namespace hodo::cli

int main(int count, char** words) {
    // A file-size limit is then an error of writing, which has a sentence, and not a death.
    std::signal(SIGXFSZ, SIG_IGN);
    const std::vector<std::string> all(words + std::min(1, count), words + count);
    return hodo::cli::guarded(all);
}
