#include "hodo/cli/launch.hh"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

namespace hodo::cli {

namespace {

using Clock = std::chrono::steady_clock;

/// How long the other ranks may take to end by themselves after one has failed.
constexpr std::chrono::seconds grace{6};

/// The folder in which the ranks meet; it goes with the job.
class MeetingPlace {
  public:
    MeetingPlace() {
        auto pattern = (std::filesystem::temp_directory_path() / "hodo-launch-XXXXXX").string();
        HODO_CHECK(mkdtemp(pattern.data()) != nullptr,
                   "{}: cannot be created ({}); set TMPDIR to a folder that can be written",
                   pattern, std::strerror(errno));
        folder_ = pattern;
    }
    ~MeetingPlace() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    MeetingPlace(const MeetingPlace&) = delete;
    MeetingPlace& operator=(const MeetingPlace&) = delete;
    std::string file() const { return (folder_ / "ranks").string(); }

  private:
    base::Path folder_;
};

struct Process {
    pid_t id = 0;
    std::optional<int> status;  ///< As waitpid gives it.
    bool ended_by_us = false;

    bool failed() const {
        return status && !ended_by_us && !(WIFEXITED(*status) && WEXITSTATUS(*status) == 0);
    }
};

void set_variable(const char* name, const std::string& value) {
    setenv(name, value.c_str(), 1);
}

/// In the child: becomes rank `rank`. Does not return.
[[noreturn]] void become_rank(const LaunchPlan& plan, int rank, const std::string& meeting,
                              const sigset_t& signals) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    // Signals of the terminal reach the launcher alone, which hands them on.
    setpgid(0, 0);
    set_variable("RANK", std::to_string(rank));
    set_variable("LOCAL_RANK", std::to_string(rank));
    set_variable("WORLD_SIZE", std::to_string(plan.ranks));
    set_variable("LOCAL_WORLD_SIZE", std::to_string(plan.ranks));
    set_variable("HODO_MEETING", meeting);
    if (rank > 0) {
        const int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, STDIN_FILENO);
        dup2(nothing, STDOUT_FILENO);
    }
    sigprocmask(SIG_SETMASK, &signals, nullptr);
    std::string program = "hodo";
    std::vector<std::string> copy = plan.command;
    std::vector<char*> words{program.data()};
    for (auto& word : copy) words.push_back(word.data());
    words.push_back(nullptr);
    execv("/proc/self/exe", words.data());
    _exit(127);
}

class Job {
  public:
    explicit Job(const LaunchPlan& plan);
    ~Job();
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    /// Waits until all ranks have ended.
    void wait();
    /// Throws the error of the whole.
    void conclude() const;

  private:
    void reap();
    void send(int signal_number) const;
    bool any_alive() const {
        return std::any_of(ranks_.begin(), ranks_.end(), [](const auto& p) { return !p.status; });
    }
    sigset_t watched_{}, before_{};
    MeetingPlace place_;
    std::vector<Process> ranks_;
    std::optional<std::size_t> first_failed_;
    Clock::time_point failed_at_;
    bool interrupted_ = false;
};

Job::Job(const LaunchPlan& plan) {
    sigemptyset(&watched_);
    for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD}) sigaddset(&watched_, number);
    sigprocmask(SIG_BLOCK, &watched_, &before_);
    ranks_.resize(static_cast<std::size_t>(plan.ranks));
    for (int rank = 0; rank < plan.ranks; ++rank) {
        const pid_t child = fork();
        if (child == 0) become_rank(plan, rank, place_.file(), before_);
        HODO_CHECK(child > 0, "rank {} could not be started ({}); start fewer ranks", rank,
                   std::strerror(errno));
        ranks_[static_cast<std::size_t>(rank)].id = child;
    }
}

Job::~Job() {
    for (auto& process : ranks_) {
        if (process.id == 0 || process.status) continue;
        kill(process.id, SIGKILL);
        waitpid(process.id, nullptr, 0);
    }
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void Job::send(int signal_number) const {
    for (const auto& process : ranks_) {
        if (!process.status) kill(process.id, signal_number);
    }
}

void Job::reap() {
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        auto& process = ranks_[rank];
        int status = 0;
        if (process.status || waitpid(process.id, &status, WNOHANG) != process.id) continue;
        process.status = status;
        if (!process.failed()) continue;
        // Who was ended by a signal is the cause when others failed at about the same time.
        if (!first_failed_) failed_at_ = Clock::now();
        if (!first_failed_ || (WIFSIGNALED(status) && !WIFSIGNALED(*ranks_[*first_failed_].status)))
            first_failed_ = rank;
    }
}

void Job::wait() {
    while (any_alive()) {
        const timespec pause{0, 200'000'000};
        const int number = sigtimedwait(&watched_, nullptr, &pause);
        if (number == SIGINT || number == SIGTERM || number == SIGUSR1) {
            interrupted_ = true;
            send(number);
        }
        reap();
        if (!first_failed_ || Clock::now() - failed_at_ < grace) continue;
        for (auto& process : ranks_) process.ended_by_us = process.ended_by_us || !process.status;
        send(SIGKILL);
    }
}

void Job::conclude() const {
    if (!first_failed_) return;
    const int status = *ranks_[*first_failed_].status;
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        if (interrupted_ && number != SIGKILL) {
            throw base::Error("interrupted before the training could save its state",
                              base::ExitCode::interrupted);
        }
        base::fail(
            "rank {} of {} was ended by signal {} ({}), so the training ended after its last "
            "checkpoint; if it was the memory give less work to each rank, then go on with "
            "--resume",
            *first_failed_, ranks_.size(), number, strsignal(number));
    }
    // An exit code of 130 is that of all ranks; any other has its sentence on standard error.
    throw base::Error("", static_cast<base::ExitCode>(WEXITSTATUS(status)));
}

}  // namespace

LaunchPlan parse_launch(std::span<const std::string> words) {
    LaunchPlan plan;
    std::size_t next = 0;
    while (next < words.size() && words[next].starts_with("-")) {
        auto name = words[next++];
        if (name == "--") break;
        std::optional<std::string> value;
        if (const auto equals = name.find('='); equals != std::string::npos) {
            value = name.substr(equals + 1);
            name.resize(equals);
        } else if (next < words.size()) {
            value = words[next++];
        }
        if (name != "-n" && name != "--ranks") {
            base::fail_usage("unknown option '{}' of launch; see 'hodo help launch'", name);
        }
        const auto count = value ? base::parse_int(*value) : std::nullopt;
        if (!count || *count < 1 || *count > 1024) {
            base::fail_usage(
                "{} needs a number of ranks from 1 to 1024; write 'hodo launch -n 2 "
                "om2vec train ...'",
                name);
        }
        plan.ranks = static_cast<int>(*count);
    }
    plan.command.assign(words.begin() + static_cast<std::ptrdiff_t>(next), words.end());
    if (plan.ranks == 0 || plan.command.size() < 2) {
        base::fail_usage(
            "launch needs a number of ranks and a command; write 'hodo launch -n 2 "
            "om2vec train ...'");
    }
    return plan;
}

void start_ranks(const LaunchPlan& plan) {
    Job job(plan);
    job.wait();
    job.conclude();
}

std::string launch_help() {
    return "Start several processes on this machine that train one network together\n\n"
           "Usage: hodo launch -n N [--] WORKFLOW VERB [CONFIG.yaml] [options]\n\n"
           "Options:\n"
           "  -n N, --ranks N    how many processes (ranks)\n\n"
           "Each batch is shared among the ranks, so the result does not depend on their number\n"
           "beyond rounding. The cores are shared too: --threads, given to the verb, counts per\n"
           "rank. Ctrl-C, SIGTERM and SIGUSR1 are handed on: the ranks finish their step, save\n"
           "once, and the exit code is 130. When a rank is lost the others end within seconds;\n"
           "go on with --resume, with any number of ranks.\n\n"
           "Under srun, mpirun and torchrun no launcher is needed: a training that finds their\n"
           "variables joins the others by itself (--ranks.use off keeps it alone).\n\n"
           "Examples:\n"
           "  hodo launch -n 2 om2vec train config.yaml\n"
           "  hodo launch -n 4 -- om2vec train config.yaml --threads 2 --resume\n";
}

}  // namespace hodo::cli
