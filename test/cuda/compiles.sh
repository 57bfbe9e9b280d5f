#!/usr/bin/env bash
# Compiles the CUDA kernels and the program that judges them, and starts it: without a device it
# must say so. Exit code 77, with the reason, where nvcc is absent.
#   compiles.sh BUILD_FOLDER
set -euo pipefail
build=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
nvcc=$(command -v nvcc || true)
[ -n "$nvcc" ] || nvcc=/usr/local/cuda/bin/nvcc
if [ ! -x "$nvcc" ]; then
  echo "skipped: no nvcc on this machine (install a CUDA toolkit to compile the kernels)"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for source in "$root"/src/hodo/*/cuda/*.cu; do
  name=${source#"$root"/src/hodo/}
  name=${name%.cu}
  name=${name//\//.}
  "$nvcc" -std=c++17 -O3 -I"$root/src" -Xcompiler -Wall,-Wextra -Werror all-warnings \
    -gencode arch=compute_90,code=sm_90 -gencode arch=compute_80,code=compute_80 \
    -c "$source" -o "$folder/$name.o"
  echo "compiled $name for sm_90 and, as PTX, for sm_80"
done
for source in test/cuda/kernels.cc test/support/main.cc src/hodo/nn/kernels/attention_reference.cc \
  src/hodo/nn/kernels/feed_forward_reference.cc; do
  "${CXX:-c++}" -std=c++20 -O2 -I"$root/src" -I"$root/test" -c "$root/$source" \
    -o "$folder/$(basename "$source").o"
done
"$nvcc" -cudart static "$folder"/*.o -o "$folder/hodo_test_cuda" -L"$build/lib" -lhodo_base \
  -lgmock -lgtest -Xlinker -rpath,"$build/lib"
code=0
"$folder/hodo_test_cuda" || code=$?
if [ $code -eq 77 ]; then exit 0; fi # no device: said above
exit $code
