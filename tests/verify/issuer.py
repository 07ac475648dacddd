"""A small real issuer on 127.0.0.1: metadata, keys and a long-polled revocation feed, over HTTP, in its own threads."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from doorward_verify.auth_error import AuthError
from doorward_verify.jwk import SigningKey, signing_key
from doorward_verify.jws import sign
from doorward_verify.resource_server import ResourceServer
from tests.waiting import PATIENCE

AUDIENCE = "https://api.example.com"


def new_key(kid: str | None = None) -> SigningKey:
    return signing_key(ec.generate_private_key(ec.SECP256R1()), kid=kid)


class Issuer:
    """An issuer whose documents can be changed while it runs. It counts requests by path."""

    def __init__(self) -> None:
        self.url = ""
        self.keys = [new_key("one")]
        self.asked: list[str] = []
        self.entries: list[dict[str, Any]] = []
        self.has_feed = True
        self.dead = False
        self.dead_feed = False
        self.override: dict[str, Callable[[], tuple[int, dict[str, str], bytes]]] = {}
        self.on_feed: Callable[[dict[str, list[str]]], bytes] | None = None
        self.on_token: Callable[[dict[str, list[str]]], tuple[int, bytes]] | None = None
        self.on_introspect: Callable[[dict[str, list[str]]], tuple[int, bytes]] | None = None
        self.changed = threading.Condition()

    def count(self, path: str) -> int:
        return sum(1 for asked in self.asked if urlsplit(asked).path == path)

    def metadata(self) -> dict[str, Any]:
        document: dict[str, Any] = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        if self.has_feed:
            document["revocation_feed_endpoint"] = f"{self.url}/revocations"
        document["introspection_endpoint"] = f"{self.url}/introspect"
        if self.on_token is not None:
            document["token_endpoint"] = f"{self.url}/token"
        return document

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.public_jwk() for key in self.keys]}

    def revoke(self, kind: str, id_: str, *, before: int | None = None, exp: int | None = None) -> None:
        entry: dict[str, Any] = {"kind": kind, "id": id_, "exp": exp or int(time.time()) + 3600}
        if before is not None:
            entry["before"] = before
        with self.changed:
            self.entries.append(entry)
            self.changed.notify_all()

    def claims(self, **others: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "usr_1",
            "aud": AUDIENCE,
            "client_id": "app_1",
            "iat": now,
            "exp": now + 300,
            "jti": "grt_1.abc",
            "scope": "orders:read",
            "roles": ["clerk"],
            "permissions": ["orders:read"],
            "auth_time": now,
            "acr": "aal1",
            "amr": ["pwd"],
            "sid": "ses_1",
        }
        claims.update(others)
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key: SigningKey | None = None, **others: Any) -> str:
        return sign(msgspec.json.encode(self.claims(**others)), key or self.keys[0], typ="at+jwt")

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        if parts.path in self.override:
            return self.override[parts.path]()
        if parts.path == "/.well-known/oauth-authorization-server":
            return 200, {}, msgspec.json.encode(self.metadata())
        if parts.path == "/jwks":
            return 200, {}, msgspec.json.encode(self.jwks())
        if parts.path == "/revocations":
            query = parse_qs(parts.query)
            return 200, {}, self.on_feed(query) if self.on_feed else msgspec.json.encode(self._feed(query))
        return 404, {}, b"{}"

    def _feed(self, query: dict[str, list[str]]) -> dict[str, Any]:
        after = int(query["after"][0]) if "after" in query else None
        until = time.monotonic() + int(query.get("wait", ["0"])[0])
        with self.changed:
            while (
                after is not None
                and after == len(self.entries)
                and time.monotonic() < until
                and not self.dead
            ):
                self.changed.wait(min(until - time.monotonic(), 0.5))
            fresh = self.entries if after is None else self.entries[after:]
            return {"cursor": str(len(self.entries)), "reset": after is None, "entries": fresh}


@contextmanager
def running() -> Generator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            if issuer.dead or (issuer.dead_feed and self.path.startswith("/revocations")):
                self.close_connection = True
                return
            status, headers, body = issuer.answer(self.path)
            if issuer.dead or (issuer.dead_feed and self.path.startswith("/revocations")):
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            issuer.asked.append(self.path)
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            on_post = issuer.on_introspect if self.path == "/introspect" else issuer.on_token
            if issuer.dead or on_post is None:
                self.close_connection = True
                return
            status, body = on_post(form)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # the tests include clients that disconnect

    server = Server(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        issuer.dead = True
        with issuer.changed:
            issuer.changed.notify_all()
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


def reason(server: ResourceServer, token: Any, **when: Any) -> str:
    """The server's reason for refusing the token, or "good"."""
    try:
        server.verify(token, **when)
    except AuthError as refused:
        return refused.reason
    return "good"
