"""Runs the kernels of one library on the CPU and tells what is wrong with their accesses."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from .places import Places

ORDERS = ("forward", "reverse", "random")
GUARD_BYTES = 1 << 13
ALIGNMENT = 256  # bytes, as CUDA's allocator gives


@dataclass(frozen=True)
class Finding:
    """What is wrong with an access, a barrier or a call, at one place of one kernel.

    Attributes:
        kind: for example "race in block", "out of bounds", "divergent barrier".
        kernel: name without namespaces and template arguments; "host" outside of kernels.
        place: "file.cu:line" of the access or call; a symbol where addr2line is missing.
        other: place of the access or wait that it collides with; "" where there is none.
        block: x and y of the first block that did it.
        thread: number of the first thread that did it.
        count: how often it happened.
        detail: more about it in words.
    """

    kind: str
    kernel: str
    place: str
    other: str
    block: tuple[int, int]
    thread: int
    count: int
    detail: str

    def __str__(self) -> str:
        other = f", other at {self.other}" if self.other else ""
        where = f"block {self.block}, thread {self.thread}, {self.count} times"
        return f"{self.kind}: {self.kernel} at {self.place}{other} ({where}) {self.detail}"


class Emulator:
    """The kernels of one library, with the memory that they may touch.

    Kernels see only what `guard`, `empty` and `register` made known, until `forget`.
    """

    def __init__(self, library: Path) -> None:
        self.path = library
        self._c = ctypes.CDLL(str(library))
        self._c.emulation_findings.restype = ctypes.c_char_p
        for name in ("unwritten", "launches", "accesses"):
            getattr(self._c, f"emulation_{name}").restype = ctypes.c_int64
        self._places = Places(library)
        self._kept: list[Tensor] = []

    def call(self, name: str, *arguments: Tensor | int | str) -> None:
        """Call a function with C linkage: tensors by address, texts, integers of 64 bits."""
        self._c[name](*map(_word, arguments))

    def module(self, name: str) -> ModuleType:
        """The library as the Python module `name`."""
        loader = ExtensionFileLoader(name, str(self.path))
        spec = spec_from_loader(name, loader)
        assert spec is not None
        module = module_from_spec(spec)
        loader.exec_module(module)
        return module

    def guard(self, tensor: Tensor) -> Tensor:
        """A contiguous copy that kernels may read, not write; unknown memory lies around it."""
        copy = self._allocate(tuple(tensor.shape), tensor.dtype)
        copy.copy_(tensor)
        self.register(copy, writable=False, written=True)
        return copy

    def empty(self, *shape: int | tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
        """Memory that kernels may write, and read once it is written; NaN or -1 until then."""
        sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        made = self._allocate(tuple(sizes), dtype)
        self.register(made, writable=True, written=False)
        return made

    def register(self, tensor: Tensor, *, writable: bool, written: bool) -> None:
        """Make the memory of a contiguous CPU tensor known as it is, with nothing around it."""
        if not tensor.is_contiguous():
            raise ValueError("register: expected a contiguous tensor")
        self._kept.append(tensor)
        address, size = ctypes.c_void_p(tensor.data_ptr()), ctypes.c_size_t(tensor.nbytes)
        self._c.emulation_register(address, size, int(writable), int(written))

    def forget(self) -> None:
        """Take all memory back that was made known."""
        self._c.emulation_forget()
        self._kept.clear()

    def unwritten(self, tensor: Tensor) -> int:
        """Bytes of a contiguous tensor from `empty` that no kernel has written."""
        address, size = ctypes.c_void_p(tensor.data_ptr()), ctypes.c_size_t(tensor.nbytes)
        return int(self._c.emulation_unwritten(address, size))

    def order(self, name: str, seed: int = 0) -> None:
        """Order of blocks, and of threads anew after each barrier: one of ORDERS."""
        self._c.emulation_order(ORDERS.index(name), ctypes.c_uint64(seed))

    def check(self, on: bool) -> None:
        """Switch the checks of accesses on or off; off is faster."""
        self._c.emulation_check(int(on))

    @property
    def launches(self) -> int:
        """Kernels launched so far."""
        return int(self._c.emulation_launches())

    @property
    def accesses(self) -> int:
        """Accesses to shared and registered memory checked so far."""
        return int(self._c.emulation_accesses())

    def findings(self) -> list[Finding]:
        """What was found since `clear`."""
        lines = self._c.emulation_findings().decode().splitlines()
        return [self._finding(line) for line in lines]

    def clear(self) -> None:
        """Forget what was found."""
        self._c.emulation_clear()

    @contextmanager
    def clean(self, order: str = "forward", seed: int = 0) -> Iterator[None]:
        """Run kernels in an order; AssertionError if anything is found, or nothing was checked."""
        self.clear()
        self.order(order, seed)
        launches, accesses = self.launches, self.accesses
        yield
        found = self.findings()
        self.clear()
        assert not found, "\n".join(map(str, found))
        assert self.launches == launches or self.accesses > accesses, "nothing was checked"

    def write_coverage(self) -> None:
        """Write what was executed so far beside the objects, as GCC's .gcda files."""
        self._c.emulation_write_coverage()

    def _allocate(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        size = torch.empty(shape, dtype=dtype, device="meta").nbytes
        memory = torch.full((size + 2 * GUARD_BYTES + ALIGNMENT,), 0xFF, dtype=torch.uint8)
        first = GUARD_BYTES + -(memory.data_ptr() + GUARD_BYTES) % ALIGNMENT
        return memory[first : first + size].view(dtype).view(shape)

    def _finding(self, line: str) -> Finding:
        kind, kernel, place, other, block, thread, count, detail = line.split("\t")
        x, y = map(int, block.split(","))
        return Finding(
            kind, self._places.function(kernel), self._places.line(place),
            self._places.line(other), (x, y), int(thread), int(count), detail,
        )  # fmt: skip


def _word(argument: Tensor | int | str) -> ctypes.c_int64 | ctypes.c_char_p:
    if isinstance(argument, str):
        return ctypes.c_char_p(argument.encode())
    return ctypes.c_int64(argument.data_ptr() if isinstance(argument, Tensor) else argument)
