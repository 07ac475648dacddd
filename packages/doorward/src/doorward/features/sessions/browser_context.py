"""Browser context: the browser of a page request, with the session and account of its cookies."""

from __future__ import annotations

import re
from typing import Final, TypeAlias, final

from msgspec import Struct, structs

from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.session import MOST_DEVICES, Session
from doorward.features.sessions.asked import MAX_AGE as ASKED_AGE
from doorward.features.sessions.service import Sessions
from doorward.web.browser import Browsers, PageRequest, is_token
from doorward.web.http import Request
from doorward.web.page_pipeline import AppRequest, Pages, RefusedPost, VerifiedPost, Visit

DEVICE_AGE: Final = 400 * 86_400
MOST_TRUSTED: Final = 6
TRUST_AGE: Final = 90 * 86_400
"""Seconds: the longest that `second_factor.remember` allows. The server's row decides."""
USED_AGE: Final = 400 * 86_400
_USED: Final = re.compile(r"[a-z_]{1,40}(?:\.[a-z0-9_]{1,32})?")
_TRUSTED: Final = re.compile(r"[A-Za-z0-9_-]{1,64}~[A-Za-z0-9_-]{20,100}")


@final
class BrowserContext(PageRequest, kw_only=True):
    """`account` is set exactly when `session` is live."""

    session: Session | None
    account: Account | None
    device_secrets: tuple[str, ...]
    moved: bool = False
    """Whether the session cookie came under its old name, and is renamed by the response."""

    @property
    def devices(self) -> tuple[bytes, ...]:
        """The hashes by which accounts know this device: a separate secret per person, so that a person who signed in here once is not
        known to the accounts of others."""
        return tuple(digest(secret) for secret in self.device_secrets)

    @property
    def bare_post(self) -> bool:
        """Whether this is a POST without any cookie of this server: a form of another site, or the first request."""
        cookies = self.request.cookies()
        found = (self.jar.read(cookies, "browser"), self.jar.read(cookies, "session"))
        return self.request.method == "POST" and found == (None, None)

    def with_session(self, session: Session | None) -> BrowserContext:
        """The same browser with the session as stored now; None: it has ended."""
        account = self.account if session is not None else None
        return structs.replace(self, session=session, account=account)

    def remember_session(self, secret: str, max_age: int) -> None:
        """Set the session cookie."""
        self.put(self.jar.set("session", secret, max_age))

    def forget_session(self) -> None:
        """Remove the session cookie, if the request has one. Without this condition, a form of another site, whose POST comes without
        the cookie, could delete it (forced logout, R75)."""
        if self.jar.name("session") in self.request.cookies() or self.moved:
            self.put(self.jar.clear("session"))

    def remember_asked(self, value: str) -> None:
        """Store the app's request in the browser (`features/sessions/asked.py`)."""
        self.put(self.jar.set("asked", value, ASKED_AGE))

    def forget_asked(self) -> None:
        """Remove the app's request after its response. A response to a new request keeps the stored request of another tab."""
        name = self.jar.name("asked") + "="
        kept = [line for line in self.set_cookies if not line.startswith(name)]
        at_once = len(kept) < len(self.set_cookies)
        self.set_cookies[:] = kept
        if not at_once and self.asked is not None:
            self.put(self.jar.clear("asked"))

    @property
    def asked(self) -> str | None:
        """The stored request, including a change by this response."""
        name = self.jar.name("asked")
        for line in self.set_cookies:
            if line.startswith(name + "="):
                return line[len(name) + 1 :].partition(";")[0]
        return self.request.cookies().get(name)

    def remember_device(self, secret: str) -> None:
        """Set the device cookie, with the secret of one more account in front."""
        secrets = (secret, *self.device_secrets)[:MOST_DEVICES]
        self.put(self.jar.set("device", ".".join(secrets), DEVICE_AGE))

    @property
    def trusted(self) -> tuple[str, ...]:
        """The values of remembered devices, one for each account: id and secret."""
        value = self.request.cookies().get(self.jar.name("trust"), "")
        return tuple(part for part in value.split(".")[:MOST_TRUSTED] if _TRUSTED.fullmatch(part))

    def remember_trust(self, value: str) -> None:
        """Set the cookie of remembered devices."""
        self.put(self.jar.set("trust", value, TRUST_AGE))

    @property
    def used_last(self) -> str:
        """The first factor with which somebody signed in last in this browser: its kind, and for a provider its name after a full stop;
        "" if none is known. It says nothing about the person, and only chooses what the page shows first, so it needs no seal."""
        value = self.request.cookies().get(self.jar.name("used"), "")
        return value if _USED.fullmatch(value) else ""

    def remember_used(self, kind: str, name: str = "") -> None:
        """Set the cookie of the first factor used last."""
        self.put(self.jar.set("used", f"{kind}.{name}" if name else kind, USED_AGE))


PageVisit: TypeAlias = Visit[BrowserContext]
PagePost: TypeAlias = VerifiedPost[BrowserContext]
StalePost: TypeAlias = RefusedPost[BrowserContext]
AppVisit: TypeAlias = AppRequest[BrowserContext]
BrowserPages: TypeAlias = Pages[BrowserContext]


@final
class BrowserContexts(Struct, frozen=True, kw_only=True):
    """Reads browsers and their sessions from requests. One instance per server."""

    browsers: Browsers
    sessions: Sessions

    def secret_of(self, request: Request) -> str | None:
        """The value of the browser cookie, if the request has one."""
        return self.browsers.secret_of(request)

    async def meet(self, request: Request) -> BrowserContext:
        """Read the cookies, load the live session and account, touch the session once a minute, choose the language."""
        jar, now = self.browsers.jar, self.browsers.clock.now()
        cookies = request.cookies()
        set_cookies: list[str] = []
        session, account = await self._session(cookies.get(jar.name("session")), now)
        moved = False
        if session is None and (old := cookies.get(jar.old_name("session"))) is not None:
            # the cookie may belong to another issuer on this host; then it is left alone
            session, account = await self._session(old, now)
            if moved := session is not None:
                set_cookies += jar.moved("session", old, session.expires_at - now)
        devices = _device_secrets(jar.read(cookies, "device"))
        if devices and jar.aged(cookies, "device"):
            set_cookies += jar.moved("device", ".".join(devices), DEVICE_AGE)
        page = self.browsers.read(request, now=now, account_locale=account.locale if account else None)
        return BrowserContext(
            request=request,
            now=now,
            secret=page.secret,
            context=page.context,
            jar=jar,
            on_our_page=page.on_our_page,
            wished_locale=page.wished_locale,
            default_locale=page.default_locale,
            set_cookies=[*page.set_cookies, *set_cookies],
            session=session,
            account=account,
            device_secrets=devices,
            moved=moved,
        )

    async def _session(self, secret: str | None, now: int) -> tuple[Session | None, Account | None]:
        if secret is None or not is_token(secret):
            return None, None
        return await self.sessions.live(secret, now) or (None, None)


def _device_secrets(cookie: str | None) -> tuple[str, ...]:
    return tuple(part for part in (cookie or "").split(".")[:MOST_DEVICES] if is_token(part))
