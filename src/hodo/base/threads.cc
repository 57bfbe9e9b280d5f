#include "hodo/base/threads.hh"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <exception>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <vector>

#include <omp.h>
#if defined(__linux__)
#include <sched.h>
#endif

namespace hodo::base {

namespace {

using Body = std::function<void(std::int64_t, std::int64_t)>;

/// A thread takes one of so many parts of what is left of its slice: large parts at first and small
/// ones at the end, where half a part is waited for. Of a neighbour's slice, which two share then,
/// it takes half of that.
constexpr std::uint32_t parts_of_what_is_left = 4;

/// No part is smaller than one of so many for each thread of the whole range: handing out smaller
/// ones costs what they save.
constexpr std::int64_t smallest_parts = 64;

/// How long a thread that looks for work, or for the end of another's part, keeps its core, and how
/// long it goes on while nobody else wants the core before it sleeps. A core that sleeps between
/// two sections wakes late, on a virtual machine most of all.
constexpr std::chrono::microseconds longest_spin(50);
constexpr std::chrono::microseconds longest_look(1000);

/// How long a worker keeps its core from others while it has work. Less than the time slice of
/// Linux (1.4 ms on two cores, more on others): who has given its core away between two parts is
/// not sent off it in the middle of one.
constexpr std::chrono::microseconds longest_turn(1000);

/// After a section that lost time by sharing, its kind is not shared for this many times the loss:
/// on a machine whose cores are taken, sharing costs at most the inverse of it.
constexpr int rest_after_loss = 20;

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

std::atomic<int> thread_count{0};
thread_local bool alone = false;

/// While it lives, sections started by this thread run in it, LibTorch's included.
class InsideSection {
  public:
    InsideSection() : alone_before_(alone), operators_before_(omp_get_max_threads()) {
        alone = true;
        if (operators_before_ != 1) omp_set_num_threads(1);
    }
    ~InsideSection() {
        alone = alone_before_;
        if (operators_before_ != 1) omp_set_num_threads(operators_before_);
    }
    InsideSection(const InsideSection&) = delete;
    InsideSection& operator=(const InsideSection&) = delete;

  private:
    bool alone_before_;
    int operators_before_;
};

/// Time that this thread has been computing. Not to be asked while others wait: where the time
/// slice is used up, Linux sends the thread off its core on this occasion.
Nanoseconds computing_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

/// The core on which this thread runs; -1 where the system does not say.
int this_core() {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

/// The cores that a thread may use.
class Cores {
  public:
    /// Those of this thread, which alone may call `avoid`.
    Cores() {
#if defined(__linux__)
        if (sched_getaffinity(0, sizeof all_, &all_) != 0) CPU_ZERO(&all_);
#endif
    }
    /// The thread leaves a core and does not come back, until it is to avoid another one. Nothing
    /// happens when it has no other core.
    void avoid([[maybe_unused]] int core) const {
#if defined(__linux__)
        auto others = all_;
        CPU_CLR(static_cast<std::size_t>(core), &others);
        if (CPU_COUNT(&others) > 0) sched_setaffinity(0, sizeof others, &others);
#endif
    }

#if defined(__linux__)
  private:
    cpu_set_t all_{};
#endif
};

/// What sharing has brought for one kind of section. A worker that was sent off its core in the
/// middle of a part makes the caller wait until it is back, about a time slice. Long sections gain
/// more than that on a busy machine, short ones lose.
class Account {
  public:
    bool sharing_pays(Clock::time_point now) {
        if (gain_.count() < 0) {
            rest_until_ = ended_ + rest_after_loss * -gain_;
            gain_ = Nanoseconds(0);
        }
        return now >= rest_until_;
    }
    /// The caller of a section that ended at `now` had waited for its workers.
    void waited(Nanoseconds time, Clock::time_point now) {
        gain_ = gain_ * 7 / 8 - time;
        ended_ = now;
    }
    /// A worker computed in a section; said when nobody waits for it any more.
    void helped(Nanoseconds time) { gain_ += time; }

  private:
    Nanoseconds gain_{0};  ///< A sum that forgets.
    Clock::time_point ended_, rest_until_;
};

/// Whether `done` came true while this thread was looking. `yield` is to let others have the core.
template <class Condition, class Yield>
bool look_for(const Condition& done, const Yield& yield) {
    const auto begin = Clock::now();
    for (auto now = begin; now < begin + longest_look; now = Clock::now()) {
        for (int i = 0; i < 16; ++i) {
            if (done()) return true;
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
        if (now > begin + longest_spin) yield();
    }
    return done();
}

/// A worker's turn on its core, and what it computes.
class Worker {
  public:
    /// `number`: how many workers there were before it.
    explicit Worker(std::size_t number) : number_(number) {}
    std::size_t number() const { return number_; }
    bool turn_is_over() const { return Clock::now() > begin_ + longest_turn; }
    void begin_turn() { begin_ = Clock::now(); }
    /// Lets others have the core; returns at once where nobody wants it.
    void yield() {
        std::this_thread::yield();
        begin_turn();
    }
    void avoid(int core) const { cores_.avoid(core); }
    /// What this thread has computed since it was last asked.
    Nanoseconds computed() {
        const auto before = std::exchange(computed_, computing_time());
        return computed_ - before;
    }

  private:
    std::size_t number_;
    const Cores cores_;
    Clock::time_point begin_ = Clock::now();
    Nanoseconds computed_ = computing_time();
};

/// A range of work, cut into equal units of at least its grain. A part is one unit or several.
class Range {
  public:
    Range(std::int64_t count, std::int64_t grain, std::int64_t threads, const Body& body)
        : count_(count), worth_(std::max<std::int64_t>(1, grain)), body_(&body) {
        const auto unit = std::max(worth_, count / (threads * smallest_parts));
        units_ = std::max<std::int64_t>(1, count / unit);
    }
    std::int64_t count() const { return count_; }
    std::int64_t units() const { return units_; }
    /// How many parts of the grain it has.
    std::int64_t parts() const { return count_ / worth_; }
    const Body& body() const { return *body_; }
    void work(std::int64_t first_unit, std::int64_t last_unit) const {
        (*body_)(begin_of(first_unit), begin_of(last_unit));
    }

  private:
    std::int64_t begin_of(std::int64_t unit) const {
        return count_ / units_ * unit + std::min(unit, count_ % units_);
    }

    std::int64_t count_, worth_, units_ = 1;
    const Body* body_;
};

/// The units of a range that are one thread's own. It takes them from the front, others from the
/// back. On a line of the cache of its own.
class alignas(64) Slice {
  public:
    struct alignas(std::uint64_t) Units {  // so that compilers change it as one number
        std::uint32_t begin = 0, end = 0;
        std::uint32_t count() const { return end - begin; }
    };

    void fill(std::int64_t begin, std::int64_t end) {
        units_ = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
    }
    Units take() {
        return change([](Units& units) {
            const auto begin = units.begin;
            units.begin += part_of(units.count(), parts_of_what_is_left);
            return Units{begin, units.begin};
        });
    }
    Units take_from_owner() {
        return change([](Units& units) {
            const auto end = units.end;
            units.end -= part_of(units.count(), 2 * parts_of_what_is_left);
            return Units{units.end, end};
        });
    }
    /// Nobody is given this unit and those behind it any more; returns those it takes away.
    Units cut_at(std::int64_t unit) {
        return change([unit](Units& units) {
            const auto end = units.end;
            units.end =
                static_cast<std::uint32_t>(std::clamp<std::int64_t>(unit, units.begin, units.end));
            return Units{units.end, end};
        });
    }

  private:
    static std::uint32_t part_of(std::uint32_t units, std::uint32_t parts) {
        return std::min(units, std::max(1U, units / parts));
    }
    template <class Change>
    Units change(const Change& take_away) {
        auto before = units_.load(std::memory_order_relaxed);
        for (;;) {
            if (before.count() == 0) return {};
            auto after = before;
            const auto taken = take_away(after);
            if (units_.compare_exchange_weak(before, after)) return taken;
        }
    }

    std::atomic<Units> units_{Units{}};
};

/// A section: lives on its caller's stack while the caller is in `parallel_for`. Each of those who
/// share it has a seat, the caller the first one, and on it a slice of every range.
class Section {
  public:
    /// `seats`: for how many threads; there is one range at least.
    Section(std::span<const Range> ranges, std::int64_t seats)
        : ranges_(ranges),
          seats_(static_cast<std::size_t>(seats)),
          slices_(ranges.size() * seats_),
          failed_range_(ranges.size()) {
        for (std::size_t range = 0; range < ranges.size(); ++range) {
            const auto units = ranges[range].units();
            left_ += units;
            for (std::int64_t seat = 0; seat < seats; ++seat) {
                slice(range, static_cast<std::size_t>(seat))
                    .fill((units * seat + seats - 1) / seats,
                          (units * (seat + 1) + seats - 1) / seats);
            }
        }
    }

    /// Sections made by the same piece of code with ranges of a similar size.
    std::size_t kind() const {
        std::int64_t count = 0;
        for (const auto& range : ranges_) count += range.count();
        const auto size = static_cast<std::size_t>(std::bit_width(static_cast<std::size_t>(count)));
        return ranges_.front().body().target_type().hash_code() * 64 + size;
    }
    bool has_parts() const { return left_.load(std::memory_order_relaxed) > 0; }

    /// The caller takes parts until none are left.
    void work() {
        const InsideSection inside;
        while (take_part(0)) callers_core_.store(this_core(), std::memory_order_relaxed);
    }

    /// A worker takes parts until none are left or its turn is over. On the caller's core it would
    /// only keep the caller from working: it leaves it first.
    void help(const Worker& worker) {
        const InsideSection inside;
        const auto seat = 1 + worker.number() % (seats_ - 1);
        do {
            const int core = callers_core_.load(std::memory_order_relaxed);
            if (core >= 0 && core == this_core()) worker.avoid(core);
        } while (take_part(seat) && !worker.turn_is_over());
    }

    void rethrow() const {
        if (failure_) std::rethrow_exception(failure_);
    }

    // Changed under the pool's lock.
    int room = 0;  ///< Workers that may still join.
    std::atomic<int> workers{0};
    bool caller_sleeps = false;
    std::condition_variable ended;

  private:
    Slice& slice(std::size_t range, std::size_t seat) { return slices_[range * seats_ + seat]; }

    /// Takes a part of the first range that has one: of the seat's own slice, else of a
    /// neighbour's.
    bool take_part(std::size_t seat) {
        for (std::size_t range = 0; range < ranges_.size(); ++range) {
            for (std::size_t step = 0; step < seats_; ++step) {
                auto& from = slice(range, (seat + step) % seats_);
                const auto units = step == 0 ? from.take() : from.take_from_owner();
                if (units.count() == 0) continue;
                left_.fetch_sub(units.count(), std::memory_order_relaxed);
                try {
                    ranges_[range].work(units.begin, units.end);
                } catch (...) {
                    fail(range, units.begin);
                }
                return true;
            }
        }
        return false;
    }

    /// Parts behind the one that failed are not begun, those before it are: one of them may fail
    /// too, and the first in order counts.
    void fail(std::size_t range, std::int64_t unit) {
        const std::lock_guard guard(failure_lock_);
        if (std::pair(range, unit) >= std::pair(failed_range_, failed_unit_)) return;
        failed_range_ = range;
        failed_unit_ = unit;
        failure_ = std::current_exception();
        for (auto behind = range; behind < ranges_.size(); ++behind) {
            for (std::size_t seat = 0; seat < seats_; ++seat) {
                const auto gone = slice(behind, seat).cut_at(behind == range ? unit : 0);
                left_.fetch_sub(gone.count(), std::memory_order_relaxed);
            }
        }
    }

    std::span<const Range> ranges_;
    std::size_t seats_;
    std::vector<Slice> slices_;          ///< By range and seat.
    std::atomic<std::int64_t> left_{0};  ///< Units of all slices.
    std::atomic<int> callers_core_{this_core()};
    std::mutex failure_lock_;
    std::size_t failed_range_;
    std::int64_t failed_unit_ = 0;
    std::exception_ptr failure_;
};

/// Threads that help with sections. There is one pool, never destroyed: its threads sleep when the
/// process ends, and nothing has to be waited for.
class Pool {
  public:
    static Pool& instance() {
        static Pool* const pool = new Pool;
        return *pool;
    }

    /// Works on a section with up to `helpers` workers; returns when all its parts have ended.
    void run(Section& section, int helpers) {
        const auto kind = section.kind();
        if (sharing_pays(kind)) {
            const int sleepers = offer(section, helpers);
            for (int i = 0; i < sleepers; ++i) wake_.notify_one();
            section.work();
            withdraw(section, kind);
        } else {
            section.work();
        }
        section.rethrow();
    }

  private:
    bool sharing_pays(std::size_t kind) {
        const auto now = Clock::now();
        const std::lock_guard guard(lock_);
        return accounts_[kind].sharing_pays(now);
    }

    /// Makes a section known. Returns how many sleeping workers should be woken for it.
    int offer(Section& section, int helpers) {
        const std::lock_guard guard(lock_);
        hire(helpers);
        section.room = helpers;
        sections_.push_back(&section);
        offers_.fetch_add(1);
        return std::min(helpers, sleeping_);
    }

    /// Makes workers until there are as many as asked for, or as the system allows.
    void hire(int helpers) {
        try {
            for (; workers_ < helpers; ++workers_) {
                std::thread([this, number = workers_] { work(number); }).detach();
            }
        } catch (const std::system_error&) {
            // The caller works with those there are.
        }
    }

    /// Nobody can join the section any more; waits for those who have.
    void withdraw(Section& section, std::size_t kind) {
        const auto none_left = [&] { return section.workers.load() == 0; };
        const auto begin = Clock::now();
        std::unique_lock guard(lock_);
        std::erase(sections_, &section);
        if (!none_left()) {
            guard.unlock();
            look_for(none_left, std::this_thread::yield);
            guard.lock();
            section.caller_sleeps = true;
            section.ended.wait(guard, none_left);
        }
        const auto now = Clock::now();
        accounts_[kind].waited(now - begin, now);
    }

    Section* find_section() const {
        const auto found = std::find_if(
            sections_.begin(), sections_.end(),
            [](const Section* section) { return section->room > 0 && section->has_parts(); });
        return found == sections_.end() ? nullptr : *found;
    }

    /// What a worker does all its life.
    void work(int number) {
        use_this_thread_alone();
        Worker worker(static_cast<std::size_t>(number));
        std::unique_lock guard(lock_);
        for (;;) {
            if (auto* section = find_section()) {
                help(*section, worker, guard);
            } else {
                wait_for_news(worker, guard);
            }
        }
    }

    void help(Section& section, Worker& worker, std::unique_lock<std::mutex>& guard) {
        const auto kind = section.kind();
        --section.room;
        section.workers.fetch_add(1);
        guard.unlock();
        section.help(worker);
        guard.lock();
        ++section.room;
        const bool last = section.workers.fetch_sub(1) == 1;
        if (last && section.caller_sleeps) section.ended.notify_one();
        // From here on nobody waits for this worker, and the section may be gone.
        guard.unlock();
        const auto computed = worker.computed();
        guard.lock();
        accounts_[kind].helped(computed);
        guard.unlock();
        if (worker.turn_is_over()) worker.yield();
        guard.lock();
    }

    /// Until a section has been offered.
    void wait_for_news(Worker& worker, std::unique_lock<std::mutex>& guard) {
        const auto seen = offers_.load();
        const auto news = [&] { return offers_.load() != seen; };
        guard.unlock();
        look_for(news, [&] { worker.yield(); });
        guard.lock();
        if (!news()) {
            ++sleeping_;
            wake_.wait(guard, news);
            --sleeping_;
            worker.begin_turn();
        }
        guard.unlock();
        worker.computed();  // looking does not count
        guard.lock();
    }

    std::mutex lock_;
    std::condition_variable wake_;
    std::vector<Section*> sections_;
    std::unordered_map<std::size_t, Account> accounts_;  ///< By kind of section.
    std::atomic<std::uint64_t> offers_{0};               ///< Sections ever offered.
    int workers_ = 0;
    int sleeping_ = 0;
};

}  // namespace

void set_threads(int count) {
    thread_count = std::max(1, count);
    omp_set_num_threads(std::max(1, count));
}

int threads() {
    const int count = thread_count;
    return count > 0 ? count : omp_get_num_procs();
}

void use_this_thread_alone() {
    alone = true;
    omp_set_num_threads(1);
}

namespace {

void share(std::span<const Range> ranges, std::int64_t threads) {
    std::int64_t parts = 0;
    for (const auto& range : ranges) parts += range.parts();
    if (parts < 2 || threads == 1 || alone) {
        for (const auto& range : ranges) range.work(0, range.units());
        return;
    }
    const auto seats = std::min(threads, parts);
    Section section(ranges, seats);
    Pool::instance().run(section, static_cast<int>(seats - 1));
}

}  // namespace

void parallel_for(std::int64_t count, std::int64_t grain, const Body& body) {
    if (count <= 0) return;
    const std::int64_t workers = threads();
    const Range range(count, grain, workers, body);
    share({&range, 1}, workers);
}

void parallel_for(std::span<const Work> works) {
    const std::int64_t workers = threads();
    std::vector<Range> ranges;
    for (const auto& work : works) {
        if (work.count > 0) ranges.emplace_back(work.count, work.grain, workers, work.body);
    }
    if (!ranges.empty()) share(ranges, workers);
}

}  // namespace hodo::base
