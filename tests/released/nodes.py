"""Two nodes on one PostgreSQL: a server process of the released commit, and one of today's code.

with both_nodes(folder, tree, url) as nodes:
    person = nodes.person(nodes.then)               # a browser whose requests go to the released node
    person.node = nodes.now                         # and from now on to the other one
    app = nodes.app("own", nodes.now)
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.flows.apps import App
from tests.flows.browsing import Person
from tests.flows.processes import Process
from tests.flows.seeds import House, seed_at
from tests.flows.settings import environment, write_settings
from tests.ports import free_ports
from tests.released.tree import sources
from tests.waiting import PATIENCE


class Between(httpx2.BaseTransport):
    """Sends every request to the current node and keeps the issuer's Host header. `permitted`: a server error that may come."""

    def __init__(self, node: Process, permitted: int | None) -> None:
        self.node = node
        self._permitted = permitted
        self._inner = httpx2.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request. No node may ever respond with another server error."""
        request.url = request.url.copy_with(port=self.node.port)
        answer = self._inner.handle_request(request)
        sound = answer.status_code < 500 or answer.status_code == self._permitted
        assert sound, f"{answer.status_code} of {request.method} {request.url}"
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class Wanderer(Person):
    """A browser whose requests go to one node and then to the other, as through a load balancer."""

    def __init__(self, issuer: str, node: Process, permitted: int | None = None) -> None:
        super().__init__(issuer)
        self._client.close()
        self._between = Between(node, permitted)
        self._client = httpx2.Client(transport=self._between, follow_redirects=False, timeout=PATIENCE)

    @property
    def node(self) -> Process:
        """The node of the next request."""
        return self._between.node

    @node.setter
    def node(self, node: Process) -> None:
        self._between.node = node


@dataclass
class Nodes:
    """`then` runs the released commit, `now` today's code."""

    issuer: str
    then: Process
    now: Process
    house: House
    _closing: list[Person | App] = field(default_factory=list)

    def pair(self, direction: str) -> tuple[Process, Process]:
        """The first and the second node of a test."""
        return (self.then, self.now) if direction == "then-now" else (self.now, self.then)

    def person(self, node: Process, *, permitted: int | None = None) -> Wanderer:
        """A person with a fresh browser."""
        person = Wanderer(self.issuer, node, permitted)
        self._closing.append(person)
        return person

    def app(self, name: str, node: Process) -> App:
        """An app that uses this node."""
        known: App = getattr(self.house, name)
        app = App(self.issuer, known.client_id, known.secret, known.redirect_uri, base=node.base)
        self._closing.append(app)
        return app

    def close(self) -> None:
        """Close all connections."""
        for one in self._closing:
            one.close()
        self.house.close()


def module_of(folders: tuple[Path, ...]) -> Path:
    """The place from which a process with these sources loads its code."""
    command = [sys.executable, "-c", "import doorward; print(doorward.__file__)"]
    out = subprocess.run(command, env=environment(folders), check=True, capture_output=True, text=True)
    return Path(out.stdout.strip())


@contextmanager
def both_nodes(
    folder: Path,
    tree: Path,
    database: str,
    *,
    host: str = "127.0.0.1",
    sections: dict[str, dict[str, Any]] | None = None,
) -> Generator[Nodes]:
    """Both nodes, for the duration of the block. The released node starts first and creates the tables. `host` is that of the issuer:
    with "localhost" today's node has passkeys. `sections` are settings of today's node, which the released one may not know."""
    assert module_of(sources(tree)).is_relative_to(tree)
    port = free_ports(2)
    issuer = f"http://{host}:{port}"
    later = write_settings(folder, issuer, sections, database=database).rename(folder / "now.toml")
    config = write_settings(folder, issuer, database=database)
    then = Process(config, port, folder / "then.log", sources(tree))
    now = Process(later, port + 1, folder / "now.log")
    then.start()
    try:
        nodes = Nodes(issuer, then, now, seed_at(config, issuer))
        try:
            now.start()
            yield nodes
        finally:
            nodes.close()
            now.stop()
    finally:
        then.stop()
    for node in (then, now):
        assert node.unforeseen() == []
