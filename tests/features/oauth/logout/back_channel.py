"""The token, introspection and revocation services on the real store and keys, with a clock that the test moves."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs
from msgspec.json import decode, encode

from doorward.adapters.metrics import PrometheusMetrics
from doorward.app.container import open_container
from doorward.cluster.config_snapshot import ConfigSnapshotWatcher
from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant, RefreshToken
from doorward.core.model.policy import ThrottlePolicy, TokenPolicy
from doorward.core.model.session import Session
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.keys import TokenSigner
from doorward.core.ports.random import SecureRandom
from doorward.features.feature import Feature
from doorward.features.index import FEATURES
from doorward.features.oauth.introspection.build import introspection
from doorward.features.oauth.introspection.service import IntrospectionService
from doorward.features.oauth.logout.build import logout_tokens
from doorward.features.oauth.logout.notify import LogoutToken
from doorward.features.oauth.revocation.build import revocation
from doorward.features.oauth.revocation.service import RevocationService
from doorward.features.oauth.token.build import token_service
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.token.service import TokenService
from doorward.features.oauth.tokens.rules import refresh_format as refresh_text
from doorward.features.oauth.userinfo.build import userinfo
from doorward.features.oauth.userinfo.service import UserinfoService
from doorward.features.revocations.build import revocation_feed, revocation_view
from doorward.features.revocations.feed import RevocationFeed
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.features.services import Services
from doorward.features.sessions.build import revoker
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store
from doorward_verify import jwk, jws
from doorward_verify.encoding import json_object
from tests.containers import settings
from tests.features import made
from tests.manual_clock import ManualClock

CALLER = Caller("192.0.2.1", "tests", "req-1")


@dataclass
class BackChannel:
    """The services that the tests call, and the parts behind them."""

    services: Services
    clock: ManualClock
    metrics: PrometheusMetrics
    policy: TokenPolicy
    revoker: Revoker
    tokens: TokenService
    introspection: IntrospectionService
    revocation: RevocationService
    userinfo: UserinfoService
    feed: RevocationFeed
    logout: LogoutToken
    view: ServerRevocationView

    @property
    def store(self) -> Store:
        """The real store."""
        return self.services.store

    @property
    def random(self) -> SecureRandom:
        """The real random values."""
        return self.services.random

    @property
    def config(self) -> ConfigSnapshotWatcher:
        """The configuration."""
        return self.services.config

    @property
    def signer(self) -> TokenSigner:
        """The real keys."""
        return self.services.signer

    async def put(self, *clients: Client) -> None:
        """Registers apps."""
        assert await self.store.commit(*(self.store.registry.put_client(client) for client in clients))
        await self.config.refresh()

    async def person(self, **changes: Any) -> Account:
        """Ada, with a session."""
        account = made.account(**changes)
        assert await self.store.commit(self.store.accounts.insert(account))
        return account

    async def session(self, account: Account, session_id: str = "ses_one") -> Session:
        """A browser session of hers."""
        session = Session(
            id=session_id,
            secret_hash=digest(session_id),
            account_id=account.id,
            created_at=made.NOW - 100,
            seen_at=made.NOW - 100,
            auth_time=made.NOW - 100,
            expires_at=made.NOW + 86_400,
            acr="urn:doorward:aal1",
            amr=("pwd",),
        )
        assert await self.store.commit(self.store.sessions.insert(session))
        return session

    async def code(self, *, code: dict[str, Any] | None = None, **grant: Any) -> str:
        """A grant and its code, as the authorization endpoint leaves them. Returns the raw code."""
        raw = f"dw_ac_{self.random.token()}"
        given = made.grant(**{"id": self.random.new_id("grt"), **grant})
        held = made.code(
            **{"hash": digest(raw), "grant_id": given.id, "client_id": given.client_id, **(code or {})}
        )
        assert await self.store.commit(self.store.grants.insert(given), self.store.grants.insert_code(held))
        return raw

    async def family(self, **grant: Any) -> tuple[str, Grant]:
        """A grant with its first refresh token. Returns (raw token, grant)."""
        given = made.grant(**{"id": self.random.new_id("grt"), **grant})
        raw = refresh_text.first(given.id, self.random.token(16), self.random.token(32))
        token = RefreshToken(
            grant_id=given.id,
            family_hash=refresh_text.family_hash(raw),
            generation=1,
            hash=digest(raw),
            created_at=self.clock.time,
            expires_at=given.expires_at,
        )
        assert await self.store.commit(
            self.store.grants.insert(given), self.store.grants.insert_refresh(token)
        )
        return raw, given

    def request(
        self,
        form: Mapping[str, str],
        *,
        path: str = "/token",
        authorization: str | None = None,
        caller: Caller = CALLER,
    ) -> TokenRequest:
        """A TokenRequest as the endpoints build it."""
        return made.token_request(
            form, url=made.ISSUER + path, authorization=authorization, caller=caller, now=self.clock.time
        )

    async def exchange(
        self, form: Mapping[str, str], *, authorization: str | None = None, caller: Caller = CALLER
    ) -> TokenResponse | OAuthError:
        """One token request."""
        return await self.tokens.exchange(self.request(form, authorization=authorization, caller=caller))

    async def introspect(
        self, form: Mapping[str, str], *, authorization: str | None, caller: Caller
    ) -> dict[str, Any] | OAuthError:
        """One introspection."""
        asked = self.request(form, path="/introspect", authorization=authorization, caller=caller)
        return await self.introspection.introspect(asked)

    async def revoke(
        self, form: Mapping[str, str], *, authorization: str | None, caller: Caller
    ) -> OAuthError | None:
        """One revocation."""
        asked = self.request(form, path="/revoke", authorization=authorization, caller=caller)
        return await self.revocation.revoke(asked)

    async def ask(self, form: dict[str, str], client: Client | None = None) -> TokenResponse | OAuthError:
        """One token request of `client` (by default the web app) by its secret."""
        return await self.exchange(form, authorization=basic(client or made.client()), caller=CALLER)

    async def refresh(
        self, raw: str, client: Client | None = None, **more: str
    ) -> TokenResponse | OAuthError:
        """One refresh."""
        return await self.ask({"grant_type": "refresh_token", "refresh_token": raw, **more}, client)

    async def audited(self, kind: str) -> int:
        """The number of audit events of a kind."""
        return len(await self.store.audit.page(kind=kind, limit=1000))

    def claims(self, token: str, typ: str = "at+jwt") -> dict[str, Any]:
        """The verified payload of one of our tokens."""
        algorithms = ("ES256", "RS256", "Ed25519")
        return json_object(
            jws.verify(token, self.signer.keys(), algorithms=algorithms, types=(typ.lower(),)).payload
        )


async def told(feed: RevocationFeed, after: str | None = None, wait: float = 0) -> dict[str, Any]:
    """The feed's answer in its first edition."""
    return decode(await feed.plain(after, wait))


async def page(feed: RevocationFeed, after: str | None = None, wait: float = 0) -> dict[str, Any]:
    """The feed's answer in its second edition."""
    return decode(await feed.pages(after, wait))


def basic(client: Client) -> str:
    """The Authorization header of an app whose secret is `made.SECRET`."""
    return "Basic " + b64encode(f"{client.id}:{made.SECRET}".encode()).decode()


def assertion(channel: BackChannel, key: jwk.SigningKey, **changes: Any) -> dict[str, str]:
    """The two form fields by which the web app proves itself with a private key (RFC 7523 §2.2)."""
    claims = {
        "iss": "app_web",
        "sub": "app_web",
        "aud": made.ISSUER,
        "jti": channel.random.token(),
        "iat": channel.clock.time,
        "exp": channel.clock.time + 60,
        **changes,
    }
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jws.sign(encode(claims), key, typ="JWT"),
    }


@asynccontextmanager
async def back_channel(
    path: Path | str = ":memory:",
    *,
    features: Sequence[Feature] = (),
    issuer: str = made.ISSUER,
    **policy: Any,
) -> AsyncGenerator[BackChannel]:
    """The services of one process on the database at `path`, a file or a URL; two on one path are two processes on one
    database. `features` are added to those of the server."""
    clock, metrics = ManualClock(), PrometheusMetrics()
    chosen = settings(
        issuer=issuer,
        database=str(path),
        tokens=structs.replace(TokenPolicy(), **policy),
        throttle=ThrottlePolicy(per_address=20),
    )
    container = await open_container(
        settings=chosen, features=(*FEATURES, *features), clock=clock, metrics=metrics
    )
    async with aclosing(container):
        services = container.services
        if not (await services.store.registry.load()).keys:
            await _furnish(services)
        await services.config.refresh()
        yield BackChannel(
            services=services,
            clock=clock,
            metrics=metrics,
            policy=services.tokens,
            revoker=services.get(revoker),
            tokens=services.get(token_service),
            introspection=services.get(introspection),
            revocation=services.get(revocation),
            userinfo=services.get(userinfo),
            feed=services.get(revocation_feed),
            logout=services.get(logout_tokens),
            view=services.get(revocation_view),
        )


async def _furnish(services: Services) -> None:
    store, maker = services.store, services.key_maker
    keys = [
        structs.replace(maker.make(f"key_{alg}", alg, made.NOW - 1000), state="current")
        for alg in ("ES256", "RS256", "Ed25519")
    ]
    first = made.config(made.client(), made.public())
    assert await store.commit(
        *(store.registry.insert_key(key) for key in keys),
        *(store.registry.put_client(client) for client in first.clients.values()),
        *(store.registry.put_api(api) for api in first.apis.values()),
        *(store.registry.put_role(role) for role in first.roles.values()),
    )
