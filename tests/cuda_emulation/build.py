"""Builds kernels for the CPU: shared libraries from .cu files, the emulation and a C API.

Objects are kept in a folder and reused as long as their source, all headers, the flags and the
compiler stay the same.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pybind11

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
INCLUDES = [HERE / "include", ROOT / "cuda", ROOT / "csrc"]

COMMON = [
    "-std=c++17", "-g", "-fPIC", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-fno-gnu-unique",
    "-U_FORTIFY_SOURCE",  # its longjmp refuses to change stacks
]  # fmt: skip
EMULATION = ["-O2"]
KERNELS = ["-O1", "-x", "c++", "-D__CUDACC__", "-include", "cuda_runtime.h"]
KERNELS += ["-fsanitize=thread,alignment", "--coverage"]
BINDINGS = ["-O1"]
LINK = ["-shared", "-Wl,-Bsymbolic", "-ldl"]


@dataclass(frozen=True)
class Library:
    """A built library.

    Attributes:
        path: the shared library; also a Python module where bindings were among the sources.
        kernels: each .cu file and its object, beside which the compiler left a .gcno file.
    """

    path: Path
    kernels: dict[Path, Path]


def compiler() -> str | None:
    """Path of a GCC for C++ whose output can be instrumented, or None."""
    return shutil.which(os.environ.get("NGAE_EMULATION_CXX", "g++"))


def project_sources() -> list[Path]:
    """Every .cu and .cpp file of the CUDA module; empty where there are no kernels."""
    folder = ROOT / "cuda"
    return [*sorted(folder.glob("*.cu")), *sorted(folder.glob("*.cpp"))]


def build(name: str, sources: Iterable[Path], folder: Path) -> Library:
    """Compile and link `sources` with the emulation.

    Args:
        name: of the library, as PyInit_<name> has it where it is a Python module.
        sources: .cu files, instrumented; .cpp files, taken as bindings and compiled plainly.
        folder: where objects and libraries are kept.

    Raises:
        RuntimeError: with what the compiler said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _build(name, list(sources), folder)


def _build(name: str, sources: list[Path], folder: Path) -> Library:
    # The emulation comes first: of inline functions that kernels also use, the linker then takes
    # the copies that are not instrumented.
    jobs = [(path, _flags(path)) for path in [*sorted(HERE.glob("*.cpp")), *sources]]
    headers = _digest([h for i in INCLUDES for h in sorted(i.glob("*.*h"))] + _own_headers())
    version = _run([_compiler(), "--version"])
    keys = [_hash(headers, version, str(flags), str(path), _digest([path])) for path, flags in jobs]
    objects = [folder / f"{path.stem}-{key}.o" for (path, _), key in zip(jobs, keys, strict=True)]
    commands = [
        [_compiler(), *flags, "-c", str(path), "-o", str(target)]
        for (path, flags), target in zip(jobs, objects, strict=True)
        if not target.exists()
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_run, commands))
    library = folder / _hash(*keys, str(LINK)) / f"{name}.so"
    if not library.exists():
        library.parent.mkdir(exist_ok=True)
        _run([_compiler(), *map(str, objects), *LINK, "-lgcov", "-o", str(library)])
    made = zip(jobs, objects, strict=True)
    return Library(library, {path: o for (path, _), o in made if path.suffix == ".cu"})


def _own_headers() -> list[Path]:
    return sorted(HERE.glob("*.h"))


def _flags(path: Path) -> list[str]:
    includes = [f"-I{folder}" for folder in INCLUDES]
    if path.suffix == ".cu":
        return COMMON + KERNELS + includes
    if path.parent == HERE:
        return COMMON + EMULATION + includes
    python = [pybind11.get_include(), sysconfig.get_paths()["include"]]
    return COMMON + BINDINGS + includes + [f"-isystem{folder}" for folder in python]


def _compiler() -> str:
    found = compiler()
    if found is None:
        raise RuntimeError("no g++ found; set NGAE_EMULATION_CXX to a GCC")
    return found


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    if done.stderr:
        print(done.stderr)
    return done.stdout


def _digest(paths: list[Path]) -> str:
    return _hash(*(f"{path.name}\n{path.read_text()}" for path in paths))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
