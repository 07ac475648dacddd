"""Raw HTTP/1.1 requests of the load, and the flows that are built from them."""

import base64
import itertools
import re
from collections import deque
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from bench.connection import Flow

_REFRESH_TOKEN = re.compile(rb'"refresh_token"\s*:\s*"([^"\\]+)"')


def basic(client_id: str, secret: str) -> str:
    """Value of the Authorization header, RFC 6749 section 2.3.1: both parts are form-encoded first."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def post(host: str, path: str, body: bytes, content_type: str, authorization: str | None = None) -> bytes:
    """One POST, ready to be written to a socket."""
    return _head(host, path, content_type, authorization) + str(len(body)).encode() + b"\r\n\r\n" + body


def _head(host: str, path: str, content_type: str, authorization: str | None) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Accept: application/json"]
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    lines += [f"Content-Type: {content_type}", "Content-Length: "]
    return "\r\n".join(lines).encode()


def form(host: str, path: str, fields: dict[str, str], authorization: str | None = None) -> bytes:
    """One form POST, ready to be written to a socket."""
    return post(host, path, urlencode(fields).encode(), "application/x-www-form-urlencoded", authorization)


def always(request: bytes) -> Flow:
    """Repeat the same request without end."""
    while True:
        yield request


def in_turn(requests: Iterable[bytes]) -> Flow:
    """Send these requests one after the other, and start again from the first."""
    endless = itertools.cycle(requests)
    while True:
        yield next(endless)


def rotation(
    host: str, path: str, authorization: str, families: deque[str], extra: dict[str, str] | None = None
) -> Flow:
    """Refresh without end: each family in turn, each time with the token from its last answer.

    `families` always holds the newest token of each, with the next family first, so that a later run can
    continue where this one ended. Raises ValueError into the load when an answer has no new refresh token.
    """
    head = _head(host, path, "application/x-www-form-urlencoded", authorization)
    fixed = urlencode({"grant_type": "refresh_token", **(extra or {})}) + "&refresh_token="
    while True:
        token = families[0]
        body = (fixed + quote(token, safe="-._~")).encode()
        answer = yield head + str(len(body)).encode() + b"\r\n\r\n" + body
        successor = _REFRESH_TOKEN.search(answer)
        if successor is None:
            raise ValueError("the answer brought no refresh token")
        families[0] = successor[1].decode()
        if families[0] == token:
            raise ValueError("the answer brought the same refresh token: rotation is off")
        families.rotate(-1)


def shared_out(tokens: Iterable[str], connections: int) -> list[deque[str]]:
    """Distribute the families over the connections evenly."""
    every = list(tokens)
    share = len(every) // connections
    return [deque(every[number * share : (number + 1) * share]) for number in range(connections)]
