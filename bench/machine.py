"""What this machine is and can do, measured; and how much memory a call takes."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import ngae
from bench.cases import Precision
from ngae import _native
from ngae.ops import _library

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# 112 rows: the largest multiple of the kernels' tile that stays in the cache with its weights.
_MM_ROWS, _MM_INPUTS, _MM_OUTPUTS, _MM_REPEATS = 112, 512, 512, 20
_PRODUCT_REPEATS, _FMA_STEPS = 30, 200_000


def facts() -> dict[str, Any]:
    """Name the machine and the versions that a result belongs to."""
    levels = _native.load().cpu_levels()
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "level": _library.cpu_level() or levels[-1],
        "ngae": ngae.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "load_average": round(os.getloadavg()[0], 2),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", ""),
    }


def peaks(precision: Precision) -> dict[str, float]:
    """Measure what can be had at most, in GFLOP/s with all threads; takes some 20 ms.

    Returns:
        "product": the product kernel on data in the cache; "fma": multiply-adds in registers;
        "mm": `torch.mm` of the product's sizes, in the same precision.
    """
    core, bf16 = _native.load(), precision == "bf16"
    return {
        "product": core.product_rate(_library.machine(bf16), _PRODUCT_REPEATS),
        "fma": core.fma_rate(_library.machine(bf16), _FMA_STEPS),
        "mm": _mm_rate(torch.bfloat16 if bf16 else torch.float32),
    }


def _mm_rate(dtype: torch.dtype) -> float:
    left = torch.ones(_MM_ROWS, _MM_INPUTS, dtype=dtype)
    right = torch.ones(_MM_INPUTS, _MM_OUTPUTS, dtype=dtype)
    torch.mm(left, right)
    started = time.perf_counter()
    for _ in range(_MM_REPEATS):
        torch.mm(left, right)
    seconds = time.perf_counter() - started
    return 2 * _MM_ROWS * _MM_INPUTS * _MM_OUTPUTS * _MM_REPEATS / seconds / 1e9


def extra_memory(call: Callable[[], object]) -> int | None:
    """Measure by how many bytes the resident memory rises at most during one call.

    That is the kernel's VmHWM, set back before the call, less the VmRSS that stood before it;
    free memory that the allocator holds is given back first. None where the system has no such
    files (it is Linux's /proc).
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
        _CLEAR.write_text("5")
        before = _status("VmRSS")
        call()
        return max(_status("VmHWM") - before, 0)
    except (OSError, AttributeError):
        return None


def _status(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{_STATUS}: expected a line {name}, found none")
    return int(found[1]) * 1024


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()
