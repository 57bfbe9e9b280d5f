#include "hodo/cli/help.hh"

#include "hodo/base/config.hh"
#include "hodo/base/text.hh"
#include "hodo/base/version.hh"
#include "hodo/cli/arguments.hh"
#include "hodo/cli/launch.hh"
#include "hodo/cli/tools.hh"

#include <algorithm>

namespace hodo::cli {

namespace {

struct Row {
    std::string left, right;
};

std::string rows_text(const std::vector<Row>& rows) {
    std::size_t width = 0;
    for (const auto& row : rows)
        width = std::max(width, std::min<std::size_t>(row.left.size(), 34));
    std::string text;
    for (const auto& row : rows) {
        std::string line = "  " + row.left;
        if (row.left.size() > width) {
            text += line + "\n";
            line.clear();
        }
        line.resize(width + 4, ' ');
        text += line + row.right + "\n";
    }
    return text;
}

const std::vector<Row>& array_rows() {
    static const std::vector<Row> rows{
        {"--shard I/N", "do part I (from 0) of N; or 'auto' for the batch system's task"},
        {"--verify", "say which parts are missing; when none is, join them"}};
    return rows;
}

constexpr const char* device_option = "--device NAME";

const std::vector<Row>& common_rows() {
    static const std::vector<Row> rows{
        {"--config FILE", "configuration; also a positional ending in .yaml, .yml or .cfg"},
        {"--set KEY=VALUE", "set one key of this verb's section; may be repeated"},
        {"--out PATH", "the same as --output"},
        {device_option, "cpu or cuda:0 (default cpu)"},
        {"--threads N", "threads of the kernels (default: all cores, shared among ranks)"},
        {"--resume", "go on with what an earlier run left in the output"},
        {"--overwrite", "replace an output that exists"},
        {"--dry-run", "print the resolved options and stop"},
        {"-q, --quiet / -v, --verbose", "say less / more"},
        {"-h, --help", "this page"}};
    return rows;
}

std::vector<base::FieldEntry> fields_of(const workflow::Verb& verb) {
    base::FieldList list;
    verb.describe(list);
    return list.entries();
}

std::string described(const base::FieldEntry& field) {
    std::string text = field.help;
    if (field.type.starts_with("one of ")) text += "; " + field.type;
    std::vector<std::string> remarks;
    if (!field.range.empty()) remarks.push_back(field.range);
    if (field.value != "\"\"" && field.value != "[]") remarks.push_back("default " + field.value);
    if (!remarks.empty()) text += " (" + base::join(remarks, "; ") + ")";
    return text;
}

std::string usage(const workflow::Workflow& workflow, const workflow::Verb& verb) {
    std::string line = "hodo ";
    if (!workflow.name.empty()) line += std::string(workflow.name) + " ";
    line += verb.name;
    if (!workflow.name.empty() && workflow.name != "weights") line += " [CONFIG.yaml]";
    if (verb.positionals.empty()) return line + " [options]";
    for (const auto& name : base::split(verb.positionals, ' ')) {
        std::string upper = name;
        std::transform(upper.begin(), upper.end(), upper.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        line += " " + upper;
    }
    return line + " [options]";
}

std::string examples(const workflow::Verb& verb) {
    if (verb.example.empty()) return {};
    std::string text = "\nExamples:\n";
    for (const auto& line : base::split(verb.example, '\n')) text += "  hodo " + line + "\n";
    return text;
}

}  // namespace

std::string overview() {
    std::vector<Row> workflows, tools;
    for (const auto* workflow : workflow::workflows()) {
        workflows.push_back({std::string(workflow->name), std::string(workflow->summary)});
    }
    for (const auto& verb : single_commands().verbs) {
        tools.push_back({std::string(verb.name) + (verb.positionals.empty() ? "" : " FILE"),
                         std::string(verb.summary)});
    }
    tools.push_back({"launch -n N COMMAND", "train with several processes on this machine"});
    tools.push_back({"weights list|convert|diff", std::string(weights_commands().summary)});
    tools.push_back({"defaults WORKFLOW [VERB]", "print a complete commented configuration"});
    tools.push_back({"check CONFIG.yaml", "check a configuration without running it"});
    tools.push_back({"help [WORKFLOW [VERB]]", "teach a workflow or a verb"});
    return "hodo: deep learning for particle-detector events\n\n"
           "Usage: hodo WORKFLOW VERB [CONFIG.yaml] [options]\n\nWorkflows:\n" +
           rows_text(workflows) + "\nBeside the workflows:\n" + rows_text(tools) +
           "\nStart here:\n"
           "  hodo help om2vec                 the verbs of a workflow\n"
           "  hodo defaults om2vec train       every option with its meaning\n";
}

std::string workflow_help(const workflow::Workflow& workflow) {
    std::vector<Row> rows;
    for (const auto& verb : workflow.verbs) {
        rows.push_back({std::string(verb.name), std::string(verb.summary)});
    }
    return base::format("{}: {}\n\nUsage: hodo {} VERB [CONFIG.yaml] [options]\n\nVerbs:\n",
                        workflow.name, workflow.summary, workflow.name) +
           rows_text(rows) +
           base::format(
               "\nhodo help {} VERB teaches a verb; hodo defaults {} prints all options.\n",
               workflow.name, workflow.name);
}

std::string verb_help(const workflow::Workflow& workflow, const workflow::Verb& verb) {
    std::vector<Row> rows;
    for (const auto& field : fields_of(verb)) {
        if (field.is_group) continue;
        const bool flag = field.type == "true or false";
        const auto kind = flag                                ? ""
                          : field.type.starts_with("one of")  ? " NAME"
                          : field.type.starts_with("list of") ? " VALUE..."
                          : field.type == "text"              ? " TEXT"
                                                              : " N";
        rows.push_back({option_name(field.path) + kind, described(field)});
    }
    auto text = base::format("{}\n\nUsage: {}\n", verb.summary, usage(workflow, verb));
    if (!rows.empty()) {
        text +=
            "\nOptions (keys of the configuration file, with dots for groups):\n" + rows_text(rows);
    }
    if (verb.divisible == workflow::Divisible::yes) {
        text += "\nOptions for array jobs:\n" + rows_text(array_rows());
    }
    auto common = common_rows();
    if (!workflow::computes_on_devices(verb)) {
        std::erase_if(common, [](const Row& row) { return row.left == device_option; });
    }
    text += "\nOptions of every verb:\n" + rows_text(common);
    return text + examples(verb);
}

std::string verb_defaults(const workflow::Verb& verb) {
    return base::format("# {}\n{}:\n", verb.summary, verb.name) +
           base::to_yaml(fields_of(verb), base::Comments::yes, 2);
}

std::string reference_markdown() {
    std::string text =
        "# Commands and configuration keys\n\n"
        "This page is what `hodo help --markdown` prints.\n";
    const auto add = [&](const workflow::Workflow& workflow) {
        if (!workflow.name.empty()) {
            text += base::format("\n## hodo {}\n\n{}.\n", workflow.name, workflow.summary);
        }
        for (const auto& verb : workflow.verbs) {
            text += base::format("\n### {}\n\n{}.\n", usage(workflow, verb), verb.summary);
            if (verb.divisible == workflow::Divisible::yes) {
                text += "\nTakes `--shard I/N` and `--verify` (array jobs).\n";
            }
            const auto fields = fields_of(verb);
            if (fields.empty()) continue;
            text += "\n| key | default | meaning |\n|---|---|---|\n";
            for (const auto& field : fields) {
                auto meaning = field.help;
                if (field.type.starts_with("one of ")) meaning += "; " + field.type;
                if (!field.range.empty()) meaning += " (" + field.range + ")";
                text += base::format("| `{}` | {} | {} |\n", field.path,
                                     field.is_group ? "" : "`" + field.value + "`", meaning);
            }
        }
    };
    for (const auto* workflow : workflow::workflows()) add(*workflow);
    text += "\n## Beside the workflows\n";
    text += "\n### hodo launch -n N WORKFLOW VERB [CONFIG.yaml] [options]\n\n```text\n" +
            launch_help() + "```\n";
    add(single_commands());
    add(weights_commands());
    return text;
}

std::string manual_page() {
    std::string text =
        ".TH HODO 1\n.SH NAME\nhodo \\- deep learning for particle-detector events\n"
        ".SH SYNOPSIS\n.B hodo\nWORKFLOW VERB [CONFIG.yaml] [options]\n.SH COMMANDS\n";
    const auto escape = [](std::string line) {
        for (std::size_t at = 0; (at = line.find('-', at)) != std::string::npos; at += 2) {
            line.insert(at, "\\");
        }
        return line;
    };
    const auto add = [&](const workflow::Workflow& workflow) {
        for (const auto& verb : workflow.verbs) {
            text += ".SS " + escape(usage(workflow, verb)) + "\n" +
                    escape(std::string(verb.summary)) + ".\n";
            for (const auto& field : fields_of(verb)) {
                if (field.is_group) continue;
                text += ".TP\n.B " + escape(option_name(field.path)) + "\n" +
                        escape(described(field)) + "\n";
            }
        }
    };
    for (const auto* workflow : workflow::workflows()) add(*workflow);
    add(single_commands());
    add(weights_commands());
    return text +
           ".SH EXIT STATUS\n0 success, 1 user or data error, 2 wrong command line, "
           "3 bug or missing feature of this build, 130 interrupted after a clean save.\n";
}

std::string version_line() {
    return base::format("hodo {} ({}, {})", base::version(), base::commit(), base::build());
}

}  // namespace hodo::cli
