"""Browsers without a socket: they keep cookies, read forms, follow redirects only on request, and send the headers that Chromium
sends."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from doorward.features.authn.factors.totp import rules as totp
from doorward.web.cookies import CookieJar
from doorward.web.router import App

ISSUER = "https://auth.example.com"
JAR = CookieJar.of(ISSUER)
SESSION, BROWSER, AT, RT = (JAR.name(kind) for kind in ("session", "browser", "at", "rt"))
PASSWORD = "teapot gravel orchid nine"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"


@dataclass
class Page:
    """A response, with its forms."""

    status: int
    headers: list[tuple[str, str]]
    text: str
    path: str
    forms: dict[str, Form] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def words(self) -> str:
        """The visible text, on one line."""
        return _said(self.text)

    @property
    def problem(self) -> str | None:
        """The sentence above the form."""
        found = re.search(r'id="problem"[^>]*>(.*?)</div>', self.text, re.S)
        return _said(found.group(1)) if found else None


def _said(text: str) -> str:
    # these tests do not depend on which apostrophe a catalogue uses
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("’", "'").split())


@dataclass
class Form:
    """One form: the address it posts to, and its current values."""

    action: str
    fields: dict[str, str]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given["action"], {})
            self.forms[given.get("id") or given["action"]] = self._open
        elif tag == "input" and self._open is not None and "name" in given:
            if given.get("type") in {"checkbox", "radio"} and "checked" not in given:
                return
            self._open.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


class Browser:
    """Keeps cookies, follows redirects only on request, sends the headers that Chromium sends."""

    def __init__(self, app: App, address: str) -> None:
        self.app = app
        self.address = address
        self.cookies: dict[str, str] = {}
        self.language = "en"
        self.user_agent = CHROME

    async def get(self, path: str) -> Page:
        """A GET."""
        return await self._ask("GET", path, b"", {})

    async def post(
        self, path: str, fields: dict[str, str], *, origin: str | None = ISSUER, site: str = "same-origin"
    ) -> Page:
        """A form POST; `origin` and `site` as the page that sent it would have them."""
        headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": site}
        if origin is not None:
            headers["origin"] = origin
        return await self._ask("POST", path, urlencode(fields).encode(), headers)

    async def submit(self, page: Page, form: str, **typed: str) -> Page:
        """Fill in a form of the page, and send it."""
        chosen = page.forms[form]
        return await self.post(chosen.action, {**chosen.fields, **typed})

    async def follow(self, page: Page) -> Page:
        """Follow redirects until a page comes."""
        for _ in range(6):
            if page.status not in {302, 303}:
                return page
            page = await self.get(page.header("location") or "")
        raise AssertionError("too many redirects")

    async def sign_in(self, email: str = "ada@example.com", password: str = PASSWORD) -> Page:
        """Sign in on the server's own sign-in page."""
        page = await self.get("/sign-in")
        return await self.submit(page, "sign-in", identifier=email, password=password)

    async def csrf(self) -> str:
        """The token that the forms of the account page carry."""
        return (await self.get("/account")).forms["profile"].fields["csrf"]

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Page:
        parts = urlsplit(path)
        sent = {
            "host": "auth.example.com",
            "user-agent": self.user_agent,
            "accept": "text/html",
            "accept-language": self.language,
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **headers,
        }
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": (self.address, 1),
            "scheme": "https",
        }
        answer: dict[str, Any] = {}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            answer.update(message)

        await self.app(scope, receive, send)
        got = [(name.decode(), value.decode("latin-1")) for name, value in answer["headers"]]
        for name, value in got:
            if name == "set-cookie":
                self._keep(value)
        text = answer["body"].decode()
        reader = _Forms()
        reader.feed(text)
        return Page(answer["status"], got, text, path, reader.forms)

    def _keep(self, line: str) -> None:
        first, *attributes = [part.strip() for part in line.split(";")]
        name, _, value = first.partition("=")
        if "Max-Age=0" in attributes:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


def flow_of(page: Page) -> str | None:
    """The id of the sign-in in an address."""
    return parse_qs(urlsplit(page.header("location") or page.path).query).get("flow", [None])[0]


def key_bytes(key: str) -> bytes:
    """The seed of a Base32 key."""
    return base64.b32decode(key + "=" * (-len(key) % 8))


def code_for(seed: bytes, now: int) -> str:
    """The code that the authenticator app shows."""
    return totp.code_at(seed, now // totp.PERIOD)
