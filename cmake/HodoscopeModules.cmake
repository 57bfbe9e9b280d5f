# How folders become libraries, programs and tests.
#
#   *.avx2.cc, *.avx512.cc, *.amx.cc  kernels for one vector level, chosen at run time
#   workflow/<name>/learn/  the half of a workflow that needs LibTorch; the rest does not
#   train/options.cc        describes options; needs no LibTorch and goes below the seam

function(hodo_flags target)
  target_compile_options(${target} PRIVATE ${HODO_WARNINGS})
  target_include_directories(${target} PUBLIC
      $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<INSTALL_INTERFACE:include>)
endfunction()

function(hodo_vector_levels)
  set(avx512
      "-mavx2;-mfma;-mf16c;-mavx512f;-mavx512dq;-mavx512bw;-mavx512vl;-mprefer-vector-width=512;-O3")
  foreach(source ${ARGN})
    if(source MATCHES "\\.avx2\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c;-O3")
    elseif(source MATCHES "\\.avx512\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${avx512}")
    elseif(source MATCHES "\\.amx\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
          "${avx512};-mamx-tile;-mamx-bf16")
    endif()
  endforeach()
endfunction()

function(hodo_library target)
  add_library(${target} SHARED)
  hodo_flags(${target})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  if(NOT HODO_SANITIZE AND NOT HODO_FUZZ) # nothing below the seam may need what is above
    target_link_options(${target} PRIVATE -Wl,--no-undefined)
  endif()
endfunction()

# Adds every source of src/hodo/<folder>. The folder `workflow` alone means its own files only.
function(hodo_folder target folder)
  set(depth GLOB_RECURSE)
  if(folder STREQUAL "workflow")
    set(depth GLOB)
  endif()
  file(${depth} sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/hodo/${folder}/*.cc)
  if(target STREQUAL "hodo_learn")
    list(FILTER sources EXCLUDE REGEX "/options\\.cc$")
  endif()
  hodo_vector_levels(${sources})
  target_sources(${target} PRIVATE ${sources})
endfunction()

function(hodo_workflow name)
  file(GLOB plain CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/hodo/workflow/${name}/*.cc)
  target_sources(hodo_base PRIVATE ${plain})
  if(HODO_LEARN)
    file(GLOB learning CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/hodo/workflow/${name}/learn/*.cc)
    target_sources(hodo_learn PRIVATE ${learning})
  endif()
endfunction()

function(hodo_program target folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/hodo/${folder}/*.cc)
  add_executable(${target} ${sources})
  hodo_flags(${target})
endfunction()

# One test executable per folder of test/, one ctest entry per suite. The label of a suite comes
# from its file: x.golden.test.cc -> golden, x.train.test.cc -> train, x.test.cc -> unit.
function(hodo_tests name folder)
  cmake_parse_arguments(arg "" "" "LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/${folder}/*.test.cc)
  if(NOT sources)
    return()
  endif()
  set(target hodo_test_${name})
  add_executable(${target} ${sources})
  hodo_flags(${target})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/test)
  target_link_libraries(${target} PRIVATE hodo_test_support ${arg_LIBRARIES})
  foreach(source ${sources})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    set(label unit)
    if(source MATCHES "\\.([a-z]+)\\.test\\.cc$")
      set(label ${CMAKE_MATCH_1})
    endif()
    file(STRINGS ${source} lines REGEX "^(TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\\(")
    set(suites "")
    foreach(line ${lines})
      string(REGEX REPLACE "^[A-Z_]+\\(([A-Za-z0-9_]+).*" "\\1" suite "${line}")
      list(APPEND suites ${suite})
    endforeach()
    list(REMOVE_DUPLICATES suites)
    foreach(suite ${suites})
      add_test(NAME ${name}.${suite}
               COMMAND ${target} --gtest_filter=${suite}.*:*/${suite}.*:${suite}/*.*)
      set_tests_properties(${name}.${suite} PROPERTIES LABELS ${label} TIMEOUT 900
          SKIP_RETURN_CODE 77
          ENVIRONMENT "HODO_PROGRAM=${CMAKE_BINARY_DIR}/bin/hodo")
    endforeach()
  endforeach()
endfunction()
