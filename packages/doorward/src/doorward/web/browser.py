"""Browser of a page request: its cookie, its form token, its language, and the cookies set by the response."""

from __future__ import annotations

from typing import Final, Self, final
from urllib.parse import urlsplit

from msgspec import Struct, field, structs

from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.ports.clock import Clock
from doorward.core.ports.random import SecureRandom
from doorward.web.cookies import CookieJar
from doorward.web.csrf import FormGuard
from doorward.web.form_origin import Sent
from doorward.web.http import Request, Response, redirect
from doorward.web.pages import language
from doorward.web.pages.views.context import PageContext
from doorward.web.pages.views.why import Why

BROWSER_AGE: Final = 400 * 86_400
_STALE: Final = "stale"
_TOKEN_LENGTH: Final = 43


class PageRequest(Struct, kw_only=True):
    """The browser of a request as far as `web/` knows it. Set-Cookie lines are collected in `set_cookies`; the page pipeline sends
    them."""

    request: Request
    now: int
    secret: str
    """The value of the browser cookie, to which pending sign-ins and form tokens are bound."""
    context: PageContext
    jar: CookieJar
    on_our_page: bool
    """Whether a page of this server in this browser sent the request, whatever its cookies."""
    wished_locale: str | None
    """The language that the person chose, by cookie or account."""
    default_locale: str
    set_cookies: list[str] = field(default_factory=list)
    stale: bool = False
    """Whether the data of this request is dropped because its page was out of date; the next page says so."""

    @property
    def browser_hash(self) -> bytes:
        """The hash to which a pending sign-in or a ticket is bound."""
        return digest(self.secret)

    @property
    def user_agent(self) -> str:
        """The User-Agent header, shortened: shown to people, never trusted."""
        return (self.request.header(b"user-agent") or "")[:300]

    @property
    def address(self) -> str:
        """The client address, taken from trusted proxies only."""
        return self.request.client_address

    @property
    def caller(self) -> Caller:
        """The same facts for services."""
        return Caller(
            self.address,
            self.user_agent,
            self.request.request_id,
            self.browser_hash,
            self.devices,
            self.trusted,
        )

    @property
    def devices(self) -> tuple[bytes, ...]:
        """The hashes by which accounts know this device."""
        return ()

    @property
    def trusted(self) -> tuple[str, ...]:
        """The values of remembered devices."""
        return ()

    def stale_word(self, flow: str) -> str:
        """The MAC in the URL of a page that is to show that a form was out of date, so that a link from elsewhere cannot cause this
        message."""
        return digest(f"{_STALE} {self.context.csrf_token} {flow}").hex()[:16]

    def for_app(self, name: str | None) -> Self:
        """The same browser, whose pages name the app."""
        return structs.replace(self, context=structs.replace(self.context, app_name=name))

    def explained(self, why: tuple[Why, ...]) -> Self:
        """The same browser, whose pages say why they ask."""
        return structs.replace(self, context=structs.replace(self.context, why=why))

    def in_language(self, ui_locales: tuple[str, ...]) -> Self:
        """The same browser, with pages in the language that the app requests (OpenID Connect Core §3.1.2.1), if it is supported."""
        locale = language.choose(
            ui_locales=" ".join(ui_locales),
            cookie=self.wished_locale,
            accept_language=self.request.header(b"accept-language"),
            default=self.default_locale,
        )
        return structs.replace(self, context=structs.replace(self.context, locale=locale))

    def link(self, path: str) -> str:
        """A path of this server as browsers request it."""
        return link(self.context.issuer, path)

    def go(self, path: str) -> Response:
        """Redirect to another page of this server (R10)."""
        return redirect(self.link(path))

    def put(self, line: str) -> None:
        """Add a Set-Cookie line. It replaces an earlier one of the same name."""
        name = line.partition("=")[0] + "="
        self.set_cookies[:] = [other for other in self.set_cookies if not other.startswith(name)]
        self.set_cookies.append(line)

    def dress(self, response: Response) -> Response:
        """Add this request's cookies to the response. Only called by the page pipeline."""
        for line in self.set_cookies:
            response.add("set-cookie", line)
        return response


@final
class Browsers(Struct, frozen=True, kw_only=True):
    """Reads the browser cookie, and gives one to browsers without it. One instance per server."""

    guard: FormGuard
    random: SecureRandom
    clock: Clock
    jar: CookieJar
    issuer: str
    brand_name: str
    default_locale: str
    development: bool

    def secret_of(self, request: Request) -> str | None:
        """The value of the browser cookie, if the request has one."""
        given = self.jar.read(request.cookies(), "browser")
        return given if given is not None and is_token(given) else None

    def read(self, request: Request, *, now: int, account_locale: str | None = None) -> PageRequest:
        """The browser of this request, in the language of its cookie or its account."""
        cookies = request.cookies()
        on_our_page = self.guard.sent(request) is Sent.OURS
        set_cookies: list[str] = []
        secret = self.secret_of(request)
        if secret is None:
            secret = self.random.token()
            # A form of another site comes without our cookies (SameSite=Lax). A response with a new cookie would replace the existing
            # one, and invalidate every open form in this browser.
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
    """A path of the server at `issuer`, as browsers request it."""
    return urlsplit(issuer).path.rstrip("/") + path


def is_token(text: str) -> bool:
    """Whether a cookie's value has the format of our random tokens."""
    return (
        len(text) == _TOKEN_LENGTH and text.isascii() and text.replace("-", "a").replace("_", "a").isalnum()
    )
