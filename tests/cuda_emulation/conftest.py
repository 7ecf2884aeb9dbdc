"""Libraries of kernels that run on the CPU; built when first asked for."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ngae.ops import _cuda

from .build import HERE, Library, build, compiler, project_sources
from .emulator import Emulator
from .ops import EmulatedOps

_begun: set[str] = set()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What counts executed lines comes last."""
    items.sort(key=lambda item: item.path == HERE / "test_coverage.py")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note which of this folder's tests this process runs."""
    _begun.add(item.nodeid)


@pytest.fixture
def whole_folder_ran(request: pytest.FixtureRequest) -> None:
    """Skips where this process takes only a part of the folder's tests."""
    config = request.config
    items = [item for item in request.session.items if item.path.parent == HERE]
    narrowed = config.option.keyword or any("::" in argument for argument in config.args)
    narrowed = narrowed or getattr(config.option, "lf", False)
    whole = {item.path for item in items} >= set(HERE.glob("test_*.py"))
    here = _begun >= {item.nodeid for item in items}
    if narrowed or not (whole and here):
        pytest.skip("takes a run of all of tests/cuda_emulation, in one process")


@pytest.fixture(scope="session")
def build_folder(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """Where built kernels are kept: beside pytest's numbered folders, so later runs find them."""
    if compiler() is None:
        pytest.skip("no g++, which the emulation of CUDA needs (NGAE_EMULATION_CXX names another)")
    base = tmp_path_factory.getbasetemp()
    if hasattr(pytestconfig, "workerinput"):
        base = base.parent  # each process of `pytest -n` has a folder in it
    numbered = re.fullmatch(r"pytest-\d+", base.name)
    return (base.parent if numbered else base) / "cuda_emulation"


@pytest.fixture(scope="session")
def project_library(build_folder: Path) -> Library:
    """The module _cuda, its kernels instrumented."""
    sources = project_sources()
    if not sources:
        pytest.skip("no kernels in cuda/")
    return build("_cuda", sources, build_folder)


@pytest.fixture(scope="session")
def planted_library(build_folder: Path) -> Library:
    """Kernels that exist for these tests only."""
    return build("planted", sorted(HERE.glob("*.cu")), build_folder)


@pytest.fixture(scope="session")
def project_emulator(project_library: Library) -> Emulator:
    return Emulator(project_library.path)


@pytest.fixture(scope="session")
def planted_emulator(planted_library: Library) -> Emulator:
    return Emulator(planted_library.path)


def _fresh(emulator: Emulator) -> Iterator[Emulator]:
    emulator.forget()
    emulator.clear()
    emulator.check(True)
    emulator.order("forward")
    yield emulator
    emulator.forget()


@pytest.fixture
def emulator(project_emulator: Emulator) -> Iterator[Emulator]:
    """The kernels of cuda/, with no memory known and nothing found yet."""
    yield from _fresh(project_emulator)


@pytest.fixture
def planted(planted_emulator: Emulator) -> Iterator[Emulator]:
    """The kernels of this folder, with no memory known and nothing found yet."""
    yield from _fresh(planted_emulator)


@pytest.fixture
def engine(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The same, at work where the ops' implementations for CUDA expect a GPU."""
    module = emulator.module("_cuda")
    monkeypatch.setattr(_cuda, "module", lambda: module)
    monkeypatch.setattr(_cuda, "run_arguments", lambda device, bf16: (0, 0, bf16))
    monkeypatch.setattr(
        _cuda,
        "empty",
        lambda like, *shape, dtype=None: emulator.empty(shape, dtype=dtype or like.dtype),
    )
    return emulator


@pytest.fixture
def ops(engine: Emulator) -> EmulatedOps:
    """The CUDA implementations of the ops, on the emulated module."""
    return EmulatedOps(engine)
