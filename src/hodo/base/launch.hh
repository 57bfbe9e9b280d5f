#pragma once
/// How this process was started: alone, or as one of several that work on one job.
///
/// A starter tells its processes who they are by environment variables. In the order in which they
/// are believed:
///
///   hodo launch   RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, HODO_MEETING (a file)
///   torchrun      RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT
///   mpirun        OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE, PMIX_NAMESPACE (Open MPI)
///   srun          SLURM_STEP_ID, SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID,
///                 SLURM_STEP_NODELIST, SLURM_JOB_ID
///   mpiexec       PMI_RANK, PMI_SIZE, MPI_LOCALRANKID, MPI_LOCALNRANKS (Hydra: MPICH, Intel MPI)
///
/// MASTER_ADDR and MASTER_PORT override where the others meet. A shell of a Slurm job that was
/// not started by srun (the batch script itself) is a single process, although it has SLURM_NTASKS.

#include <map>
#include <string>
#include <string_view>

namespace hodo::base {

struct Launch {
    std::string starter;  ///< "srun", ...; empty for a process that was started alone.
    int rank = 0, size = 1;
    int local_rank = 0, local_size = 1;  ///< Among the processes of this machine.
    std::string host;                    ///< Where rank 0 listens: host and port, or
    int port = 0;                        ///<
    std::string file;                    ///< a file by which the ranks of one machine meet.
    int cores = 0;                       ///< Cores the starter gives to this machine; 0: not told.
    int own_cores = 0;                   ///< Cores it gives to this process alone; 0: not told.
};

using Variables = std::map<std::string, std::string, std::less<>>;

/// The variables of this process that a starter may have set.
Variables launch_variables();
/// Errors name the variable that is missing, no number, or contradicts another one.
Launch read_launch(const Variables& variables);

/// Whether this process has met the other ranks of its job, and settles with them who speaks.
bool ranks_have_met();
void note_ranks_met();

/// The first host of a Slurm list: "gpu[03-07,9],cpu1" has "gpu03".
std::string first_host(std::string_view list);
/// Threads for this process, which may use `cores`: what its starter gave it, or an equal part.
int threads_of(const Launch& launch, int cores);

}  // namespace hodo::base
