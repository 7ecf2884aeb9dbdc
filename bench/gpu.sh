#!/bin/sh
# On a machine with a GPU: builds for it, runs the tests marked gpu and `ngae doctor`, and times the
# ops beside plain PyTorch. Writes gpu.json. Needs nvcc and a Python whose torch sees the GPU.
# usage: [PYTHON=python3] bench/gpu.sh [arguments of bench.gpu]
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
if ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2> /dev/null; then
  echo "expected a torch that sees a GPU, found none by $python: set PYTHON to one" >&2
  exit 2
fi

venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
# The torch that is there, be it in a virtual environment or not.
"$python" -m venv --system-site-packages "$venv"
folder='import sysconfig; print(sysconfig.get_path("purelib"))'
"$python" -c "$folder" > "$("$venv/bin/python" -c "$folder")/torch_of_machine.pth"
PATH="$venv/bin:$PATH"

isolation=
if python -c 'import pybind11, scikit_build_core' 2> /dev/null; then
  isolation=--no-build-isolation # works without a network
fi
export SKBUILD_CMAKE_DEFINE="NGAE_CUDA=ON;CMAKE_CUDA_ARCHITECTURES=native"
# shellcheck disable=SC2086
python -m pip install -q $isolation '.[test]'

failed=0
python -m pytest -q -rs -m gpu tests || failed=1
python -m ngae.doctor || failed=1
python -m bench.gpu --device cuda --json gpu.json "$@" || failed=1
exit $failed
