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


def load_deferring(name: str, part: str, *, unused: tuple[str, ...] = ()) -> None:
    """Import the package `name` without its module `part`, from which it takes names. It is loaded when somebody asks the package for one
    of these. `unused` are modules that it imports and that nothing here makes it use: their names are None in it. Raises ImportError."""
    if name in sys.modules:
        return
    whole = f"{name}.{part}"
    stand_ins = {each: _Empty(each) for each in (whole, *unused) if each not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        package = import_module(name)
    finally:
        for each in stand_ins:
            del sys.modules[each]
    names = stand_ins[whole].asked
    for each in {part, *names} & vars(package).keys():
        delattr(package, each)
    get: Callable[[str], object] = lambda asked: _of_part(package, whole, asked, names)  # noqa: E731
    vars(package)["__getattr__"] = get


def _of_part(package: ModuleType, whole: str, asked: str, names: set[str]) -> object:
    if asked not in names:
        raise AttributeError(f"module {package.__name__!r} has no attribute {asked!r}")
    loaded = import_module(whole)
    vars(package).update({each: getattr(loaded, each) for each in names})
    return getattr(loaded, asked)


class _Empty(ModuleType):
    """A module in which every name is None; `asked` are the names that somebody took from it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)
        self.asked.add(name)


class Deferred(ModuleType):
    """A module that is imported when one of its names is asked for the first time. For the libraries of what many servers never do."""

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)
