"""A complete server under test: on a real port, set up by the actions that an operator's commands call.

In this process (flows; fast, with access to its log):

    with running(tmp_path) as server:                       # http on loopback; running(tmp_path, https=True) for certificates
        house = seed(server)                                # an API, roles, apps, people: see `tests/flows/seeds.py`
        app = house.web                                     # `tests/flows/apps.py`: an app's requests
        person = server.person()                            # `tests/flows/browsing.py`: a person's browser
        attempt = app.begin("openid orders:read")
        page = person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD)
        tokens = app.redeem(attempt, person.press(page, "consent", "allow"))

`server.operate(lambda services: services.get(admin.people).disable(os_actor(), "ada@example.com"))` does what a command would do
from another process on the same database: the next request sees it. `server.clock.hold()` stops the clock until the test turns
it: for lifetimes exact to a second.

As separate processes (races, kills): `tests/flows/processes.py`.
"""

from __future__ import annotations

import asyncio
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

import httpx2
import trustme
import uvicorn

from doorward.adapters import logs
from doorward.app.process import start
from doorward.cli.run import opened
from doorward.features.services import Services
from doorward.settings import Settings, load
from doorward.web.connection_limits import LimitedProtocol
from doorward.web.router import App as AsgiApp
from doorward.web.router import Server as AsgiServer
from tests.flows.apis import Api
from tests.flows.browsing import Person
from tests.flows.settings import listening, write_settings
from tests.waiting import PATIENCE, until

T = TypeVar("T")


class Log(io.TextIOBase):
    """The log, as pieces; a reader never blocks the writer."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def write(self, text: str, /) -> int:
        """Append one piece."""
        self.pieces.append(text)
        return len(text)

    def getvalue(self) -> str:
        """The complete log."""
        return "".join(self.pieces)


class RealTime:
    """The clock, with a number of seconds that a test may add to it."""

    def __init__(self) -> None:
        self.ahead = 0
        self._held: float | None = None

    def now(self) -> int:
        """Seconds since the epoch."""
        return int(self.exactly())

    def exactly(self) -> float:
        """The same with its fraction, for an API's clock."""
        return (time.time() if self._held is None else self._held) + self.ahead

    def hold(self, at: float | None = None) -> None:
        """From now on, or from another time, time passes only through `ahead`, however long a busy machine takes for a
        request."""
        self._held = time.time() if at is None else at


@dataclass
class Running:
    """One server in this process. `tls` trusts its certificate, if it has one."""

    issuer: str
    config: Path
    settings: Settings
    clock: RealTime
    log: Log
    tls: ssl.SSLContext | None = None
    ca: Path | None = None
    port: int = 0
    _people: list[Person] = field(default_factory=list)

    def person(self, **how: Any) -> Person:
        """A person with a fresh browser."""
        somebody = Person(self.issuer, verify=self.tls, **how)
        self._people.append(somebody)
        return somebody

    def api(self, audience: str) -> Api:
        """An API that trusts this server."""
        return Api(self.issuer, audience, clock=self.clock.exactly, tls=self.tls)

    def operate(self, work: Callable[[Services], Awaitable[T]]) -> T:
        """Run the actions of an operator's command, on a store opened only for this."""
        return operate(self.config, work, self.log)

    def events(self) -> list[dict[str, Any]]:
        """All log events since the start, as JSON lines."""
        return [json.loads(line) for line in self.log.getvalue().splitlines() if line.startswith("{")]

    def troubles(self) -> list[dict[str, Any]]:
        """The errors in the log: no input may ever cause one."""
        return [event for event in self.events() if event.get("level") in {"error", "critical"}]

    def http(self) -> httpx2.Client:
        """A bare HTTP client that trusts this server's certificate."""
        return httpx2.Client(
            base_url=self.issuer,
            verify=self.tls if self.tls is not None else False,
            trust_env=False,
            timeout=PATIENCE,
        )

    def close(self) -> None:
        """Close the people's connections."""
        for somebody in self._people:
            somebody.close()


def operate(config: Path, work: Callable[[Services], Awaitable[T]], log: Log | None = None) -> T:
    """Run a command's actions, on the store that the settings in `config` name. Raises what the action raises."""

    async def run() -> T:
        async with opened(config) as container:
            services = container.services
            if log is not None:
                # a command configures the log for itself; the server beside it must go on logging as before
                logs.configure("info", "json", out=cast("TextIO", log))
            return await work(services)

    return asyncio.run(run())


@contextmanager
def running(
    folder: Path,
    *,
    https: bool = False,
    prefix: str = "",
    sections: dict[str, dict[str, Any]] | None = None,
    database: str | None = None,
    environ: dict[str, str] | None = None,
    issuer: str | None = None,
    clock: RealTime | None = None,
    listener: socket.socket | None = None,
) -> Generator[Running]:
    """A server on a free port of 127.0.0.1 for the duration of the block. `prefix` is a path in the issuer; `database` a URL, or
    a SQLite file in `folder` if omitted; `environ` are variables that override the settings file. `issuer`: one that is not at
    this port (the client must know the `port`). `listener`: a socket whose port was told to somebody before."""
    listener = listener or listening()
    scheme = "https" if https else "http"
    port: int = listener.getsockname()[1]
    issuer = issuer or f"{scheme}://{'localhost' if https else '127.0.0.1'}:{port}{prefix}"
    config = write_settings(folder, issuer, sections, database=database)
    settings = load(config, environ or {})
    log = Log()
    logs.configure("info", "json", out=cast("TextIO", log))
    clock = clock or RealTime()

    async def begin() -> tuple[AsgiApp, Callable[[], Awaitable[None]]]:
        return await start(settings, clock=clock)

    options: dict[str, Any] = {}
    tls: ssl.SSLContext | None = None
    ca: Path | None = None
    if https:
        options, tls, ca = _certificates(folder)
    server = uvicorn.Server(
        uvicorn.Config(
            AsgiServer(begin),
            http=LimitedProtocol,
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            # as the product: a device that polls every five seconds keeps its connection
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            **options,
        )
    )
    thread = threading.Thread(target=_serve, args=(server, listener), name="server", daemon=True)
    thread.start()
    _wait(server, thread, log)
    here = Running(issuer, config, settings, clock, log, tls, ca, port)
    try:
        yield here
    finally:
        here.close()
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the server does not stop"


def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    server.run(sockets=[listener])


def _wait(server: uvicorn.Server, thread: threading.Thread, log: Log) -> None:
    until(lambda: server.started or not thread.is_alive(), log.getvalue)
    if not server.started:
        raise RuntimeError(f"the server does not start: {log.getvalue()[-2000:]}")


def _certificates(folder: Path) -> tuple[dict[str, Any], ssl.SSLContext, Path]:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    key, chain, ca = folder / "tls.key", folder / "tls.pem", folder / "ca.pem"
    issued.private_key_pem.write_to_path(key)
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    authority.cert_pem.write_to_path(ca)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return {"ssl_keyfile": str(key), "ssl_certfile": str(chain)}, context, ca
