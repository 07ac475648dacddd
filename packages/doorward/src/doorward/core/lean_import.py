"""Import of a library without the optional parts that it would load only because they are installed.

structlog loads rich for coloured tracebacks, and uvicorn its command line: together 9 MiB that a worker never uses (docs/decisions/0176).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import cast


def load_without(name: str, *absent: str) -> None:
    """Import `name` as if the packages `absent`, which it can do without, were not installed. One that is loaded already stays
    loaded. Raises ImportError."""
    if name in sys.modules:
        return
    hidden = [each for each in absent if each not in sys.modules]
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    for each in hidden:
        # Python's own sign of a module that must not be imported
        modules[each] = None
    try:
        import_module(name)
    finally:
        for each in hidden:
            del sys.modules[each]


def load_deferring(name: str, part: str, names: tuple[str, ...]) -> None:
    """Import the package `name`, which takes `names` from its module `part`, without that module. It is loaded when somebody asks the
    package for one of `names`. Raises ImportError."""
    if name in sys.modules:
        return
    whole = f"{name}.{part}"
    stand_in = ModuleType(whole)
    for each in names:
        setattr(stand_in, each, None)
    sys.modules[whole] = stand_in
    try:
        package = import_module(name)
    finally:
        del sys.modules[whole]
    for each in {part, *names} & vars(package).keys():
        delattr(package, each)
    get: Callable[[str], object] = lambda asked: _of_part(package, whole, asked, names)  # noqa: E731
    vars(package)["__getattr__"] = get


def _of_part(package: ModuleType, whole: str, asked: str, names: tuple[str, ...]) -> object:
    if asked not in names:
        raise AttributeError(f"module {package.__name__!r} has no attribute {asked!r}")
    loaded = import_module(whole)
    vars(package).update({each: getattr(loaded, each) for each in names})
    return getattr(loaded, asked)


class Deferred(ModuleType):
    """A module that is imported when one of its names is asked for the first time. For the libraries of what many servers never do."""

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)
