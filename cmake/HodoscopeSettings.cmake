# Compiler flags, build type, cache and linker: the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_BUILD_RPATH ${CMAKE_BINARY_DIR}/lib)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(HODO_CCACHE ccache)
if(HODO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The base folder makes paths relative, so that checkouts share one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${HODO_CCACHE})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  find_program(HODO_MOLD mold)
  if(HODO_MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
endif()

if(HODO_SANITIZE)
  add_compile_options(-fsanitize=${HODO_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all
                      -Wno-maybe-uninitialized) # g++ 12 errs about std::regex under sanitizers
  add_link_options(-fsanitize=${HODO_SANITIZE})
endif()

if(HODO_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()

set(HODO_WARNINGS -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  list(APPEND HODO_WARNINGS -Wno-implicit-int-float-conversion -Wno-sign-conversion)
endif()

# The commit stands in --version and in every run's provenance.
execute_process(COMMAND git -C ${CMAKE_CURRENT_SOURCE_DIR} rev-parse --short HEAD
                OUTPUT_VARIABLE HODO_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT HODO_COMMIT)
  set(HODO_COMMIT "unknown commit")
endif()
