"""Request and response on plain ASGI, for every endpoint and page.

A framework's classes are not used: its form parser merges duplicate fields, which OAuth forbids (OAuth 2.1 §3), and at the token
endpoint every microsecond between socket and signature is a tenth of a per cent (docs/decisions).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, final
from urllib.parse import unquote_to_bytes

import msgspec

from doorward_verify.encoding import Malformed, json_object

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY: Final = 65_536
MAX_FIELDS: Final = 200
_FORM: Final = "application/x-www-form-urlencoded"


class BadForm(Exception):
    """The parameters cannot be read; the text is safe for the client."""


class BodyTooLarge(Exception):
    """The body is larger than any request of this server needs."""


class ClientGone(Exception):
    """The connection ended before the whole body had arrived."""


def parse_form(raw: str) -> dict[str, str]:
    """`application/x-www-form-urlencoded` text as a dict. Raises `BadForm` for a parameter that is given twice (R9), for bytes that are
    not UTF-8, and for NUL, which must not reach the database."""
    form: dict[str, str] = {}
    if not raw:
        return form
    pairs = raw.split("&")
    if len(pairs) > MAX_FIELDS:
        raise BadForm("Too many parameters.")
    for pair in pairs:
        if not pair:
            continue
        name, _, value = pair.partition("=")
        try:
            if "%" in name or "+" in name:
                name = unquote_to_bytes(name.replace("+", " ")).decode()
            if "%" in value or "+" in value:
                value = unquote_to_bytes(value.replace("+", " ")).decode()
        except UnicodeDecodeError:
            raise BadForm("A parameter is not valid UTF-8.") from None
        if "\x00" in value or "\x00" in name:
            raise BadForm("A parameter holds a NUL character.")
        if name in form:
            raise BadForm("A parameter is given more than once.")
        form[name] = value
    return form


@final
class Request:
    """A request, as handlers see it. Made by `web/router.py`, which determines path prefix and client address."""

    __slots__ = (
        "_body",
        "client_address",
        "method",
        "path",
        "query_string",
        "raw_headers",
        "request_id",
    )

    def __init__(
        self,
        scope: Scope,
        body: bytes,
        *,
        path: str | None = None,
        client_address: str | None = None,
        request_id: str = "",
    ) -> None:
        self.method: str = scope["method"]
        self.path: str = path if path is not None else scope["path"]
        self.query_string: bytes = scope["query_string"]
        self.raw_headers: list[tuple[bytes, bytes]] = scope["headers"]
        client = scope.get("client")
        self.client_address: str = client_address or (client[0] if client else "")
        self.request_id = request_id
        self._body = body

    def header(self, name: bytes) -> str | None:
        """The header's value; `name` in lower case. The first one wins; `headers` returns all."""
        for key, value in self.raw_headers:
            if key == name:
                return value.decode("latin-1")
        return None

    def headers(self, name: bytes) -> list[str]:
        """Every value of a header, in order."""
        return [value.decode("latin-1") for key, value in self.raw_headers if key == name]

    def cookies(self) -> dict[str, str]:
        """The cookies; the first of a name wins, as browsers send the most specific path first (RFC 6265 §5.4)."""
        found: dict[str, str] = {}
        for line in self.headers(b"cookie"):
            for part in line.split(";"):
                name, separator, value = part.strip().partition("=")
                if separator and name not in found:
                    found[name] = value
        return found

    def cookies_named(self, name: str) -> list[str]:
        """Every cookie of that name: a sibling domain may have set another one beside ours."""
        pairs = (part.strip().partition("=") for line in self.headers(b"cookie") for part in line.split(";"))
        return [value for given, separator, value in pairs if separator and given == name]

    def query(self) -> dict[str, str]:
        """The query parameters. Raises `BadForm`."""
        try:
            return parse_form(self.query_string.decode("ascii"))
        except UnicodeDecodeError:
            raise BadForm("The query is not valid.") from None

    async def body(self) -> bytes:
        """The whole body. Raises `BodyTooLarge` beyond `MAX_BODY` bytes."""
        if len(self._body) > MAX_BODY:
            raise BodyTooLarge
        return self._body

    async def form(self) -> dict[str, str]:
        """The form fields of a POST. Raises `BadForm` (also for another content type) and `BodyTooLarge`."""
        kind = self.header(b"content-type")
        # nearly every client sends the bare name
        if kind != _FORM and (kind is None or kind.partition(";")[0].strip().lower() != _FORM):
            raise BadForm(f"Send the parameters as {_FORM}.")
        if len(self._body) > MAX_BODY:
            raise BodyTooLarge
        try:
            return parse_form(self._body.decode("utf-8"))
        except UnicodeDecodeError:
            raise BadForm("The body is not valid UTF-8.") from None

    async def json_object(self) -> dict[str, Any]:
        """The JSON object of a POST. Raises `BadForm`, also for a duplicate member (R9), and `BodyTooLarge`."""
        raw = await self.body()
        try:
            return json_object(raw)
        except Malformed:
            raise BadForm("The body is not a JSON object in which every member stands once.") from None


@final
class Response:
    """Status, headers (lower-case names), body. `headers` is a list, since Set-Cookie may be repeated."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]] = (), body: bytes = b"") -> None:
        self.status = status
        self.headers: list[tuple[bytes, bytes]] = list(headers)
        self.body = body

    def add(self, name: str, value: str) -> Response:
        """Add a header; returns the response itself. CR and LF are refused (response splitting)."""
        if "\r" in value or "\n" in value:
            raise ValueError(f"a line break in the header {name}")
        self.headers.append((name.encode("ascii"), value.encode("latin-1")))
        return self


class EarlyResponse(Exception):
    """Ends a handler early with a response, a redirect or an error page. The page pipeline sends it."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"answered with {response.status}")
        self.response = response


JSON_HEADERS: Final = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
)
_encoder: Final = msgspec.json.Encoder()


def json_response(
    value: Any, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = JSON_HEADERS
) -> Response:
    """A JSON response, not to be stored unless `headers` say otherwise (RFC 6749 §5.1)."""
    return Response(status, headers, _encoder.encode(value))


def redirect(location: str, status: int = 303) -> Response:
    """A redirect; 303 so that no browser repeats a POST with credentials at the target (RFC 9700 §4.12, R10)."""
    return Response(status).add("location", location).add("cache-control", "no-store")


async def read_body(receive: Receive) -> bytes:
    """The body of a request, cut off one byte after `MAX_BODY`: no handler takes more. Raises `ClientGone`."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        body = (body + message.get("body", b""))[: MAX_BODY + 1]
        if not message.get("more_body", False):
            return body


TAKE: Final = "doorward.take"
"""Key in the `state` of a request (ASGI) for a function that takes the `receive` of the request and returns the body, if all of it has
come; None where it has to be received by messages."""
TakeBody = Callable[[Receive], bytes | None]
PIECE: Final = 256 * 1024
WHOLE: Final = "doorward.whole"
"""Key in the `state` of a request (ASGI) for a function that takes status, headers and body of an answer at once, besides the `send` of
the request. It returns False where they have to be sent by messages."""
SendWhole = Callable[[Send, int, list[tuple[bytes, bytes]], bytes], bool]


async def send_response(
    response: Response, send: Send, *, head: bool = False, whole: SendWhole | None = None
) -> None:
    """Write the response; for HEAD only its headers. `whole` is the function under `WHOLE`, where the server has it."""
    body = response.body
    if response.status not in {204, 304}:
        response.headers.append((b"content-length", b"%d" % len(body)))
        small = not head and len(body) <= PIECE
        if small and whole is not None and whole(send, response.status, response.headers, body):
            return
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    if head:
        body = b""
    if len(body) > PIECE:
        body = await _send_pieces(body, send)
    await send({"type": "http.response.body", "body": body})


async def _send_pieces(body: bytes, send: Send) -> bytes:
    """Send all but the last piece, which is returned. The socket is waited for in between: otherwise the server would copy what a slow
    reader does not take yet, for each of them."""
    last = (len(body) - 1) // PIECE * PIECE
    for start in range(0, last, PIECE):
        await send({"type": "http.response.body", "body": body[start : start + PIECE], "more_body": True})
    return body[last:]
