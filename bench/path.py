"""`python -m bench.path`: processor time of one request on the event loop's thread, in this process and without sockets.

It needs no quiet machine: what counts is the time of the thread, not of the clock. Requests go through the protocol class of
`doorward serve`, from the bytes that arrive to the bytes of the answer; system calls of the network are left out, and so is the work of
the writing thread. `--profile` prints where the time goes. The installation is set up once, under build/bench/path.
"""

import argparse
import asyncio
import cProfile
import gc
import os
import pstats
import re
import statistics
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, final

import msgspec
import uvicorn
import uvloop
from uvicorn.server import ServerState

from bench import requests
from bench.connection import Flow
from bench.process import BUILD
from bench.server import CONNECTIONS, NEXT_RESOURCE, RESOURCE, SCOPE, App, Person, pkce, set_up, sign_in
from doorward.adapters import logs
from doorward.app.process import start
from doorward.settings import load
from doorward.web.connection_limits import LimitedProtocol

HOST = "127.0.0.1:8000"
KINDS = ("client_credentials", "refresh", "token_exchange", "api_key", "introspection", "userinfo")
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS = "urn:ietf:params:oauth:token-type:access_token"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")


class Installation(msgspec.Struct, frozen=True):
    """The credentials of an installation: see `bench.server.Server`."""

    service: str
    exchanger: str
    api_key: str
    apps: list[App]
    people: list[Person]


@final
class Socket:
    """A transport that hands each whole answer to a flow, and its next request to the protocol."""

    def __init__(self, counts: "Counts", protocol: LimitedProtocol, flow: Flow) -> None:
        self._counts = counts
        self._protocol = protocol
        self._flow = flow
        self._loop = asyncio.get_running_loop()

    def begin(self) -> None:
        """Connect, and send the first request."""
        self._protocol.connection_made(cast("asyncio.Transport", self))
        self._protocol.data_received(next(self._flow))

    def get_extra_info(self, name: str, default: object = None) -> object:
        """What a TCP connection says of itself."""
        return {"peername": ("127.0.0.1", 4711), "sockname": ("127.0.0.1", 8000)}.get(name, default)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...

    def write(self, data: bytes) -> None:
        """The answer, which arrives in one piece."""
        head, _, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200") or length is None or int(length[1]) != len(body):
            self._counts.done.set_exception(RuntimeError(f"not the answer: {data[:400]!r}"))
        else:
            following = self._flow.send(body)
            if self._counts.one_more():
                self._loop.call_soon(self._protocol.data_received, following)


@final
class Counts:
    """How many answers are still to come."""

    def __init__(self, answers: int) -> None:
        self.left = answers
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def one_more(self) -> bool:
        """Count an answer; whether another request is to be sent."""
        self.left -= 1
        if self.left == 0:
            self.done.set_result(None)
        return self.left > 0 and not self.done.done()


@final
class Driver:
    """The running application, and the requests that are sent to it."""

    def __init__(self, app: Any, given: Installation) -> None:
        self._config = uvicorn.Config(
            app, http=LimitedProtocol, ws="none", access_log=False, log_config=None, proxy_headers=False
        )
        self._config.load()
        self._given = given
        self._of_shop: list[dict[str, Any]] = []
        self._of_reader: list[dict[str, Any]] = []
        self._families: list[deque[str]] = []

    async def answers(self, flows: Sequence[Flow], number: int) -> float:
        """Processor time of this thread for each answer, in microseconds."""
        counts = Counts(number)
        gc.collect()
        began = time.thread_time()
        for flow in flows:
            protocol = LimitedProtocol(config=self._config, server_state=ServerState(), app_state={})
            Socket(counts, protocol, flow).begin()
        await counts.done
        return (time.thread_time() - began) * 1_000_000 / number

    async def sign_in(self) -> None:
        """Tokens of people, for the requests that need one; each sign-in takes a hash of 15 ms. Those of the last app come with an ID
        token, those of the first one without."""
        self._of_shop = await self._signed_in(self._given.apps[0])
        self._of_reader = await self._signed_in(self._given.apps[2])
        tokens = [str(one["refresh_token"]) for one in self._of_shop]
        self._families = requests.shared_out(tokens, CONNECTIONS)

    async def _signed_in(self, app: App) -> list[dict[str, Any]]:
        bodies: list[bytes] = []
        for number in range(CONNECTIONS):
            person = self._given.people[number % len(self._given.people)]
            verifier, challenge = pkce()
            await self.answers([_kept(sign_in(HOST, person, challenge, app), bodies)], 1)
            code = msgspec.json.decode(bodies.pop())["authorization_code"]
            fields = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
            await self.answers([_kept(requests.form(HOST, "/token", fields, app.basic), bodies)], 1)
        return [msgspec.json.decode(body) for body in bodies]

    def flows(self, kind: str) -> list[Flow]:
        """32 connections that send requests of this kind."""
        given = self._given
        access = [str(one["access_token"]) for one in self._of_shop]
        if kind == "client_credentials":
            fields = {"grant_type": "client_credentials", "scope": SCOPE, "resource": RESOURCE}
            every = [requests.form(HOST, "/token", fields, given.service)] * CONNECTIONS
        elif kind == "api_key":
            fields = {"grant_type": "urn:doorward:grant-type:api-key", "api_key": given.api_key}
            every = [requests.form(HOST, "/token", fields)] * CONNECTIONS
        elif kind == "token_exchange":
            said = {"grant_type": _EXCHANGE, "subject_token_type": _ACCESS, "resource": NEXT_RESOURCE}
            every = [
                requests.form(HOST, "/token", {**said, "subject_token": token}, given.exchanger)
                for token in access
            ]
        elif kind == "introspection":
            every = [
                requests.form(HOST, "/introspect", {"token": token}, given.exchanger) for token in access
            ]
        elif kind == "userinfo":
            head = f"GET /userinfo HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer "
            every = [f"{head}{one['access_token']}\r\n\r\n".encode() for one in self._of_reader]
        else:
            basic = given.apps[0].basic
            return [requests.rotation(HOST, "/token", basic, mine) for mine in self._families]
        return [requests.always(request) for request in every]


def _kept(request: bytes, bodies: list[bytes]) -> Flow:
    bodies.append((yield request))
    yield b""


async def _measure(config: Path, given: Installation, asked: argparse.Namespace) -> None:
    settings = load(config, {})
    logs.configure(settings.log.level, settings.log.format)
    app, stop = await start(settings)
    try:
        driver = Driver(app, given)
        if set(asked.only) - {"client_credentials", "api_key"}:
            await driver.sign_in()
        for kind in asked.only:
            await driver.answers(driver.flows(kind), 500)
            if asked.profile:
                profile = cProfile.Profile()
                profile.enable()
                await driver.answers(driver.flows(kind), asked.requests)
                profile.disable()
                pstats.Stats(profile).sort_stats(asked.profile).print_stats(45)
                continue
            rounds = [await driver.answers(driver.flows(kind), asked.requests) for _ in range(asked.rounds)]
            least, middle = min(rounds), statistics.median(rounds)
            print(f"{kind:20} {middle:7.1f} µs   {least:7.1f} the least of {asked.rounds} rounds", flush=True)
    finally:
        await stop()


def _installation(home: Path) -> tuple[Path, Installation]:
    config, kept = home / "doorward.toml", home / "installation.json"
    if not kept.exists():
        home.mkdir(parents=True, exist_ok=True)
        database = home / "doorward.db"
        config.write_text(f'issuer = "http://{HOST}"\ndatabase = "{database}"\n[log]\nlevel = "error"\n')
        kept.write_bytes(msgspec.json.encode(Installation(*set_up(config))))
    return config, msgspec.json.decode(kept.read_bytes(), type=Installation)


def main() -> None:
    """Measure the kinds of requests that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.path", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="KIND", choices=KINDS, default=list(KINDS))
    parser.add_argument("--requests", type=int, default=4000, help="for each round (default 4000)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", nargs="?", const="tottime", metavar="ORDER", help="of pstats")
    asked = parser.parse_args()
    home = BUILD / "bench" / "path"
    config, given = _installation(home)
    os.chdir(home)
    uvloop.run(_measure(config, given, asked))


if __name__ == "__main__":
    main()
