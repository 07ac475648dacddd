"""A person with a browser without scripts: cookies, forms, links, redirects and refreshes, as in a text browser.

    person = Person(server.issuer, verify=server.tls)
    page = person.open(attempt.url)              # follows redirects and <meta refresh> to a page
    page = person.sign_in(page, "ada@example.com", PASSWORD)
    page = person.press(page, "consent", "allow")
    assert page.outside and page.query["code"]   # the walk ends at the app's address; nothing is fetched there

Each person is a separate browser. `page.trail` holds every response on the way, with its status.
"""

from __future__ import annotations

import html
import re
import ssl
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

from doorward.web.cookies import CookieJar, CookieKind
from tests.waiting import PATIENCE, until

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
_LONGEST_WALK = 12


@dataclass
class Form:
    """One form of a page: its target, its values, and its buttons."""

    action: str
    method: str = "post"
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The buttons' ids, with the name and value that each sends."""


@dataclass(frozen=True)
class Answer:
    """One response on the way."""

    method: str
    url: str
    status: int
    headers: httpx2.Headers


@dataclass
class Page:
    """The last page of a walk. `outside`: at an address of another host, which was not fetched."""

    url: str
    status: int = 0
    text: str = ""
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)
    forms: dict[str, Form] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    refresh: str | None = None
    outside: bool = False
    sent: dict[str, str] = field(default_factory=dict)
    """What a form sent to an outside address (response_mode=form_post)."""
    trail: list[Answer] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path of the address."""
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        """The parameters that the app got, in its address or as a form. A parameter given twice is an error."""
        if self.sent:
            return self.sent
        pairs = parse_qsl(urlsplit(self.url).query, keep_blank_values=True, strict_parsing=False)
        assert len({name for name, _ in pairs}) == len(pairs), self.url
        return dict(pairs)

    @property
    def words(self) -> str:
        """The visible text, on one line."""
        bare = re.sub(r"<(script|style)\b.*?</\1>", " ", self.text, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())

    @property
    def problem(self) -> str | None:
        """The sentence above the form, if there was an error."""
        found = re.search(r'id="problem"[^>]*>(.*?)</div>', self.text, re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found.group(1))).split()) if found else None

    @property
    def statuses(self) -> list[int]:
        """The status of every response on the way."""
        return [answer.status for answer in self.trail]

    def inside(self, element_id: str) -> str:
        """The text of the element with this id."""
        found = re.search(rf'id="{re.escape(element_id)}"[^>]*>(.*?)</', self.text, re.DOTALL)
        assert found is not None, f"there is no #{element_id} on {self.url}: {self.words[:400]}"
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found.group(1))).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self.links: dict[str, str] = {}
        self.refresh: str | None = None
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms[given.get("id") or given.get("action", "")] = self._open
        elif tag == "input" and self._open is not None and "name" in given:
            if given.get("type") in {"checkbox", "radio"} and "checked" not in given:
                return
            self._open.fields[given["name"]] = given.get("value", "")
        elif tag == "button" and self._open is not None and given.get("type", "submit") == "submit":
            self._open.buttons[given.get("id", "")] = (given.get("name", ""), given.get("value", ""))
        elif tag == "a" and "id" in given:
            self.links[given["id"]] = given.get("href", "")
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.refresh = given.get("content", "").partition("url=")[2]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


@dataclass
class Cookie:
    """One cookie as it was set."""

    value: str
    attributes: dict[str, str]
    line: str


class Person:
    """A browser without scripts. `verify` is the SSL context of an https server; `language` is its Accept-Language."""

    def __init__(
        self, issuer: str, *, verify: ssl.SSLContext | None = None, language: str = "en", agent: str = CHROME
    ) -> None:
        self.issuer = issuer
        self.language = language
        self.agent = agent
        self.cookies: dict[str, Cookie] = {}
        parts = urlsplit(issuer)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._client = httpx2.Client(
            verify=verify if verify is not None else issuer.startswith("https:"),
            trust_env=False,
            follow_redirects=False,
            timeout=PATIENCE,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, url: str, *, headers: dict[str, str] | None = None) -> Page:
        """Open an address (a path is on the server), and follow redirects until there is a page."""
        return self._walk("GET", url, None, headers or {}, [])

    def post(self, url: str, fields: dict[str, str], *, headers: dict[str, str] | None = None) -> Page:
        """Send a form as a page of the server would, and follow redirects."""
        return self._walk("POST", url, fields, headers or {}, [])

    def click(self, page: Page, link_id: str) -> Page:
        """Follow a link of the page by its id."""
        assert link_id in page.links, f"no link #{link_id} on {page.url}: {sorted(page.links)}"
        return self.open(urljoin(page.url, html.unescape(page.links[link_id])))

    def press(self, page: Page, form_id: str, button: str = "submit", **typed: str) -> Page:
        """Fill in a form of the page by the names of its fields, and press one of its buttons (by id)."""
        assert form_id in page.forms, f"no form #{form_id} on {page.url} ({page.status}): {page.words[:600]}"
        form = page.forms[form_id]
        fields = {**form.fields, **typed}
        unknown = set(typed) - set(form.fields)
        assert not unknown, f"the form #{form_id} has no {unknown}, only {sorted(form.fields)}"
        name, value = form.buttons.get(button, ("", ""))
        if name:
            fields[name] = value
        return self.post(urljoin(page.url, form.action), fields)

    def _walk(
        self,
        method: str,
        url: str,
        fields: dict[str, str] | None,
        headers: dict[str, str],
        trail: list[Answer],
    ) -> Page:
        url = urljoin(
            self.issuer + "/", self.issuer + url if url.startswith("/") and url[:2] != "//" else url
        )
        for _ in range(_LONGEST_WALK):
            if not self.mine(url):
                return Page(url, outside=True, sent=fields or {}, trail=trail)
            answer = self.ask(method, url, fields, headers)
            trail.append(Answer(method, url, answer.status_code, answer.headers))
            if answer.status_code in {301, 302, 303, 307, 308}:
                url = urljoin(url, answer.headers["location"])
                if answer.status_code not in {307, 308}:
                    method, fields = "GET", None
                continue
            page = self._read(url, answer, trail)
            if page.refresh is None:
                return page
            method, fields, url = "GET", None, urljoin(url, page.refresh)
        raise AssertionError(f"too many redirects: {[(a.method, a.url, a.status) for a in trail]}")

    def mine(self, url: str) -> bool:
        """Whether the address is on the server."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" == self._origin

    def ask(
        self,
        method: str,
        url: str,
        fields: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """One request with this browser's headers and cookies; no redirect is followed."""
        sent: dict[str, str] = {
            "user-agent": self.agent,
            "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
            "accept-language": self.language,
        }
        if fitting := self.sent_to(url):
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in fitting)
        if method == "POST":
            sent |= {"origin": self._origin, "sec-fetch-site": "same-origin"}
        sent |= headers or {}
        if url.startswith("/"):
            url = self.issuer + url
        options: dict[str, Any] = {} if fields is None else {"data": fields}
        answer = self._client.request(method, url, headers=sent, **options)
        for line in answer.headers.get_list("set-cookie"):
            self._keep(line, url)
        return answer

    def named(self, kind: CookieKind) -> str:
        """The server's full name of a cookie."""
        return CookieJar.of(self.issuer).name(kind)

    def sent_to(self, url: str) -> list[tuple[str, str]]:
        """The cookies sent to an address, each with its value: a cookie goes to its own path and below (RFC 6265 §5.1.4)."""
        path = urlsplit(url).path or "/"
        found: list[tuple[str, str]] = []
        for name, cookie in self.cookies.items():
            own = cookie.attributes.get("path", "/").rstrip("/")
            if path == own or path.startswith(f"{own}/"):
                found.append((name, cookie.value))
        return found

    def _read(self, url: str, answer: httpx2.Response, trail: list[Answer]) -> Page:
        page = Page(url, answer.status_code, answer.text, answer.headers, trail=trail)
        if "text/html" in answer.headers.get("content-type", ""):
            reader = _Reader()
            reader.feed(answer.text)
            page.forms, page.links, page.refresh = reader.forms, reader.links, reader.refresh
        return page

    def _keep(self, line: str, url: str) -> None:
        """RFC 6265bis §5.6, as far as it concerns this server: a browser drops a cookie that breaks the rules of its prefix."""
        first, *rest = [part.strip() for part in line.split(";")]
        name, _, value = first.partition("=")
        attributes = {key.lower(): val for key, _, val in (part.partition("=") for part in rest)}
        secure = urlsplit(url).scheme == "https"
        assert secure or "secure" not in attributes, f"a Secure cookie over http is lost: {line}"
        if name.startswith("__Host-"):
            sound = "secure" in attributes and "domain" not in attributes and attributes.get("path") == "/"
            assert sound, f"a browser drops this cookie: {line}"
            assert secure, f"a browser drops this cookie over http: {line}"
        if name.startswith("__Secure-"):
            assert secure, f"a browser drops this cookie over http: {line}"
            assert "secure" in attributes, f"a browser drops this cookie: {line}"
        if attributes.get("max-age") == "0":
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = Cookie(value, attributes, line)

    def sign_in(self, page: Page, email: str, password: str) -> Page:
        """Sign in on the sign-in page."""
        return self.press(page, "sign-in", identifier=email, password=password)

    def sign_up(self, page: Page, email: str, password: str, name: str = "") -> Page:
        """Sign up from the sign-in page (or the sign-up page) with the mailed code, until the account exists and the sign-in
        continues."""
        if "sign-up" not in page.forms:
            page = self.click(page, "to-sign-up")
        page = self.press(page, "sign-up", email=email, password=password, name=name)
        assert "check" in page.forms, f"{page.status} {page.words}"
        return self.press(page, "check", code=self.mailed_code(email))

    def mails(self) -> list[tuple[str, str, str | None, str]]:
        """The outbox, newest first: address, subject, code, text."""
        page = self.open("/_dev/outbox")
        assert page.status == 200, page.status
        found: list[tuple[str, str, str | None, str]] = []
        for article in re.findall(r"<article\b.*?</article>", page.text, re.DOTALL):
            subject = _plain(re.search(r"<h2>(.*?)</h2>", article, re.DOTALL))
            to = _plain(re.search(r'class="meta">.*?<bdi[^>]*>(.*?)</bdi>', article, re.DOTALL))
            code = re.search(r'class="big-code"[^>]*>(.*?)</p>', article, re.DOTALL)
            text = _plain(re.search(r'class="text"[^>]*>(.*?)</div>', article, re.DOTALL))
            found.append((to, subject, _plain(code) if code else None, text))
        return found

    def mailed_code(self, email: str) -> str:
        """The newest code mailed to this address."""
        codes: list[str] = []

        def come() -> bool:
            codes[:] = [code for to, _, code, _ in self.mails() if to == email and code is not None]
            return codes != []

        until(come, lambda: f"no code was mailed to {email}", look=0.05)
        return codes[0]


def _plain(found: re.Match[str] | None) -> str:
    return "" if found is None else " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found.group(1))).split())
