"""Storage of the generated databases, with each engine's way to create, copy and cool them.

Each size is a separate database, made from a copy of the smaller one. All sizes can thus be measured in
turns, so that a slow minute of the machine affects all of them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Collection, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, final

from bench.pin import pinned
from bench.scale import fill
from bench.scale.content import World
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.postgres import Postgres, named, postgres_server

POSTGRES_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
"""In addition to PostgreSQL's defaults, which flush each commit to disk and write full pages after a checkpoint."""
_COPY_PROCESSES = 3


class Ground(Protocol):
    """One engine. `label` names a database: the seed, or a size."""

    name: str

    def url(self, label: str) -> str:
        """The value of the setting `database`."""
        ...

    def create(self, label: str) -> None:
        """Create an empty database."""
        ...

    def drop(self, label: str) -> None:
        """Delete the database if it exists."""
        ...

    def copy(self, old: str, new: str) -> None:
        """Copy `old` to `new`. Neither may be open."""
        ...

    def fill(self, label: str, world: World, first: int, until: int) -> None:
        """Add the grants from `first` to before `until`, and their people."""
        ...

    def expire(self, label: str, world: World, count: int) -> None:
        """Add `count` rows for the sweep."""
        ...

    def cool(self, label: str) -> None:
        """Remove the database from its own memory and the operating system's cache, as far as permitted."""
        ...

    def warm(self, label: str) -> None:
        """Let the operating system read the whole database once, as after some hours of service."""
        ...

    async def open(self, label: str) -> Store:
        """Open the store on it, as the server does."""
        ...

    def execute(self, label: str, statement: str) -> None:
        """Run a statement for which the store has no method."""
        ...

    def mib(self, label: str) -> float:
        """Size on disk."""
        ...


@final
class SqliteGround:
    """Files in a folder."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def url(self, label: str) -> str:
        return str(self._path(label))

    def create(self, label: str) -> None:
        """SQLite creates a file when it is opened."""

    def drop(self, label: str) -> None:
        for path in self._folder.glob(f"{label}.db*"):
            path.unlink()

    def copy(self, old: str, new: str) -> None:
        self.drop(new)
        shutil.copy(self._path(old), self._path(new))

    def fill(self, label: str, world: World, first: int, until: int) -> None:
        fill.fill_sqlite(self._path(label), world, first, until)

    def expire(self, label: str, world: World, count: int) -> None:
        fill.expire_sqlite(self._path(label), world, count)

    def cool(self, label: str) -> None:
        for path in self._folder.glob(f"{label}.db*"):
            _forget(path)

    def warm(self, label: str) -> None:
        _read(self._path(label))

    async def open(self, label: str) -> Store:
        return await open_store(self.url(label), migrate=False)

    def execute(self, label: str, statement: str) -> None:
        connection = sqlite3.connect(self._path(label))
        try:
            with connection:
                connection.execute(statement)
        finally:
            connection.close()

    def mib(self, label: str) -> float:
        return self._path(label).stat().st_size / 2**20

    def _path(self, label: str) -> Path:
        return self._folder / f"{label}.db"


@final
class PostgresGround:
    """Databases of one server."""

    name = "postgres"

    def __init__(self, server: Postgres, cores: Collection[int]) -> None:
        self._server = server
        self._cores = cores

    def url(self, label: str) -> str:
        return named(self._server.base, label_to_name(label))

    def create(self, label: str) -> None:
        self._server.query(f"CREATE DATABASE {label_to_name(label)}")

    def drop(self, label: str) -> None:
        self._server.drop(self.url(label))

    def copy(self, old: str, new: str) -> None:
        self.drop(new)
        copied = f"TEMPLATE {label_to_name(old)} STRATEGY FILE_COPY"
        self._server.query(f"CREATE DATABASE {label_to_name(new)} {copied}")

    def fill(self, label: str, world: World, first: int, until: int) -> None:
        fill.fill_postgres(self.url(label), world, first, until, processes=_COPY_PROCESSES)

    def expire(self, label: str, world: World, count: int) -> None:
        fill.expire_postgres(self.url(label), world, count)

    def cool(self, label: str) -> None:
        """Cools all databases of the server at once: it is stopped and started."""
        self._server.stop()
        for path in self._server.data.joinpath("base").rglob("*"):
            if path.is_file():
                _forget(path)
        with pinned(self._cores):
            self._server.start()

    def warm(self, label: str) -> None:
        oid = self._server.query(f"SELECT oid FROM pg_database WHERE datname = '{label_to_name(label)}'")[0]
        for path in self._server.data.joinpath("base", oid).iterdir():
            # the server can rewrite small files during this loop
            with suppress(FileNotFoundError):
                _read(path)

    async def open(self, label: str) -> Store:
        return await open_store(self.url(label), migrate=False)

    def execute(self, label: str, statement: str) -> None:
        self._server.query(statement, self.url(label))

    def mib(self, label: str) -> float:
        (size,) = self._server.query(f"SELECT pg_database_size('{label_to_name(label)}')")
        return int(size) / 2**20

    @property
    def version(self) -> str:
        """The server's own version text."""
        return self._server.query("SHOW server_version")[0]


@contextmanager
def postgres_ground(folder: Path, cores: Collection[int]) -> Generator[PostgresGround]:
    """A durable PostgreSQL on `cores` with its data in `folder`, where it stays. Raises RuntimeError when
    there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        pinned(cores),
        postgres_server(folder, durable=True, kept=True, settings=POSTGRES_SETTINGS) as server,
    ):
        yield PostgresGround(server, cores)


def label_to_name(label: str) -> str:
    """A database name that begins with a digit would have to be quoted."""
    return f"size_{label}"


def _forget(path: Path) -> None:
    with path.open("rb") as file:
        os.fdatasync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass
