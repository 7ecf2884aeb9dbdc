#!/bin/sh
# Builds the tests of the native core with a sanitizer and runs them; then commits faults on
# purpose, to see that it reports them. Needs cmake, ninja and GCC or Clang; no Python.
# usage: scripts/native_tests.sh address,undefined|thread
set -eu
sanitizers=${1:?"expected address,undefined or thread"}
cd "$(dirname "$0")/.."
build=build/native_tests_$(echo "$sanitizers" | tr ',' '_')
log=$build/log
mkdir -p "$build"

cmake -S . -B "$build" -G Ninja -DNGAE_NATIVE_TESTS=ON -DNGAE_WERROR=ON \
  -DNGAE_SANITIZE="$sanitizers" > "$log" || { cat "$log"; exit 1; }
cmake --build "$build" > "$log" || { cat "$log"; exit 1; }

export OMP_WAIT_POLICY=passive
# Fresh memory holds NaN, so that a number read before it is written shows in the results.
export ASAN_OPTIONS=max_malloc_fill_size=1073741824:malloc_fill_byte=255
export TSAN_OPTIONS=halt_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1

tests() { # arguments of native_tests; at fixed addresses where allowed, as older sanitizers need
  if setarch "$(uname -m)" -R true 2> /dev/null; then
    setarch "$(uname -m)" -R "$build/native_tests" "$@"
  else
    "$build/native_tests" "$@"
  fi
}

must_report() { # fault, what the report says
  if tests --fault "$1" > "$log" 2>&1 || ! grep -q "$2" "$log"; then
    cat "$log"
    echo "the $1 committed on purpose was not reported"
    exit 1
  fi
  echo "reported: $1"
}

tests
case $sanitizers in *address*) must_report overflow "ERROR: AddressSanitizer" ;; esac
case $sanitizers in *undefined*) must_report undefined "signed integer overflow" ;; esac
case $sanitizers in *thread*) must_report race "data race" ;; esac
