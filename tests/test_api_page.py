"""`docs/api.md` names every public name, and nothing that is not there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
PACKAGES = (
    "ngae", "ngae.baselines.dvae", "ngae.data", "ngae.drawing", "ngae.figures", "ngae.models",
    "ngae.networks", "ngae.ops", "ngae.oracles", "ngae.search", "ngae.spaces",
)  # fmt: skip
COMMAND_LINE = {"build_parser", "main"}


def _documented():
    module, found = "", {}
    for line in PAGE.read_text().splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.match(r"\.\. auto\w+:: (\S+)", line):
            found[f"{module}.{match[1]}"] = getattr(import_module(module), match[1])
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_on_the_page(package):
    documented = list(_documented().values())
    room = import_module(package)
    missing = [
        name
        for name in room.__all__
        if not name.startswith("__")
        and name not in COMMAND_LINE
        and not hasattr(getattr(room, name), "__path__")
        and not any(getattr(room, name) is value for value in documented)
    ]
    assert missing == []


def test_every_room_with_a_public_list_is_covered():
    import ngae

    rooms = {
        f"ngae.{path.parent.name}"
        for path in Path(ngae.__file__).parent.glob("*/__init__.py")
        if "__all__" in path.read_text()
    }
    assert rooms - set(PACKAGES) == {"ngae.baselines"}
