"""A whole house for people: the real store, real hashing, real pages, and browsers that talk to them without a socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from doorward.adapters.counters.store import StoreCounters
from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.adapters.hashing.breached_list import NothingListed
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import CatalogSigner
from doorward.adapters.mail.queue import SealingPostman, open_letter
from doorward.adapters.metrics import PrometheusMeter
from doorward.adapters.random import SystemChance
from doorward.cluster.config_snapshot import WatchedCatalog
from doorward.core.model.account import Account
from doorward.core.model.audit import AuditEvent
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant
from doorward.core.model.message import Letter
from doorward.core.model.policy import MailTickets, PasswordPolicy, SessionPolicy, ThrottlePolicy, TokenPolicy
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.mail_queue import MailKind
from doorward.core.ports.store import Store
from doorward.features.accounts import reset_routes as reset_web
from doorward.features.accounts import self_service_routes as account_web
from doorward.features.accounts import sign_up_routes as sign_up_web
from doorward.features.accounts.reset_password import ResetPassword
from doorward.features.accounts.self_service import AccountPages
from doorward.features.accounts.sign_up import SignUp
from doorward.features.accounts.verify_address import VerifyAddress
from doorward.features.audit.service import Record
from doorward.features.authn.factors.email_code.service import Tickets
from doorward.features.authn.factors.password import routes as sign_in_web
from doorward.features.authn.factors.password.change import ChangePassword
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.authn.factors.password.rules import password as password_rule
from doorward.features.authn.factors.password.service import CheckPassword, ProvePassword
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.factors.totp.enrol import Codes, SecondFactors
from doorward.features.authn.factors.totp.service import ProveSecondFactor
from doorward.features.authn.flow.advance import Advance
from doorward.features.authn.flow.finish import Finish
from doorward.features.authn.flow.page_pipeline import Arrival
from doorward.features.authn.flow.routes import Steps
from doorward.features.authn.flow.rules import begin
from doorward.features.dev_outbox import routes as outbox_web
from doorward.features.rate_limits.rules.sign_in_starts import Begun
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.browser_context import Visitors
from doorward.features.sessions.ending import Ending
from doorward.storage.sqlite.database import open_sqlite
from doorward.web.cookies import CookieJar
from doorward.web.error_pages import StatusPages
from doorward.web.mail import letters
from doorward.web.mail import render as mail_render
from doorward.web.router import App
from tests.browsing import CHROME, ISSUER, PASSWORD, Browser, Page, code_for, flow_of, key_bytes

__all__ = ["CHROME", "ISSUER", "PASSWORD", "Browser", "Page", "code_for", "flow_of", "key_bytes"]

NOW = 1_800_000_000
OTHER_PASSWORD = "walrus canyon velvet twelve"
CALLER = Caller("192.0.2.1", CHROME, "req-1")


class TurnedClock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> int:
        return self.time


@dataclass
class House:
    """The actions of people, and the pieces to look behind them."""

    store: Store
    clock: TurnedClock
    chance: SystemChance
    sealer: KeyedSealer
    catalog: WatchedCatalog
    hasher: Argon2Hasher
    ending: Ending
    throttle: Throttle
    check: CheckPassword
    prove_password: ProvePassword
    prove_second_factor: ProveSecondFactor
    tickets: Tickets
    sign_up: SignUp
    verify: VerifyAddress
    reset: ResetPassword
    change: ChangePassword
    factors: SecondFactors
    pages: AccountPages
    app: App
    begun: Begun

    @property
    def now(self) -> int:
        """What the clock says."""
        return self.clock.time

    def later(self, seconds: int) -> int:
        """Turn the clock."""
        self.clock.time += seconds
        return self.clock.time

    async def person(self, email: str = "ada@example.com", **changes: Any) -> Account:
        """Somebody with the password PASSWORD, or another one given as `password`."""
        password = changes.pop("password", PASSWORD)
        account = Account(
            id=self.chance.new_id("usr"),
            email=email,
            created_at=self.now - 100_000,
            password_hash=await self.hasher.hash(Secret(password_rule.prepare(password))),
            password_changed_at=self.now - 100_000,
            **changes,
        )
        assert await self.store.commit(self.store.accounts.insert(account))
        return account

    async def change_account(self, account: Account, **changes: Any) -> Account:
        """What an operator changes."""
        now = await self.store.accounts.get(account.id)
        assert now is not None
        changed = structs.replace(now, **changes)
        assert await self.store.commit(self.store.accounts.replace(changed))
        return changed

    async def session(self, account: Account, **changes: Any) -> Session:
        """A browser in which they are signed in."""
        session_id = self.chance.new_id("ses")
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
        """An app that may act for them."""
        values: dict[str, Any] = {
            "id": self.chance.new_id("grt"),
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
        await self.catalog.refresh()
        return client

    async def sign_in(self, browser: str = "browser", **changes: Any) -> SignIn:
        """A sign-in at its beginning."""
        fresh = begin.sign_in(
            sign_in_id=self.chance.new_id("sin"),
            now=self.now,
            ttl=1800,
            browser_hash=digest(browser),
            request=None,
            return_to="/account",
            session=None,
        )
        sign_in = structs.replace(fresh, **changes)
        assert await self.store.commit(self.store.sign_ins.insert(sign_in))
        return sign_in

    async def authenticator(self, account: Account) -> tuple[bytes, tuple[str, ...]]:
        """Set up an app and recovery codes as the pages do. Answers (seed, codes)."""
        session = await self.session(account)
        setup = self.factors.begin(account, session, self.now)
        seed = key_bytes(setup.key)
        code = totp.code_at(seed, self.now // totp.PERIOD)
        made = await self.factors.confirm(
            account, session, sealed=setup.sealed, typed=code, caller=CALLER, now=self.now
        )
        assert isinstance(made, Codes), made
        await self.store.commit(self.store.sessions.end(session.id, self.now, "test"))
        # the code that set it up is spent: the next one belongs to the next period
        self.later(totp.PERIOD)
        return seed, made.codes

    async def mails(self) -> list[tuple[str, str, Letter]]:
        """(address, kind, letter), newest first."""
        found = await self.store.messages.recent_mail(100)
        return [(mail.to, mail.kind, open_letter(self.sealer, mail)) for mail in found]

    async def audit(self) -> list[AuditEvent]:
        """The whole record, newest first."""
        return list(await self.store.audit.page(limit=1000))

    async def kinds(self) -> list[str]:
        """The kinds of the whole record, oldest first."""
        return [event.kind for event in reversed(await self.audit())]

    def browser(self, address: str = "192.0.2.1") -> Browser:
        """A fresh browser."""
        return Browser(self.app, address)


@asynccontextmanager
async def open_house(
    *,
    throttle: ThrottlePolicy | None = None,
    passwords: PasswordPolicy | None = None,
    development: bool = True,
    listed: Any = NothingListed,
    beyond_ascii: bool = True,
) -> AsyncGenerator[House]:
    """The house, and its end."""
    passwords = passwords or PasswordPolicy(threads=2)
    sessions, tokens, tickets_policy = SessionPolicy(), TokenPolicy(), MailTickets()
    store = await open_sqlite(":memory:")
    clock, chance, sealer, meter = TurnedClock(), SystemChance(), KeyedSealer(b"k" * 32), PrometheusMeter()
    signer = CatalogSigner(issuer=ISSUER, sealer=sealer)
    catalog = WatchedCatalog(store=store, signer=signer)
    await catalog.refresh()
    hasher = Argon2Hasher(passwords)
    record = Record(store=store, chance=chance)

    def write(kind: MailKind, locale: str | None, values: dict[str, Any]) -> Letter:
        made = letters.LETTERS[kind](**values)
        mail = mail_render.render(made, mail_render.MailContext(locale or "en", "Acme", ISSUER))
        return Letter(subject=mail.subject, text=mail.text, html=mail.html, code=values.get("code"))

    postman = SealingPostman(sealer=sealer, chance=chance, render=write)
    ending = Ending(store=store, chance=chance, catalog=catalog, policy=tokens)
    counters = Throttle(store=store, sealer=sealer, policy=throttle or ThrottlePolicy(), counters=StoreCounters(store=store))
    begun = Begun()
    check = CheckPassword(store, hasher, counters, record, meter, begun)
    judge = JudgePassword(passwords, listed, "auth.example.com", "Acme")
    tickets = Tickets(store, chance, sealer, postman, counters, record, tickets_policy, ISSUER)
    prove_password = ProvePassword(store, check)
    prove_second = ProveSecondFactor(store, sealer, counters, record, meter, postman)
    sign_up = SignUp(store=store, hasher=hasher, judge=judge, throttle=counters, tickets=tickets, beyond_ascii=beyond_ascii)
    verify = VerifyAddress(store=store, chance=chance, catalog=catalog, tickets=tickets, record=record)
    reset = ResetPassword(store=store, chance=chance, hasher=hasher, judge=judge, throttle=counters, tickets=tickets, postman=postman, ending=ending, record=record)
    change = ChangePassword(store, chance, hasher, check, judge, postman, ending, record)
    factors = SecondFactors(store, chance, sealer, check, postman, record, counters, passwords, "Acme")
    pages = AccountPages(store=store, catalog=catalog, ending=ending, record=record, throttle=counters)
    finish = Finish(store, chance, postman, ending, record, meter, tokens, sessions, ISSUER)
    advance = Advance(store, catalog, finish, tokens, ISSUER)
    jar = CookieJar.of(ISSUER)
    visitors = Visitors(
        store=store,
        sealer=sealer,
        chance=chance,
        clock=clock,
        policy=sessions,
        jar=jar,
        issuer=ISSUER,
        origin=ISSUER,
        brand_name="Acme",
        default_locale="en",
        development=development,
    )
    steps = Steps(store, chance, catalog, advance, sessions, ISSUER, begun)
    arrival = Arrival(visitors, steps, catalog, sealer)
    app = App(
        [
            *sign_in_web.routes(
                arrival=arrival,
                store=store,
                tickets=tickets,
                prove_password=prove_password,
                prove_second_factor=prove_second,
            ),
            *sign_up_web.routes(arrival=arrival, sign_up=sign_up, verify=verify, tickets=tickets),
            *reset_web.routes(arrival=arrival, reset=reset),
            *account_web.routes(arrival=arrival, store=store, pages=pages, change=change, factors=factors),
            *outbox_web.routes(
                development=development, visitors=visitors, store=store, sealer=sealer, issuer=ISSUER
            ),
        ],
        prefix="",
        https=True,
        trusted_proxies=[],
        error_page=StatusPages(jar=jar, issuer=ISSUER, brand_name="Acme", default_locale="en"),
        meter=meter,
        process_tag="t",
    )
    try:
        yield House(
            store,
            clock,
            chance,
            sealer,
            catalog,
            hasher,
            ending,
            counters,
            check,
            prove_password,
            prove_second,
            tickets,
            sign_up,
            verify,
            reset,
            change,
            factors,
            pages,
            app,
            begun,
        )
    finally:
        hasher.close()
        await store.close()
