#pragma once
/// `hodo launch -n N COMMAND`: several processes of this program that train together here.

#include <span>
#include <string>
#include <vector>

namespace hodo::cli {

struct LaunchPlan {
    int ranks = 0;
    std::vector<std::string> command;  ///< Words after "hodo": "om2vec", "train", ...
};

/// Reads "-n 2 [--] om2vec train ...".
LaunchPlan parse_launch(std::span<const std::string> words);

/// Starts the ranks, hands on SIGINT, SIGTERM and SIGUSR1, and waits. When a rank fails the others
/// are ended within seconds. Throws the one error of all of them; its message is empty when a rank
/// has said it.
void start_ranks(const LaunchPlan& plan);

std::string launch_help();

}  // namespace hodo::cli
