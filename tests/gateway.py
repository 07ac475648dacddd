"""SMS gateway stand-in: a real HTTP server in a thread, which takes messages in both forms and sends signed reports."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from doorward.adapters.sms import webhook
from doorward.core.model.secret import Secret

ACCOUNT = "AC0123"
TOKEN = Secret("the token of the gateway, 0123456789")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One request. `id` is ours for the webhook, and the gateway's for the Twilio form."""

    id: str
    to: str
    text: str
    path: str
    headers: dict[str, str]
    body: bytes
    callback: str = ""

    @property
    def code(self) -> str:
        """The code that browsers would offer."""
        return self.text.rpartition("#")[2]


@dataclass(slots=True)
class Gateway:
    """What it received, and what it answers: each entry of `answers` once, then 2xx."""

    url: str = ""
    taken: list[Taken] = field(default_factory=list[Taken])
    answers: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    location: str = ""

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Number and text of each message."""
        return [(each.to, each.text) for each in self.taken]

    def to(self, number: str) -> Taken:
        """The newest message to a number."""
        return next(each for each in reversed(self.taken) if each.to == number)

    def failed(self, taken: Taken) -> bytes:
        """The body of a report that a message did not arrive."""
        return json.dumps({"id": taken.id, "status": "failed", "reason": "absent"}).encode()

    def signed_report(self, taken: Taken, *, at: int, token: Secret = TOKEN) -> dict[str, str]:
        """The headers of that report."""
        return {webhook.SIGNATURE: webhook.sign(token, at, self.failed(taken))}


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = gateway.answers.pop(0) if gateway.answers else (0, b"")
            taken = (
                self._twilio(headers, body) if "Messages.json" in self.path else self._webhook(headers, body)
            )
            if status == 0:
                status, answer = (
                    (201, json.dumps({"sid": taken.id}).encode()) if taken.callback else (202, b"")
                )
            if status < 300:
                gateway.taken.append(taken)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", gateway.location)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _webhook(self, headers: dict[str, str], body: bytes) -> Taken:
            told = json.loads(body)
            return Taken(
                id=told["id"], to=told["to"], text=told["text"], path=self.path, headers=headers, body=body
            )

        def _twilio(self, headers: dict[str, str], body: bytes) -> Taken:
            form = dict(parse_qsl(body.decode(), strict_parsing=True))
            return Taken(
                id=f"SM{len(gateway.taken):032x}",
                to=form["To"],
                text=form["Body"],
                path=self.path,
                headers=headers,
                body=body,
                callback=form["StatusCallback"],
            )

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            pass

    return Handler


@contextmanager
def running() -> Iterator[Gateway]:
    """A gateway on a free port of 127.0.0.1."""
    gateway = Gateway()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(gateway))
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()


def basic(account: str, token: Secret) -> str:
    """The value of the header of basic authentication."""
    return "Basic " + base64.b64encode(f"{account}:{token.reveal()}".encode()).decode()
