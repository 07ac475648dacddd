"""ASGI application: selects the handler, determines client address and path, and turns exceptions into error responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Network, IPv6Network
from itertools import count
from time import perf_counter
from typing import Final, Protocol, final

import structlog

from doorward.core.errors import ComeBackLater, HashingBusy, OAuthError, StoreConflict, StoreUnavailable
from doorward.core.ports.metrics import Metrics
from doorward.web.forwarded import Proxies
from doorward.web.http import (
    TAKE,
    WHOLE,
    BadForm,
    BodyTooLarge,
    ClientGone,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    json_response,
    read_body,
    send_response,
)
from doorward.web.refusals import note
from doorward.web.route import Route

RETRY_AFTER: Final = b"2"
_UNAVAILABLE: Final = ("temporarily_unavailable", "Please try again in a moment.")
_CORS: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"www-authenticate, retry-after, dpop-nonce"),
)
# MCP clients in browsers send the version of their protocol with every request, also for metadata.
_CORS_HEADERS: Final = "authorization, content-type, dpop, mcp-protocol-version"
# Of the hot endpoints one request in 16 is timed: reading the clock for each of them would cost as much as reading the form.
_SAMPLE: Final = 15
READY_PATH: Final = "/readyz"
NO_ROOM: Final = "no_room"
"""Key in the `state` of a request (ASGI) for a function that says whether the server is full. Connections within the limit lack it."""
# answered whatever the number of connections, so that health checks get the true state
_ALWAYS: Final = frozenset({"/healthz", READY_PATH})
# answered without the database
_ASKS_NOTHING: Final = frozenset({"/healthz", "/static/"})
_HSTS: Final = (b"strict-transport-security", b"max-age=63072000")
log = structlog.get_logger("doorward.web")


class ErrorPages(Protocol):
    """Makes the page for a status; it must not need the database."""

    async def show(self, request: Request, status: int) -> Response:
        """The page of a status."""
        ...


class Configuration(Protocol):
    """The configuration that handlers use, held in memory as long as it is known to be the newest."""

    @property
    def stale(self) -> bool: ...
    @property
    def gone(self) -> bool: ...
    async def catch_up(self) -> None: ...


@final
class App:
    """One server's routes. Made by the container after everything that handlers need."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        prefix: str,
        https: bool,
        trusted_proxies: Sequence[IPv4Network | IPv6Network],
        error_page: ErrorPages,
        metrics: Metrics,
        process_tag: str,
        on_closing: Callable[[], None],
        configuration: Configuration,
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
        self._at_root = frozenset(route.path for route in routes if route.at_root)
        self._https = https
        self._proxies = Proxies(trusted_proxies)
        self._error_page = error_page
        self._metrics = metrics
        self._tag = process_tag
        self._on_closing = on_closing
        self._configuration = configuration
        self._count = 0
        self._numbers = count(1)
        self.leaving = False
        """Whether each response closes its connection, and load balancers should not send new requests."""

    def closing(self) -> None:
        """The process is about to exit: `/readyz` reports it, and long-polling requests are answered now."""
        self.leaving = True
        self._on_closing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request of any ASGI server. Handlers are called after the whole body has arrived."""
        state = scope.get("state")
        take = state.get(TAKE) if state else None
        body = None if take is None else take(receive)
        if body is None:
            try:
                body = await read_body(receive)
            except ClientGone:
                return
        request = Request(
            scope,
            body,
            path=self._path(scope["path"]),
            client_address=self._address(scope) if self._proxies or scope.get("client") is None else None,
            request_id=f"{self._tag}-{next(self._numbers):x}",
        )
        full = bool(state) and NO_ROOM in state and state[NO_ROOM]() and request.path not in _ALWAYS
        if full:
            self._metrics.inc("connections_refused")
            response = await self._unavailable(request)
        else:
            response = await self._respond(request)
        if full or self.leaving:
            response.headers.append((b"connection", b"close"))
        whole = state.get(WHOLE) if state else None
        await send_response(response, send, head=request.method == "HEAD", whole=whole)

    def _path(self, path: str) -> str:
        """The path below the issuer's path."""
        if not self._mount or path in self._at_root:
            return path
        if path.startswith(self._mount + "/"):
            return path[len(self._mount) :]
        if path.startswith("/.well-known/") and path.endswith(self._mount):
            # RFC 8414 §3.1 puts the well-known part before the issuer's path.
            return path[: -len(self._mount)]
        return "/\x00outside"

    async def _respond(self, request: Request) -> Response:
        found = self._exact.get(request.path)
        item = found.get(request.method) if found is not None else self._prefixed(request)
        if item is None:
            response = await self._no_route(request, found)
        else:
            number = self._count = (self._count + 1) & _SAMPLE
            began = perf_counter() if number == 0 or not item.hot else 0.0
            if self._configuration.stale:
                await self._configuration.catch_up()
            if self._configuration.gone and item.path not in _ASKS_NOTHING:
                # the database was moved away and what this process can still read is outdated, so its answer could wrongly be yes
                response = await self._unavailable(request)
            else:
                response = await self._answer(item, request)
            if began:
                self._metrics.observe(item.path, perf_counter() - began)
            if item.cors:
                response.headers.extend(_CORS)
            if self.leaving and item.path == READY_PATH:
                response = json_response({"status": "leaving"}, 503)
        if self._https:
            response.headers.append(_HSTS)
        return response

    async def _answer(self, item: Route, request: Request) -> Response:
        later = RETRY_AFTER
        try:
            return await item.handler(request)
        except BadForm as problem:
            status, code, say = 400, "invalid_request", str(problem)
        except BodyTooLarge:
            status, code, say = 413, "invalid_request", "The request is too large."
        except ComeBackLater as problem:
            status, code, say = 429, "temporarily_unavailable", str(problem)
            later = b"%d" % problem.seconds
        except (StoreUnavailable, StoreConflict, HashingBusy) as problem:
            # a conflict that the action did not expect: nothing was written, and the next attempt uses the new state
            log.warning(
                "request.unavailable",
                path=request.path,
                reason=type(problem).__name__,
                # the text from the database or the connection to it; adapters write it without values and passwords
                detail=str(problem)[:300],
                request_id=request.request_id,
            )
            status, (code, say) = 503, _UNAVAILABLE
        except Exception:
            log.exception("request.failed", path=request.path, request_id=request.request_id)
            self._metrics.inc("unforeseen_errors")
            status, code = 500, "server_error"
            say = f"Something went wrong here. Request {request.request_id}."
        if status < 500:
            note(OAuthError(code, say), request)
        return await self._error(request, status, code, say, page=item.page, later=later)

    async def _unavailable(self, request: Request) -> Response:
        return await self._error(request, 503, *_UNAVAILABLE, page=_wants_page(request))

    async def _error(
        self, request: Request, status: int, code: str, say: str, *, page: bool, later: bytes = RETRY_AFTER
    ) -> Response:
        if page:
            response = await self._error_page.show(request, status)
        else:
            response = json_response({"error": code, "error_description": say}, status)
        if status in {429, 503}:
            response.headers.append((b"retry-after", later))
        return response

    def _prefixed(self, request: Request) -> Route | None:
        for item in self._prefixes:
            if request.path.startswith(item.path) and request.method in item.methods:
                return item
        return None

    async def _no_route(self, request: Request, found: dict[str, Route] | None) -> Response:
        if found is None:
            say = "There is nothing at this address."
            return await self._error(request, 404, "not_found", say, page=_wants_page(request))
        allowed = ", ".join(sorted({*found, "OPTIONS"}))
        if request.method == "OPTIONS":
            response = Response(204).add("allow", allowed)
            if any(item.cors for item in found.values()):
                response.headers.extend(_CORS)
                response.add("access-control-allow-methods", allowed)
                response.add("access-control-allow-headers", _CORS_HEADERS)
                response.add("access-control-max-age", "7200")
            return response
        page = any(item.page for item in found.values())
        response = await self._error(request, 405, "invalid_request", f"Use {allowed} here.", page=page)
        return response.add("allow", allowed)

    def _address(self, scope: Scope) -> str:
        client = scope.get("client")
        # A socket in the file system has a path and no port (ASGI); its file mode restricts the clients. A TCP client that has already
        # disconnected has no address either, and is not trusted.
        unix = client is None and (scope.get("server") or ("", 0))[1] is None
        peer: str = client[0] if client else "unix:" if unix else ""
        forwarded = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
        return self._proxies.client(peer, forwarded, believed=unix)


def _wants_page(request: Request) -> bool:
    return "text/html" in (request.header(b"accept") or "")


Starter = Callable[[], Awaitable[tuple[App, Callable[[], Awaitable[None]]]]]


@final
class Server:
    """The ASGI callable of a process: builds the `App` when the server starts, closes it when the server stops."""

    def __init__(self, start: Starter) -> None:
        self._start = start
        self.app: App | None = None
        """The running app; None before the start and after the stop."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """HTTP goes to the app; the lifespan protocol starts and stops it; web sockets are closed."""
        kind: str = scope["type"]
        if kind == "http" and self.app is not None:
            await self.app(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await send_response(json_response({"error": "temporarily_unavailable"}, 503), send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self.app, stop = await self._start()
        except Exception as problem:
            log.exception("server.start_failed")
            await send({"type": "lifespan.startup.failed", "message": str(problem)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.app = None
        await stop()
        await send({"type": "lifespan.shutdown.complete"})
