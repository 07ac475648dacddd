"""A complete server without a socket: the container of `doorward.app`, a database in memory, and a clock that tests turn.

async with front_channel() as front:
    await front.person()                                  # ada@example.com, PASSWORD, may read orders
    app = await front.register(made.public())             # an app; `made.client()` is there from the start
    tab = front.browser()
    page = await tab.get(front.asking(app))               # GET /authorize
    page = await tab.sign_in_at(page)                     # to the end of what asks for a password
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from argon2 import PasswordHasher
from msgspec import structs

from doorward.adapters.metrics import PrometheusMetrics
from doorward.app.container import Container, open_container
from doorward.app.http import http_app
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.audit import AuditEvent
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Permission, Role
from doorward.core.model.digest import digest
from doorward.core.model.request import AuthRequest
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.features.audit.build import audit_log
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.password.rules import password as password_rule
from doorward.features.authn.flow.build import advance, finish
from doorward.features.authn.flow.finish import SignInCompletion
from doorward.features.authn.flow.rules import begin
from doorward.features.authn.flow.sign_in_flow import SignInFlow
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from doorward.features.oauth.authorize.build import authorize
from doorward.features.oauth.authorize.service import Authorize
from doorward.features.oauth.consent.build import answer_consent
from doorward.features.oauth.consent.service import AnswerConsent
from doorward.features.oauth.logout.build import first_tries, sign_out
from doorward.features.oauth.logout.rules.logout import Hint
from doorward.features.oauth.logout.service import SignOutAction
from doorward.features.oauth.tokens.id_token_hints import read_id_token_hint
from doorward.features.services import Services
from doorward.features.sessions.build import cookie_jar, revoker
from doorward.features.sessions.revoker import Revoker
from doorward.features.signing_keys.build import key_rotation
from doorward.settings import Settings
from doorward.settings.tree import KeySettings, ServerSettings
from doorward.storage.sql.store import Store
from doorward.web.cookies import CookieJar
from doorward.web.router import App
from tests import browsing
from tests.browsing import PASSWORD, code_for
from tests.containers import CHEAP_HASHING
from tests.features import made
from tests.manual_clock import ManualClock
from tests.offered import KINDS
from tests.tabs import Tab

CALLER = Caller("192.0.2.1", browsing.CHROME, "req-1")
SEED = b"s" * 20
CODE_CHALLENGE = made.challenge(made.VERIFIER)


@cache
def _password_hash(password: str) -> str:
    return PasswordHasher(2, 19_456, 1).hash(password_rule.prepare(password))


@dataclass
class Front:
    """The server, and access to its parts."""

    container: Container
    settings: Settings
    clock: ManualClock
    app: App
    jar: CookieJar
    audit_log: AuditLog
    revoker: Revoker
    sign_out: SignOutAction
    finish: SignInCompletion
    advance: SignInFlow
    authorize: Authorize
    consent: AnswerConsent

    def hint(self, token: str) -> Hint | None:
        """What the server reads from an ID token hint."""
        return read_id_token_hint(token, signer=self.services.signer, issuer=self.services.issuer)

    @property
    def store(self) -> Store:
        """The real store."""
        return self.services.store

    @property
    def services(self) -> Services:
        """The server's `Services`."""
        return self.container.services

    @property
    def now(self) -> int:
        """The current time of the clock."""
        return self.clock.time

    def browser(self, address: str = "192.0.2.1") -> Tab:
        """A fresh browser."""
        return Tab(self.app, address)

    async def signed_in(self) -> Tab:
        """A browser in which Ada is signed in."""
        tab = self.browser()
        page = await tab.sign_in()
        assert page.status == 303, page.words
        return tab

    async def register(self, *clients: Client) -> Client:
        """Add apps to the registry; returns the first."""
        assert await self.store.commit(*(self.store.registry.put_client(client) for client in clients))
        await self.services.config.refresh()
        return clients[0]

    async def remove(self, client: Client) -> None:
        """Take an app out of the registry."""
        assert await self.store.commit(self.store.registry.delete_client(client.id))
        await self.services.config.refresh()

    async def rotate_out(self, state: Literal["retired", "revoked"] = "retired") -> None:
        """Retire the current signing key from the published set; another one signs."""
        registry, keys = self.store.registry, self.services.config.current().keys
        (key,) = [key for key in keys if key.state == "current"]
        (following,) = [key for key in keys if key.state == "next"]
        assert await self.store.commit(
            registry.move_key(key.id, "current", "previous", self.now),
            registry.move_key(following.id, "next", "current", self.now),
        )
        assert await self.store.commit(registry.move_key(key.id, "previous", state, self.now))
        await self.services.config.refresh()

    async def person(self, **changes: Any) -> Account:
        """Create Ada, with the password PASSWORD."""
        known = {"password_hash": _password_hash(PASSWORD), "password_changed_at": made.NOW - 5000}
        account = made.account(**{**known, **changes})
        assert await self.store.commit(self.store.accounts.insert(account))
        return account

    async def change(self, account: Account, **changes: Any) -> Account:
        """Change an account as an operator or another browser would."""
        changed = structs.replace(account, **changes)
        assert await self.store.commit(self.store.accounts.replace(changed))
        return changed

    async def authenticator(self, account: Account) -> None:
        """Register an authenticator: sign-ins require a code of `SEED` from now on."""
        sealed = self.services.sealer.seal("totp", "fac_one", SEED)
        factor = EnrolledFactor("fac_one", account.id, "totp", self.now, sealed=sealed)
        assert await self.store.commit(self.store.accounts.add_factor(factor))

    def code(self) -> str:
        """The code that the authenticator shows now."""
        return code_for(SEED, self.now)

    async def session(self, account: Account, secret: str = "s" * 43, **changes: Any) -> Session:
        """A signed-in browser session; `secret` is its cookie."""
        values: dict[str, Any] = {
            "id": self.services.random.new_id("ses"),
            "secret_hash": digest(secret),
            "account_id": account.id,
            "created_at": self.now - 100,
            "seen_at": self.now - 100,
            "auth_time": self.now - 100,
            "expires_at": self.now + 86_400,
            "acr": "urn:doorward:aal1",
            "amr": ("pwd",),
        }
        session = Session(**{**values, **changes})
        assert await self.store.commit(self.store.sessions.insert(session))
        return session

    async def begin(
        self, request: AuthRequest | None, session: Session | None = None, **changes: Any
    ) -> SignIn:
        """A stored sign-in of the browser `b`."""
        fresh = begin.sign_in(
            sign_in_id=self.services.random.new_id("sin"),
            now=self.now,
            ttl=1800,
            browser_hash=digest("b"),
            request=request,
            return_to=None if request else "/account",
            session=session,
            kinds=KINDS,
        )
        sign_in = structs.replace(fresh, **changes)
        assert await self.store.commit(self.store.sign_ins.insert(sign_in))
        return sign_in

    def request(self, **changes: Any) -> AuthRequest:
        """The web app's authorization request, after all checks."""
        values: dict[str, Any] = {
            "client_id": "app_web",
            "redirect_uri": made.REDIRECT,
            "response_mode": "query",
            "scopes": ("openid", "orders:read", "orders:write"),
            "audience": made.API,
            "state": "st",
            "nonce": "n",
            "code_challenge": CODE_CHALLENGE,
        }
        return AuthRequest(**{**values, **changes})

    def params(self, client: Client, **changes: str | None) -> dict[str, str]:
        """A good authorization request of this app; None leaves a parameter out."""
        values: dict[str, str | None] = {
            "client_id": client.id,
            "response_type": "code",
            "redirect_uri": client.redirect_uris[0] if client.redirect_uris else None,
            "scope": "openid orders:read",
            "state": "st",
            "nonce": "n",
            "code_challenge": CODE_CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in values.items() if value is not None}

    def asking(self, client: Client, **changes: str | None) -> str:
        """The same as an address of this server."""
        return "/authorize?" + urlencode(self.params(client, **changes))

    async def audited(self, kind: str) -> list[AuditEvent]:
        """The audit lines of one kind, newest first."""
        return list(await self.store.audit.page(kind=kind, limit=1000))

    async def redeem(self, client: Client, code: str, **fields: str) -> dict[str, Any]:
        """The response of the token endpoint, which must have this `status`."""
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": made.VERIFIER, **fields}
        return await self.token(client, form)

    async def token(self, client: Client, form: dict[str, str]) -> dict[str, Any]:
        """One request to the token endpoint, from an unspecified address."""
        proof: dict[str, str] = {}
        if client.confidential:
            proof["authorization"] = "Basic " + b64encode(f"{client.id}:{made.SECRET}".encode()).decode()
        else:
            form = {**form, "client_id": client.id}
        page = await self.browser().ask("POST", "/token", form=form, **proof)
        return {"status": page.status, **msgspec.json.decode(page.text)}


@asynccontextmanager
async def front_channel(
    *, trusted: tuple[str, ...] = (), features: Sequence[Feature] = FEATURES, **settings: Any
) -> AsyncGenerator[Front]:
    """The server; it is closed at the end. `settings` are added to those of a test; `trusted` are its proxies."""
    values: dict[str, Any] = {
        "issuer": made.ISSUER,
        "database": ":memory:",
        "passwords": CHEAP_HASHING,
        "keys": KeySettings(
            secret_key=Secret(b64encode(b"k" * 32).decode()), publish_ahead=0, rotate_after=0
        ),
        "server": ServerSettings(trusted_proxies=trusted),
    }
    chosen = Settings(**{**values, **settings})
    clock = ManualClock()
    container = await open_container(
        settings=chosen, features=features, clock=clock, metrics=PrometheusMetrics()
    )
    async with aclosing(container):
        await container.services.get(key_rotation).maintain()
        yield await _furnished(container, clock)


async def _furnished(container: Container, clock: ManualClock) -> Front:
    settings, services = container.settings, container.services
    store = services.store
    permissions = (Permission("orders:read", "See your orders"), Permission("orders:write"))
    api = Api("api_orders", made.API, "Orders", permissions, made.NOW)
    role = Role("rol_reader", "reader", {made.API: ("orders:read",)}, made.NOW)
    assert await store.commit(
        store.registry.put_client(made.client()), store.registry.put_api(api), store.registry.put_role(role)
    )
    await services.config.refresh()
    # nobody sends here
    services.get(first_tries).longest = 0
    return Front(
        container=container,
        settings=settings,
        clock=clock,
        app=http_app(container, process_tag="t"),
        jar=services.get(cookie_jar),
        audit_log=services.get(audit_log),
        revoker=services.get(revoker),
        sign_out=services.get(sign_out),
        finish=services.get(finish),
        advance=services.get(advance),
        authorize=services.get(authorize),
        consent=services.get(answer_consent),
    )
