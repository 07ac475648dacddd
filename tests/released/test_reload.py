"""Test of an update by SIGHUP from the released commit to today's code without a lost request."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.deploy.proxy import Node
from tests.deploy.test_upgrade import exchange, reload, renewing
from tests.engines import POSTGRES_IN_SOAK
from tests.flows.seeds import seed_at
from tests.flows.settings import SOURCES, write_settings
from tests.found import found
from tests.ports import free_port
from tests.released.tree import extract, history, sources
from tests.server.crowd import Crowd

ENGINES = POSTGRES_IN_SOAK


def program(folder: Path, name: str, packages: tuple[Path, ...]) -> Path:
    """Both packages in one folder, as an installation has them."""
    into = folder / name
    for place, package in zip(packages, ("doorward", "doorward_verify"), strict=False):
        shutil.copytree(place / package, into / package, ignore=shutil.ignore_patterns("*.pyc.*"))
    return into


def modules(node: Node) -> set[str]:
    """The modules by which the node's processes were started."""
    ours = node.process.pid
    answer: set[str] = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            words = (status.parent / "cmdline").read_bytes().split(b"\0")
            parent = int(status.read_text("utf-8", "replace").split("PPid:")[1].split()[0])
        except (OSError, IndexError):
            continue
        if ours in (parent, int(status.parent.name)):
            answer |= {word.decode() for word in words if word.startswith(b"doorward.")}
    return answer


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_the_released_server_is_updated_by_a_reload(
    tmp_path: Path, own_database: str | None, workers: int
) -> None:
    found(history())
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    config = write_settings(tmp_path, issuer, database=own_database)
    current = tmp_path / "current"
    current.symlink_to(program(tmp_path, "then", sources(extract(tmp_path / "tree"))))
    node = Node(config, "127.0.0.1", port, tmp_path / "node.log", current, ("--workers", f"{workers}"))
    node.start()
    house = seed_at(config, issuer)
    try:
        assert modules(node) == {"doorward.workshop.serving"}
        assert house.service.secret is not None
        with (
            Crowd(port, (house.service.client_id, house.service.secret), kept=2, fresh=1) as crowd,
            renewing(house, node) as wrong,
        ):
            exchange(current, program(tmp_path, "now", SOURCES))
            reload(node)
            # later reloads use the new module name
            reload(node)
        assert modules(node) == {"doorward.server"}
        assert wrong == []
        assert crowd.failures == []
    finally:
        house.close()
        node.stop()
