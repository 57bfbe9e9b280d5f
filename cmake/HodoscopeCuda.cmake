# CUDA kernels (option HODO_CUDA): src/hodo/*/cuda/*.cu without LibTorch, and with a CUDA LibTorch the
# doors to them.
find_package(CUDAToolkit REQUIRED)

file(GLOB cuda_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/hodo/*/cuda/*.cu)
add_library(hodo_cuda STATIC ${cuda_sources})
set_target_properties(hodo_cuda PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON
    POSITION_INDEPENDENT_CODE ON LINKER_LANGUAGE CUDA)
target_include_directories(hodo_cuda PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>)

# One CUDA runtime serves LibTorch and our kernels, so with a CUDA LibTorch it is the shared one.
if(HODO_LEARN AND TARGET torch_cuda)
  target_link_libraries(hodo_cuda PUBLIC CUDA::cudart)
  target_link_libraries(hodo_learn PRIVATE $<BUILD_INTERFACE:hodo_cuda>)
  target_compile_definitions(hodo_learn PRIVATE HODO_WITH_CUDA=1)
else()
  target_link_libraries(hodo_cuda PUBLIC CUDA::cudart_static)
  message(STATUS "HODO_CUDA: this LibTorch has no CUDA; the kernels are compiled and tested without it")
endif()
