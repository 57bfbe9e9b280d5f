#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <vector>

#include <setjmp.h>
#include <ucontext.h>

namespace emulation {

namespace {

constexpr std::size_t stack_bytes = 64 * 1024;

enum class State { ready, at_block_barrier, at_warp_barrier, done };

struct Fiber {
    ucontext_t begin{};
    jmp_buf place{};
    bool begun = false;
    std::unique_ptr<char[]> stack;
    State state = State::ready;
};

std::vector<Fiber> fibers;
jmp_buf scheduler;
std::size_t current = 0;
const std::function<void()>* body = nullptr;
std::vector<float> memory, given[2];
std::vector<unsigned> turns;

void run_fiber() {
    (*body)();
    fibers[current].state = State::done;
    _longjmp(scheduler, 1);
}

void begin_fiber(std::size_t number) {
    auto& fiber = fibers[number];
    if (!fiber.stack) fiber.stack = std::make_unique<char[]>(stack_bytes);
    getcontext(&fiber.begin);
    fiber.begin.uc_stack.ss_sp = fiber.stack.get();
    fiber.begin.uc_stack.ss_size = stack_bytes;
    fiber.begin.uc_link = nullptr;
    makecontext(&fiber.begin, run_fiber, 0);
    fiber.begun = false;
    fiber.state = State::ready;
}

/// Lets a fiber run to its next barrier or its end.
void enter(Fiber& fiber) {
    if (_setjmp(scheduler) != 0) return;
    if (fiber.begun) _longjmp(fiber.place, 1);
    fiber.begun = true;
    setcontext(&fiber.begin);
}

/// Lets threads [first, last) go on when all that still run have reached a barrier.
bool release(std::size_t first, std::size_t last, State barrier) {
    bool any = false;
    for (auto i = first; i < last; ++i) {
        if (fibers[i].state != State::done && fibers[i].state != barrier) return false;
        any = any || fibers[i].state == barrier;
    }
    for (auto i = first; i < last; ++i) {
        if (fibers[i].state == barrier) fibers[i].state = State::ready;
    }
    return any;
}

bool release_some(std::size_t threads) {
    bool any = false;
    for (std::size_t first = 0; first < threads; first += 32) {
        any = release(first, std::min(first + 32, threads), State::at_warp_barrier) || any;
    }
    return any || release(0, threads, State::at_block_barrier);
}

void run_block(std::size_t threads) {
    std::fill(memory.begin(), memory.end(), std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < threads; ++i) begin_fiber(i);
    do {
        for (current = 0; current < threads; ++current) {
            if (fibers[current].state != State::ready) continue;
            thread_index = dim3(static_cast<unsigned>(current), 0, 0);
            enter(fibers[current]);
        }
    } while (release_some(threads));
    for (std::size_t i = 0; i < threads; ++i) {
        if (fibers[i].state == State::done) continue;
        std::fprintf(stderr, "thread %zu of block (%u, %u) waits for others that never come\n", i,
                     block_index.x, block_index.y);
        std::abort();
    }
}

}  // namespace

void wait(Barrier barrier) {
    auto& fiber = fibers[current];
    fiber.state = barrier == Barrier::block ? State::at_block_barrier : State::at_warp_barrier;
    if (_setjmp(fiber.place) == 0) _longjmp(scheduler, 1);
}

float* block_memory() {
    return memory.data();
}

float exchange(float value, unsigned lane) {
    // Two places in turn: nobody writes one again before all have read it.
    auto& place = given[turns[current]++ % 2];
    place[current] = value;
    const auto first = current / 32 * 32;
    wait(Barrier::warp);
    return place[first + lane];
}

void run_blocks(dim3 blocks, dim3 threads, std::size_t bytes, const std::function<void()>& kernel) {
    const std::size_t count = threads.x;
    if (fibers.size() < count) fibers.resize(count);
    body = &kernel;
    memory.resize(bytes / sizeof(float) + 1);
    for (auto& place : given) place.assign(count, 0.0F);
    grid_size = blocks;
    block_size = threads;
    for (unsigned y = 0; y < blocks.y; ++y) {
        for (unsigned x = 0; x < blocks.x; ++x) {
            block_index = dim3(x, y, 0);
            turns.assign(count, 0);
            run_block(count);
        }
    }
}

}  // namespace emulation
