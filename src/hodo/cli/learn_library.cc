#include "hodo/cli/learn_library.hh"

#include "hodo/base/error.hh"
#include "hodo/base/fast_blas.hh"

#include <dlfcn.h>

namespace hodo::cli {

namespace {

void* open_library() {
    // The program's run path points to the build tree or to lib/hodoscope beside bin.
    base::ask_for_fast_blas();
    void* library = dlopen("libhodo_learn.so", RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) {
        throw base::Error(
            base::format("this command needs libhodo_learn.so, which could not be opened ({}); "
                         "build Hodoscope with -DHODO_LEARN=ON and LibTorch installed",
                         dlerror()),
            base::ExitCode::defect);
    }
    return library;
}

}  // namespace

void (*learning_verb(std::string_view workflow, std::string_view verb))(const workflow::Job&) {
    static void* const library = open_library();
    using Table = int (*)(const workflow::LearningVerb**);
    const auto table = reinterpret_cast<Table>(dlsym(library, "hodo_learn_verbs"));
    HODO_DOOR(table != nullptr);
    const workflow::LearningVerb* verbs = nullptr;
    const int count = table(&verbs);
    for (int i = 0; i < count; ++i) {
        if (verbs[i].workflow == workflow && verbs[i].verb == verb) return verbs[i].run;
    }
    throw base::Defect(base::format("no verb '{} {}' in libhodo_learn.so", workflow, verb));
}

}  // namespace hodo::cli
