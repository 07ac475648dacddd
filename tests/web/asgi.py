"""Requests to handlers through the real ASGI application, without a socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from doorward.adapters.metrics import PrometheusMetrics
from doorward.core.ports.metrics import Metrics
from doorward.web.http import Request, Response
from doorward.web.route import Route
from doorward.web.router import App, Configuration, ErrorPages


class Answer:
    """The response."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = {name.decode(): value.decode() for name, value in headers}
        self.body = body

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


class BarePages:
    """Error pages without text."""

    async def show(self, request: Request, status: int) -> Response:
        """The number of the request."""
        return Response(status, body=request.request_id.encode())


class Current:
    """A configuration that is always the newest."""

    stale = False
    gone = False

    async def catch_up(self) -> None:
        """Never needed."""


def app_of(
    routes: Sequence[Route],
    *,
    error_page: ErrorPages,
    metrics: Metrics,
    configuration: Configuration,
    prefix: str = "",
) -> App:
    """An app behind https without proxies."""
    return App(
        routes,
        prefix=prefix,
        https=True,
        trusted_proxies=(),
        error_page=error_page,
        metrics=metrics,
        process_tag="t",
        on_closing=lambda: None,
        configuration=configuration,
    )


class Asgi:
    """An app of a few routes."""

    def __init__(self, routes: Sequence[Route], *, prefix: str = "") -> None:
        self.app = app_of(
            routes,
            prefix=prefix,
            error_page=BarePages(),
            metrics=PrometheusMetrics(),
            configuration=Current(),
        )

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        form: dict[str, str] | str | None = None,
        body: bytes = b"",
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request; `form` is sent as a form body."""
        lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        if form is not None:
            body = (form if isinstance(form, str) else urlencode(form)).encode()
            lines.append((b"content-type", b"application/x-www-form-urlencoded"))
        sent = [{"type": "http.request", "body": body, "more_body": False}]
        got: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return sent.pop() if sent else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            got.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": lines,
            "client": ("192.0.2.7", 4711),
            "scheme": "https",
        }
        await self.app(scope, receive, send)
        return Answer(got[0]["status"], got[0]["headers"], got[1]["body"])
