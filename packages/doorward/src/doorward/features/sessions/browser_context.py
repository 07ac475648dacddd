"""Who is at the other end of a page request: the browser, its session, its form tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

import structlog

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.session import MOST_DEVICES, Session
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import Sealer
from doorward.core.ports.random import Chance
from doorward.core.ports.store import Store
from doorward.features.sessions.asked import MAX_AGE as ASKED_AGE
from doorward.features.sessions.rules import session as session_rule
from doorward.web.cookies import CookieJar, CookieKind
from doorward.web.form_origin import Sent, sent_from
from doorward.web.http import Request, Response
from doorward.web.pages import language
from doorward.web.pages.views.context import PageContext

BROWSER_AGE = 400 * 86_400
DEVICE_AGE = 400 * 86_400
_TOKEN_LENGTH = 43
_CSRF_PURPOSE: Final = "csrf"
_COMPARE_PURPOSE: Final = "csrf-compare"
_STALE: Final = "stale"


log = structlog.get_logger("doorward.forms")


class Forbidden(Exception):
    """The form did not come from our own page in this browser (line 70); a face shows the page again, it never acts."""


@final
@dataclass(slots=True, kw_only=True)
class Visitor:
    """One page request's browser. `account` is set exactly when `session` is live.

    Set-Cookie lines gather in `set_cookies` and leave with `dress(response)`.
    """

    request: Request
    now: int
    browser: str
    session: Session | None
    account: Account | None
    device_secrets: tuple[str, ...]
    csrf_token: str
    context: PageContext
    jar: CookieJar
    origin: str
    set_cookies: list[str] = field(default_factory=list)
    stale: bool = False
    """Whether what this request sent is not used, because its page was out of date; the page that comes next says so."""
    moved: bool = False
    """Whether the session's cookie came under the old name, and leaves under the new one."""

    @property
    def browser_hash(self) -> bytes:
        """What a pausable sign-in or a ticket is bound to."""
        return digest(self.browser)

    @property
    def devices(self) -> tuple[bytes, ...]:
        """What accounts know this device by: each of its people by a secret of their own, so that nobody who signed in here once
        counts as known for the others."""
        return tuple(digest(secret) for secret in self.device_secrets)

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
        """The same for the record of events."""
        return Caller(self.address, self.user_agent, self.request.request_id)

    def guard(self, form: dict[str, str], *, sealer: Sealer) -> None:
        """Raise `Forbidden` unless the form carries this browser's token and comes from our origin (ASVS 3.5.1)."""
        request = self.request
        if not self.on_our_page:
            origin = request.header(b"origin")
            log.warning(
                "form refused",
                because="origin",
                path=request.path,
                expected=self.origin,
                received=None if origin is None else origin[:200],
                fetch_site=(request.header(b"sec-fetch-site") or "")[:40] or None,
                request_id=request.request_id,
                # only a browser without Sec-Fetch-Site leaves this to be guessed
                fix="a proxy adds Referrer-Policy: no-referrer; let our header through"
                if origin == "null"
                else None,
            )
            raise Forbidden
        if not _carries(form, self.browser, sealer):
            log.info("form refused", because="token", path=request.path, request_id=request.request_id)
            raise Forbidden

    @property
    def on_our_page(self) -> bool:
        """Whether the request was sent by a page of ours in this browser, of whichever cookies it had then."""
        return _sent(self.request, self.origin) is Sent.OURS

    def stale_word(self, flow: str) -> str:
        """What an address carries whose page is to say that it went stale: no link from elsewhere can make a page say so."""
        return digest(f"{_STALE} {self.csrf_token} {flow}").hex()[:16]

    def remember_session(self, secret: str, max_age: int) -> None:
        """Send the session cookie."""
        self._put(self.jar.set("session", secret, max_age))

    def forget_session(self) -> None:
        """Remove the session cookie, if this request came with one. Without the condition a form on another site, whose POST
        comes without it, could take it from a browser that keeps it (forced log-out, line 75)."""
        if self.jar.name("session") in self.request.cookies() or self.moved:
            self._put(self.jar.clear("session"))

    def forget_browser(self) -> None:
        """Remove the cookie that binds pausing sign-ins: what the person who leaves had begun, nobody goes on with."""
        self._put(self.jar.clear("browser"))

    @property
    def bare_post(self) -> bool:
        """Whether this is a POST without any cookie of ours: another site's form, or the first request ever."""
        cookies = self.request.cookies()
        found = (self.jar.read(cookies, "browser"), self.jar.read(cookies, "session"))
        return self.request.method == "POST" and found == (None, None)

    def remember_asked(self, value: str) -> None:
        """Have the browser keep what an app asked for (`features/sessions/asked.py`)."""
        self._put(self.jar.set("asked", value, ASKED_AGE))

    def forget_asked(self) -> None:
        """The app has its answer. One that is given at once leaves alone what the browser keeps for another tab."""
        name = self.jar.name("asked") + "="
        kept = [line for line in self.set_cookies if not line.startswith(name)]
        at_once = len(kept) < len(self.set_cookies)
        self.set_cookies[:] = kept
        if not at_once and self.asked is not None:
            self._put(self.jar.clear("asked"))

    @property
    def asked(self) -> str | None:
        """What the browser keeps of it, from this answer on."""
        name = self.jar.name("asked")
        for line in self.set_cookies:
            if line.startswith(name + "="):
                return line[len(name) + 1 :].partition(";")[0]
        return self.request.cookies().get(name)

    def remember_device(self, secret: str) -> None:
        """Send the cookie by which accounts know this device, with the secret of one more person before the others'."""
        secrets = (secret, *self.device_secrets)[:MOST_DEVICES]
        self._put(self.jar.set("device", ".".join(secrets), DEVICE_AGE))

    def _put(self, line: str) -> None:
        """One line for each name: what was decided last counts."""
        name = line.partition("=")[0] + "="
        self.set_cookies[:] = [other for other in self.set_cookies if not other.startswith(name)]
        self.set_cookies.append(line)

    def dress(self, response: Response) -> Response:
        """The response with this request's cookies on it."""
        for line in self.set_cookies:
            response.add("set-cookie", line)
        return response


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Visitors:
    """Recognises visitors. One for the whole server."""

    store: Store
    sealer: Sealer
    chance: Chance
    clock: Clock
    policy: SessionPolicy
    jar: CookieJar
    issuer: str
    origin: str
    brand_name: str
    default_locale: str
    development: bool

    def browser_of(self, request: Request) -> str | None:
        """The cookie that a browser is known by, if the request brought one."""
        given = self.jar.read(request.cookies(), "browser")
        return given if given is not None and _is_token(given) else None

    def ours(self, request: Request, form: dict[str, str], browser: str) -> bool:
        """The same question as `Visitor.guard`'s, before anybody was met."""
        return _sent(request, self.origin) is Sent.OURS and _carries(form, browser, self.sealer)

    async def meet(
        self, request: Request, *, ui_locales: tuple[str, ...] = (), app_name: str | None = None
    ) -> Visitor:
        """Read the cookies, find the live session and account, touch the session once a minute, choose the language."""
        now = self.clock.now()
        cookies = request.cookies()
        set_cookies: list[str] = []
        browser = self.browser_of(request)
        if browser is None:
            browser = self.chance.token()
            # Another site's form comes without our cookies (SameSite=Lax). An answer that set a new one would throw away the one
            # that is there, and with it every form that is open in this browser.
            if request.method != "POST" or _sent(request, self.origin) is Sent.OURS:
                set_cookies.append(self.jar.set("browser", browser, BROWSER_AGE))
        elif self.jar.aged(cookies, "browser"):
            set_cookies += self._moved("browser", browser, BROWSER_AGE)
        session, account = await self._session(cookies.get(self.jar.name("session")), now)
        moved = False
        if session is None and (old := cookies.get(self.jar.old_name("session"))) is not None:
            # of another issuer on this host, if it is not ours: then it stays where it is
            session, account = await self._session(old, now)
            if moved := session is not None:
                set_cookies += self._moved("session", old, session.expires_at - now)
        secrets = _device_secrets(self.jar.read(cookies, "device"))
        if secrets and self.jar.aged(cookies, "device"):
            set_cookies += self._moved("device", ".".join(secrets), DEVICE_AGE)
        locale = language.choose(
            ui_locales=" ".join(ui_locales),
            cookie=self.jar.read(cookies, "locale") or (account.locale if account else None),
            accept_language=request.header(b"accept-language"),
            default=self.default_locale,
        )
        csrf = self.sealer.tag(_CSRF_PURPOSE, browser)
        context = PageContext(
            locale=locale,
            csrf_token=csrf,
            brand_name=self.brand_name,
            issuer=self.issuer,
            request_id=request.request_id,
            app_name=app_name,
            development=self.development,
            once=self.chance.token(16),
        )
        return Visitor(
            request=request,
            now=now,
            browser=browser,
            session=session,
            account=account,
            device_secrets=secrets,
            csrf_token=csrf,
            context=context,
            jar=self.jar,
            origin=self.origin,
            set_cookies=set_cookies,
            moved=moved,
        )

    def _moved(self, kind: CookieKind, value: str, max_age: int) -> tuple[str, str]:
        return self.jar.set(kind, value, max_age), self.jar.clear_old(kind)

    async def _session(self, secret: str | None, now: int) -> tuple[Session | None, Account | None]:
        if secret is None or not _is_token(secret):
            return None, None
        session = await self.store.sessions.by_secret(digest(secret))
        if session is None:
            return None, None
        account = await self.store.accounts.get(session.account_id)
        if session_rule.over(session, account, self.policy, now) is not None:
            return None, None
        if now - session.seen_at >= session_rule.TOUCH_EVERY:
            await self.store.commit(self.store.sessions.touch(session.id, now))
        return session, account


def _sent(request: Request, own: str) -> Sent:
    return sent_from(request.header(b"origin"), request.header(b"sec-fetch-site"), own)


def _carries(form: dict[str, str], browser: str, sealer: Sealer) -> bool:
    """Whether the form has this browser's token. Tags are compared by their own keyed hash: equal time whatever the guess is."""
    expected = sealer.tag(_COMPARE_PURPOSE, sealer.tag(_CSRF_PURPOSE, browser))
    return sealer.tag(_COMPARE_PURPOSE, form.get("csrf", "")) == expected


def _device_secrets(cookie: str | None) -> tuple[str, ...]:
    return tuple(part for part in (cookie or "").split(".")[:MOST_DEVICES] if _is_token(part))


def _is_token(text: str) -> bool:
    return (
        len(text) == _TOKEN_LENGTH and text.isascii() and text.replace("-", "a").replace("_", "a").isalnum()
    )
