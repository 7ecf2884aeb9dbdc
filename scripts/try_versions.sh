#!/usr/bin/env bash
# Installs ngae beside other versions of Python, torch and numpy, in a virtual environment of its own
# under build/versions, and runs the tests.
# usage: scripts/try_versions.sh PYTHON TORCH NUMPY [arguments of pytest]
# such as: scripts/try_versions.sh python3.13 2.13.0 2.4.6 -m "not end_to_end"
set -eu
python=${1:?"expected an interpreter, such as python3.13"}
torch=${2:?"expected a version of torch, such as 2.13.0"}
numpy=${3:?"expected a version of numpy, such as 1.26.4"}
shift 3
cd "$(dirname "$0")/.."
name=$("$python" -c 'import platform; print(platform.python_version())')
venv=$PWD/build/versions/python-$name-torch-$torch-numpy-$numpy
export OMP_WAIT_POLICY=passive PIP_DISABLE_PIP_VERSION_CHECK=1

[ -d "$venv" ] || "$python" -m venv "$venv"
PATH="$venv/bin:$PATH"
pip install -q "torch==$torch" "numpy==$numpy"
pip install -q '.[test]' "torch==$torch" "numpy==$numpy"
ngae doctor
pytest -q -n 2 --dist loadfile "$@"
