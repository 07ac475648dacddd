"""Socket of a stand-in: HTTP/1.1 with or without TLS, one request a connection, in the running event loop."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec
import trustme

from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Called:
    """A request. `query` and `form` are pairs, so that a parameter given twice is seen."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields of a form."""
        return parse_qsl(self.body, keep_blank_values=True)


@dataclass(frozen=True)
class Replied:
    """A response: JSON, or a page where `document` is text."""

    status: int
    document: Any
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Answering(Protocol):
    """What is served. `origin` is set before the first request."""

    origin: str

    def answer(self, called: Called) -> Replied: ...


@asynccontextmanager
async def served(
    service: Answering, folder: Path | None, *, hosts: tuple[str, ...] = ()
) -> AsyncGenerator[str | None]:
    """Serve on a free port. With `folder` by TLS as localhost and `hosts`: gives the file of the authority; else plainly at 127.0.0.1."""
    side, ca_file = None, None
    if folder is not None:
        authority = trustme.CA()
        ca_file = folder / f"{type(service).__name__}.pem"
        authority.cert_pem.write_to_path(ca_file)
        side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost", *hosts).configure_cert(side)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(_written(service.answer(await _read(reader))))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=side)
    port = server.sockets[0].getsockname()[1]
    service.origin = f"http://127.0.0.1:{port}" if side is None else f"https://localhost:{port}"
    yield None if ca_file is None else str(ca_file)
    server.close()


async def _read(reader: asyncio.StreamReader) -> Called:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
    body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    return Called(method, parts.path, parse_qsl(parts.query, keep_blank_values=True), headers, body)


def _written(reply: Replied) -> bytes:
    page = isinstance(reply.document, str)
    body = reply.document.encode() if page else msgspec.json.encode(reply.document)
    kind = "text/html; charset=utf-8" if page else "application/json"
    headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close", **reply.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} X\r\n{lines}\r\n".encode() + body


@contextmanager
def served_beside(service: Answering, folder: Path | None = None) -> Generator[str | None]:
    """Serve in a thread, for tests that run no event loop: plainly, or by TLS with `folder`, which gives the file of the authority.
    Its origin is at `localhost`, which is another site than 127.0.0.1."""
    ready, over = threading.Event(), threading.Event()
    trusted: list[str | None] = []

    async def run() -> None:
        async with served(service, folder) as ca_file:
            trusted.append(ca_file)
            service.origin = service.origin.replace("127.0.0.1", "localhost")
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield trusted[0]
    finally:
        over.set()
        thread.join(PATIENCE)
