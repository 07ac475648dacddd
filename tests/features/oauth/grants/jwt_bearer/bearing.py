"""A server that trusts issuers of the tests: real HTTP to the stand-ins, a real store, a clock that the test sets."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import structs

from doorward.app.container import Container, open_container
from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.audit import AuditEvent
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.digest import digest
from doorward.core.model.provider import ExternalIdentity
from doorward.core.model.secret import Secret
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.admin import build
from doorward.features.admin.trusted_issuers import IssuerAdmin
from doorward.features.oauth.grants.jwt_bearer.rules.presets import PRESETS, PresetName
from doorward.features.oauth.token.build import token_service
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.revocations.build import revocation_view
from doorward.features.services import Services
from doorward.features.signing_keys.build import key_rotation
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from doorward_verify.encoding import b64url_decode
from tests.containers import CHEAP_HASHING, settings
from tests.features import made
from tests.features.admin.managing import OPERATOR
from tests.manual_clock import ManualClock
from tests.stand_ins.serving import served
from tests.stand_ins.workloads import GitHubActions, GitLabCi, KubernetesApi, WorkloadIssuer

SERVICE = Client(id="", name="deployer", auth_method="none", created_at=0, grant_types=(JWT_BEARER,))


@dataclass
class Bearing:
    """One process. `issuers` are the stand-ins."""

    container: Container
    store: Store
    clock: ManualClock
    app: Client
    github: GitHubActions
    gitlab: GitLabCi
    cluster: KubernetesApi

    @property
    def services(self) -> Services:
        return self.container.services

    @property
    def admin(self) -> IssuerAdmin:
        return self.services.get(build.issuers)

    async def trust(self, service: WorkloadIssuer, preset: PresetName, **changes: Any) -> TrustedIssuer:
        """Trust a stand-in with the defaults of a preset."""
        known = PRESETS[preset]
        values: dict[str, Any] = {
            "algorithms": known.algorithms,
            "single_use": known.single_use,
            "max_lifetime": known.max_lifetime,
        }
        draft = TrustedIssuer(
            id="",
            name=preset,
            issuer=service.issuer,
            grant_id="",
            created_at=0,
            preset=preset,
            **(values | changes),
        )
        return await self.admin.create(OPERATOR, draft)

    async def allow(self, issuer: str, rule: str = "deploy", app: str = "deployer", **claims: str) -> None:
        """A rule; claims with a slash in their names come as `claims={…}`."""
        await self.admin.allow(OPERATOR, issuer, rule, app=app, claims=claims)

    async def ask(
        self, assertion: str, *, as_: Client | None = None, **form: str
    ) -> TokenResponse | OAuthError:
        """A request to the token endpoint; `as_` is the app that names itself in it, with its secret if it has one."""
        fields = {"grant_type": JWT_BEARER, "assertion": assertion, **form}
        if as_ is not None:
            fields["client_id"] = as_.id
            if as_.secretive:
                fields["client_secret"] = SECRETS[as_.id]
        request = structs.replace(made.token_request(fields), now=self.clock.time)
        return await self.services.get(token_service).exchange(request)

    async def revoked(self, answer: TokenResponse) -> str | None:
        """By what an API would refuse the token now."""
        view_now = await self.services.get(revocation_view).fresh(self.clock.time)
        return view_now.revoked(claims_of(answer))

    async def audited(self, kind: str) -> list[AuditEvent]:
        events = await self.store.audit.page(limit=1000)
        return [event for event in events if event.kind == kind]

    async def person(self, issuer: str, subject: str, *, roles: tuple[str, ...] = ()) -> Account:
        """Ada, connected with an account at a provider."""
        ada = made.account(role_names=roles)
        factor = EnrolledFactor("fac_ada", ada.id, "provider", self.clock.time, code_hash=digest(issuer))
        identity = ExternalIdentity(
            factor_id=factor.id, account_id=ada.id, issuer=issuer, subject=subject, email="ada@corp.example"
        )
        assert await self.store.commit(
            self.store.accounts.insert(ada),
            self.store.accounts.add_factor(factor),
            self.store.external_identities.insert(identity),
        )
        return ada


SECRETS: dict[str, str] = {}


async def registered(bearing: Bearing, draft: Client, **more: Any) -> Client:
    """Register an app, and note its secret."""
    made_now = await bearing.services.get(build.apps).create(OPERATOR, draft, **more)
    if isinstance(made_now.secret, Secret):
        SECRETS[made_now.client.id] = made_now.secret.reveal()
    return made_now.client


def claims_of(answer: TokenResponse | OAuthError) -> dict[str, Any]:
    """The claims of the access token; fails if there is none."""
    assert isinstance(answer, TokenResponse), answer
    assert answer.refresh_token is None
    assert answer.id_token is None
    return msgspec.json.decode(b64url_decode(answer.access_token.split(".")[1]))


@asynccontextmanager
async def bearing_on(store: Store, clock: ManualClock, *services: WorkloadIssuer) -> AsyncGenerator[Bearing]:
    """A process on a store that stays open."""
    container = await open_container(
        settings=settings(issuer=made.ISSUER, development=True, passwords=CHEAP_HASHING),
        clock=clock,
        store=store,
    )
    await container.services.config.refresh()
    github, gitlab, cluster = services
    assert isinstance(github, GitHubActions)
    assert isinstance(gitlab, GitLabCi)
    assert isinstance(cluster, KubernetesApi)
    try:
        yield Bearing(container, store, clock, SERVICE, github, gitlab, cluster)
    finally:
        await container.aclose()


async def furnished(bearing: Bearing) -> None:
    """An API, a role, and the app `deployer` without any credential."""
    await bearing.services.get(key_rotation).maintain()
    await bearing.services.get(build.apis).create(
        OPERATOR,
        made.API,
        name="orders",
        permissions=[Permission("orders:read"), Permission("orders:write")],
    )
    await bearing.services.get(build.roles).create(OPERATOR, "reader", permissions=["orders:orders:read"])
    bearing.app = await registered(bearing, SERVICE, kind="service", access=["orders"])


@asynccontextmanager
async def opened() -> AsyncGenerator[Bearing]:
    """A process with an API, the app `deployer` without any credential, and the three issuers, of which none is trusted yet."""
    async with AsyncExitStack() as stack:
        issuers = (GitHubActions(), GitLabCi(), KubernetesApi())
        for one in issuers:
            await stack.enter_async_context(served(one, None))
        store = await open_sqlite(":memory:")
        stack.push_async_callback(store.close)
        bearing = await stack.enter_async_context(bearing_on(store, ManualClock(), *issuers))
        await furnished(bearing)
        yield bearing
