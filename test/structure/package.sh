#!/usr/bin/env bash
# Installs the build, runs the installed program, builds a user's project against it, and makes the
# Debian package. Usage: test/structure/package.sh BUILD_FOLDER
set -euo pipefail
build=$(realpath "$1")
source=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '== %s\n' "$*"; }
expect() { grep -qF -- "$2" <<<"$1" || { echo "expected '$2' in: $1"; exit 1; }; }

say "install and move: nothing may depend on where it was put"
cmake --install "$build" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/prefix"
cd "$work"
expect "$(prefix/bin/hodo --version)" "hodo"
for library in prefix/lib/hodoscope/*.so prefix/bin/hodo; do
  case $library in */libduckdb.so) continue ;; esac
  if readelf -d "$library" | grep -E 'R(UN)?PATH' | grep -qF "$build"; then
    echo "$library looks for libraries in the build folder"
    exit 1
  fi
done
test -e prefix/lib/hodoscope/libduckdb.so
test -e prefix/lib/hodoscope/LICENSE.duckdb || echo "warning: DuckDB's licence is missing beside it"

say "a user's project"
cmake -S "$source/user" -B user -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >user.log 2>&1 || { cat user.log; exit 1; }
cmake --build user >build.log 2>&1 || { cat build.log; exit 1; }
expect "$(user/count_events)" "3 events"
expect "$(user/count_weights)" "slope 6"

if ! command -v dpkg-shlibdeps >/dev/null || ! command -v file >/dev/null; then
  say "no Debian package: dpkg-dev or file is not installed"
  exit 0
fi
say "the Debian package"
cpack --config "$build/CPackConfig.cmake" -B "$work/packages" >cpack.log 2>&1 || { cat cpack.log; exit 1; }
package=$(ls packages/hodoscope_*.deb)
expect "$(dpkg-deb --field "$package" Depends)" "libopenblas0-openmp | libblas.so.3"
expect "$(dpkg-deb --field "$package" Depends)" "libtorch"
dpkg-deb --extract "$package" unpacked
expect "$(unpacked/usr/bin/hodo --version)" "hodo"
say "$(basename "$package"): $(du -h "$package" | cut -f1)"
