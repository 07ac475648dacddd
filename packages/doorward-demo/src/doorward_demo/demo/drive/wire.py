"""HTTP client that records each request and its answer, shortened and without secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
from msgspec import Struct

from doorward_demo.demo.drive.failed import fail

_LONG: Final = re.compile(r"[A-Za-z0-9_\-.~]{25,}")
_MOST_SHOWN: Final = 8
_PATIENCE: Final = 120.0
"""Seconds: a busy machine hashes passwords with what the rest leaves over."""
_SECRET_FIELDS: Final = frozenset(
    {"password", "code_verifier", "csrf", "client_secret", "api_key", "device_code"}
)


class Exchange(Struct, frozen=True):
    """A request and its answer in a form for display: `said` are the relevant parts of the answer."""

    method: str
    address: str
    sent: tuple[tuple[str, str], ...]
    status: int
    said: tuple[tuple[str, str], ...]


Note = Callable[[Exchange], None]


def shortened(text: str) -> str:
    """The text with everything cut short that could be a token or a code."""
    return _LONG.sub(lambda found: found[0] if _harmless(found[0]) else f"{found[0][:12]}…", text)


def _harmless(text: str) -> bool:
    # host names, and words joined by dashes or underscores
    return not any(c.isdigit() for c in text) and "." not in text and text.islower()


def shown_address(url: str) -> str:
    """Path and query with each value shortened; the host only when it is informative."""
    parts = urlsplit(url)
    query = "&".join(f"{name}={shortened(value)}" for name, value in parse_qsl(parts.query))
    return parts.path + (f"?{query}" if query else "")


class Wire:
    """Sends requests and records them. Redirects are returned and not followed."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._http = httpx2.Client(timeout=_PATIENCE, trust_env=False, follow_redirects=False)

    def send(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        token: str | None = None,
        basic: tuple[str, str] | None = None,
        note: bool = True,
    ) -> httpx2.Response:
        """Send one request. Raises `NotAsItShouldBe` without an answer."""
        request = self._http.build_request(
            method,
            url,
            content=urlencode(form) if form is not None else None,
            json=body,
            headers=_headers(form, token),
        )
        try:
            answer = self._http.send(request, auth=basic or httpx2.USE_CLIENT_DEFAULT)
        except httpx2.HTTPError as error:
            fail(f"an answer to {method} {shown_address(url)}", type(error).__name__)
        if note:
            self._note(_exchange(method, url, form, body, token, basic, answer))
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def document(answer: httpx2.Response) -> dict[str, Any]:
    """The JSON object in the answer. Raises `NotAsItShouldBe`."""
    try:
        said: object = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        fail(
            "a JSON object",
            f"status {answer.status_code} with {answer.headers.get('content-type', 'no type')}",
        )
    return cast("dict[str, Any]", said)


def _headers(form: Mapping[str, str] | None, token: str | None) -> dict[str, str]:
    headers = {"User-Agent": "doorward demo"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _exchange(
    method: str,
    url: str,
    form: Mapping[str, str] | None,
    body: Mapping[str, Any] | None,
    token: str | None,
    basic: tuple[str, str] | None,
    answer: httpx2.Response,
) -> Exchange:
    sent = [
        (name, "***" if name in _SECRET_FIELDS else shortened(value)) for name, value in (form or {}).items()
    ]
    sent += [(name, str(value)) for name, value in (body or {}).items()]
    if token is not None:
        sent.insert(0, ("Authorization", f"Bearer {token[:12]}…"))
    if basic is not None:
        sent.insert(0, ("Authorization", f"Basic ({basic[0][:12]}…)"))
    return Exchange(method, shown_address(url), tuple(sent), answer.status_code, tuple(_said(answer)))


def _said(answer: httpx2.Response) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    if location := answer.headers.get("location"):
        said.append(("Location", shown_address(location)))
    if challenge := answer.headers.get("www-authenticate"):
        said.append(("WWW-Authenticate", challenge))
    if answer.headers.get("content-type", "").startswith("application/json") and answer.content:
        members: object = answer.json()
        if isinstance(members, dict):
            for name, value in cast("dict[str, object]", members).items():
                if isinstance(value, str | int | float | bool):
                    said.append((name, shortened(str(value))))
                elif isinstance(value, list):
                    said.append((name, f"[{len(cast('list[object]', value))}]"))
        if len(said) > _MOST_SHOWN:
            said[_MOST_SHOWN:] = [("…", f"{len(said) - _MOST_SHOWN} more")]
    elif title := re.search(r"<title>(.*?)</title>", answer.text, re.DOTALL):
        said.append(("page", title[1].strip()))
    return said
