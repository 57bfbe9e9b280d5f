#include "hodo/base/launch.hh"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <optional>

#include <unistd.h>

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

namespace hodo::base {

namespace {

constexpr std::array known_names{"RANK",
                                 "WORLD_SIZE",
                                 "LOCAL_RANK",
                                 "LOCAL_WORLD_SIZE",
                                 "MASTER_ADDR",
                                 "MASTER_PORT",
                                 "HODO_MEETING",
                                 "OMPI_COMM_WORLD_RANK",
                                 "OMPI_COMM_WORLD_SIZE",
                                 "OMPI_COMM_WORLD_LOCAL_RANK",
                                 "OMPI_COMM_WORLD_LOCAL_SIZE",
                                 "PMIX_NAMESPACE",
                                 "SLURM_JOB_ID",
                                 "SLURM_STEP_ID",
                                 "SLURM_PROCID",
                                 "SLURM_NTASKS",
                                 "SLURM_STEP_NUM_TASKS",
                                 "SLURM_STEP_TASKS_PER_NODE",
                                 "SLURM_LOCALID",
                                 "SLURM_NODEID",
                                 "SLURM_STEP_NODELIST",
                                 "SLURM_JOB_NODELIST",
                                 "SLURM_CPUS_PER_TASK",
                                 "SLURM_CPUS_ON_NODE",
                                 "PMI_RANK",
                                 "PMI_SIZE",
                                 "MPI_LOCALRANKID",
                                 "MPI_LOCALNRANKS"};

constexpr std::string_view remedy = "set it, or train as a single process with --ranks.use off";

std::optional<std::string> text(const Variables& variables, std::string_view name) {
    const auto found = variables.find(name);
    if (found == variables.end() || found->second.empty()) return std::nullopt;
    return found->second;
}

/// A number of a variable, or `absent` when it is not set.
std::int64_t number(const Variables& variables, std::string_view name, std::int64_t least,
                    std::optional<std::int64_t> absent = std::nullopt) {
    const auto word = text(variables, name);
    if (!word && absent) return *absent;
    HODO_CHECK(word.has_value(),
               "the environment has variables of a job with several processes but no {}; {}", name,
               remedy);
    const auto value = parse_int(*word);
    HODO_CHECK(value && *value >= least && *value < (1LL << 32),
               "the environment variable {} is '{}', where a number from {} on is expected; {}",
               name, *word, least, remedy);
    return *value;
}

/// Rank and size by the names of one starter.
Launch read_numbers(const Variables& variables, std::string starter, std::string_view rank,
                    std::string_view size) {
    Launch launch;
    launch.starter = std::move(starter);
    launch.rank = static_cast<int>(number(variables, rank, 0));
    launch.size = static_cast<int>(number(variables, size, 1));
    HODO_CHECK(launch.rank < launch.size,
               "the environment variables {} = {} and {} = {} contradict each other (ranks count "
               "from 0); {}",
               rank, launch.rank, size, launch.size, remedy);
    launch.local_rank = launch.rank;
    launch.local_size = launch.size;
    return launch;
}

/// A port that processes of one job agree on without talking: below the range that systems give
/// out by themselves.
int port_of(std::uint64_t job, std::uint64_t step) {
    return static_cast<int>(20'000 + (job * 131 + step) % 12'000);
}

Launch read_torchrun(const Variables& variables) {
    auto launch = read_numbers(variables, "torchrun", "RANK", "WORLD_SIZE");
    launch.local_rank = static_cast<int>(number(variables, "LOCAL_RANK", 0, launch.rank));
    launch.local_size = static_cast<int>(number(
        variables, "LOCAL_WORLD_SIZE", 1, launch.rank == launch.local_rank ? launch.size : 1));
    if (const auto file = text(variables, "HODO_MEETING")) {
        launch.starter = "hodo launch";
        launch.file = *file;
    }
    return launch;
}

/// The nearest process above this one that has one of these names, else the one directly above: a
/// shell of its own may stand between the starter and each rank.
std::uint64_t common_parent(std::initializer_list<std::string_view> names) {
    for (auto process = static_cast<std::int64_t>(getppid()); process > 1;) {
        std::ifstream file(format("/proc/{}/stat", process));
        std::string stat;
        std::getline(file, stat);
        const auto begin = stat.find('('), end = stat.rfind(')');
        if (begin == std::string::npos || end == std::string::npos || end < begin) break;
        const auto name = std::string_view(stat).substr(begin + 1, end - begin - 1);
        for (const auto known : names) {
            if (name == known) return static_cast<std::uint64_t>(process);
        }
        // Behind the name: the state, a letter, then the process above.
        const auto words = split(stat.substr(std::min(stat.size(), end + 2)), ' ');
        process = words.size() > 1 ? parse_int(words[1]).value_or(0) : 0;
    }
    return static_cast<std::uint64_t>(getppid());
}

Launch read_mpirun(const Variables& variables) {
    auto launch = read_numbers(variables, "mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
    launch.local_rank =
        static_cast<int>(number(variables, "OMPI_COMM_WORLD_LOCAL_RANK", 0, launch.rank));
    launch.local_size =
        static_cast<int>(number(variables, "OMPI_COMM_WORLD_LOCAL_SIZE", 1, launch.size));
    if (launch.local_size == launch.size) {
        const auto job = text(variables, "PMIX_NAMESPACE");
        launch.host = "127.0.0.1";
        launch.port = port_of(job ? fnv1a(*job) : common_parent({"orted", "mpirun"}), 0);
    }
    return launch;
}

Launch read_mpiexec(const Variables& variables) {
    auto launch = read_numbers(variables, "mpiexec", "PMI_RANK", "PMI_SIZE");
    if (text(variables, "MPI_LOCALNRANKS")) {
        launch.local_rank = static_cast<int>(number(variables, "MPI_LOCALRANKID", 0));
        launch.local_size = static_cast<int>(number(variables, "MPI_LOCALNRANKS", 1));
        if (launch.local_size == launch.size) {
            launch.host = "127.0.0.1";
            launch.port = port_of(common_parent({"hydra_pmi_proxy"}), 0);
        }
    }
    return launch;
}

/// Steps of Slurm that are no steps of srun: the batch script, an interactive shell and the like.
constexpr std::int64_t first_special_step = 4'294'967'280;

bool in_srun(const Variables& variables) {
    const auto step = text(variables, "SLURM_STEP_ID");
    if (!step || !text(variables, "SLURM_PROCID")) return false;
    const auto id = parse_int(*step);
    return id && *id < first_special_step;
}

Launch read_srun(const Variables& variables) {
    const auto* const size =
        text(variables, "SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
    auto launch = read_numbers(variables, "srun", "SLURM_PROCID", size);
    launch.local_rank = static_cast<int>(number(variables, "SLURM_LOCALID", 0, launch.rank));
    // "2(x3),1": two on each of three nodes, then one. Equal numbers are the usual case.
    const auto tasks = text(variables, "SLURM_STEP_TASKS_PER_NODE").value_or("1");
    launch.local_size = static_cast<int>(
        parse_int(tasks.substr(0, tasks.find_first_not_of("0123456789"))).value_or(launch.size));
    if (const auto each = text(variables, "SLURM_CPUS_PER_TASK")) {
        launch.own_cores = static_cast<int>(number(variables, "SLURM_CPUS_PER_TASK", 1));
    } else {
        launch.cores = static_cast<int>(number(variables, "SLURM_CPUS_ON_NODE", 1, 0));
    }
    const auto nodes = text(variables, "SLURM_STEP_NODELIST");
    launch.host = first_host(nodes ? *nodes : text(variables, "SLURM_JOB_NODELIST").value_or(""));
    // The name of a node need not resolve on the node itself.
    if (launch.local_size == launch.size) launch.host = "127.0.0.1";
    launch.port = port_of(static_cast<std::uint64_t>(number(variables, "SLURM_JOB_ID", 0)),
                          static_cast<std::uint64_t>(number(variables, "SLURM_STEP_ID", 0)));
    return launch;
}

}  // namespace

Variables launch_variables() {
    Variables found;
    for (const auto* name : known_names) {
        if (const char* value = std::getenv(name)) found.emplace(name, value);
    }
    return found;
}

Launch read_launch(const Variables& variables) {
    Launch launch;
    if (text(variables, "RANK") || text(variables, "WORLD_SIZE")) {
        launch = read_torchrun(variables);
    } else if (text(variables, "OMPI_COMM_WORLD_SIZE")) {
        launch = read_mpirun(variables);
    } else if (in_srun(variables)) {
        launch = read_srun(variables);
    } else if (text(variables, "PMI_RANK") && text(variables, "PMI_SIZE")) {
        launch = read_mpiexec(variables);
    }
    if (launch.size == 1) return {};
    HODO_CHECK(launch.local_rank < launch.local_size,
               "this process is number {} of {} on its machine, which cannot be (the variables of "
               "{} contradict each other); {}",
               launch.local_rank, launch.local_size, launch.starter, remedy);
    if (const auto host = text(variables, "MASTER_ADDR")) launch.host = *host;
    launch.port = static_cast<int>(number(variables, "MASTER_PORT", 1, launch.port));
    HODO_CHECK(!launch.file.empty() || (!launch.host.empty() && launch.port > 0),
               "rank {} of {} (started by {}) does not know where the ranks meet; set MASTER_ADDR "
               "and MASTER_PORT to the host of rank 0 and a free port there",
               launch.rank, launch.size, launch.starter);
    return launch;
}

namespace {

std::atomic<bool> have_met{false};

}  // namespace

bool ranks_have_met() {
    return have_met;
}

void note_ranks_met() {
    have_met = true;
}

std::string first_host(std::string_view list) {
    std::string host;
    for (std::size_t i = 0; i < list.size() && list[i] != ','; ++i) {
        if (list[i] != '[') {
            host += list[i];
            continue;
        }
        const auto end = list.find(']', i);
        if (end == std::string_view::npos) return {};
        const auto inside = list.substr(i + 1, end - i - 1);
        host += inside.substr(0, inside.find_first_of(",-"));
        i = end;
    }
    return host;
}

int threads_of(const Launch& launch, int cores) {
    if (launch.own_cores > 0) return std::min(launch.own_cores, std::max(1, cores));
    const int usable = launch.cores > 0 ? std::min(launch.cores, cores) : cores;
    return std::max(1, usable / launch.local_size);
}

}  // namespace hodo::base
