// Ranks in processes of their own: LibTorch's c10d, which is included here and nowhere else.

#include "hodo/train/ranks.hh"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef HODO_C10D
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#if defined(USE_C10D_NCCL) && __has_include(<nccl.h>)
#define HODO_NCCL
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#endif

#include "hodo/base/log.hh"
#include "hodo/base/text.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::train {

#ifndef HODO_C10D

std::unique_ptr<Ranks> join_ranks(const base::Launch& launch, const RanksOptions&) {
    throw base::Error(
        base::format("{} started {} ranks, but this build cannot connect them (its LibTorch has no "
                     "c10d, or Gloo's headers were missing); install libgloo-dev and rebuild, or "
                     "train as a single process with --ranks.use off",
                     launch.starter, launch.size),
        base::ExitCode::defect);
}

#else

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;
using Store = c10::intrusive_ptr<c10d::Store>;

std::string first_line(const char* text) {
    const std::string_view all(text);
    return std::string(all.substr(0, all.find('\n')));
}

std::string this_host() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

/// Where a rank runs, as it tells the others.
struct Address {
    std::string host;
    pid_t process = 0;
};

Address parse_address(const std::vector<std::uint8_t>& bytes) {
    const std::string text(bytes.begin(), bytes.end());
    const auto space = text.find(' ');
    return {text.substr(0, space),
            static_cast<pid_t>(base::parse_int(text.substr(space + 1)).value_or(0))};
}

std::vector<std::uint8_t> bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
}

/// The address of this machine on the way to another one, or nothing.
std::optional<std::string> address_towards(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_family = AF_INET;
    wanted.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), "9", &wanted, &found) != 0) return std::nullopt;
    const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in own{};
    socklen_t length = sizeof own;
    auto* const address = reinterpret_cast<sockaddr*>(&own);
    const bool known = socket >= 0 && connect(socket, found->ai_addr, found->ai_addrlen) == 0 &&
                       getsockname(socket, address, &length) == 0;
    if (socket >= 0) close(socket);
    freeaddrinfo(found);
    std::array<char, INET_ADDRSTRLEN> text{};
    if (!known || inet_ntop(AF_INET, &own.sin_addr, text.data(), text.size()) == nullptr) {
        return std::nullopt;
    }
    return text.data();
}

Store open_store(const base::Launch& launch, const RanksOptions& options) {
    if (!launch.file.empty()) {
        return c10::make_intrusive<c10d::FileStore>(launch.file, launch.size);
    }
    c10d::TCPStoreOptions choice;
    choice.port = static_cast<std::uint16_t>(launch.port);
    choice.isServer = launch.rank == 0;
    choice.waitWorkers = false;
    choice.timeout = seconds(options.wait);
    try {
        const auto host = launch.rank == 0 ? std::string("127.0.0.1") : launch.host;
        return c10::make_intrusive<c10d::TCPStore>(host, choice);
    } catch (const std::exception& error) {
        if (launch.rank == 0) {
            base::fail(
                "rank 0 of {} cannot listen on port {} of {} (is it in use?); set MASTER_PORT to a "
                "free port for all ranks",
                launch.size, launch.port, this_host());
        }
        base::fail(
            "rank {} of {} did not reach rank 0 at {}, port {}, within {} seconds (did rank 0 "
            "start, and does a firewall let it through?); set MASTER_ADDR and MASTER_PORT to "
            "another address, or ranks.wait to a longer time",
            launch.rank, launch.size, launch.host, launch.port, options.wait);
    }
}

/// Ranks that have not set "<key>.<rank>", after waiting for them until `deadline`.
std::vector<int> missing(c10d::Store& store, std::string_view key, int size,
                         Clock::time_point deadline) {
    for (;;) {
        std::vector<int> absent;
        for (int rank = 0; rank < size; ++rank) {
            if (!store.check({base::format("{}.{}", key, rank)})) absent.push_back(rank);
        }
        if (absent.empty() || Clock::now() >= deadline) return absent;
        std::this_thread::sleep_for(milliseconds(20));
    }
}

/// Introduces this rank and waits for the others.
std::vector<Address> introduce(c10d::Store& store, const base::Launch& launch,
                               const RanksOptions& options) {
    store.set(base::format("here.{}", launch.rank),
              bytes_of(base::format("{} {}", this_host(), getpid())));
    const auto absent = missing(store, "here", launch.size, Clock::now() + seconds(options.wait));
    if (!absent.empty()) {
        // The first one says it for all that wait.
        if (store.add("word", 1) != 1) throw base::Error("");
        if (launch.rank == 0) std::this_thread::sleep_for(seconds(1));
        std::vector<std::string> names;
        for (const int rank : absent) names.push_back(std::to_string(rank));
        base::fail(
            "rank {} of {} waited {} seconds in vain for rank {} (all must start at about the same "
            "time); look for errors in their output, or set ranks.wait to a longer time",
            launch.rank, launch.size, options.wait, base::join(names, ", "));
    }
    std::vector<Address> addresses;
    for (int rank = 0; rank < launch.size; ++rank) {
        addresses.push_back(parse_address(store.get(base::format("here.{}", rank))));
    }
    return addresses;
}

/// The network device by which this rank talks to the others.
std::shared_ptr<::gloo::transport::Device> device_for(const base::Launch& launch,
                                                      const std::vector<Address>& addresses) {
    using Gloo = c10d::ProcessGroupGloo;
    if (const char* name = std::getenv("GLOO_SOCKET_IFNAME")) {
        return Gloo::createDeviceForInterface(name);
    }
    const auto& own = addresses[static_cast<std::size_t>(launch.rank)].host;
    const auto other = std::find_if(addresses.begin(), addresses.end(),
                                    [&](const Address& address) { return address.host != own; });
    if (other == addresses.end()) return Gloo::createDeviceForHostname("127.0.0.1");
    const auto target = launch.rank > 0 && addresses[0].host != own ? launch.host : other->host;
    if (const auto address = address_towards(target)) {
        return Gloo::createDeviceForHostname(*address);
    }
    return Gloo::createDefaultDevice();
}

/// Ends the process without the destructors of static objects: threads of LibTorch that wait for a
/// lost rank would still use them.
void leave_at_once(int status, void*) {
    std::fflush(nullptr);
    _exit(status);
}

std::string alive_key(int rank) {
    return base::format("alive.{}", rank);
}

class ProcessRanks final : public Ranks {
  public:
    ProcessRanks(const base::Launch& launch, const RanksOptions& options)
        : launch_(launch), options_(options), store_(open_store(launch, options)) {
        addresses_ = introduce(*store_, launch, options);
        auto choice = c10d::ProcessGroupGloo::Options::create(seconds(options.silence));
        choice->devices.push_back(device_for(launch, addresses_));
        gloo_ =
            c10::make_intrusive<c10d::ProcessGroupGloo>(store_, launch.rank, launch.size, choice);
    }
    int rank() const override { return launch_.rank; }
    int size() const override { return launch_.size; }
    void sum(at::Tensor& values) override { begin_sum(values)->wait(); }
    void barrier() override {
        auto nothing = at::zeros({1}, at::kDouble);
        sum(nothing);
    }
    std::unique_ptr<Pending> begin_sum(at::Tensor& values) override;
    base::Error give_up(const base::Error& error) override;

    /// Waits for a message; throws `LostRank` when it cannot come any more.
    template <class Work>
    void wait(Work& work, const at::Tensor& message);

  private:
    std::optional<bool> noted(const char* key);
    void note(const std::string& key);
    bool has_the_word();
    std::string name_lost();
    bool runs_here(int rank) const;
    base::Launch launch_;
    RanksOptions options_;
    Store store_;
    std::vector<Address> addresses_;
    c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
#ifdef HODO_NCCL
    c10::intrusive_ptr<c10d::ProcessGroupNCCL> nccl_;
#endif
};

/// Waits for at most `limit`; whether the message came. The error of a message is thrown.
template <class Work>
bool came(Work& work, const at::Tensor& message, Clock::duration limit) {
    if (message.is_cpu()) {
        try {
            return work->wait(std::chrono::duration_cast<milliseconds>(limit));
        } catch (const std::exception&) {
            if (work->isCompleted()) throw;
            return false;
        }
    }
    // NCCL takes a limit for the end of everything; ask instead.
    for (const auto end = Clock::now() + limit; !work->isCompleted();) {
        if (Clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return work->wait();
}

template <class Work>
void ProcessRanks::wait(Work& work, const at::Tensor& message) {
    const auto end = Clock::now() + seconds(options_.silence);
    try {
        while (!came(work, message, seconds(1))) {
            if (Clock::now() > end) throw LostRank("no answer");
            if (noted("trouble").value_or(true)) throw LostRank("another rank has given up");
        }
    } catch (const LostRank&) {
        throw;
    } catch (const std::exception& error) {
        throw LostRank(first_line(error.what()));
    }
}

template <class Work>
class Message final : public Ranks::Pending {
  public:
    Message(ProcessRanks& ranks, Work work, std::vector<at::Tensor> sent, at::Tensor target)
        : ranks_(ranks), work_(std::move(work)), sent_(std::move(sent)), target_(target) {}
    void wait() override {
        ranks_.wait(work_, sent_.front());
        if (!target_.is_same(sent_.front())) target_.copy_(sent_.front());
    }

  private:
    ProcessRanks& ranks_;
    Work work_;
    std::vector<at::Tensor> sent_;
    at::Tensor target_;
};

std::unique_ptr<Ranks::Pending> ProcessRanks::begin_sum(at::Tensor& values) {
    const auto start = [&](auto& group, const at::Tensor& message) -> std::unique_ptr<Pending> {
        std::vector<at::Tensor> sent{message};
        try {
            auto work = group->allreduce(sent);
            return std::make_unique<Message<decltype(work)>>(*this, std::move(work), sent, values);
        } catch (const std::exception& error) {
            throw LostRank(first_line(error.what()));
        }
    };
#ifdef HODO_NCCL
    if (values.is_cuda()) {
        if (!nccl_) {
            nccl_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(
                c10::make_intrusive<c10d::PrefixStore>("nccl", store_), launch_.rank, launch_.size);
        }
        return start(nccl_, values);
    }
#endif
    return start(gloo_, values.is_cpu() ? values : values.cpu());
}

/// Whether a rank has set this key; nothing when the store is gone, as it is with rank 0.
std::optional<bool> ProcessRanks::noted(const char* key) {
    try {
        return store_->check({key});
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

void ProcessRanks::note(const std::string& key) {
    try {
        store_->set(key, bytes_of("yes"));
    } catch (const std::exception& error) {
        base::detail("rank {}: {}", launch_.rank, first_line(error.what()));
    }
}

/// True for the first rank that asks.
bool ProcessRanks::has_the_word() {
    try {
        return store_->add("word", 1) == 1;
    } catch (const std::exception&) {
        return launch_.rank == 1;  // Rank 0 is gone, and with it what the ranks share.
    }
}

/// Whether a rank's process is on this machine and runs. One that has ended and that nobody has
/// asked after yet (state Z) does not.
bool ProcessRanks::runs_here(int rank) const {
    const auto& address = addresses_[static_cast<std::size_t>(rank)];
    if (address.host != this_host()) return false;
    std::ifstream file(base::format("/proc/{}/stat", address.process));
    std::string text;
    std::getline(file, text);
    const auto name_end = text.rfind(") ");
    return name_end != std::string::npos && text.substr(name_end + 2, 1) != "Z";
}

/// Tells the others that this rank lives, and names those who do not.
std::string ProcessRanks::name_lost() {
    std::vector<int> lost;
    try {
        store_->set(alive_key(launch_.rank), bytes_of("yes"));
        lost = missing(*store_, "alive", launch_.size, Clock::now() + seconds(3));
    } catch (const std::exception&) {
        lost = {0};
    }
    const auto all = lost;
    std::erase_if(lost, [&](int rank) { return runs_here(rank); });
    const bool is_silent = lost.empty();
    if (is_silent) lost = all;
    std::vector<std::string> names;
    for (const int rank : lost) {
        const auto& address = addresses_[static_cast<std::size_t>(rank)];
        names.push_back(base::format("{} (process {} on {})", rank, address.process, address.host));
    }
    if (names.empty()) return "the connection between the ranks broke";
    if (is_silent) {
        return base::format("rank {} did not answer for {} seconds", base::join(names, ", "),
                            options_.silence);
    }
    return base::format("rank {} was lost", base::join(names, ", "));
}

base::Error ProcessRanks::give_up(const base::Error& error) {
    on_exit(leave_at_once, nullptr);
    base::Error silent("", error.code());
    if (std::string_view(error.what()).empty()) return silent;
    base::detail("rank {} gives up: {}", launch_.rank, error.what());
    std::string sentence = error.what();
    if (dynamic_cast<const LostRank*>(&error) != nullptr) {
        // Who noticed first looks for the lost ranks; the others only say that they live.
        if (noted("trouble") == true) {
            note(alive_key(launch_.rank));
            return silent;
        }
        note("trouble");
        sentence = base::format(
            "{}, so the training ended after its last checkpoint; look for the cause in the output "
            "of that rank and go on with --resume",
            name_lost());
    }
    const bool speaks = has_the_word();
    note("trouble");
    if (launch_.rank == 0 && launch_.file.empty()) {
        // The others read the store, which ends with this process.
        std::this_thread::sleep_for(seconds(2));
    }
    const bool is_loss = sentence != error.what();
    if (!speaks || (is_loss && launch_.starter == "hodo launch")) return silent;
    return base::Error(sentence, error.code());
}

}  // namespace

std::unique_ptr<Ranks> join_ranks(const base::Launch& launch, const RanksOptions& options) {
    try {
        return std::make_unique<ProcessRanks>(launch, options);
    } catch (const base::Error&) {
        throw;
    } catch (const std::exception& error) {
        base::fail(
            "rank {} of {} on {} was not connected to the others ({}); look for an error of rank "
            "0, or name the network to use with GLOO_SOCKET_IFNAME",
            launch.rank, launch.size, this_host(), first_line(error.what()));
    }
}

#endif

}  // namespace hodo::train
