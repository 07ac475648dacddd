"""Rolling upgrade: the nodes of one server are updated in turn while people use it, and an older program
refuses a database that it cannot read."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from doorward.storage.sql.migrate import known
from tests.deploy.proxy import Node
from tests.engines import POSTGRES_IN_SOAK, Engine, on
from tests.flows.apps import App
from tests.flows.seeds import House, seed_at
from tests.flows.settings import SOURCES, environment, write_settings
from tests.flows.signing_in import tokens_by_challenge
from tests.ports import free_port
from tests.server.crowd import Crowd
from tests.waiting import PATIENCE

ENGINES = ("sqlite", "postgres")
NEXT = len(known("sqlite")) + 1
ADDS = (
    f"-- readable by: {NEXT - 1}\n"
    "ALTER TABLE grants ADD COLUMN note TEXT;\n"
    "ALTER TABLE refresh_tokens ADD COLUMN renewed BIGINT NOT NULL DEFAULT 0;\n"
    "CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY);\n"
)
TAKES = "DROP INDEX nodes_expires;\n"


def program(folder: Path, name: str, migration: str | None) -> Path:
    """A whole program in its own folder; with a migration, the next version."""
    into = folder / name / "doorward"
    # with the compiled modules, which remain valid: the times are copied too; without those that another process writes just now
    shutil.copytree(SOURCES[0] / "doorward", into, ignore=shutil.ignore_patterns("*.pyc.*"))
    if migration is not None:
        (into / "storage" / "migrations" / f"{NEXT:04}_later.sql").write_text(migration)
        text = (into / "__init__.py").read_text()
        assert '"0.1.0"' in text
        (into / "__init__.py").write_text(text.replace('"0.1.0"', '"9.9.9"'))
        # of the same size, and perhaps of the same second as the original
        for compiled in (into / "__pycache__").glob("__init__.*"):
            compiled.unlink()
    return into.parent


@pytest.fixture
def place(tmp_path: Path, own_database: str | None) -> Generator[tuple[Path, House, list[Node], Path]]:
    """Settings, seed data, two nodes of the present program behind a link `current`, and that link."""
    ports = [free_port(), free_port()]
    issuer = f"http://127.0.0.1:{ports[0]}"
    config = write_settings(tmp_path, issuer, database=own_database)
    house = seed_at(config, issuer)
    current = tmp_path / "current"
    current.symlink_to(program(tmp_path, "today", None))
    nodes = [
        Node(
            config,
            "127.0.0.1",
            port,
            tmp_path / f"node-{number}.log",
            current,
            ("--workers", f"{number + 1}"),
        )
        for number, port in enumerate(ports)
    ]
    try:
        for node in nodes:
            node.start()
        yield config, house, nodes, current
    finally:
        house.close()
        for node in nodes:
            node.stop()


def exchange(current: Path, new: Path) -> None:
    """As an operator does: the link switches to the new version atomically."""
    beside = current.with_name("next")
    beside.symlink_to(new)
    beside.replace(current)


def reload(node: Node) -> None:
    """Send SIGHUP, and wait until the new workers serve."""
    before = node.told("server.reloaded")
    node.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + PATIENCE
    while node.told("server.reloaded") == before:
        assert time.monotonic() < until, node.log.read_text()[-3000:]
        time.sleep(0.05)


def ready(node: Node) -> int:
    """The status that a load balancer sees."""
    return httpx2.get(f"http://127.0.0.1:{node.port}/readyz", trust_env=False, timeout=PATIENCE).status_code


@contextmanager
def renewing(house: House, node: Node) -> Generator[list[str]]:
    """A client that refreshes its tokens continuously. Yields its errors."""
    tokens = tokens_by_challenge(house.own, "ada@example.com", "openid offline_access orders:read")
    app = App(house.issuer, house.own.client_id, house.own.secret, base=f"http://127.0.0.1:{node.port}")
    wrong: list[str] = []
    stop = threading.Event()

    def renew() -> None:
        newest = tokens.refresh
        while not stop.is_set():
            try:
                answer = app.refresh(newest)
            except httpx2.HTTPError as problem:
                wrong.append(repr(problem))
                continue
            if answer.status_code != 200:
                wrong.append(f"{answer.status_code} {answer.text}")
                continue
            newest = answer.json()["refresh_token"]
            time.sleep(0.05)

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield wrong
    finally:
        stop.set()
        thread.join(PATIENCE)
        app.close()


@on(POSTGRES_IN_SOAK)
def test_two_nodes_are_updated_in_turn_without_a_failed_request(
    place: tuple[Path, House, list[Node], Path], engine: Engine, tmp_path: Path
) -> None:
    del engine
    config, house, (first, second), current = place
    app = house.service
    assert app.secret is not None
    crowds = [Crowd(node.port, (app.client_id, app.secret), kept=2, fresh=1) for node in (first, second)]
    with crowds[0], crowds[1], renewing(house, first) as wrong, renewing(house, second) as also_wrong:
        exchange(current, program(tmp_path, "tomorrow", ADDS))
        reload(first)
        assert '"version": "9.9.9"' in first.log.read_text()
        assert '"version": "9.9.9"' not in second.log.read_text()
        time.sleep(1)
        assert (ready(first), ready(second)) == (200, 200)
        # a node of the present version can even start on the next version's schema
        late = Node(config, "127.0.0.1", free_port(), tmp_path / "late.log", tmp_path / "today")
        late.start()
        assert ready(late) == 200
        late.stop()
        reload(second)
        assert '"version": "9.9.9"' in second.log.read_text()
        time.sleep(0.5)
    assert [*wrong, *also_wrong] == []
    assert [*crowds[0].failures, *crowds[1].failures] == []
    assert min(crowds[0].answers["kept"], crowds[1].answers["kept"]) > 20


@on(POSTGRES_IN_SOAK)
def test_a_node_that_cannot_read_the_new_schema_logs_it_and_is_not_ready(
    place: tuple[Path, House, list[Node], Path], engine: Engine, tmp_path: Path
) -> None:
    del engine
    config, _, (first, second), current = place
    exchange(current, program(tmp_path, "tomorrow", TAKES))
    reload(first)
    assert (ready(first), ready(second)) == (200, 503)
    surroundings = environment()
    surroundings["PYTHONPATH"] = f"{tmp_path / 'today'}{os.pathsep}{surroundings['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "doorward", "serve", "--config", str(config), "--port", str(free_port())],
        env=surroundings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert f"has schema version {NEXT}, this program knows versions up to {NEXT - 1}" in done.stderr
    assert "Start that newer version again" in done.stderr
    assert "Traceback" not in done.stderr
    reload(second)
    assert ready(second) == 200


def test_a_reload_follows_the_link_to_the_new_installation(tmp_path: Path) -> None:
    """A script's first line names the folder of its installation; a reload must follow the link in spite of that."""
    packages = {path for path in sys.path if path.endswith("site-packages")}
    for version in ("one", "two"):
        venv.create(tmp_path / version)
        site = next((tmp_path / version / "lib").glob("python*/site-packages"))
        (site / "here.pth").write_text("\n".join(map(str, [*SOURCES, *packages])))
        script = tmp_path / version / "bin" / "doorward"
        lines = (
            f"#!{tmp_path / version}/bin/python",
            "import sys",
            "from doorward.__main__ import main",
            "sys.exit(main())",
        )
        script.write_text("\n".join(lines))
        script.chmod(0o755)
    current = tmp_path / "current"
    current.symlink_to("one")
    port = free_port()
    config = write_settings(tmp_path, f"http://127.0.0.1:{port}")
    log = tmp_path / "log"
    surroundings = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    with log.open("wb") as out:
        running = subprocess.Popen(
            [str(current / "bin" / "doorward"), "serve", "--config", str(config)],
            env=surroundings,
            stderr=out,
        )
    try:
        _logged(log, "server.ready")
        assert _sources(running.pid) == str(tmp_path / "one")
        exchange(current, Path("two"))
        running.send_signal(signal.SIGHUP)
        _logged(log, "server.reloaded")
        assert _sources(running.pid) == str(tmp_path / "two")
    finally:
        running.terminate()
        assert running.wait(PATIENCE) == 0


def _logged(log: Path, event: str) -> None:
    until = time.monotonic() + PATIENCE
    while f'"{event}"' not in log.read_text():
        assert time.monotonic() < until, log.read_text()[-3000:]
        time.sleep(0.05)


def _sources(pid: int) -> str:
    """The installation of a process, from its command line."""
    program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    return str(Path(program).parent.parent.resolve())
