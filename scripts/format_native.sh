#!/bin/sh
# Runs clang-format over all C++ and CUDA sources.
# usage: scripts/format_native.sh -i | --dry-run --Werror
set -eu
cd "$(dirname "$0")/.."
git ls-files --cached --others --exclude-standard -- '*.cpp' '*.h' '*.cu' '*.cuh' |
  xargs clang-format "$@"
