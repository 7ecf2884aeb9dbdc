#!/bin/sh
# Fuzzes what reads files, requests and graphs of strangers: the native core under address and
# undefined sanitizers, Python by atheris (pip install 'ngae[fuzz]'). A table at the end says
# executions, coverage and findings of each target; a finding is kept in build/fuzz.
# usage: scripts/fuzz.sh [seconds per target] [target...]
# Native targets need Clang for libFuzzer, or GCC for a plainer driver; others ngae as installed.
set -u
cd "$(dirname "$0")/.."
seconds=${1:-10}
[ $# -gt 0 ] && shift
python=${PYTHON:-python3}
build=build/fuzz
mkdir -p "$build"
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1

core="csrc/automorphisms.cpp csrc/canonical_hash.cpp csrc/canonical_search.cpp csrc/colours.cpp
  csrc/dag_batch.cpp csrc/dag_merge.cpp csrc/large_hash.cpp tests/native/graphs.cpp
  tests/fuzz/native/targets.cpp"
options="-std=c++17 -O1 -g1 -Wall -Wextra -Icsrc -Itests/native -D_GLIBCXX_ASSERTIONS
  -fsanitize=address,undefined -fno-sanitize-recover=all"

build_native() {
  if clang++ -fsanitize=fuzzer -x c++ -c -o "$build/probe.o" - < /dev/null 2> /dev/null; then
    clang++ $options -fsanitize=fuzzer $core -o "$build/native"
  else
    g++ $options -fno-sanitize=all -O2 -c tests/fuzz/native/driver.cpp -o "$build/driver.o" &&
      g++ $options -fsanitize-coverage=trace-pc $core "$build/driver.o" -o "$build/native"
  fi
}

row() { printf '%-18s %12s %9s %9s\n' "$@"; }

last() { grep -oE "$1" "$log" | tail -n 1 | grep -oE '[0-9]+' || echo 0; } # a number in the log

# name, command...: runs it until the time is over, and adds a row to the table.
fuzz() {
  name=$1
  shift
  log=$build/$name.log
  mkdir -p "$build/$name"
  found=0
  corpus=tests/fuzz/corpus/$name
  [ -d "$corpus" ] || corpus="" # nothing has failed there yet
  "$@" "$build/$name" $corpus -max_total_time="$seconds" -timeout=120 \
    -rss_limit_mb=2500 -dict=tests/fuzz/words.dict -artifact_prefix="$build/$name-" \
    -print_final_stats=1 > "$log" 2>&1 || found=1
  if [ $found = 1 ]; then
    failed=1
    echo "== $name"
    tail -n 40 "$log"
  fi
  row "$name" "$(last 'number_of_executed_units: [0-9]+')" "$(last 'cov: [0-9]+')" $found \
    >> "$build/table"
}

failed=0
row target executions coverage findings > "$build/table"
native="pack merge canonical_hash"
if [ $# = 0 ]; then
  others=$($python -m tests.fuzz.run --list) || failed=1
  set -- $native $others
fi
built=""
for target in "$@"; do
  case " $native " in
    *" $target "*)
      [ -n "$built" ] || build_native || exit 1
      built=1
      NGAE_FUZZ_TARGET=$target fuzz "$target" "$build/native"
      ;;
    *) fuzz "$target" "$python" -m tests.fuzz.run "$target" ;;
  esac
done
cat "$build/table"
exit $failed
