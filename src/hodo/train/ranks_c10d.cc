// Ranks in processes of their own: LibTorch's c10d, which is included here and nowhere else.

#include "hodo/train/ranks.hh"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
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
    std::string number;  ///< Its address on the way to rank 0; empty where unknown.
};

Address parse_address(const std::vector<std::uint8_t>& bytes) {
    const auto words = base::split(std::string(bytes.begin(), bytes.end()), ' ');
    HODO_DOOR(words.size() == 3);
    return {words[0], static_cast<pid_t>(base::parse_int(words[1]).value_or(0)), words[2]};
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

/// Does `work` in a thread of its own: a call that asks rank 0 never returns when that process is
/// stopped. What it throws is thrown when the answer is taken.
template <class Work>
auto begin(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto answer = task.get_future();
    std::thread(std::move(task)).detach();
    return answer;
}

template <class Answer>
bool ready(std::future<Answer>& answer, Clock::duration limit) {
    return answer.wait_for(limit) == std::future_status::ready;
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
              bytes_of(base::format("{} {} {}", this_host(), getpid(),
                                    launch.rank > 0 && launch.file.empty()
                                        ? address_towards(launch.host).value_or("")
                                        : "")));
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
    // The others know the way to rank 0; rank 0 takes the way back, whether names resolve or not.
    const auto& back = other->number.empty() ? other->host : other->number;
    const auto target = launch.rank > 0 && addresses[0].host != own ? launch.host : back;
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
    /// What a look at the store can find. It is gone when rank 0 is.
    enum class Look { absent, present, unanswered, gone };
    /// What is said of ranks that do not go on.
    struct Loss {
        std::string sentence;
        bool has_ended = false;  ///< Their processes are no more.
    };
    Look look_for_trouble();
    template <class Question>
    auto ask(Question question) -> std::optional<decltype(question(std::declval<Store>()))>;
    void note(const std::string& key);
    bool has_the_word();
    Loss name_lost();
    bool runs_here(int rank) const;
    /// Whether the store ends with this process.
    bool keeps_store() const { return launch_.rank == 0 && launch_.file.empty(); }
    base::Launch launch_;
    RanksOptions options_;
    Store store_;
    bool store_answers_ = true;
    std::future<bool> trouble_;  ///< A look that has not been answered yet.
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
            const auto trouble = look_for_trouble();
            if (trouble == Look::present || trouble == Look::gone) {
                throw LostRank("another rank has given up");
            }
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

/// Whether a rank has given up. Asks again only when the last question has been answered.
ProcessRanks::Look ProcessRanks::look_for_trouble() {
    if (!trouble_.valid()) {
        trouble_ = begin([store = store_] { return store->check({"trouble"}); });
    }
    if (!ready(trouble_, seconds(1))) return Look::unanswered;
    try {
        return trouble_.get() ? Look::present : Look::absent;
    } catch (const std::exception&) {
        return Look::gone;
    }
}

/// Asks the store for the last time or nearly so: nothing when rank 0, which keeps it, is gone or
/// does not answer within a few seconds.
template <class Question>
auto ProcessRanks::ask(Question question)
    -> std::optional<decltype(question(std::declval<Store>()))> {
    if (!store_answers_) return std::nullopt;
    auto answer =
        begin([store = store_, question = std::move(question)] { return question(store); });
    try {
        if (ready(answer, seconds(6))) return answer.get();
    } catch (const std::exception& error) {
        base::detail("rank {}: {}", launch_.rank, first_line(error.what()));
    }
    store_answers_ = false;
    return std::nullopt;
}

void ProcessRanks::note(const std::string& key) {
    ask([key](const Store& store) {
        store->set(key, bytes_of("yes"));
        return true;
    });
}

/// True for the first rank that asks; without what the ranks share, for the first that is left.
bool ProcessRanks::has_the_word() {
    const auto place = ask([](const Store& store) { return store->add("word", 1); });
    return place ? *place == 1 : launch_.rank == 1;
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
ProcessRanks::Loss ProcessRanks::name_lost() {
    note(alive_key(launch_.rank));
    const auto answer = ask([size = launch_.size](const Store& store) {
        return missing(*store, "alive", size, Clock::now() + seconds(3));
    });
    const auto all = answer.value_or(std::vector{0});
    auto lost = all;
    std::erase_if(lost, [&](int rank) { return runs_here(rank); });
    const bool is_silent = lost.empty();
    if (is_silent) lost = all;
    std::vector<std::string> names;
    for (const int rank : lost) {
        const auto& address = addresses_[static_cast<std::size_t>(rank)];
        names.push_back(base::format("{} (process {} on {})", rank, address.process, address.host));
    }
    if (names.empty()) return {"the connection between the ranks broke"};
    const auto who = base::join(names, ", ");
    if (!is_silent) return {base::format("rank {} was lost", who), true};
    return {base::format("rank {} did not answer for {} seconds", who, options_.silence)};
}

base::Error ProcessRanks::give_up(const base::Error& error) {
    on_exit(leave_at_once, nullptr);
    base::Error silent("", error.code());
    if (std::string_view(error.what()).empty()) return silent;
    base::detail("rank {} gives up: {}", launch_.rank, error.what());
    std::string sentence = error.what();
    bool is_for_launcher = false;
    if (dynamic_cast<const LostRank*>(&error) != nullptr) {
        // Who noticed first looks for the lost ranks; the others only say that they live.
        if (look_for_trouble() == Look::present) {
            note(alive_key(launch_.rank));
            if (keeps_store()) missing(*store_, "told", 1, Clock::now() + seconds(10));
            return silent;
        }
        note("trouble");
        const auto loss = name_lost();
        // `hodo launch` sees its processes end, and how.
        is_for_launcher = loss.has_ended && launch_.starter == "hodo launch";
        sentence = base::format(
            "{}, so the training ended after its last checkpoint; look for the cause in the output "
            "of that rank and go on with --resume",
            loss.sentence);
    }
    const bool speaks = has_the_word();
    note("trouble");
    note("told.0");
    // The others still read the store.
    if (keeps_store()) std::this_thread::sleep_for(seconds(2));
    if (!speaks || is_for_launcher) return silent;
    return base::Error(sentence, error.code());
}

}  // namespace

std::unique_ptr<Ranks> join_ranks(const base::Launch& launch, const RanksOptions& options) {
    try {
        auto ranks = begin([=] { return std::make_unique<ProcessRanks>(launch, options); });
        const seconds limit(2 * options.wait + options.silence);
        if (!ready(ranks, limit)) {
            on_exit(leave_at_once, nullptr);
            base::fail(
                "rank {} of {} on {} waited {} seconds for an answer of rank 0 (is its process "
                "stopped?); look for errors in its output and start again",
                launch.rank, launch.size, this_host(), limit.count());
        }
        return ranks.get();
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
