"""A source archive holds what a build needs, and nothing that was built."""

import re
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
NEEDED = ("csrc", "cuda", "python", "configs", "tests", "CMakeLists.txt", "pyproject.toml",
          "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md")  # fmt: skip
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    build = pytest.importorskip("scikit_build_core.build", reason="needs scikit-build-core")
    folder = tmp_path_factory.mktemp("sdist")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(HOME)
        name = build.build_sdist(str(folder))
    with tarfile.open(folder / name) as archive:
        members = [member.name.partition("/")[2] for member in archive if member.isfile()]
    assert name == f"ngae-{PROJECT['project']['version']}.tar.gz"
    return set(members)


def test_everything_that_is_tracked_and_needed_is_in_it(names):
    if not shutil.which("git") or not (HOME / ".git").exists():
        pytest.skip("no git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", *NEEDED], cwd=HOME, capture_output=True, text=True, check=True
    )
    tracked = {name for name in listed.stdout.split("\0") if name}
    assert len(tracked) > 400
    assert tracked - names == set()


def test_every_source_that_cmake_names_is_in_it(names):
    text = (HOME / "CMakeLists.txt").read_text()
    sources = set(re.findall(r"(?:csrc|cuda|tests)/[\w./]+\.(?:cpp|cmake)", text))
    assert len(sources) > 15
    assert sources - names == set()
    headers = {f"csrc/{path.name}" for path in (HOME / "csrc").glob("*.h")}
    assert len(headers) > 10
    assert headers - names == set()


def test_nothing_that_was_built_is_in_it(names):
    built = (".so", ".o", ".a", ".pyc", ".pyd", ".dylib", ".egg-info")
    assert sorted(name for name in names if name.endswith(built)) == []
    tops = {name.partition("/")[0] for name in names}
    assert not tops & {"runs", "build", "dist", ".venv", ".git"}
