"""Says in words which GPUs there are and whether the CUDA module can use them."""

from __future__ import annotations

import torch

from ngae import _native


def cuda_module() -> str:
    """Say whether `ngae._cuda` is there and can be loaded."""
    if not _native.has_cuda():
        return f"not built; build it with `{_native.BUILD_CUDA}`"
    try:
        _native.load_cuda()
    except ImportError as error:
        return f"broken: {error}"
    return "built"


def cuda_devices() -> list[str]:
    """Name the GPUs that torch sees, each with its compute capability and memory."""
    if not torch.cuda.is_available():
        return []
    found = []
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        found.append(
            f"cuda:{number} {facts.name}, compute capability {facts.major}.{facts.minor}, "
            f"{facts.total_memory / 2**30:.0f} GiB"
        )
    return found


def no_devices_because() -> str:
    """Say why `cuda_devices` is empty, by torch's build and by the CUDA module's driver."""
    reasons = []
    if torch.version.cuda is None:
        reasons.append(f"torch {torch.__version__} is built without CUDA")
    if _native.has_cuda():
        try:
            count = _native.load_cuda().device_count()
            reasons.append(f"the CUDA module sees {count}")
        except (ImportError, RuntimeError) as error:
            reasons.append(str(error))
    return "; ".join(reasons) or "torch sees no driver or no GPU"


def summary() -> str:
    """Say in a few words whether the ops can run on a GPU: module, GPUs, compute capabilities."""
    if not _native.has_cuda():
        return "no CUDA module"
    capabilities = [
        ".".join(map(str, torch.cuda.get_device_capability(number)))
        for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    ]
    if not capabilities:
        return "CUDA module, no GPU"
    plural = "" if len(capabilities) == 1 else "s"
    return f"CUDA module, {len(capabilities)} GPU{plural} ({', '.join(capabilities)})"
