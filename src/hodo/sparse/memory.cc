#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>

#include <sys/mman.h>

#include "hodo/sparse/detail/memory.hh"

namespace hodo::sparse {

namespace {

constexpr std::size_t line = 64;
constexpr std::size_t smallest_kept = std::size_t{1} << 16;
constexpr std::size_t huge_page = std::size_t{1} << 21;
constexpr std::size_t smallest_huge = huge_page / 4 * 3;  // worth whole huge pages
constexpr std::size_t largest_excess = 2;                 // times what was asked for

/// Sizes come in eight steps per power of two.
std::size_t size_class(std::size_t bytes) {
    const auto step = std::max(line, std::bit_floor(bytes) / 8);
    return (bytes + step - 1) / step * step;
}

void* from_system(std::size_t bytes) {
    const bool large = bytes >= smallest_huge;
    const auto alignment = large ? huge_page : line;
    void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    if (large) madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

/// Never destroyed: tensors may outlive it otherwise.
class Store {
  public:
    static Store& instance() {
        static Store* const store = new Store;
        return *store;
    }

    void* take(std::size_t bytes) {
        const std::lock_guard guard(lock_);
        auto found = free_.lower_bound(bytes);
        if (found != free_.end() && found->first <= largest_excess * bytes) {
            void* memory = found->second;
            kept_ -= found->first;
            note(memory, found->first);
            free_.erase(found);
            return memory;
        }
        while (!free_.empty() && used_ + kept_ + bytes > most_ + most_ / 4) release_largest();
        void* memory = from_system(bytes);
        note(memory, bytes);
        return memory;
    }

    void give(void* memory) {
        const std::lock_guard guard(lock_);
        const auto known = sizes_.find(memory);
        free_.emplace(known->second, memory);
        kept_ += known->second;
        used_ -= known->second;
        sizes_.erase(known);
    }

  private:
    void note(void* memory, std::size_t bytes) {
        sizes_.emplace(memory, bytes);
        used_ += bytes;
        most_ = std::max(most_, used_);
    }
    void release_largest() {
        const auto last = std::prev(free_.end());
        kept_ -= last->first;
        std::free(last->second);
        free_.erase(last);
    }

    std::mutex lock_;
    std::multimap<std::size_t, void*> free_;
    std::unordered_map<void*, std::size_t> sizes_;  ///< Of blocks in use.
    std::size_t used_ = 0, kept_ = 0, most_ = 0;
};

}  // namespace

void* take_memory(std::size_t bytes) {
    if (bytes < smallest_kept) return from_system(std::max(line, size_class(bytes)));
    return Store::instance().take(size_class(bytes));
}

void give_memory(void* memory, std::size_t bytes) noexcept {
    if (bytes < smallest_kept) {
        std::free(memory);
    } else {
        Store::instance().give(memory);
    }
}

}  // namespace hodo::sparse
