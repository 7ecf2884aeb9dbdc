"""A search space of one's own, from a module or a file that the user names."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from ngae.errors import NgaeError, UsageError
from ngae.spaces.base import SearchSpace


def space_of_module(name: str) -> SearchSpace:
    """Import what `name` says and return the space that it names.

    The module's code runs: name only what you trust.

    Args:
        name: `module:Name` or `path/to/file.py:Name`; a class without arguments, or an object.

    Raises:
        UsageError: No such module, no such name in it, or no search space.
    """
    place, _, attribute = name.rpartition(":")
    try:
        module = _module_of_file(place) if place.endswith(".py") else _module(place)
        found = getattr(module, attribute, None)
        if isinstance(found, type) and issubclass(found, SearchSpace):
            found = found()
    except NgaeError:
        raise
    except Exception as error:  # whatever the user's code raises
        raise UsageError(
            f"--space {name}: expected a search space, found {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, SearchSpace):
        names = [key for key, value in vars(module).items() if _is_space(value)]
        raise UsageError(
            f"--space {name}: expected a search space called {attribute}, "
            f"found {type(found).__name__ if found is not None else 'nothing of that name'}",
            remedy=f"spaces of the module: {', '.join(names) or 'none'}",
        )
    if not hasattr(found, "name"):
        raise UsageError(
            f"--space {name}: expected a space that was made whole, found one without a name",
            remedy="call super().__init__() at the end of its __init__",
        )
    found.name = name
    return found


def _is_space(value: object) -> bool:
    if isinstance(value, type):
        return issubclass(value, SearchSpace) and not value.__module__.startswith("ngae.")
    return isinstance(value, SearchSpace)


def _module(name: str) -> ModuleType:
    if not name or name.startswith("."):
        raise UsageError(f"--space: expected module:Name or file.py:Name, found {name!r}:...")
    folder = os.getcwd()
    added = folder not in sys.path and "" not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            f"--space {name}: expected a module that can be imported from {folder}, found: {error}"
        ) from error
    finally:
        if added:
            sys.path.remove(folder)


def _module_of_file(place: str) -> ModuleType:
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"--space {place}: expected a file, found nothing of that name")
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path.resolve()):
        return known  # its classes are those of the objects that exist
    specification = importlib.util.spec_from_file_location(path.stem, path.resolve())
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module  # as dataclasses and pickling of its objects need it
    try:
        specification.loader.exec_module(module)
    except BaseException:
        if known is None:
            del sys.modules[path.stem]
        else:
            sys.modules[path.stem] = known
        raise
    return module
