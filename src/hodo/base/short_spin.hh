#pragma once
/// For the source of a program's `main`: threads that wait for work sleep soon.
///
/// libgomp reads its settings from the environment when it is loaded, before any constructor of
/// ours. By default its threads spin for milliseconds at the end of every parallel section, which
/// on a machine with other work makes two threads many times slower than one. This header puts a
/// function in the program's .preinit_array, which runs before all shared libraries are
/// initialised, and sets a short spin unless the user has chosen (GOMP_SPINCOUNT or
/// OMP_WAIT_POLICY).

#include <cstdlib>

namespace {

void choose_short_spin(int, char**, char**) {
    if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
    setenv("GOMP_SPINCOUNT", "2000", 0);  // Some microseconds.
}

[[gnu::used, gnu::section(".preinit_array")]] void (*const short_spin)(int, char**,
                                                                       char**) = choose_short_spin;

}  // namespace
