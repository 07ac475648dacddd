"""HTTP server on a real socket, with handlers that record what they received, and a client that sends raw bytes."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import uvicorn

from doorward.adapters.no_metrics import NoMetrics
from doorward.web.http import Request, Response, json_response
from doorward.web.route import machine
from doorward.web.router import App, Server
from tests.waiting import PATIENCE
from tests.web.asgi import Current


@dataclass
class Seen:
    """What the handlers received."""

    paths: list[str] = field(default_factory=list)
    finished: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


def app_of(seen: Seen) -> App:
    async def echo(request: Request) -> Response:
        seen.paths.append(request.path)
        body = await request.body()
        said = {
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(),
            "size": len(body),
            "forwarded": request.headers(b"x-forwarded-for"),
        }
        return json_response(said)

    async def waiting(request: Request) -> Response:
        await asyncio.sleep(0.01)
        body = await request.body()
        await asyncio.sleep(0)
        return Response(200, [(b"content-type", b"text/plain")], body[:100])

    async def failing(request: Request) -> Response:
        await asyncio.sleep(0.001)
        raise RuntimeError(f"not foreseen at {request.path}")

    async def held(request: Request) -> Response:
        del request
        while not seen.release.is_set():
            await asyncio.sleep(0.005)
        seen.finished.set()
        return json_response({"held": True})

    async def empty(request: Request) -> Response:
        del request
        return Response(204)

    async def splitting(request: Request) -> Response:
        end = {b"line": b"\r\nset-cookie: a=b", b"feed": b"\nset-cookie: a=b", b"nul": b"\0"}
        return Response(200, [(b"x-name", b"value" + end[request.query_string])], b"body")

    class ErrorPages:
        async def show(self, request: Request, status: int) -> Response:
            return Response(status, [], f"page for {request.path}".encode())

    return App(
        [
            machine("/echo", "GET POST", echo),
            machine("/a b", "GET", echo),
            machine("/waiting", "POST", waiting),
            machine("/failing", "GET", failing),
            machine("/held", "GET", held),
            machine("/empty", "GET", empty),
            machine("/splitting", "GET", splitting),
        ],
        prefix="",
        https=False,
        trusted_proxies=[],
        error_page=ErrorPages(),
        metrics=NoMetrics(),
        process_tag="t",
        on_closing=lambda: None,
        configuration=Current(),
    )


@dataclass
class Running:
    port: int
    seen: Seen
    server: uvicorn.Server
    thread: threading.Thread


def serve(protocol: object, listener: socket.socket | None = None) -> Iterator[Running]:
    seen = Seen()
    listener = listener or socket.create_server(("127.0.0.1", 0))

    async def begin() -> tuple[App, Callable[[], Awaitable[None]]]:
        async def stop() -> None:
            return

        return app_of(seen), stop

    config = uvicorn.Config(
        Server(begin),
        http=protocol,  # pyright: ignore[reportArgumentType]
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        threading.Event().wait(0.01)
    yield Running(listener.getsockname()[1], seen, server, thread)
    seen.release.set()
    server.should_exit = True
    thread.join(PATIENCE)
    listener.close()


def talk(port: int, sent: bytes, *, answers: int = 1) -> list[tuple[int, dict[str, str], bytes]]:
    """Send raw bytes on one connection, and read that many responses."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        reader = connection.makefile("rb")
        heads = sent.split(b"HEAD ")
        return [read_answer(reader, head=len(heads) > 1) for _ in range(answers)]


def read_answer(reader, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
    line = reader.readline()
    status = int(line.split()[1])
    headers: dict[str, str] = {}
    while (line := reader.readline()) not in {b"\r\n", b""}:
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    if status == 100:
        return status, headers, b""
    size = 0 if head else int(headers.get("content-length", "0"))
    return status, headers, reader.read(size)
