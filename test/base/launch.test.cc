#include "hodo/base/launch.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/reference.hh"

namespace hodo::base {
namespace {

using testing::HasSubstr;

Variables srun_variables() {
    return {{"SLURM_JOB_ID", "77"},        {"SLURM_STEP_ID", "0"},
            {"SLURM_PROCID", "3"},         {"SLURM_NTASKS", "4"},
            {"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_STEP_TASKS_PER_NODE", "2(x2)"},
            {"SLURM_LOCALID", "1"},        {"SLURM_STEP_NODELIST", "gpu[03-04]"},
            {"SLURM_CPUS_PER_TASK", "6"}};
}

TEST(Launches, without_variables_a_process_is_alone) {
    const auto launch = read_launch({});
    EXPECT_EQ(launch.size, 1);
    EXPECT_EQ(launch.starter, "");
}

TEST(Launches, variables_of_torchrun_are_understood) {
    const auto launch = read_launch({{"RANK", "5"},
                                     {"WORLD_SIZE", "8"},
                                     {"LOCAL_RANK", "1"},
                                     {"LOCAL_WORLD_SIZE", "4"},
                                     {"MASTER_ADDR", "node7"},
                                     {"MASTER_PORT", "29500"}});
    EXPECT_EQ(launch.starter, "torchrun");
    EXPECT_EQ(launch.rank, 5);
    EXPECT_EQ(launch.size, 8);
    EXPECT_EQ(launch.local_rank, 1);
    EXPECT_EQ(launch.local_size, 4);
    EXPECT_EQ(launch.host, "node7");
    EXPECT_EQ(launch.port, 29500);
}

TEST(Launches, variables_of_hodo_launch_are_believed_inside_a_slurm_step) {
    auto variables = srun_variables();
    variables.insert({{"RANK", "1"},
                      {"WORLD_SIZE", "2"},
                      {"LOCAL_RANK", "1"},
                      {"LOCAL_WORLD_SIZE", "2"},
                      {"HODO_MEETING", "/tmp/place/ranks"}});
    const auto launch = read_launch(variables);
    EXPECT_EQ(launch.starter, "hodo launch");
    EXPECT_EQ(launch.size, 2);
    EXPECT_EQ(launch.file, "/tmp/place/ranks");
}

TEST(Launches, variables_of_srun_are_understood) {
    const auto launch = read_launch(srun_variables());
    EXPECT_EQ(launch.starter, "srun");
    EXPECT_EQ(launch.rank, 3);
    EXPECT_EQ(launch.size, 4);
    EXPECT_EQ(launch.local_rank, 1);
    EXPECT_EQ(launch.local_size, 2);
    EXPECT_EQ(launch.host, "gpu03");
    EXPECT_EQ(threads_of(launch, 64), 6);
}

TEST(Launches, tasks_of_a_slurm_step_on_one_node_need_no_name) {
    auto variables = srun_variables();
    variables["SLURM_STEP_TASKS_PER_NODE"] = "4";
    EXPECT_EQ(read_launch(variables).host, "127.0.0.1");
}

TEST(Launches, all_tasks_of_a_slurm_step_and_no_others_get_one_port) {
    auto variables = srun_variables();
    const auto port = read_launch(variables).port;
    EXPECT_GE(port, 20'000);
    EXPECT_LT(port, 32'768);
    variables["SLURM_PROCID"] = "0";
    variables["SLURM_LOCALID"] = "0";
    EXPECT_EQ(read_launch(variables).port, port);
    variables["SLURM_STEP_ID"] = "1";
    EXPECT_NE(read_launch(variables).port, port);
    variables["SLURM_STEP_ID"] = "0";
    variables["SLURM_JOB_ID"] = "78";
    EXPECT_NE(read_launch(variables).port, port);
    variables["MASTER_PORT"] = "4711";
    EXPECT_EQ(read_launch(variables).port, 4711);
}

TEST(Launches, the_script_of_a_slurm_job_is_a_single_process) {
    auto variables = srun_variables();
    variables["SLURM_PROCID"] = "0";
    variables["SLURM_LOCALID"] = "0";
    variables.erase("SLURM_STEP_ID");
    variables.erase("SLURM_STEP_NUM_TASKS");
    EXPECT_EQ(read_launch(variables).size, 1);
    for (const auto* special : {"4294967291", "4294967290", "4294967294"}) {
        variables["SLURM_STEP_ID"] = special;
        EXPECT_EQ(read_launch(variables).size, 1) << special;
    }
}

TEST(Launches, variables_of_mpirun_are_believed_before_those_of_slurm) {
    auto variables = srun_variables();
    variables.insert({{"OMPI_COMM_WORLD_RANK", "0"},
                      {"OMPI_COMM_WORLD_SIZE", "2"},
                      {"OMPI_COMM_WORLD_LOCAL_RANK", "0"},
                      {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
    const auto launch = read_launch(variables);
    EXPECT_EQ(launch.starter, "mpirun");
    EXPECT_EQ(launch.size, 2);
    EXPECT_EQ(launch.host, "127.0.0.1");
    // On several machines nobody has told the address of rank 0.
    variables["OMPI_COMM_WORLD_LOCAL_SIZE"] = "1";
    EXPECT_THAT(test::error_of([&] { read_launch(variables); }), HasSubstr("MASTER_ADDR"));
}

TEST(Launches, ranks_of_mpirun_meet_at_a_port_of_their_job) {
    Variables variables{{"OMPI_COMM_WORLD_RANK", "1"},
                        {"OMPI_COMM_WORLD_SIZE", "2"},
                        {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                        {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                        {"PMIX_NAMESPACE", "prterun-node7-4711@1"}};
    const auto port = read_launch(variables).port;
    EXPECT_GE(port, 20'000);
    EXPECT_LT(port, 32'768);
    variables["PMIX_NAMESPACE"] = "prterun-node7-4712@1";
    EXPECT_NE(read_launch(variables).port, port);
}

TEST(Launches, variables_of_mpiexec_are_understood) {
    Variables variables{
        {"PMI_RANK", "3"}, {"PMI_SIZE", "4"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}};
    EXPECT_THAT(test::error_of([&] { read_launch(variables); }), HasSubstr("MASTER_ADDR"));
    variables.insert({{"MASTER_ADDR", "node7"}, {"MASTER_PORT", "4711"}});
    const auto launch = read_launch(variables);
    EXPECT_EQ(launch.starter, "mpiexec");
    EXPECT_EQ(launch.rank, 3);
    EXPECT_EQ(launch.local_rank, 1);
    EXPECT_EQ(launch.local_size, 2);
    EXPECT_EQ(launch.host, "node7");
    // On one machine nothing more need be told.
    const auto local = read_launch(
        {{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}, {"MPI_LOCALRANKID", "3"}, {"MPI_LOCALNRANKS", "4"}});
    EXPECT_EQ(local.host, "127.0.0.1");
    EXPECT_GE(local.port, 20'000);
}

TEST(Launches, what_is_missing_or_contradicts_itself_is_named) {
    const auto message = [](const Variables& variables) {
        return test::error_of([&] { read_launch(variables); });
    };
    EXPECT_THAT(message({{"RANK", "1"}}), HasSubstr("no WORLD_SIZE"));
    EXPECT_THAT(message({{"RANK", "1"}}), HasSubstr("--ranks.use off"));
    EXPECT_THAT(message({{"WORLD_SIZE", "2"}}), HasSubstr("no RANK"));
    EXPECT_THAT(message({{"RANK", "2"}, {"WORLD_SIZE", "2"}}), HasSubstr("contradict"));
    EXPECT_THAT(message({{"RANK", "one"}, {"WORLD_SIZE", "2"}}), HasSubstr("RANK is 'one'"));
    EXPECT_THAT(message({{"RANK", "1"}, {"WORLD_SIZE", "2"}}), HasSubstr("MASTER_ADDR"));
    auto variables = srun_variables();
    variables["SLURM_PROCID"] = "4";
    EXPECT_THAT(message(variables), HasSubstr("SLURM_PROCID = 4"));
    variables = srun_variables();
    variables["SLURM_LOCALID"] = "2";
    EXPECT_THAT(message(variables), HasSubstr("number 2 of 2"));
}

TEST(Launches, the_first_host_of_a_slurm_list_is_found) {
    EXPECT_EQ(first_host("node7"), "node7");
    EXPECT_EQ(first_host("node7,node8"), "node7");
    EXPECT_EQ(first_host("gpu[03-07,9],cpu1"), "gpu03");
    EXPECT_EQ(first_host("gpu[3,9]"), "gpu3");
    EXPECT_EQ(first_host("r[1-2]n[05-06].local,x"), "r1n05.local");
    EXPECT_EQ(first_host("broken[1-2"), "");
    EXPECT_EQ(first_host(""), "");
}

TEST(Launches, cores_are_shared_among_the_processes_of_a_machine) {
    Launch launch;
    EXPECT_EQ(threads_of(launch, 8), 8);
    launch.local_size = 3;
    EXPECT_EQ(threads_of(launch, 8), 2);
    EXPECT_EQ(threads_of(launch, 2), 1);
    launch.cores = 6;
    EXPECT_EQ(threads_of(launch, 64), 2);
}

TEST(Launches, cores_of_a_process_of_its_own_are_not_shared_again) {
    auto variables = srun_variables();
    variables["SLURM_STEP_TASKS_PER_NODE"] = "4";
    // Slurm has bound the task to its six cores, or has bound nothing.
    EXPECT_EQ(threads_of(read_launch(variables), 6), 6);
    EXPECT_EQ(threads_of(read_launch(variables), 64), 6);
    EXPECT_EQ(threads_of(read_launch(variables), 4), 4);
}

}  // namespace
}  // namespace hodo::base
