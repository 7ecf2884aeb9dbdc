#!/bin/sh
# Builds the module with NGAE_CUDA=AUTO, ON and OFF, and again with nvcc out of sight: AUTO must do
# without, ON must say what it looked for. Needs cmake, ninja, pybind11; nvcc for the first half.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
pybind11=$(python3 -m pybind11 --cmakedir)

configure() { # name, flags...; its messages go to $folder/NAME.log
  name=$1
  shift
  cmake -S . -B "$folder/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release -DNGAE_WERROR=ON \
    -Dpybind11_DIR="$pybind11" -DPython_EXECUTABLE="$(command -v python3)" "$@" \
    > "$folder/$name.log" 2>&1
}

expect() { # name, what its log says when line ends are spaces
  if ! tr -s '\n ' '  ' < "$folder/$1.log" | grep -qF -- "$2"; then
    cat "$folder/$1.log"
    echo "$1: expected the message '$2'"
    exit 1
  fi
  echo "$1: $2"
}

built() { # name: whether the configuration has a target _cuda
  ninja -C "$folder/$1" -t targets all | grep -q '^_cuda: '
}

configure off -DNGAE_CUDA=OFF
! built off || { echo "off: expected no target _cuda"; exit 1; }
if grep -qi 'cuda' "$folder/off.log"; then echo "off: expected no look at CUDA"; exit 1; fi
echo "off: no look at CUDA"

# A compiler that is not there stands for a machine without nvcc, whatever its PATH.
export CUDACXX=/no/nvcc
configure auto_without -DNGAE_CUDA=AUTO
expect auto_without "ngae._cuda: not built, found no nvcc"
! built auto_without || { echo "auto_without: expected no target _cuda"; exit 1; }
! configure on_without -DNGAE_CUDA=ON || { echo "on_without: expected an error"; exit 1; }
expect on_without "NGAE_CUDA=ON: found no nvcc"
export CUDACXX=/bin/false
configure auto_broken -DNGAE_CUDA=AUTO
expect auto_broken "ngae._cuda: not built, /bin/false cannot compile"
printf '#!/bin/sh\necho "release 11.5, V11.5.119"\n' > "$folder/nvcc_11_5"
chmod +x "$folder/nvcc_11_5"
export CUDACXX="$folder/nvcc_11_5"
configure auto_old -DNGAE_CUDA=AUTO
expect auto_old "ngae._cuda: not built, $folder/nvcc_11_5 is of CUDA 11.5: expected 11.8 or later"
! configure wrong -DNGAE_CUDA=MAYBE || { echo "wrong: expected an error"; exit 1; }
expect wrong "NGAE_CUDA: expected AUTO, ON or OFF, found MAYBE"
unset CUDACXX

configure auto -DNGAE_CUDA=AUTO
if ! built auto; then
  expect auto "ngae._cuda: not built"
  ! configure on -DNGAE_CUDA=ON || { echo "on: expected an error"; exit 1; }
  echo "NOT RUN for want of nvcc: the builds with NGAE_CUDA=AUTO and ON"
  exit 0
fi
configure on -DNGAE_CUDA=ON
for name in auto on; do
  cmake --build "$folder/$name" --target _cuda > "$folder/$name.log" 2>&1 || {
    cat "$folder/$name.log"
    exit 1
  }
  (cd "$folder/$name" && python3 -c 'import _cuda')
  echo "$name: built and imported"
done
