#!/usr/bin/env bash
# The rules of tools/check refuse what they are there to refuse: each gets a small tree that breaks it.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

fresh() {
  rm -rf "${tree:?}"/*
  mkdir -p "$tree"/{src/hodo,test/cli,bench,cmake,configs,docs,.ci}
  cp -r "$source/tools" "$source/.clang-format" "$tree"
  printf '# none\n' >"$tree/tools/untested.txt"
  touch "$tree"/{CMakeLists.txt,README.md,CONTRIBUTING.md}
}
put() {  # FILE, content on standard input
  mkdir -p "$tree/$(dirname "$1")"
  cat >"$tree/$1"
}
expect() {  # RULE TEXT: the rule fails and says so; with an empty text it passes
  local code=0 said
  said=$(cd "$tree" && "tools/checks/$1" 2>&1) || code=$?
  if [ -z "$2" ]; then
    [ $code -eq 0 ] || { echo "$1 should pass, but: $said"; failed=1; }
  elif [ $code -eq 0 ] || ! grep -qF -- "$2" <<<"$said"; then
    echo "$1 should fail with '$2', but (exit $code): $said"
    failed=1
  fi
}

fresh
put src/hodo/base/text.cc <<<'#include "hodo/base/text.hh"
#include <fmt/format.h>'
put src/hodo/io/npz.cc <<<'#include "hodo/base/text.hh"
#include <unistd.h>'
put src/hodo/workflow/om2vec/learn/model.cc <<<'#include "hodo/nn/norm.hh"
#include "hodo/workflow/om2vec/options.hh"
#include <ATen/ops/matmul.h>'
expect layers ""
put src/hodo/base/bad.cc <<<'#include "hodo/io/npz.hh"'
expect layers "src/hodo/base/bad.cc:1: base may not include hodo/io/npz.hh"
put src/hodo/base/bad.cc <<<'#include <fmt/args.h>'
expect layers "fmt is already included by another file of base"
put src/hodo/base/bad.cc <<<'#include <boost/any.hpp>'
expect layers "base may not include boost/any.hpp"
rm "$tree/src/hodo/base/bad.cc"
put src/hodo/detector/hawc/map.cc <<<'#include "hodo/detector/optical/events.hh"'
expect layers "detector/* may not include hodo/detector/optical/events.hh"
rm "$tree/src/hodo/detector/hawc/map.cc"
put src/hodo/workflow/om2vec/report.cc <<<'#include "hodo/workflow/om2vec/learn/model.hh"'
expect layers "workflow/* may not include hodo/workflow/om2vec/learn/model.hh"
put src/hodo/workflow/om2vec/report.cc <<<'#include "hodo/train/journal.hh"'
put src/hodo/train/journal.hh <<<'#include "hodo/tensor/torch.hh"'
put src/hodo/tensor/torch.hh <<<'#include <ATen/ATen.h>'
expect layers "LibTorch reaches below the seam: hodo/workflow/om2vec/report.cc -> hodo/train/journal.hh"
put src/hodo/other/file.cc <<<'#include "hodo/base/text.hh"'
expect layers "folder other has no line"

fresh
put src/hodo/base/text.cc <<<'int f() { return 1; }'
expect lengths ""
{ echo 'namespace a { struct S { int g() const {'; for i in $(seq 51); do echo "  h($i);"; done; echo '} }; }'; } \
  | put src/hodo/base/text.cc
expect lengths "g has 51 statements"
yes '// line' | head -801 | put src/hodo/base/text.cc || true
expect lengths "801 lines, the limit is 800"

fresh
expect words ""
open_end=TO; open_end+=DO
put src/hodo/base/text.cc <<<"// $open_end: later"
expect words "an open end"
put src/hodo/base/text.cc <<<'    // call(me);'
expect words "code in a comment"
home=/ho; home+=me/
put src/hodo/base/text.cc <<<"const char* path = \"${home}somebody\";"
expect words "a path of one machine"

fresh
put src/hodo/base/text.cc <<<''
expect tests "src/hodo/base/text.cc: no test"
put test/base/text.test.cc <<<''
expect tests ""
put tools/untested.txt <<<'src/hodo/base/gone.cc it was removed long ago'
expect tests "src/hodo/base/gone.cc does not exist"

fresh
put docs/page.md <<<'[good](page.md) [bad](absent.md)'
expect documents "docs/page.md:1: the link leads nowhere: absent.md"
printf '```sh\n$ hodo om2vec train \\\n    configs/a.yaml   # ten minutes\n```\n' | put docs/page.md
expect documents "docs/page.md:2: no case in test/cli runs or covers: hodo om2vec train configs/a.yaml"
put test/cli/train.case <<<'covers: hodo om2vec train configs/a.yaml'
expect documents ""

fresh
put tools/new <<<'#!/usr/bin/env bash
if'
expect scripts "tools/new"

fresh
put src/hodo/base/text.hh <<<'#pragma once
inline std::string f() { return {}; }'
expect headers "src/hodo/base/text.hh: "
put src/hodo/base/text.hh <<<'#pragma once
inline int value = 1;'
expect headers ""
if command -v clang-format-14 >/dev/null; then
  expect format ""
  put src/hodo/base/text.hh <<<'#pragma once
inline   int value = 1;'
  expect format "not formatted"
fi
exit $failed
