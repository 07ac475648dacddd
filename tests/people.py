"""A complete house of accounts for tests: the real store, hashing and pages, and browsers that use them without a socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from doorward.adapters.mail.queue import open_message
from doorward.adapters.metrics import PrometheusMetrics
from doorward.app.container import open_container
from doorward.cluster.config_snapshot import ConfigSnapshotWatcher
from doorward.core.model.account import Account
from doorward.core.model.audit import AuditEvent
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant
from doorward.core.model.message import EmailMessage
from doorward.core.model.policy import PasswordPolicy, ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.breached import BreachedList
from doorward.core.ports.keys import Sealer
from doorward.core.ports.passwords import PasswordHasher
from doorward.core.ports.random import SecureRandom
from doorward.features.accounts.build import reset_password, self_service, sign_up, verify_address
from doorward.features.accounts.feature import ACCOUNTS
from doorward.features.accounts.reset_password import ResetPassword
from doorward.features.accounts.self_service import AccountPages
from doorward.features.accounts.sign_up import SignUp
from doorward.features.accounts.verify_address import VerifyAddress
from doorward.features.authn.email_challenges.build import email_challenges
from doorward.features.authn.email_challenges.service import EmailChallenges
from doorward.features.authn.factors.password.build import change_password, check_password
from doorward.features.authn.factors.password.change import ChangePassword
from doorward.features.authn.factors.password.rules import password as password_rule
from doorward.features.authn.factors.password.service import CheckPassword
from doorward.features.authn.factors.recovery_codes.build import own_recovery_codes
from doorward.features.authn.factors.recovery_codes.owning import OwnRecoveryCodes
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.factors.totp.build import own_authenticator
from doorward.features.authn.factors.totp.owning import OwnAuthenticator
from doorward.features.authn.feature import AUTHN
from doorward.features.authn.flow.build import prove_typed_code
from doorward.features.authn.flow.enrolment import NewFactor
from doorward.features.authn.flow.rules import begin
from doorward.features.authn.flow.typed_code import ProveTypedCode
from doorward.features.dev_outbox.feature import DEV_OUTBOX
from doorward.features.notices.feature import NOTICES
from doorward.features.rate_limits import build as rate_limits
from doorward.features.rate_limits.rules.sign_in_starts import SignInRateLimiter
from doorward.features.rate_limits.service import Throttle
from doorward.features.repeated_posts.build import post_boundary
from doorward.features.services import Services
from doorward.features.sessions.build import revoker, status_pages
from doorward.features.sessions.revoker import Revoker
from doorward.settings.tree import BrandSettings, MailSettings
from doorward.storage.sql.store import Store
from doorward.web.http import Request, Response
from doorward.web.page_pipeline import Work
from doorward.web.router import App
from tests.authenticator_apps import Confirmed, Removed, app_removed, app_set_up
from tests.browsing import CHROME, ISSUER, PASSWORD, Browser, Page, code_for, flow_of, key_bytes
from tests.containers import CHEAP_HASHING, settings
from tests.manual_clock import NOW, ManualClock
from tests.offered import KINDS
from tests.web.asgi import app_of

__all__ = ["CHROME", "ISSUER", "PASSWORD", "Browser", "Page", "code_for", "flow_of", "key_bytes"]

OTHER_PASSWORD = "walrus canyon velvet twelve"
CALLER = Caller("192.0.2.1", CHROME, "req-1")


def caller_of(
    browser_hash: bytes = b"", *, devices: tuple[bytes, ...] = (), caller: Caller = CALLER
) -> Caller:
    """A caller with these ids of browser and device."""
    return structs.replace(caller, browser_hash=browser_hash, devices=devices)


class EachPost:
    """Executes every POST, so that a test may send the same form repeatedly."""

    async def answer(
        self, request: Request, browser: str | None, form: dict[str, str] | None, work: Work
    ) -> Response:
        """The response to the form."""
        del request, browser, form
        return await work()


@dataclass
class House:
    """The actions of people, and access to the parts behind them."""

    services: Services
    clock: ManualClock
    revoker: Revoker
    throttle: Throttle
    check: CheckPassword
    prove_second_factor: ProveTypedCode
    email_challenges: EmailChallenges
    sign_up: SignUp
    verify: VerifyAddress
    reset: ResetPassword
    change: ChangePassword
    own_app: OwnAuthenticator
    own_codes: OwnRecoveryCodes
    pages: AccountPages
    app: App
    begun: SignInRateLimiter

    @property
    def store(self) -> Store:
        """The real store."""
        return self.services.store

    @property
    def random(self) -> SecureRandom:
        """The real random values."""
        return self.services.random

    @property
    def sealer(self) -> Sealer:
        """The real encryption."""
        return self.services.sealer

    @property
    def config(self) -> ConfigSnapshotWatcher:
        """The configuration."""
        return self.services.config

    @property
    def hasher(self) -> PasswordHasher:
        """The real hashing."""
        return self.services.hasher

    @property
    def now(self) -> int:
        """The current time of the clock."""
        return self.clock.time

    def later(self, seconds: int) -> int:
        """Turn the clock."""
        self.clock.time += seconds
        return self.clock.time

    async def person(self, email: str = "ada@example.com", **changes: Any) -> Account:
        """An account with the password PASSWORD, or with `password`."""
        password = changes.pop("password", PASSWORD)
        account = Account(
            id=self.random.new_id("usr"),
            email=email,
            created_at=self.now - 100_000,
            password_hash=await self.hasher.hash(Secret(password_rule.prepare(password))),
            password_changed_at=self.now - 100_000,
            **changes,
        )
        assert await self.store.commit(self.store.accounts.insert(account))
        return account

    async def change_account(self, account: Account, **changes: Any) -> Account:
        """Change an account as an operator would."""
        now = await self.store.accounts.get(account.id)
        assert now is not None
        changed = structs.replace(now, **changes)
        assert await self.store.commit(self.store.accounts.replace(changed))
        return changed

    async def session(self, account: Account, **changes: Any) -> Session:
        """A signed-in browser session."""
        session_id = self.random.new_id("ses")
        values: dict[str, Any] = {
            "id": session_id,
            "secret_hash": digest(session_id),
            "account_id": account.id,
            "created_at": self.now,
            "seen_at": self.now,
            "auth_time": self.now,
            "expires_at": self.now + 86_400,
            "acr": "urn:doorward:aal1",
            "amr": ("pwd",),
            "user_agent": CHROME,
        }
        session = Session(**{**values, **changes})
        assert await self.store.commit(self.store.sessions.insert(session))
        return session

    async def grant(self, account: Account, session: Session, **changes: Any) -> Grant:
        """A grant to an app that may act for the person."""
        values: dict[str, Any] = {
            "id": self.random.new_id("grt"),
            "client_id": "app_shop",
            "account_id": account.id,
            "audience": ISSUER,
            "scopes": ("openid", "offline_access"),
            "created_at": self.now,
            "expires_at": self.now + 86_400,
            "auth_time": self.now,
            "acr": "urn:doorward:aal1",
            "amr": ("pwd",),
            "session_id": session.id,
            "offline": True,
        }
        grant = Grant(**{**values, **changes})
        assert await self.store.commit(self.store.grants.insert(grant))
        return grant

    async def app_named(self, name: str = "Shop", **changes: Any) -> Client:
        """A registered app."""
        values: dict[str, Any] = {
            "id": "app_shop",
            "name": name,
            "auth_method": "none",
            "created_at": NOW,
            "redirect_uris": ("https://shop.example.net/callback",),
        }
        client = Client(**{**values, **changes})
        assert await self.store.commit(self.store.registry.put_client(client))
        await self.config.refresh()
        return client

    async def sign_in(self, browser: str = "browser", **changes: Any) -> SignIn:
        """A sign-in that has just begun."""
        fresh = begin.sign_in(
            sign_in_id=self.random.new_id("sin"),
            now=self.now,
            ttl=1800,
            browser_hash=digest(browser),
            request=None,
            return_to="/account",
            session=None,
            kinds=KINDS,
        )
        sign_in = structs.replace(fresh, **changes)
        assert await self.store.commit(self.store.sign_ins.insert(sign_in))
        return sign_in

    async def set_up_app(self, account: Account, session: Session, sealed: str, typed: str) -> Confirmed:
        """Confirm the setup of an authenticator app, and commit it after a right code."""
        made, _ = await app_set_up(self.services, account, session, sealed, typed, CALLER, self.now)
        return made

    async def remove_app(self, account: Account, session: Session, password: str = PASSWORD) -> Removed:
        """Remove the authenticator app, with this password."""
        return await app_removed(self.services, account, session, password, CALLER, self.now)

    async def authenticator(self, account: Account) -> tuple[bytes, tuple[str, ...]]:
        """Set up an authenticator app and recovery codes through the pages. Returns (seed, codes)."""
        session = await self.session(account)
        setup = self.own_app.begin(account, session.id, self.now)
        seed = key_bytes(setup.key)
        code = totp.code_at(seed, self.now // totp.PERIOD)
        made, codes = await app_set_up(self.services, account, session, setup.sealed, code, CALLER, self.now)
        assert isinstance(made, NewFactor), made
        await self.store.commit(self.store.sessions.end(session.id, self.now, "test"))
        # the code of the setup is spent: the next one belongs to the next period
        self.later(totp.PERIOD)
        return seed, codes

    async def mails(self) -> list[tuple[str, str, EmailMessage]]:
        """Sent mails as (address, kind, message), newest first."""
        found = await self.store.messages.recent_mail(100)
        return [(mail.to, mail.kind, open_message(self.sealer, mail)) for mail in found]

    async def audit(self) -> list[AuditEvent]:
        """The complete audit log, newest first."""
        found = await self.store.audit.page(limit=1000)
        # the event of the database's creation comes before all others
        return [event for event in found if event.kind != "root_secret.created"]

    async def kinds(self) -> list[str]:
        """The kinds of the complete audit log, oldest first."""
        return [event.kind for event in reversed(await self.audit())]

    def browser(self, address: str = "192.0.2.1") -> Browser:
        """A fresh browser."""
        return Browser(self.app, address)

    async def signed_in(self, email: str = "ada@example.com") -> Browser:
        """A browser in which this person is signed in."""
        browser = self.browser()
        page = await browser.sign_in(email)
        assert page.header("location") == "/account"
        return browser


@asynccontextmanager
async def open_house(
    *,
    throttle: ThrottlePolicy | None = None,
    passwords: PasswordPolicy | None = None,
    development: bool = True,
    listed: BreachedList | None = None,
    beyond_ascii: bool = True,
) -> AsyncGenerator[House]:
    """The house; it is closed at the end."""
    clock = ManualClock()
    chosen = settings(
        issuer=ISSUER,
        development=development,
        passwords=passwords or CHEAP_HASHING,
        throttle=throttle or ThrottlePolicy(),
        # addresses beyond ASCII are accepted without a mail server, since a mail server might not support them
        mail=MailSettings(host=None if beyond_ascii else "mail.example.com"),
        brand=BrandSettings(name="Acme"),
    )
    container = await open_container(
        settings=chosen,
        clock=clock,
        metrics=PrometheusMetrics(),
        breached=listed,
    )
    async with aclosing(container):
        services = container.services
        services._built[post_boundary] = EachPost()
        await services.config.refresh()
        yield House(
            services=services,
            clock=clock,
            revoker=services.get(revoker),
            throttle=services.get(rate_limits.throttle),
            check=services.get(check_password),
            prove_second_factor=services.get(prove_typed_code),
            email_challenges=services.get(email_challenges),
            sign_up=services.get(sign_up),
            verify=services.get(verify_address),
            reset=services.get(reset_password),
            change=services.get(change_password),
            own_app=services.get(own_authenticator),
            own_codes=services.get(own_recovery_codes),
            pages=services.get(self_service),
            app=app_of(
                [
                    item
                    for feature in (AUTHN, ACCOUNTS, NOTICES, DEV_OUTBOX)
                    for item in feature.routes(services)
                ],
                error_page=services.get(status_pages),
                metrics=services.metrics,
                configuration=services.config,
            ),
            begun=services.get(rate_limits.sign_in_starts),
        )
