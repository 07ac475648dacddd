"""Tests that every request reaches the right handler with the right client address, and that every failure gets a correct
response."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest

from doorward.adapters.metrics import PrometheusMetrics
from doorward.core.errors import HashingBusy, StoreConflict, StoreUnavailable
from doorward.web.http import (
    BadForm,
    BodyTooLarge,
    Request,
    Response,
    json_response,
)
from doorward.web.route import CSRF, ORIGIN, Handler, Route, RouteKind, machine, method_set
from doorward.web.router import App, Server
from tests.browsing import Page
from tests.front_channel import Front, front_channel
from tests.tabs import Tab
from tests.web.asgi import Current

pytestmark = pytest.mark.anyio


class _Pages:
    async def show(self, request: Request, status: int) -> Response:
        text = f"page {status} {request.request_id}"
        return Response(status, [(b"content-type", b"text/html")], text.encode())


async def _who(request: Request) -> Response:
    return json_response({"address": request.client_address, "path": request.path, "id": request.request_id})


def _page_route(path: str, methods: str, handler: Handler) -> Route:
    """A page route without its checks."""
    kind, checks = RouteKind.PAGE, (ORIGIN, CSRF)
    return Route(path=path, methods=method_set(methods), handler=handler, kind=kind, checks=checks)


def app(routes: Sequence[Route], *, prefix: str = "", proxies: Sequence[str] = (), https: bool = True) -> App:
    return App(
        routes,
        prefix=prefix,
        https=https,
        trusted_proxies=[ip_network(text) for text in proxies],
        error_page=_Pages(),
        metrics=PrometheusMetrics(),
        process_tag="t",
        on_closing=lambda: None,
        configuration=Current(),
    )


async def ask(
    asked: App | Server,
    path: str = "/who",
    method: str = "GET",
    *,
    headers: Sequence[tuple[str, str]] = (),
    peer: str | None = "192.0.2.7",
    server: tuple[str, int | None] = ("192.0.2.8", 443),
    gone: bool = False,
    state: dict[str, Any] | None = None,
) -> list[Any]:
    """The ASGI messages of one request."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect" if gone else "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": None if peer is None else (peer, 1),
        "server": server,
        "scheme": "https",
        "state": state or {},
    }
    await asked(scope, receive, send)
    return sent


async def address(proxies: Sequence[str], peer: str, *forwarded: str) -> str:
    headers = [("x-forwarded-for", value) for value in forwarded]
    sent = await ask(app([machine("/who", "GET", _who)], proxies=proxies), headers=headers, peer=peer)
    return msgspec.json.decode(sent[1]["body"])["address"]


@pytest.mark.requirement(81)
async def test_a_forwarded_address_is_trusted_from_a_trusted_proxy_only() -> None:
    assert await address([], "203.0.113.9", "1.2.3.4") == "203.0.113.9"
    assert await address(["10.0.0.0/8"], "203.0.113.9", "1.2.3.4") == "203.0.113.9"
    assert await address(["10.0.0.0/8"], "10.1.2.3", "1.2.3.4") == "1.2.3.4"
    assert await address(["10.0.0.0/8"], "10.1.2.3") == "10.1.2.3"


@pytest.mark.requirement(81)
async def test_header_entries_that_the_client_wrote_are_ignored() -> None:
    proxies = ["10.0.0.0/8", "fd00::/8"]
    assert await address(proxies, "10.1.2.3", "6.6.6.6, 1.2.3.4") == "1.2.3.4"
    assert await address(proxies, "10.1.2.3", "6.6.6.6", "1.2.3.4") == "1.2.3.4"
    assert await address(proxies, "10.1.2.3", "6.6.6.6, 1.2.3.4, 10.9.9.9") == "1.2.3.4"
    assert await address(proxies, "10.1.2.3", "10.6.6.6, 1.2.3.4, 10.9.9.9") == "1.2.3.4"
    assert await address(proxies, "fd00::1", "2001:db8::1") == "2001:db8::1"
    for lie in (
        "",
        "unknown",
        "evil\x00",
        "1.2.3.4:",
        "1.2.3.4:x",
        "1.2.3.4:999999",
        "[1.2.3.4]:80",
        "[2001:db8::7",
        "[2001:db8::7]443",
        "[]",
        "<script>",
        ",",
        "10.1.1.1, 10.1.1.2",
        "1.2.3.4, zzz",
    ):
        assert await address(proxies, "10.1.2.3", lie) in {"10.1.2.3"}, lie


async def test_a_proxy_is_recognised_on_a_dual_stack_socket() -> None:
    assert await address(["10.0.0.0/8"], "::ffff:10.1.2.3", "1.2.3.4") == "1.2.3.4"
    assert await address(["10.0.0.0/8"], "::ffff:11.1.2.3", "1.2.3.4") == "::ffff:11.1.2.3"


async def test_an_issuer_may_have_a_path() -> None:
    mounted = app([machine("/who", "GET", _who), machine("/.well-known/x", "GET", _who)], prefix="/auth")
    for asked, path in (
        ("/auth/who", "/who"),
        ("/auth/.well-known/x", "/.well-known/x"),
        ("/.well-known/x/auth", "/.well-known/x"),
    ):
        sent = await ask(mounted, asked)
        assert sent[0]["status"] == 200
        assert msgspec.json.decode(sent[1]["body"])["path"] == path
    for outside in (
        "/who",
        "/authwho",
        "/auth",
        "/AUTH/who",
        "/other/auth/who",
        "/.well-known/x",
        "/auth/auth/who",
        "//auth/who",
    ):
        assert (await ask(mounted, outside))[0]["status"] == 404, outside


async def test_a_route_at_the_root_is_found_there_too_when_the_issuer_has_a_path() -> None:
    mounted = app([machine("/.well-known/x", "GET", _who, at_root=True)], prefix="/auth")
    for asked in ("/.well-known/x", "/auth/.well-known/x", "/.well-known/x/auth"):
        sent = await ask(mounted, asked)
        assert msgspec.json.decode(sent[1]["body"])["path"] == "/.well-known/x"
    assert (await ask(mounted, "/.well-known/y"))[0]["status"] == 404


async def test_unknown_paths_and_methods_get_404_and_405() -> None:
    handlers = app(
        [
            machine("/who", "GET", _who),
            _page_route("/page", "GET POST", _who),
            machine("/f/", "GET", _who, prefix=True),
        ]
    )
    html = [("accept", "text/html,*/*")]
    assert (await ask(handlers, "/nowhere", headers=html))[1]["body"].startswith(b"page 404")
    assert msgspec.json.decode((await ask(handlers, "/nowhere"))[1]["body"])["error"] == "not_found"
    sent = await ask(handlers, method="DELETE")
    assert sent[0]["status"] == 405
    assert dict(sent[0]["headers"])[b"allow"] == b"GET, HEAD, OPTIONS"
    assert (await ask(handlers, "/page", "PUT"))[1]["body"].startswith(b"page 405")
    assert (await ask(handlers, "/f/x/y"))[0]["status"] == 200
    assert (await ask(handlers, "/f/x", "POST"))[0]["status"] == 404
    assert (await ask(handlers, method="OPTIONS"))[0]["status"] == 204
    head = await ask(handlers, method="HEAD")
    assert (head[0]["status"], head[1]["body"]) == (200, b"")


async def test_cross_origin_is_allowed_for_endpoints_that_read_no_cookie() -> None:
    handlers = app([machine("/open", "POST", _who, cors=True), machine("/who", "GET", _who)])
    for method in ("POST", "OPTIONS"):
        headers = dict((await ask(handlers, "/open", method))[0]["headers"])
        assert headers[b"access-control-allow-origin"] == b"*"
        assert b"access-control-allow-credentials" not in headers
    assert b"access-control-allow-origin" not in dict((await ask(handlers))[0]["headers"])


@pytest.mark.parametrize(
    ("problem", "status", "error"),
    [
        (BadForm("Say it once."), 400, "invalid_request"),
        (BodyTooLarge(), 413, "invalid_request"),
        (StoreUnavailable("disk I/O error at /var/lib"), 503, "temporarily_unavailable"),
        (StoreConflict("the database refused a change: accounts"), 503, "temporarily_unavailable"),
        (HashingBusy(), 503, "temporarily_unavailable"),
        (RuntimeError("the password is swordfish"), 500, "server_error"),
        (RecursionError(), 500, "server_error"),
    ],
)
async def test_an_error_becomes_a_response_without_its_details(
    problem: Exception, status: int, error: str
) -> None:
    async def fail(_: Request) -> Response:
        raise problem

    handlers = app([machine("/json", "GET", fail), _page_route("/page", "GET", fail)])
    sent = await ask(handlers, "/json")
    assert sent[0]["status"] == status
    body = msgspec.json.decode(sent[1]["body"])
    assert body["error"] == error
    assert "swordfish" not in str(body)
    assert "/var" not in str(body)
    assert (b"retry-after" in dict(sent[0]["headers"])) == (status == 503)
    page = await ask(handlers, "/page")
    assert (page[0]["status"], page[1]["body"].startswith(b"page")) == (status, True)


async def test_a_stopping_server_announces_it_with_each_response_and_is_not_ready() -> None:
    handlers = app([machine("/who", "GET", _who), machine("/readyz", "GET", _who)])
    assert (await ask(handlers, "/readyz"))[0]["status"] == 200
    assert b"connection" not in dict((await ask(handlers))[0]["headers"])
    handlers.closing()
    last = (await ask(handlers))[0]
    assert (last["status"], dict(last["headers"])[b"connection"]) == (200, b"close")
    assert (await ask(handlers, "/readyz"))[0]["status"] == 503


async def test_a_disconnected_client_gets_no_response() -> None:
    assert await ask(app([machine("/who", "GET", _who)]), gone=True) == []


async def test_every_request_has_its_number_and_https_stays_https() -> None:
    handlers = app([machine("/who", "GET", _who)])
    first, second = [msgspec.json.decode((await ask(handlers))[1]["body"])["id"] for _ in range(2)]
    assert first != second
    assert b"strict-transport-security" in dict((await ask(handlers))[0]["headers"])
    plain = app([machine("/who", "GET", _who)], https=False)
    assert b"strict-transport-security" not in dict((await ask(plain))[0]["headers"])


def test_two_handlers_for_one_request_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two handlers"):
        app([machine("/who", "GET", _who), machine("/who", "GET", _who)])


class Lifespan:
    """The ASGI lifespan messages of one server."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self._given = ["lifespan.startup", "lifespan.shutdown"]

    async def receive(self) -> dict[str, Any]:
        return {"type": self._given.pop(0)}

    async def send(self, message: Any) -> None:
        self.sent.append(message["type"])


async def test_a_server_starts_and_stops_what_it_was_given() -> None:
    stopped: list[bool] = []

    async def start() -> tuple[App, Any]:
        async def stop() -> None:
            stopped.append(True)

        return app([machine("/who", "GET", _who)]), stop

    server = Server(start)
    assert (await ask(server))[0]["status"] == 503
    life = Lifespan()
    await server({"type": "lifespan"}, life.receive, life.send)
    assert life.sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert stopped == [True]
    assert server.app is None


async def test_a_server_that_cannot_start_reports_it() -> None:
    async def start() -> tuple[App, Any]:
        raise RuntimeError("no disk")

    life = Lifespan()
    await Server(start)({"type": "lifespan"}, life.receive, life.send)
    assert life.sent == ["lifespan.startup.failed"]


@pytest.fixture
async def mounted() -> AsyncGenerator[Front]:
    async with front_channel(issuer="https://example.com/auth") as opened:
        await opened.person()
        yield opened


async def test_a_complete_sign_in_below_a_path(mounted: Front) -> None:
    tab = Tab(mounted.app, "192.0.2.1")

    async def go(page: Page) -> Page:
        while page.status == 303:
            assert (page.header("location") or "").startswith("/auth/")
            page = await tab.get(page.header("location") or "")
        return page

    page = await go(await tab.get("/auth/account"))
    sent = {
        **page.forms["sign-in"].fields,
        "identifier": "ada@example.com",
        "password": "teapot gravel orchid nine",
    }
    assert page.forms["sign-in"].action.startswith("/auth/sign-in?flow=")
    page = await go(await tab.post("/auth/sign-in", sent, origin="https://example.com"))
    assert page.status == 200
    assert "ada@example.com" in page.text
    assert (await tab.get("/account")).status == 404


@pytest.mark.requirement(96)
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("203.0.113.7:51234", "203.0.113.7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:cb00:7107]:443", "203.0.113.7"),
    ],
)
async def test_a_forwarding_entry_may_have_a_port_and_any_spelling(written: str, meant: str) -> None:
    for proxies in (["10.0.0.0/8"], ["::ffff:10.0.0.0/104"]):
        assert await address(proxies, "10.1.2.3", written) == meant
        # a trusted proxy's address with a port is trusted
        assert await address(proxies, "10.1.2.3", f"6.6.6.6, {written}, 10.9.9.9:3128") == meant
