"""What pyproject.toml says agrees with itself, with the sources and with docs/dependencies.md."""

import ast
import re
import tomllib
from pathlib import Path

import ngae

HOME = Path(__file__).parents[1]
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())
PAGE = (HOME / "docs" / "dependencies.md").read_text()
CMAKE = (HOME / "CMakeLists.txt").read_text()
EXTRAS = PROJECT["project"]["optional-dependencies"]


def _asked():
    """Every requirement with the group that asks for it; extras of ngae itself left out."""
    groups = {
        "always": PROJECT["project"]["dependencies"],
        "build": PROJECT["build-system"]["requires"],
        **EXTRAS,
    }
    return {
        (re.match(r"[\w-]+", text)[0], group)
        for group, texts in groups.items()
        for text in texts
        if not text.startswith("ngae[")
    }


def _rows():
    """Rows of the page's table: package, who asks, licence, reason."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| [")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_page_lists_every_dependency_and_nothing_else():
    listed = {
        (re.match(r"\[([\w-]+)\]", row[0])[1], group)
        for row in _rows()
        for group in re.findall(r"[\w-]+", row[1])
    }
    assert listed == _asked()


def test_each_has_a_licence_a_version_and_a_reason():
    for row in _rows():
        assert len(row) == 5, row
        assert all(row), row
        assert re.fullmatch(r"\d+[\d.]*", row[3]), row
    names = [re.match(r"\[([\w-]+)\]", row[0])[1] for row in _rows()]
    assert names == list(dict.fromkeys(names))


def test_the_extras_are_explained():
    for extra in EXTRAS:
        assert f"`{extra}`" in PAGE, extra


def test_every_place_says_the_same_version_of_python():
    least = PROJECT["project"]["requires-python"].removeprefix(">=")
    classifiers = [
        text.rpartition(" ")[2]
        for text in PROJECT["project"]["classifiers"]
        if re.search(r"Python :: \d\.\d+$", text)
    ]
    tools = PROJECT["tool"]
    assert classifiers[0] == tools["mypy"]["python_version"] == least == "3.11"
    assert tools["ruff"]["target-version"] == "py" + least.replace(".", "")
    assert f"find_package(Python {least} REQUIRED" in CMAKE
    wheels = tools["cibuildwheel"]["build"]
    assert wheels == [f"cp{version.replace('.', '')}-*" for version in classifiers]
    assert PROJECT["project"]["version"] == ngae.__version__


def test_sources_are_python_of_the_least_version():
    for path in sorted(Path(ngae.__file__).parent.rglob("*.py")):
        ast.parse(path.read_text(), str(path), feature_version=(3, 11))


def test_wheels_need_no_special_processor():
    """Instruction sets are objects beside a baseline that every processor has."""
    head, x86 = CMAKE.split('if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")')
    assert "ngae_isa(baseline 16 4)" in head
    for flag in ("-mavx", "-mfma", "-march", "-mcpu", "-mtune", "-msse"):
        assert flag not in head
    assert "-march" not in x86
    wheels = PROJECT["tool"]["cibuildwheel"]
    assert wheels["linux"]["archs"] == ["x86_64", "aarch64"]
    assert wheels["macos"]["archs"] == ["arm64"]
