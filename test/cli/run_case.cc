// Runs one case of the command line: commands, then what they should print, write and return.
//
//     # a comment
//     skip unless: learn                       the build has the half with LibTorch
//     skip unless: reference om2vec/x.parquet  the golden data has this file
//     skip unless: program mpirun mpiexec      one of these is on the search path
//     limit: 300                               seconds for each command (default 120)
//     covers: hodo ...                         a line of the documents that this case stands for
//     copy reference om2vec/x.parquet y        from the golden data
//     copy project test/data/x y               from the source tree
//     write bad.yaml
//         indented: content
//     run hodo om2vec simulate bad.yaml        a shell line; `hodo` is the program under test
//     exit 1                                   (without this line: exit 0)
//     stdout contains: text with * for anything within the line
//     stderr lacks: text
//     stdout is empty
//     file: out/*.html
//     no file: out/
//     contains: out/run.json: "seed": 7
//     same: a.svg b.svg                        the bytes of both files agree
//
// Every case runs in a fresh folder where `configs` leads to those of the project. The variable
// HODO_KEEP=yes keeps the folder. Exit codes: 0 passed, 1 failed, 2 malformed case, 77 skipped.

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

#include "support/reference.hh"

#include <sys/wait.h>

#include <fnmatch.h>
#include <glob.h>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace fs = std::filesystem;

using hodo::base::Path;

namespace {

std::string read(const Path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::stringstream content;
    content << stream.rdbuf();
    return content.str();
}

struct Skip {
    std::string reason;
};

/// A line of the case, and a sentence about it.
struct Line {
    int number = 0;
    std::string text;

    /// What follows `start`, when the line begins so.
    std::optional<std::string> after(std::string_view start) const {
        if (!text.starts_with(start)) return std::nullopt;
        return std::string(hodo::base::trim(std::string_view(text).substr(start.size())));
    }
};

class Case {
  public:
    Case(Path file, Path program) : file_(std::move(file)), program_(std::move(program)) {
        std::ifstream stream(file_);
        if (!stream) hodo::base::fail("{}: cannot be opened", file_);
        for (std::string text; std::getline(stream, text);) {
            lines_.push_back({static_cast<int>(lines_.size()) + 1, text});
        }
        fs::create_directory(folder_ / "work");
        fs::create_directory_symlink(hodo::test::source_folder() / "configs", work("configs"));
    }

    /// True when every expectation holds.
    bool run() {
        while (next_ < lines_.size()) {
            const Line line = lines_[next_++];
            if (hodo::base::trim(line.text).empty() || line.text.starts_with('#')) continue;
            obey(line);
        }
        expect_success_unless_said();
        if (command_.number == 0) hodo::base::fail_usage("{}: no line begins with 'run'", file_);
        return passed_;
    }

    void keep() {
        const auto kept = fs::temp_directory_path() / ("hodo-case-" + file_.stem().string());
        fs::remove_all(kept);
        fs::copy(folder_.path(), kept,
                 fs::copy_options::recursive | fs::copy_options::copy_symlinks);
        std::cerr << "the folder of this case is kept as " << kept.string() << "\n";
    }

  private:
    Path work(const std::string& name = "") const { return folder_ / "work" / name; }
    std::string output(const std::string& name) const { return read(folder_ / name); }

    void obey(const Line& line) {
        if (auto condition = line.after("skip unless:")) return require(line, *condition);
        if (line.after("covers:")) return;
        if (auto seconds = line.after("limit:")) return void(limit_ = *seconds);
        if (auto names = line.after("copy ")) return copy(line, *names);
        if (auto name = line.after("write ")) return write(*name);
        if (auto command = line.after("run ")) return start(line, *command);
        if (auto code = line.after("exit ")) return expect_exit(line, *code);
        expect_output_or_files(line);
    }

    void expect_output_or_files(const Line& line) {
        for (const std::string stream : {"stdout", "stderr"}) {
            if (auto text = line.after(stream + " contains:")) {
                return expect(line, contains(output(stream), *text), "no line matches");
            }
            if (auto text = line.after(stream + " lacks:")) {
                return expect(line, !contains(output(stream), *text), "a line matches");
            }
            if (line.after(stream + " is empty")) {
                return expect(line, output(stream).empty(), "it is not empty");
            }
        }
        if (auto name = line.after("file:")) {
            return expect(line, exists(*name), "there is no such file");
        }
        if (auto name = line.after("no file:")) {
            return expect(line, !exists(*name), "there is such a file");
        }
        if (auto rest = line.after("contains:")) return expect_content(line, *rest);
        if (auto names = line.after("same:")) {
            const auto [first, second] = two_words(line, *names);
            return expect(line, exists(first) && read(work(first)) == read(work(second)),
                          "they differ");
        }
        malformed(line);
    }

    void require(const Line& line, const std::string& condition) {
        if (condition == "learn") {
            const char* learn = std::getenv("HODO_LEARN");
            if (learn == nullptr || std::string(learn) != "ON") {
                throw Skip{"this build has no half with LibTorch"};
            }
            return;
        }
        const auto [kind, name] = two_words(line, condition);
        if (kind == "program") return require_program(name);
        if (kind != "reference") malformed(line);
        const auto file = hodo::test::reference_folder() / name;
        if (!fs::exists(file)) {
            throw Skip{hodo::base::format("{} is absent; set HODO_REFERENCE", file)};
        }
    }

    static void require_program(const std::string& names) {
        const char* path = std::getenv("PATH");
        for (const auto& folder : hodo::base::split(path == nullptr ? "" : path, ':')) {
            for (const auto& name : hodo::base::split(names, ' ')) {
                if (fs::exists(Path(folder) / name)) return;
            }
        }
        throw Skip{hodo::base::format("none of these programs is installed: {}", names)};
    }

    void copy(const Line& line, const std::string& rest) {
        const auto [kind, names] = two_words(line, rest);
        const auto [from, to] = two_words(line, names);
        if (kind != "reference" && kind != "project") malformed(line);
        const auto root =
            kind == "reference" ? hodo::test::reference_folder() : hodo::test::source_folder();
        fs::copy(root / from, work(to), fs::copy_options::recursive);
    }

    void write(const std::string& name) {
        std::string content;
        for (; next_ < lines_.size(); ++next_) {
            const auto& text = lines_[next_].text;
            if (!text.empty() && !text.starts_with("    ")) break;
            content += (text.empty() ? text : text.substr(4)) + "\n";
        }
        while (content.ends_with("\n\n")) content.pop_back();
        fs::create_directories(work(name).parent_path());
        std::ofstream(work(name), std::ios::binary) << content;
    }

    void start(const Line& line, const std::string& command) {
        expect_success_unless_said();
        std::ofstream(folder_ / "command") << "cd '" << work().string() << "'\nPATH='"
                                           << program_.parent_path().string() << "':$PATH\n"
                                           << command << "\n";
        const auto quoted = [&](const char* name) {
            return " '" + (folder_ / name).string() + "'";
        };
        const auto whole = "timeout --kill-after=5 " + limit_ + " sh" + quoted("command") + " >" +
                           quoted("stdout") + " 2>" + quoted("stderr") + " </dev/null";
        const int status = std::system(whole.c_str());
        exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        command_ = line;
    }

    void expect_exit(const Line& line, const std::string& code) {
        expected_exit_known_ = true;
        expect(line, std::to_string(exit_) == code,
               exit_ == 124 ? "it was stopped after " + limit_ + " s"
                            : "the exit code is " + std::to_string(exit_));
    }

    void expect_success_unless_said() {
        if (!expected_exit_known_ && command_.number > 0) expect_exit(command_, "0");
        expected_exit_known_ = false;
    }

    void expect_content(const Line& line, const std::string& rest) {
        const auto colon = rest.find(':');
        if (colon == std::string::npos) malformed(line);
        const auto name = rest.substr(0, colon);
        const auto text = hodo::base::trim(std::string_view(rest).substr(colon + 1));
        expect(line, exists(name) && contains(read(work(name)), std::string(text)),
               exists(name) ? "no line matches" : "there is no such file");
    }

    void expect(const Line& line, bool holds, const std::string& what) {
        if (holds) return;
        std::cerr << file_.string() << ":" << line.number << ": expected: " << line.text << "\n"
                  << "  but " << what << "\n";
        if (command_.number > 0 && passed_) {
            std::cerr << "  after line " << command_.number << ": " << command_.text << "\n"
                      << excerpt("stdout") << excerpt("stderr");
        }
        passed_ = false;
    }

    /// What the last command printed, with a margin; the middle of a long text is left out.
    std::string excerpt(const std::string& stream) const {
        const auto lines = hodo::base::split(output(stream), '\n');
        std::string text = "  " + stream + ":\n";
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (i == 25 && lines.size() > 60) {
                text += "    | ... " + std::to_string(lines.size() - 50) + " lines left out\n";
                i = lines.size() - 25;
            }
            if (i + 1 < lines.size() || !lines[i].empty()) text += "    | " + lines[i] + "\n";
        }
        return text;
    }

    /// `text` with only `*` special, somewhere within one line of `content`.
    static bool contains(const std::string& content, const std::string& text) {
        std::string pattern = "*";
        for (char letter : text) {
            if (std::string_view("?[\\").find(letter) != std::string_view::npos) pattern += '\\';
            pattern += letter;
        }
        pattern += '*';
        const auto lines = hodo::base::split(content, '\n');
        return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
            return fnmatch(pattern.c_str(), line.c_str(), 0) == 0;
        });
    }

    bool exists(const std::string& pattern) const {
        glob_t found{};
        const bool any = glob(work(pattern).c_str(), 0, nullptr, &found) == 0;
        globfree(&found);
        return any;
    }

    std::pair<std::string, std::string> two_words(const Line& line, const std::string& text) const {
        const auto space = text.find(' ');
        if (space == std::string::npos) malformed(line);
        return {text.substr(0, space),
                std::string(hodo::base::trim(std::string_view(text).substr(space)))};
    }

    [[noreturn]] void malformed(const Line& line) const {
        hodo::base::fail_usage(
            "{}:{}: this line is none of those that test/cli/run_case.cc explains: {}", file_,
            line.number, line.text);
    }

    Path file_, program_;
    hodo::test::TemporaryFolder folder_;
    std::vector<Line> lines_;
    std::size_t next_ = 0;
    std::string limit_ = "120";
    Line command_;
    int exit_ = 0;
    bool expected_exit_known_ = false;
    bool passed_ = true;
};

}  // namespace

int main(int count, char** arguments) {
    const char* program = std::getenv("HODO_PROGRAM");
    if (count != 2 || program == nullptr) {
        std::cerr << "usage: HODO_PROGRAM=<path of hodo> hodo_run_case FILE.case\n";
        return 2;
    }
    try {
        Case the_case(fs::absolute(arguments[1]), fs::absolute(program));
        const bool passed = the_case.run();
        if (std::getenv("HODO_KEEP") != nullptr) the_case.keep();
        return passed ? 0 : 1;
    } catch (const Skip& skip) {
        std::cout << "skipped: " << skip.reason << "\n";
        return 77;
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 2;
    }
}
