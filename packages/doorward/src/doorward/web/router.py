"""The ASGI application: finds the handler, settles address and path, and turns what goes wrong into an honest answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Network, IPv6Network
from itertools import count
from time import perf_counter
from typing import Final, Protocol, final

import structlog

from doorward.core.errors import ComeBackLater, HashingBusy, Refusal, StoreConflict, StoreUnavailable
from doorward.core.ports.metrics import Meter
from doorward.web.forwarded import Proxies
from doorward.web.http import (
    BadForm,
    BodyTooLarge,
    ClientGone,
    Message,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    json_response,
    send_response,
)
from doorward.web.refusals import note
from doorward.web.route import Handler, Route

RETRY_AFTER: Final = b"2"
_CORS: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"www-authenticate, retry-after, dpop-nonce"),
)
# Of the hot endpoints one request in 16 is timed: reading the clock for each of them would cost as much as reading the form.
_SAMPLE: Final = 15
UNIX_PEER: Final = ("unix:", 0)
"""Whoever is at the other end of a socket in the file system: its mode says who may be (`web/direct.py`)."""
READY_PATH: Final = "/readyz"
# what is answered without the database
_ASKS_NOTHING: Final = frozenset({"/healthz", "/static/"})
_HSTS: Final = (b"strict-transport-security", b"max-age=63072000")
log = structlog.get_logger("doorward.web")


class ErrorPages(Protocol):
    """Makes the page for a status; it must not need the database."""

    async def show(self, request: Request, status: int) -> Response:
        """The page."""
        ...


class Configuration(Protocol):
    """What handlers decide by, held in memory for as long as it is known to be the newest."""

    @property
    def stale(self) -> bool: ...
    @property
    def gone(self) -> bool: ...
    async def catch_up(self) -> None: ...


@final
class App:
    """One server's routes. Made by the wiring once everything behind the handlers is there."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        prefix: str,
        https: bool,
        trusted_proxies: Sequence[IPv4Network | IPv6Network],
        error_page: ErrorPages,
        meter: Meter,
        process_tag: str,
        on_closing: Callable[[], None] | None = None,
        configuration: Configuration | None = None,
    ) -> None:
        self.routes = tuple(routes)
        self._exact: dict[str, dict[str, Route]] = {}
        self._prefixes: list[Route] = []
        for item in routes:
            # a plug from outside the tree is not type-checked
            if not isinstance(item, Route):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"{item!r} is no Route")
            if item.prefix:
                self._prefixes.append(item)
                continue
            methods = self._exact.setdefault(item.path, {})
            for method in item.methods:
                if method in methods:
                    raise ValueError(f"two handlers for {method} {item.path}")
                methods[method] = item
        self._mount = prefix
        self._hot = frozenset(prefix + item.path for item in routes if item.hot)
        self._https = https
        self._proxies = Proxies(trusted_proxies)
        self._error_page = error_page
        self._meter = meter
        self._tag = process_tag
        self._on_closing = on_closing
        self._configuration = configuration
        self._count = 0
        self._numbers = count(1)
        self.leaving = False
        """Whether each answer is the last of its connection, and nobody new should be sent here."""

    def closing(self) -> None:
        """The process is about to leave: `/readyz` says so, and requests that only wait for news are answered now."""
        self.leaving = True
        if self._on_closing is not None:
            self._on_closing()

    def hot(self, path: str) -> bool:
        """Whether the handler at this path may run before its request is a task (`web/direct.py`)."""
        return path in self._hot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request of any ASGI server."""
        response = await self.respond(scope, receive)
        if response is not None:
            if self.leaving:
                response.headers.append((b"connection", b"close"))
            await send_response(response, send, head=scope["method"] == "HEAD")

    async def refuse(self, scope: Scope) -> Response:
        """What somebody hears for whom there is no room: 503, and when to come back."""
        self._meter.count("connections_refused")
        response = await self._unavailable(
            Request(scope, _nothing_comes, request_id=f"{self._tag}-{next(self._numbers):x}")
        )
        response.headers.append((b"retry-after", RETRY_AFTER))
        return response

    async def respond(self, scope: Scope, receive: Receive, body: bytes | None = None) -> Response | None:
        """The answer to one request, or None when the client has gone. `body` is given where it was read already
        (`web/direct.py`); then `receive` is never called."""
        path: str = scope["path"]
        if self._mount:
            if path.startswith(self._mount + "/"):
                path = path[len(self._mount) :]
            elif path.startswith("/.well-known/") and path.endswith(self._mount):
                # RFC 8414 §3.1 puts the well-known part before the issuer's path.
                path = path[: -len(self._mount)]
            else:
                path = "/\x00outside"
        method: str = scope["method"]
        request = Request(
            scope,
            receive,
            path=path,
            client_address=self._address(scope)
            if self._proxies or scope.get("client") is UNIX_PEER
            else None,
            request_id=f"{self._tag}-{next(self._numbers):x}",
            body=body,
        )
        found = self._exact.get(path)
        item = found.get(method) if found is not None else self._prefixed(path, method)
        if item is None:
            response = await self._no_route(request, found)
        else:
            number = self._count = (self._count + 1) & _SAMPLE
            began = perf_counter() if number == 0 or not item.hot else 0.0
            if self._configuration is not None and self._configuration.stale:
                await self._configuration.catch_up()
            if (
                self._configuration is not None
                and self._configuration.gone
                and item.path not in _ASKS_NOTHING
            ):
                # what this process can still read is of before the move: whatever it said could be a wrong yes
                response = await self._unavailable(request)
                response.headers.append((b"retry-after", RETRY_AFTER))
            else:
                response = await self._answer(item, item.handler, request)
            if began:
                self._meter.observe(item.path, perf_counter() - began)
            if response is None:
                return None
            if item.cors:
                response.headers.extend(_CORS)
            if self.leaving and item.path == READY_PATH:
                response = json_response({"status": "leaving"}, 503)
        if self._https:
            response.headers.append(_HSTS)
        return response

    async def _answer(self, item: Route, handler: Handler, request: Request) -> Response | None:
        later = RETRY_AFTER
        try:
            return await handler(request)
        except BadForm as problem:
            status, code, say = 400, "invalid_request", str(problem)
        except BodyTooLarge:
            status, code, say = 413, "invalid_request", "The request is too large."
        except ClientGone:
            return None
        except ComeBackLater as problem:
            status, code, say = 429, "temporarily_unavailable", str(problem)
            later = b"%d" % problem.seconds
        except (StoreUnavailable, StoreConflict, HashingBusy) as problem:
            # a conflict that the action did not expect: nothing was written, and the next attempt decides on what is there then
            log.warning(
                "not available",
                path=request.path,
                reason=type(problem).__name__,
                # what the database or the way to it said: adapters write it without values and passwords
                because=str(problem)[:300],
                request_id=request.request_id,
            )
            status, code, say = 503, "temporarily_unavailable", "Please try again in a moment."
        except Exception:
            log.exception("unforeseen error", path=request.path, request_id=request.request_id)
            self._meter.count("unforeseen_errors")
            status, code = 500, "server_error"
            say = f"Something went wrong here. Request {request.request_id}."
        if status < 500:
            note(Refusal(code, say), request)
        if item.page:
            response = await self._error_page.show(request, status)
        else:
            response = json_response({"error": code, "error_description": say}, status)
        if status in {429, 503}:
            response.headers.append((b"retry-after", later))
        return response

    async def _unavailable(self, request: Request) -> Response:
        if "text/html" in (request.header(b"accept") or ""):
            return await self._error_page.show(request, 503)
        return json_response(
            {"error": "temporarily_unavailable", "error_description": "Please try again in a moment."}, 503
        )

    def _prefixed(self, path: str, method: str) -> Route | None:
        for item in self._prefixes:
            if path.startswith(item.path) and method in item.methods:
                return item
        return None

    async def _no_route(self, request: Request, found: dict[str, Route] | None) -> Response:
        if found is None:
            if "text/html" in (request.header(b"accept") or ""):
                return await self._error_page.show(request, 404)
            return json_response(
                {"error": "not_found", "error_description": "There is nothing at this address."}, 404
            )
        allowed = ", ".join(sorted({*found, "OPTIONS"}))
        if request.method == "OPTIONS":
            response = Response(204).add("allow", allowed)
            if any(item.cors for item in found.values()):
                response.headers.extend(_CORS)
                response.add("access-control-allow-methods", allowed)
                response.add("access-control-allow-headers", "authorization, content-type, dpop")
                response.add("access-control-max-age", "7200")
            return response
        if any(item.page for item in found.values()):
            response = await self._error_page.show(request, 405)
        else:
            response = json_response(
                {"error": "invalid_request", "error_description": f"Use {allowed} here."}, 405
            )
        return response.add("allow", allowed)

    def _address(self, scope: Scope) -> str:
        peer: str = scope["client"][0] if scope.get("client") else ""
        forwarded = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
        return self._proxies.client(peer, forwarded, believed=scope.get("client") is UNIX_PEER)


async def _nothing_comes() -> Message:
    return {"type": "http.disconnect"}


Starter = Callable[[], Awaitable[tuple[App, Callable[[], Awaitable[None]]]]]


@final
class Server:
    """The ASGI callable that a process serves: builds the `App` when the server starts, takes it down when it stops."""

    def __init__(self, start: Starter) -> None:
        self._start = start
        self._app: App | None = None

    @property
    def app(self) -> App | None:
        """The running app; None before the start and after the stop."""
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """HTTP goes to the app; the lifespan protocol starts and stops it; web sockets are closed."""
        kind: str = scope["type"]
        if kind == "http" and self._app is not None:
            await self._app(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await send_response(json_response({"error": "temporarily_unavailable"}, 503), send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._app, stop = await self._start()
        except Exception as problem:
            log.exception("the server cannot start")
            await send({"type": "lifespan.startup.failed", "message": str(problem)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._app = None
        await stop()
        await send({"type": "lifespan.shutdown.complete"})
