"""Shared fixtures: the event loop, a free port, external programs, and a count of skipped tests.

The fixtures of one folder are in its own conftest.py.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import settings

from doorward.app import container
from doorward.storage.sql.migrate import Migration, known
from doorward.storage.sql.store import Store
from doorward.storage.sqlite import database as sqlite
from doorward.storage.sqlite import file
from doorward.storage.sqlite.database import open_sqlite
from tests import lent_keys, ports
from tests.containers import cheap_hasher
from tests.engines import SQLITE, Engine
from tests.found import found
from tests.hardware_token import HardwareToken, new_token
from tests.lent import Lender, migrate
from tests.postgres import Databases, postgres_server
from tests.scheduling import TwoQueues
from tools import system
from tools.requirements_page import load

# Collecting makes some hundred thousand objects that stay until the end: looking through them for garbage, again and again, takes a
# quarter of the time of collecting, and some of each test's.
gc.disable()

# The duration of one example depends more on the machine than on our code.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """asyncio; on uvloop, as the server runs, with DOORWARD_TEST_UVLOOP=1."""
    return "asyncio", {"use_uvloop": os.environ.get("DOORWARD_TEST_UVLOOP") == "1"}


@pytest.fixture
def free_port() -> int:
    """A TCP port on 127.0.0.1 on which no process listens, and that no other test gets."""
    return ports.free_port()


@pytest.fixture(scope="session", autouse=True)
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Databases in memory begin as a copy of one that was migrated once; the program then finds nothing to migrate.
    Its path is for tests that begin with such a file."""
    made = tmp_path_factory.mktemp("migrated") / "doorward.db"
    sqlite.prepare(made, known("sqlite"), migrate=True, durable=False)

    def prepare(path: Path, migrations: Sequence[Migration], migrate: bool, *, durable: bool = True) -> None:
        if migrate and not durable and not path.exists():
            shutil.copy(made, path)
        file.prepare(path, migrations, migrate, durable=durable)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite, "prepare", prepare)
        yield made


@pytest.fixture(scope="session", autouse=True)
def few_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One certificate authority that has issued nothing, instead of the machine's: to read those takes 30 ms of processor time for each
    TLS context, and a server has several."""
    path = tmp_path_factory.mktemp("authorities") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(path))
        patched.delenv("SSL_CERT_DIR", raising=False)
        yield


# In these folders servers and commands that run in the worker hash passwords with little memory; `STRONG = True` keeps a module from it.
CHEAP = ("attacks", "cli", "flows", "moving", "races")


@pytest.fixture(scope="module", autouse=True)
def cheap_hashing(request: pytest.FixtureRequest) -> Iterator[None]:
    """A hash of the least strength that the settings accept takes 30 ms of processor time, and more than a second on a busy machine,
    because its threads have the lowest priority."""
    with pytest.MonkeyPatch.context() as patched:
        if set(CHEAP) & set(request.path.parts) and not getattr(request.module, "STRONG", False):
            patched.setattr(container, "Argon2Hasher", cheap_hasher)
        yield


@pytest.fixture(scope="module", autouse=True)
def shared_keys(request: pytest.FixtureRequest) -> Iterator[None]:
    """Servers in this process share RSA keys, but in tests/adapters, where keys are the subject."""
    with pytest.MonkeyPatch.context() as patched:
        if "adapters" not in request.path.parts:
            lent_keys.share(patched)
        yield


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """An empty store in memory; tests/storage has its own, which runs on both engines."""
    opened = await open_sqlite(":memory:")
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of Debian's Chromium; without it the test is skipped, and counted."""
    return found(system.chromium())


@pytest.fixture(scope="session")
def hardware_token(tmp_path_factory: pytest.TempPathFactory) -> HardwareToken:
    """A SoftHSM token, one per worker. Its library can be loaded only once in a process, so it stays until the end."""
    return new_token(found(system.softhsm()), tmp_path_factory.mktemp("token"))


@pytest.fixture(scope="session")
def node_peers() -> system.NodePeers:
    """Node 24 and the npm clients of tests/peers/package.json."""
    return found(system.node_peers())


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs, for tests that start a server of their own."""
    return found(system.postgres())


@pytest.fixture(scope="session")
def pgbouncer_program() -> Path:
    """The path of Debian's PgBouncer."""
    return found(system.pgbouncer())


@pytest.fixture(scope="session")
def postgres(postgres_programs: Path) -> Iterator[Databases]:
    """A PostgreSQL for all tests of this worker, or the one that DOORWARD_TEST_POSTGRES_URL names."""
    there = os.environ.get("DOORWARD_TEST_POSTGRES_URL")
    if there:
        yield Databases(postgres_programs, there)
        return
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def lender(postgres: Databases) -> Iterator[Lender]:
    """Databases of that server that are emptied after a test, and lent again."""
    lending = Lender(postgres)
    yield lending
    lending.close()


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL database for one test, without rows of other tests."""
    with _database(request) as url:
        yield url


# Their tests get a database whose schema another test has made; in the other folders it is empty. A module may say `MIGRATED` itself.
MIGRATED = ("attacks", "features", "flows", "races", "storage")


@contextmanager
def _database(request: pytest.FixtureRequest) -> Generator[str]:
    if getattr(request.module, "MIGRATED", bool(set(MIGRATED) & set(request.path.parts))):
        lender: Lender = request.getfixturevalue("lender")
        with lender.lend("postgres", migrate) as url:
            yield url
        return
    postgres: Databases = request.getfixturevalue("postgres")
    url = postgres.create()
    yield url
    postgres.drop(url)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once for each engine that the test (`engines.on`) or its module names."""
    named: tuple[Any, ...] | None = getattr(
        metafunc.function, "engines", getattr(metafunc.module, "ENGINES", None)
    )
    if named and "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", named, scope="module")


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The engine of a test whose module names none."""
    return SQLITE[0]


@pytest.fixture(scope="module")
def database(engine: Engine, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A fresh database for the tests of a module: its URL, or None for a SQLite file in the server's own folder."""
    if engine == "sqlite":
        yield None
        return
    with _database(request) as url:
        yield url


@pytest.fixture
def own_database(engine: Engine, request: pytest.FixtureRequest) -> str | None:
    """The same for a single test."""
    return None if engine == "sqlite" else request.getfixturevalue("postgres_url")


# Folders, and files of others, whose tests take long and mostly wait: started last, such a file would run alone while the other workers
# have nothing left. Every second worker begins with them (tests/scheduling.py).
LONG = (
    *("deploy", "failures", "moving", "bench", "browser", "server", "demo", "pages", "races", "released"),
    "test_lost_feed.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TwoQueues | None:
    """Two queues of files; another `--dist` than that of `make test` has its own scheduler."""
    return TwoQueues(config, log, LONG) if config.getoption("dist") == "loadfile" else None


SOAK_SECONDS = 3600
"""After which a test of the soak is ended, however it was started."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Rejects an unknown requirement number, which would otherwise prove nothing and look like proof. Slow tests come first, and those
    of the soak may take longer."""
    items.sort(key=lambda item: not set(LONG) & set(item.path.parts))
    known = load().numbers
    for item in items:
        if item.get_closest_marker("soak") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SOAK_SECONDS))
        for mark in item.iter_markers("requirement"):
            if not mark.args or not all(isinstance(n, int) and n in known for n in mark.args) or mark.kwargs:
                raise pytest.UsageError(
                    f"{item.nodeid}: requirement() takes numbers of tools/requirements.toml, 1 to {max(known)}"
                )


def pytest_collection_finish() -> None:
    """What was made by now is never garbage."""
    gc.freeze()
    gc.enable()


_SOAK = "_doorward_left_to_soak"


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Counts the tests that this run leaves to `make soak`."""
    for item in items:
        if item.get_closest_marker("soak"):
            setattr(item.config, _SOAK, getattr(item.config, _SOAK, 0) + 1)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """With several workers the selection is theirs, and equal: the count comes from any of them."""
    soak = getattr(node, "workeroutput", {}).get(_SOAK, 0)
    setattr(node.config, _SOAK, max(soak, getattr(node.config, _SOAK, 0)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tells the count to the run that this worker belongs to."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_SOAK] = getattr(session.config, _SOAK, 0)  # pyright: ignore[reportAttributeAccessIssue]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The tests left to the soak, and «left out: N»: every skip, with its reason, so that a green run shows what it did not run."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[re.sub(r"^Skipped: ", "", text)] += 1
    soak = getattr(terminalreporter.config, _SOAK, 0)
    if soak:
        terminalreporter.section(f"left to `make soak`: {soak}")
        terminalreporter.line(f"soak: {soak} tests")
    count = sum(reasons.values())
    terminalreporter.section(f"left out: {count}")
    for reason, times in sorted(reasons.items()):
        terminalreporter.line(f"{times} × {reason}")
    if not count:
        terminalreporter.line("nothing")
