"""Loads the native modules `ngae._C` and `ngae._cuda`, and says what to do where one is missing
or a GPU refuses its work.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from ngae.errors import UsageError

BUILD_CUDA = "pip install . -Ccmake.define.NGAE_CUDA=ON"
_REMEDIES = {  # by CUDA's name of an error
    "cudaErrorInsufficientDriver": (
        "install the GPU's driver, or a newer one; `--device cpu` needs none"
    ),
    "cudaErrorNoDevice": "no GPU is visible (CUDA_VISIBLE_DEVICES?); `--device cpu` needs none",
    "cudaErrorNoKernelImageForDevice": (
        f"build for this GPU: `{BUILD_CUDA} -Ccmake.define.CMAKE_CUDA_ARCHITECTURES=native`"
    ),
}
_HAS_CUDA = find_spec("ngae._cuda") is not None  # tracers do not follow a look on the disk


def load() -> ModuleType:
    """Import `ngae._C`.

    Returns:
        The native module: graph packing, propagation, decoding and ascent on the CPU.

    Raises:
        ImportError: It is not there or cannot be loaded; the message names the folder that was
            searched and the command that builds it.
    """
    try:
        from ngae import _C
    except ImportError as error:
        raise ImportError(
            f"ngae's native core could not be loaded from {Path(__file__).parent}: {error}. "
            "Build it with `pip install .` in ngae's source folder "
            "(a C++17 compiler is needed), and start Python elsewhere than in python/."
        ) from error
    module: ModuleType = _C
    return module


def has_cuda() -> bool:
    """Say whether the CUDA module `ngae._cuda` was built."""
    return _HAS_CUDA


def load_cuda() -> ModuleType:
    """Import `ngae._cuda`; works without a GPU, too.

    Raises:
        ImportError: It is not there or cannot be loaded; the message names the folder that was
            searched and the command that builds it.
    """
    try:
        from ngae import _cuda
    except ImportError as error:
        raise ImportError(
            f"ngae's CUDA module could not be loaded from {Path(__file__).parent}: {error}. "
            f"Build it with `{BUILD_CUDA}` in ngae's source folder (nvcc is needed)."
        ) from error
    module: ModuleType = _cuda
    return module


def refusal(function: str, device: str, error: RuntimeError) -> UsageError:
    """Turn an error of `ngae._cuda` into one that names function, device and remedy."""
    return UsageError(f"{function} on {device}: {error}", remedy=_remedy(str(error)))


def _remedy(message: str) -> str:
    known = (remedy for name, remedy in _REMEDIES.items() if f"{name}:" in message)
    return next(known, "`ngae doctor` tests the GPU; NGAE_OPS=torch uses plain PyTorch on it")
