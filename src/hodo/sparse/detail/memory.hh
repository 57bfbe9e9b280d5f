#pragma once
/// Memory of layers that is used again: a fresh large block costs more to be given by the system,
/// page by page, than a layer takes to fill it.

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace hodo::sparse {

/// Memory without values, aligned to 64 bytes. Freed blocks are kept and given out again; together
/// with those in use they exceed what was once in use at the same time by a quarter at most. Safe
/// to use from several threads.
void* take_memory(std::size_t bytes);
/// `bytes` as it was asked for.
void give_memory(void* memory, std::size_t bytes) noexcept;

/// Allocates from there and leaves new numbers without values unless one is given.
template <class T>
struct Recycled {
    using value_type = T;
    Recycled() = default;
    template <class U>
    Recycled(const Recycled<U>&) {}
    T* allocate(std::size_t count) { return static_cast<T*>(take_memory(count * sizeof(T))); }
    void deallocate(T* memory, std::size_t count) noexcept {
        give_memory(memory, count * sizeof(T));
    }
    template <class U>
    void construct(U* place) {
        if constexpr (!std::is_trivially_default_constructible_v<U>) ::new (place) U;
    }
    template <class U, class... Arguments>
    void construct(U* place, Arguments&&... arguments) {
        ::new (place) U(std::forward<Arguments>(arguments)...);
    }
    friend bool operator==(Recycled, Recycled) { return true; }
};

template <class T>
using RecycledVector = std::vector<T, Recycled<T>>;

}  // namespace hodo::sparse
