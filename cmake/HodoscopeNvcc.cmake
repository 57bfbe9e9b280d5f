# The CUDA compiler. Architectures: -DCMAKE_CUDA_ARCHITECTURES=90 (default: Hopper, and Ampere to be
# translated by the driver).
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 90-real 80-virtual)
endif()
find_program(HODO_NVCC nvcc HINTS /usr/local/cuda/bin)
if(HODO_NVCC AND NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${HODO_NVCC})
endif()
enable_language(CUDA)
