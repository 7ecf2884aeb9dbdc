#!/bin/sh
# Compiles kernels for sm_80, sm_90 and sm_100. Warnings, spills, local memory, double precision,
# and registers that do not agree with the table are errors. Needs nvcc and Python; no GPU.
# usage: scripts/check_cuda.sh [--table TABLE] [FILE.cu ...], paths from the repository's root
set -eu
cd "$(dirname "$0")/.."
table=cuda/registers.txt
if [ "${1-}" = --table ]; then
  table=$2
  shift 2
fi
[ $# -gt 0 ] || set -- cuda/*.cu

nvcc=${CUDACXX:-$(command -v nvcc || echo "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc")}
if ! "$nvcc" --version > /dev/null 2>&1; then
  echo "expected an nvcc that runs, found none at $nvcc: set CUDACXX to its path" >&2
  exit 2
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

flags="-std=c++17 -O3 -Icuda -Icsrc -Werror all-warnings -Xcompiler -Wall,-Wextra"
flags="$flags -Xptxas -v,-warn-spills,-warn-lmem-usage,-warn-double-usage"
for number in 80 90 100; do
  flags="$flags -gencode arch=compute_$number,code=sm_$number"
done

compile() { # file: its messages go to a log, and a last line says where nvcc gave up
  log=$logs/$(basename "$1").log
  # shellcheck disable=SC2086
  "$nvcc" $flags -c "$1" -o "$log.o" > "$log" 2>&1 || echo "error: nvcc refuses $1" >> "$log"
}

running=0
for file in "$@"; do
  compile "$file" &
  running=$((running + 1))
  [ $((running % 2)) -ne 0 ] || wait
done
wait
cat "$logs"/*.log > "$logs/all"
python3 scripts/kernel_report.py "$table" "$logs/all" || {
  grep -iE -A3 'warning|error|fatal' "$logs/all" >&2
  exit 1
}
