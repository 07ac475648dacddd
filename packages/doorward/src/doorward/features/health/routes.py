"""Routes of the home page, the static files, and monitoring (health, readiness, metrics)."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from doorward.core.model.secret import Secret
from doorward.core.ports.metrics import Metrics
from doorward.features.sessions.browser_context import BrowserPages, PageVisit
from doorward.web.http import Request, Response, json_response
from doorward.web.page import page
from doorward.web.pages import static
from doorward.web.pages.views.ends import Home
from doorward.web.route import Operation, Route, machine

_STATIC = "/static/"
Readiness = Callable[[], Awaitable[tuple[bool, bool]]]
"""Whether the database answers, and whether there is a signing key."""


class Health(Struct):
    """How the process is; for /readyz with what it needs."""

    status: str
    database: bool | UnsetType = UNSET
    signing_keys: bool | UnsetType = UNSET


class Front(Struct, frozen=True, kw_only=True):
    """Handlers of GET /, /static/…, /healthz and /readyz."""

    readiness: Readiness

    async def home(self, visit: PageVisit) -> Response:
        """The front page: what this is, and the ways in."""
        account = visit.browser.account
        return page(Home(account=account.shown_as if account else None), visit.browser)

    async def file(self, request: Request) -> Response:
        """A file of the pages; its address changes with its content, so it is kept for ever."""
        found = static.find(request.path[len(_STATIC) :])
        if found is None:
            return json_response({"error": "not_found", "error_description": "There is no such file."}, 404)
        asset, caching = found
        response = Response(200)
        response.add("etag", asset.etag).add("cache-control", caching).add("vary", "Accept-Encoding")
        response.add("x-content-type-options", "nosniff")
        if request.header(b"if-none-match") == asset.etag:
            response.status = 304
            return response
        response.add("content-type", asset.content_type)
        if "gzip" in (request.header(b"accept-encoding") or ""):
            response.add("content-encoding", "gzip")
            response.body = asset.compressed
        else:
            response.body = asset.body
        return response

    async def healthy(self, request: Request) -> Response:
        """The process answers; nothing else is asked."""
        del request
        return json_response(Health("ok"))

    async def ready(self, request: Request) -> Response:
        """Whether requests may be sent here: the database answers with our schema, and there is a key to sign with."""
        del request
        database, keys = await self.readiness()
        good = database and keys
        health = Health("ok" if good else "not ready", database, keys)
        return json_response(health, 200 if good else 503)


def routes(*, pages: BrowserPages, readiness: Readiness) -> list[Route]:
    """The routes of the four paths."""
    front = Front(readiness=readiness)
    files = Operation(rest="name", cached=True, answers={200: {"*/*": Any}}, errors=(404,))
    health = Operation(answers={200: Health})
    ready = Operation(answers={200: Health, 503: Health})
    return [
        pages.get("/", front.home),
        machine(_STATIC, "GET", front.file, prefix=True, operation=files),
        machine("/healthz", "GET", front.healthy, operation=health),
        machine("/readyz", "GET", front.ready, operation=ready),
    ]


def metrics_route(*, token: Secret, metrics: Metrics) -> Route:
    """GET /metrics for a scraper with the token. Without a configured token there is no such route."""

    async def show(request: Request) -> Response:
        """Counters for Prometheus."""
        scheme, _, given = (request.header(b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.reveal().encode()):
            response = json_response(
                {"error": "invalid_token", "error_description": "A bearer token is needed."}, 401
            )
            return response.add("www-authenticate", "Bearer")
        # in a thread, because the first one loads its library
        page = await asyncio.to_thread(metrics.page)
        return Response(200, [(b"content-type", metrics.content_type.encode())], page)

    operation = Operation(security="bearer", answers={200: {"text/plain": str}})
    return machine("/metrics", "GET", show, operation=operation)
