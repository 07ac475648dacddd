"""The browser of one page request: its cookie, its form token, its language, and the cookies that its answer sets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Final, Self, final
from urllib.parse import urlsplit

from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.ports.clock import Clock
from doorward.core.ports.random import Chance
from doorward.web.cookies import CookieJar
from doorward.web.csrf import FormGuard
from doorward.web.form_origin import Sent
from doorward.web.http import Request, Response, redirect
from doorward.web.pages import language
from doorward.web.pages.views.context import PageContext

BROWSER_AGE: Final = 400 * 86_400
_STALE: Final = "stale"
_TOKEN_LENGTH: Final = 43


@dataclass(slots=True, kw_only=True)
class PageRequest:
    """What `web/` knows of who asks for a page. Set-Cookie lines gather in `set_cookies`; the page pipeline sends them."""

    request: Request
    now: int
    secret: str
    """The value of the browser's cookie, which pausing sign-ins and form tokens are bound to."""
    context: PageContext
    jar: CookieJar
    on_our_page: bool
    """Whether a page of ours in this browser sent the request, of whichever cookies it had then."""
    wished_locale: str | None
    """The language that the person chose, by cookie or account."""
    default_locale: str
    set_cookies: list[str] = field(default_factory=list)
    stale: bool = False
    """Whether what this request sent is not used, because its page was out of date; the page that comes next says so."""

    @property
    def browser_hash(self) -> bytes:
        """What a pausable sign-in or a ticket is bound to."""
        return digest(self.secret)

    @property
    def user_agent(self) -> str:
        """The browser's own words, shortened: shown to people, never trusted."""
        return (self.request.header(b"user-agent") or "")[:300]

    @property
    def address(self) -> str:
        """The client address, by the trusted proxies' word only."""
        return self.request.client_address

    @property
    def caller(self) -> Caller:
        """The same for services."""
        return Caller(self.address, self.user_agent, self.request.request_id, self.browser_hash, self.devices)

    @property
    def devices(self) -> tuple[bytes, ...]:
        """What accounts know this device by."""
        return ()

    def stale_word(self, flow: str) -> str:
        """What an address carries whose page is to say that it went stale: no link from elsewhere can make a page say so."""
        return digest(f"{_STALE} {self.context.csrf_token} {flow}").hex()[:16]

    def for_app(self, name: str | None) -> Self:
        """The same browser, whose pages say for which app they are."""
        return dataclasses.replace(self, context=dataclasses.replace(self.context, app_name=name))

    def in_language(self, ui_locales: tuple[str, ...]) -> Self:
        """The same browser, whose pages speak the language that the app wishes (OpenID Connect Core §3.1.2.1), if it is one of ours."""
        locale = language.choose(
            ui_locales=" ".join(ui_locales),
            cookie=self.wished_locale,
            accept_language=self.request.header(b"accept-language"),
            default=self.default_locale,
        )
        return dataclasses.replace(self, context=dataclasses.replace(self.context, locale=locale))

    def link(self, path: str) -> str:
        """A path of ours as a browser has to ask for it."""
        return link(self.context.issuer, path)

    def go(self, path: str) -> Response:
        """On to another page of ours (R10)."""
        return redirect(self.link(path))

    def forget_browser(self) -> None:
        """Remove the cookie that binds pausing sign-ins: what the person who leaves had begun, nobody goes on with."""
        self.put(self.jar.clear("browser"))

    def put(self, line: str) -> None:
        """Send a Set-Cookie line. One for each name: what was decided last counts."""
        name = line.partition("=")[0] + "="
        self.set_cookies[:] = [other for other in self.set_cookies if not other.startswith(name)]
        self.set_cookies.append(line)

    def dress(self, response: Response) -> Response:
        """The response with this request's cookies on it. Called by the page pipeline alone."""
        for line in self.set_cookies:
            response.add("set-cookie", line)
        return response


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Browsers:
    """Recognises browsers by their cookie, and gives one to those that have none. One for the whole server."""

    guard: FormGuard
    random: Chance
    clock: Clock
    jar: CookieJar
    issuer: str
    brand_name: str
    default_locale: str
    development: bool

    def secret_of(self, request: Request) -> str | None:
        """The cookie that a browser is known by, if the request brought one."""
        given = self.jar.read(request.cookies(), "browser")
        return given if given is not None and is_token(given) else None

    def read(self, request: Request, *, now: int, account_locale: str | None = None) -> PageRequest:
        """The browser of this request, in the language that it or its person wishes."""
        cookies = request.cookies()
        on_our_page = self.guard.sent(request) is Sent.OURS
        set_cookies: list[str] = []
        secret = self.secret_of(request)
        if secret is None:
            secret = self.random.token()
            # Another site's form comes without our cookies (SameSite=Lax). An answer that set a new one would throw away the one
            # that is there, and with it every form that is open in this browser.
            if request.method != "POST" or on_our_page:
                set_cookies.append(self.jar.set("browser", secret, BROWSER_AGE))
        elif self.jar.aged(cookies, "browser"):
            set_cookies += self.jar.moved("browser", secret, BROWSER_AGE)
        wished = self.jar.read(cookies, "locale") or account_locale
        context = PageContext(
            locale=language.choose(
                cookie=wished,
                accept_language=request.header(b"accept-language"),
                default=self.default_locale,
            ),
            csrf_token=self.guard.token(secret),
            brand_name=self.brand_name,
            issuer=self.issuer,
            request_id=request.request_id,
            development=self.development,
            once=self.random.token(16),
        )
        return PageRequest(
            request=request,
            now=now,
            secret=secret,
            context=context,
            jar=self.jar,
            on_our_page=on_our_page,
            wished_locale=wished,
            default_locale=self.default_locale,
            set_cookies=set_cookies,
        )


def link(issuer: str, path: str) -> str:
    """A path of the server at `issuer`, as a browser has to ask for it."""
    return urlsplit(issuer).path.rstrip("/") + path


def is_token(text: str) -> bool:
    """Whether a cookie's value can be one of our random ones."""
    return (
        len(text) == _TOKEN_LENGTH and text.isascii() and text.replace("-", "a").replace("_", "a").isalnum()
    )
