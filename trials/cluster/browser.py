"""Browser with a session: signs in on the pages once, then fetches new grants without a page (`prompt=none`)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urlsplit

from trials.cluster.asking import Answer
from trials.cluster.people import SCOPE, Person, pkce


@dataclass
class Browser(Person):
    """A person who is signed in at the server with a cookie."""

    cookies: dict[str, str] = field(default_factory=dict[str, str])

    async def sign_in_with_pages(self, issuer: str) -> None:
        """Sign in on the sign-in page, so that the browser has a session, and get tokens."""
        verifier, target = self._authorization()
        page = await self._walk("page sign-in", "GET", target, issuer)
        form = _Form.read(page.body.decode(), "sign-in")
        form.fields |= {"identifier": self.email, "password": self.password}
        body = urlencode(form.fields).encode()
        end = await self._walk("page sign-in", "POST", form.action, issuer, body)
        await self._come_back(end, verifier)

    async def silently(self, issuer: str) -> None:
        """Get and redeem a new grant from the browser's session, without a page (`prompt=none`)."""
        while not self.signed_out:
            verifier, target = self._authorization(prompt="none")
            end = await self._walk("silent sign-in", "GET", target, issuer)
            if await self._come_back(end, verifier):
                return

    def _authorization(self, **more: str) -> tuple[str, str]:
        verifier, challenge = pkce()
        query = {
            "client_id": self.app.id,
            "response_type": "code",
            "redirect_uri": self.app.redirect_uri,
            "scope": SCOPE,
            "state": "s",
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **more,
        }
        return verifier, f"/authorize?{urlencode(query)}"

    async def _come_back(self, end: Answer, verifier: str) -> bool:
        query = parse_qs(urlsplit(end.headers.get("location", "")).query)
        if "code" not in query:
            self.signed_out = str(query.get("error", [f"no code came back: {end.status}"])[0])
            return True
        return await self.redeem(query["code"][0], verifier, self.app.redirect_uri)

    async def _walk(self, what: str, method: str, target: str, issuer: str, body: bytes = b"") -> Answer:
        """Follow redirects and *Continue* until a page needs input, or the target is the app."""
        while True:
            headers = {"accept": "text/html", "origin": issuer, "user_agent": "Mozilla/5.0 Chrome/140.0"}
            if method == "POST":
                headers["content_type"] = "application/x-www-form-urlencoded"
            if self.cookies:
                headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())

            answer, _ = await self.patient(what, partial(self.line.ask, method, target, body, **headers))
            for line in answer.cookies:
                name, _, rest = line.partition("=")
                self.cookies[name] = rest.partition(";")[0]
            location = answer.headers.get("location") if answer.status in {302, 303} else None
            if location is None:
                location = _Form.read(answer.body.decode("utf-8", "replace"), "").refresh
            if location is None:
                return answer
            if location.startswith(self.app.redirect_uri):
                return Answer(answer.status, {"location": location}, b"")
            parts = urlsplit(location)
            method, body = "GET", b""
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path


class _Form(HTMLParser):
    """One form of a page: its target and fields. `refresh` is the target of the page's own redirect."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self.wanted = wanted
        self.action = ""
        self.fields: dict[str, str] = {}
        self.refresh: str | None = None
        self._inside = False

    @classmethod
    def read(cls, text: str, wanted: str) -> _Form:
        """The form with this id."""
        form = cls(wanted)
        form.feed(text)
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("id") == self.wanted
            self.action = given.get("action", "") if self._inside else self.action
        elif tag == "input" and self._inside and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.refresh = given.get("content", "").partition("url=")[2] or None
