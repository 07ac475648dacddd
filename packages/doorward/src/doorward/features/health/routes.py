"""What stands at the edge: the front page, the files of the pages, and what watches the server (health, readiness, metrics)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from doorward.core.model.secret import Secret
from doorward.core.ports.metrics import Meter
from doorward.features.health.service import Readiness
from doorward.features.sessions.browser_context import BrowserPages, PageVisit
from doorward.web.http import Request, Response, json_response
from doorward.web.page import page
from doorward.web.pages import static
from doorward.web.pages.views.ends import Home
from doorward.web.route import Handler, Route, machine

_STATIC = "/static/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """GET /, /static/…, /healthz, /readyz."""

    readiness: Readiness

    async def home(self, visit: PageVisit) -> Response:
        """What this is, and the ways in."""
        account = visit.browser.account
        return page(Home(account=account.email if account else None), visit.browser)

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
        return json_response({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """Whether requests may be sent here: the database answers with our schema, and there is a key to sign with."""
        del request
        database, keys = await self.readiness.check()
        good = database and keys
        body = {"status": "ok" if good else "not ready", "database": database, "signing_keys": keys}
        return json_response(body, 200 if good else 503)


def routes(*, pages: BrowserPages, readiness: Readiness) -> list[Route]:
    """The four paths."""
    front = Front(readiness=readiness)
    return [
        pages.get("/", front.home),
        machine(_STATIC, "GET", front.file, prefix=True),
        machine("/healthz", "GET", front.healthy),
        machine("/readyz", "GET", front.ready),
    ]


def metrics_route(*, token: Secret, metrics: Meter) -> Route:
    """GET /metrics for whoever has the token (a scraper). Without a token there is no such route."""

    async def show(request: Request) -> Response:
        scheme, _, given = (request.header(b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.reveal().encode()):
            response = json_response(
                {"error": "invalid_token", "error_description": "A bearer token is needed."}, 401
            )
            return response.add("www-authenticate", "Bearer")
        return Response(200, [(b"content-type", metrics.content_type.encode())], metrics.page())

    handler: Handler = show
    return machine("/metrics", "GET", handler)
