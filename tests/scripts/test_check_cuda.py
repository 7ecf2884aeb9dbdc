"""`scripts/check_cuda.sh` accepts a good kernel, and names each fault planted in another."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_cuda.sh"
NVCC = os.environ.get("CUDACXX") or shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
needs_nvcc = pytest.mark.skipif(
    shutil.which(NVCC) is None or shutil.which("c++filt") is None, reason="no nvcc and c++filt here"
)

PLANTED = {
    "double": (
        "__global__ void planted(const float* x, float* y) { *y = *x * 0.1; }",
        "Program is doing double precision computations",
    ),
    "local array": (
        """__global__ void planted(const int* which, float* y) {
             float seen[64];
             for (int i = 0; i < 64; ++i) seen[i] = y[i * 3];
             for (int i = 0; i < 64; ++i) y[i] = seen[which[i] & 63];
           }""",
        "256 bytes stack frame, 0 bytes spill stores",
    ),
    "spill": (
        """__global__ void __launch_bounds__(1024, 2) planted(const float* x, float* y) {
             float sums[64];
           #pragma unroll
             for (int i = 0; i < 64; ++i) sums[i] = x[i * 1024 + threadIdx.x];
             for (int k = 0; k < 100; ++k) {
           #pragma unroll
               for (int i = 0; i < 64; ++i) sums[i] = sums[i] * sums[(i + 1) % 64] + x[k];
             }
           #pragma unroll
             for (int i = 0; i < 64; ++i) y[i * 1024 + threadIdx.x] = sums[i];
           }""",
        "Registers are spilled to local memory in function",
    ),
    "warning": (
        "__global__ void planted(float* y) { int unused; *y = 1.0f; }",
        'variable "unused" was declared but never referenced',
    ),
    "warning on the host": (
        """__global__ void planted(float* y) { *y = 1.0f; }
           bool below(unsigned a, int b) { return a < b; }""",
        "comparison of integer expressions of different signedness",
    ),
}
GOOD = "__global__ void planted(const float* x, float* y) { *y = *x * 0.1f; }"


def check(folder, source, table, **environment):
    (folder / "planted.cu").write_text(f"#include <cuda_runtime.h>\n{source}\n")
    (folder / "table").write_text(table)
    command = ["sh", SCRIPT, "--table", folder / "table", folder / "planted.cu"]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )


@needs_nvcc
def test_a_good_kernel_passes(tmp_path):
    done = check(tmp_path, GOOD, "planted 32 12")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("3 kernels, 0 problems\n")
    for arch in ("sm_80", "sm_90", "sm_100"):
        assert f"planted  {arch}" in done.stdout


@needs_nvcc
@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_named(fault, tmp_path):
    source, report = PLANTED[fault]
    done = check(tmp_path, source, "planted 32 255")
    assert done.returncode == 1
    assert report in done.stdout
    assert "error: nvcc refuses" in done.stdout


@needs_nvcc
@pytest.mark.parametrize(
    ("table", "report"),
    [
        ("planted 32 4", "planted for sm_90: expected at most 4 registers, found"),
        ("planted 32 64", "planted: expected a budget of at most"),
        ("other 32 12", "planted: no row in the table of registers"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(table, report, tmp_path):
    done = check(tmp_path, GOOD, table)
    assert done.returncode == 1
    assert report in done.stdout


def test_a_missing_nvcc_is_named(tmp_path):
    done = check(tmp_path, GOOD, "planted 32 12", CUDACXX="/no/nvcc")
    assert done.returncode == 2
    assert "expected an nvcc that runs, found none at /no/nvcc" in done.stderr
