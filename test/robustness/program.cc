#include "robustness/program.hh"

#include "support/reference.hh"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace hodo::test {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

[[noreturn]] void become_hodo(const base::Path& program, const base::Path& folder,
                              const std::string& command, const Circumstances& circumstances,
                              const base::Path& streams) {
    const auto redirect = [&](const char* name, int descriptor) {
        const int file = open((streams / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (file < 0 || dup2(file, descriptor) < 0) _exit(126);
    };
    redirect("output", STDOUT_FILENO);
    redirect("errors", STDERR_FILENO);
    if (chdir(folder.c_str()) != 0) _exit(126);
    if (circumstances.file_size) {
        const rlimit limit{*circumstances.file_size, *circumstances.file_size};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(126);
    }
    auto words = base::split(command, ' ');
    std::vector<char*> arguments;
    std::string name = program.string();
    arguments.push_back(name.data());
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(name.c_str(), arguments.data());
    _exit(127);
}

}  // namespace

Outcome run_hodo(const base::Path& folder, const std::string& command,
                 const Circumstances& circumstances) {
    const char* program = std::getenv("HODO_PROGRAM");
    HODO_CHECK(program != nullptr, "HODO_PROGRAM must name the program under test");
    const TemporaryFolder streams;
    const auto path = std::filesystem::absolute(program);
    const auto begin = Clock::now();
    const auto child = fork();
    HODO_CHECK(child >= 0, "no process can be started");
    if (child == 0) become_hodo(path, folder, command, circumstances, streams.path());
    int status = 0;
    rusage usage{};
    while (wait4(child, &status, WNOHANG, &usage) == 0) {
        if (circumstances.kill_after && seconds_since(begin) >= *circumstances.kill_after) {
            kill(child, SIGKILL);
        }
        if (circumstances.watch) circumstances.watch(child);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    Outcome outcome;
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.output = content_of(streams / "output");
    outcome.errors = content_of(streams / "errors");
    outcome.seconds = seconds_since(begin);
    outcome.peak_megabytes = static_cast<double>(usage.ru_maxrss) / 1000;
    return outcome;
}

std::string small_configuration(const std::string& plan) {
    return R"(workflow: om2vec
simulate: {output: events, events: 5, seed: 11, min_photons: 50}
train:
  data:
    train: [events]
    binning: {bins: 128, window: 6400, rule: floor}
  model: {bins: 128, latent: 4, embed: 8, heads: 2, feedforward: 16, tokens: [16, 8, 4]}
  feed: {batch_size: 16}
  plan: )" +
           plan + "\n";
}

bool can_learn() {
#ifdef HODO_LEARN
    return true;
#else
    return false;
#endif
}

std::string content_of(const base::Path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
}

}  // namespace hodo::test
