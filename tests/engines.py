"""Databases of a test: SQLite, unless its module says `ENGINES = BOTH`; tests/conftest.py reads it.

`POSTGRES_IN_SOAK` is for modules whose subject is above the store: they run on PostgreSQL only in `make soak`. A single test
of a module that names `BOTH` takes it as a decorator: `@on(POSTGRES_IN_SOAK)`.

The fixture `database` is the URL of a fresh database for the module, or None for a SQLite file in the server's own folder; what
takes a `database` (`running`, `processes`) understands both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import pytest

Engine = Literal["sqlite", "postgres"]
SQLITE: tuple[Engine, ...] = ("sqlite",)
POSTGRES: tuple[Engine, ...] = ("postgres",)
BOTH: tuple[Engine, ...] = ("sqlite", "postgres")
POSTGRES_IN_SOAK: tuple[Any, ...] = ("sqlite", pytest.param("postgres", marks=pytest.mark.soak))

Test = TypeVar("Test", bound=Callable[..., object])


def on(engines: tuple[Any, ...]) -> Callable[[Test], Test]:
    """For a test that runs on other engines than its module names."""

    def chosen(test: Test) -> Test:
        vars(test)["engines"] = engines
        return test

    return chosen
