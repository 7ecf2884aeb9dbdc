#!/usr/bin/env bash
# Lines of Python and C++ that the tests reach, also in the processes that they start, in a virtual
# environment of its own under build/coverage. Fails below 95 % of either.
# usage: scripts/coverage.sh [arguments of pytest, such as tests/ops]
set -eu
cd "$(dirname "$0")/.."
build=$PWD/build/coverage
export OMP_WAIT_POLICY=passive PIP_DISABLE_PIP_VERSION_CHECK=1

python3 -m venv "$build/venv"
PATH="$build/venv/bin:$PATH"
pip install -q torch==2.13.0
pip install -q --config-settings=build-dir="$build/native" \
  --config-settings=cmake.define.CMAKE_CXX_FLAGS="--coverage -fprofile-update=atomic" \
  --config-settings=cmake.define.CMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF \
  '.[test]' 'coverage>=7.10' 'gcovr>=7.0'
find "$build/native" -name '*.gcda' -delete
coverage erase
coverage run -m pytest -q "$@" || echo "tests failed; what they reached counts"
coverage combine -q
status=0
coverage report --fail-under=95 || status=1
# A file that is compiled for several instruction sets has functions of one name.
gcovr --root . --filter csrc/ --merge-mode-functions=separate --fail-under-line 95 \
  --gcov-ignore-errors=no_working_dir_found "$build/native" || status=1
exit $status
