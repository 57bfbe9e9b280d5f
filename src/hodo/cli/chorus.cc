#include "hodo/cli/chorus.hh"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hodo/base/launch.hh"
#include "hodo/base/text.hh"

namespace hodo::cli {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// How long the first rank answers, and how long the others ask.
constexpr milliseconds patience{2000};

class Socket {
  public:
    explicit Socket(int descriptor) : descriptor_(descriptor) {}
    ~Socket() {
        if (descriptor_ >= 0) close(descriptor_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int get() const { return descriptor_; }

  private:
    int descriptor_;
};

/// What is sent in place of the message.
std::string token(std::string_view message, base::ExitCode code) {
    return base::format("hodo {} {:016x}\n", static_cast<int>(code), base::fnv1a(message));
}

/// The job of this process when its ranks meet at a port and have not done so yet.
std::optional<base::Launch> open_job() {
    if (base::ranks_have_met()) return std::nullopt;
    try {
        const auto launch = base::read_launch(base::launch_variables());
        if (launch.size > 1 && launch.file.empty()) return launch;
    } catch (const base::Error&) {
        // Whoever does not know its place speaks for itself.
    }
    return std::nullopt;
}

/// Addresses of `host`, or of this machine for listening when it is null.
using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;
Addresses addresses(const char* host, int port) {
    addrinfo wanted{};
    wanted.ai_family = AF_INET;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = host == nullptr ? AI_PASSIVE : 0;
    addrinfo* found = nullptr;
    if (getaddrinfo(host, std::to_string(port).c_str(), &wanted, &found) != 0) found = nullptr;
    return {found, [](addrinfo* list) {
                if (list != nullptr) freeaddrinfo(list);
            }};
}

bool is_readable(int descriptor, milliseconds limit) {
    pollfd watched{descriptor, POLLIN, 0};
    return poll(&watched, 1, static_cast<int>(limit.count())) > 0;
}

milliseconds left(Clock::time_point end) {
    const auto rest = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    return std::max(rest, milliseconds(0));
}

/// What the first rank answers; nothing when it does not listen, or says nothing at once, as it
/// does when it has not failed and waits for ranks.
std::optional<std::string> answer_of(const addrinfo& address) {
    const Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
    if (socket.get() < 0 || connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
        return std::nullopt;
    }
    std::string text;
    while (text.find('\n') == std::string::npos && text.size() < 100) {
        std::array<char, 100> part{};
        if (!is_readable(socket.get(), milliseconds(500))) break;
        const auto count = recv(socket.get(), part.data(), part.size(), 0);
        if (count <= 0) break;
        text.append(part.data(), static_cast<std::size_t>(count));
    }
    return text;
}

}  // namespace

void tell_other_ranks(std::string_view message, base::ExitCode code) {
    const auto job = open_job();
    if (!job || job->rank != 0) return;
    const auto own = addresses(nullptr, job->port);
    const Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
    const int yes = 1;
    if (!own || socket.get() < 0 ||
        setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(socket.get(), own->ai_addr, own->ai_addrlen) != 0 ||
        listen(socket.get(), job->size) != 0) {
        return;
    }
    const auto text = token(message, code);
    const auto end = Clock::now() + patience;
    for (int told = 1; told < job->size && is_readable(socket.get(), left(end)); ++told) {
        const Socket other(accept(socket.get(), nullptr, nullptr));
        if (other.get() >= 0) send(other.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }
}

bool is_said_by_first_rank(std::string_view message, base::ExitCode code) {
    const auto job = open_job();
    if (!job || job->rank == 0) return false;
    const auto there = addresses(job->host.c_str(), job->port);
    if (!there) return false;
    for (const auto end = Clock::now() + patience; Clock::now() < end;) {
        if (const auto answer = answer_of(*there)) return *answer == token(message, code);
        std::this_thread::sleep_for(milliseconds(20));
    }
    return false;
}

}  // namespace hodo::cli
