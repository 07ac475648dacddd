"""Administration services on a store that holds one of each kind."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.audit import AuditEvent
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.provider import ExternalIdentity
from doorward.core.model.self_registered import ClientDocument, RegisteredApp
from doorward.core.model.session import Session
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.admin import build
from doorward.features.admin.api_keys import ApiKeyAdmin
from doorward.features.admin.apis import ApiAdmin
from doorward.features.admin.apps import AppAdmin
from doorward.features.admin.audit import AuditAdmin
from doorward.features.admin.connections import ConnectionAdmin
from doorward.features.admin.factors import FactorAdmin
from doorward.features.admin.imports.service import PeopleImport
from doorward.features.admin.keys import KeyAdmin
from doorward.features.admin.passkeys import PasskeyAdmin, passkeys
from doorward.features.admin.people import PeopleAdmin
from doorward.features.admin.risk import RiskAdmin, risk
from doorward.features.admin.roles import RoleAdmin
from doorward.features.admin.self_registered import SelfRegisteredAdmin
from doorward.features.admin.sessions import SessionAdmin
from doorward.features.admin.streams import StreamAdmin
from doorward.features.admin.trusted_issuers import IssuerAdmin
from doorward.features.admin.wrappings import WrappingAdmin
from doorward.features.authn.trusted_device.build import trusted_devices
from doorward.features.oauth.client_documents.build import client_documents
from doorward.features.services import Services
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from tests.features import made as features_made
from tests.features.admin import managing
from tests.features.admin.managing import OPERATOR, WEB
from tests.manual_clock import NOW, ManualClock
from tests.people import CALLER, CHROME
from tests.stand_ins.workloads import KubernetesApi

ADA = "ada@example.com"
ELSEWHERE = "https://accounts.example.com"
API = "https://api.example.com"
DOCUMENT, PINNED = "https://app.example.com/client.json", "https://app.example.com/pinned.json"
TRUSTED = TrustedIssuer(
    id="",
    name="cluster",
    issuer="https://k8s.example",
    grant_id="",
    created_at=0,
    jwks=KubernetesApi(origin="https://k8s.example").jwks(),
)
ROBOT = Client(id="", name="robot", auth_method="none", created_at=0, grant_types=(JWT_BEARER,))


@dataclass(kw_only=True)
class Stocked:
    """The services on a store that holds one of each kind."""

    people: PeopleAdmin
    people_import: PeopleImport
    connections: ConnectionAdmin
    factors: FactorAdmin
    apps: AppAdmin
    apis: ApiAdmin
    issuers: IssuerAdmin
    api_keys: ApiKeyAdmin
    self_registered: SelfRegisteredAdmin
    roles: RoleAdmin
    keys: KeyAdmin
    wrappings: WrappingAdmin
    audit: AuditAdmin
    sessions: SessionAdmin
    passkeys: PasskeyAdmin
    risk: RiskAdmin
    streams: StreamAdmin
    stream: str
    session: str
    ada: Account
    current_key: str
    api_key: str
    place: Path
    audited: Callable[[], Awaitable[list[AuditEvent]]]

    def rows(self) -> list[str]:
        """Every stored row."""
        connection = sqlite3.connect(self.place)
        try:
            return list(connection.iterdump())
        finally:
            connection.close()


async def come_by_themselves(store: Store) -> None:
    """An app that registered itself and is disabled, and two documents, one of them pinned."""
    app = structs.replace(WEB, id="dcr_off", registered_by="app")
    registered = RegisteredApp(
        id="dcr_off", client=app, token_hash=b"t" * 32, created_at=NOW, expires_at=NOW + 1, disabled_at=NOW
    )
    documents = [
        ClientDocument(
            url=url,
            client=structs.replace(WEB, id=url, registered_by="document"),
            fetched_at=NOW,
            fresh_until=NOW,
            tried_at=NOW,
            expires_at=NOW,
            pinned_at=pinned_at,
        )
        for url, pinned_at in ((DOCUMENT, None), (PINNED, NOW))
    ]
    assert await store.commit(
        store.registered_apps.insert(registered), *(store.client_documents.put(one) for one in documents)
    )


def _self_registered(services: Services) -> SelfRegisteredAdmin:
    # as where documents are accepted; nothing is fetched here
    return structs.replace(
        services.get(build.self_registered), documents=lambda: services.get(client_documents)
    )


@asynccontextmanager
async def stocked(tmp_path: Path) -> AsyncGenerator[Stocked]:
    """The services, in a database of the folder."""
    store = await open_sqlite(tmp_path / "a.db")
    made = await managing.admin_services(store, ManualClock())
    await made.rotation.maintain()
    await made.apis.create(OPERATOR, API, name="orders", permissions=[Permission("orders:read")])
    await made.apps.create(OPERATOR, WEB, kind="web", access=["orders"])
    await made.roles.create(OPERATOR, "customer", permissions=["orders"], default=True)
    await made.roles.create(OPERATOR, "clerk", permissions=["orders"])
    ada = await made.people.create(OPERATOR, ADA)
    await made.people.create(OPERATOR, "off@example.com")
    await made.people.disable(OPERATOR, "off@example.com")
    away = await made.people.create(OPERATOR, "away@example.com")
    row = EnrolledFactor("fac_away", away.id, "provider", NOW)
    identity = ExternalIdentity(
        factor_id=row.id, account_id=away.id, issuer=ELSEWHERE, subject="1", email="away@example.com"
    )
    offline = features_made.grant(account_id=away.id, session_id=None, offline=True)
    assert await store.commit(
        store.accounts.add_factor(row),
        store.external_identities.insert(identity),
        store.grants.insert(offline),
    )
    factor = EnrolledFactor("fac_1", ada.id, "totp", NOW, sealed=b"seed")
    assert await store.commit(store.accounts.add_factor(factor))
    issuers = made.services.get(build.issuers)
    await made.apps.create(OPERATOR, ROBOT, kind="service")
    await issuers.create(OPERATOR, TRUSTED)
    await issuers.allow(OPERATOR, "cluster", "first", app="robot", claims={"sub": "x"})
    await issuers.create(OPERATOR, structs.replace(TRUSTED, name="off", issuer="https://off.example"))
    await issuers.disable(OPERATOR, "off")
    await come_by_themselves(store)
    await _self_registered(made.services).create_token(OPERATOR, "partners")
    device = await made.services.get(trusted_devices).new(
        ada, structs.replace(CALLER, user_agent=CHROME), NOW
    )
    assert await store.commit(*await device.writes(ada, [factor]))
    api_keys = made.services.get(build.api_keys)
    session = Session(
        id="ses_1",
        secret_hash=b"s" * 32,
        account_id=ada.id,
        created_at=NOW,
        seen_at=NOW,
        auth_time=NOW,
        expires_at=NOW + 3600,
        acr="urn:doorward:aal1",
        amr=("pwd",),
    )
    assert await store.commit(store.sessions.insert(session))
    streams = made.services.get(build.streams)
    stream = await streams.create(OPERATOR, "web")
    await made.apps.create(
        OPERATOR,
        structs.replace(
            ROBOT, name="caller", auth_method="client_secret_basic", grant_types=("client_credentials",)
        ),
        kind="service",
    )
    yield Stocked(
        audit=made.services.get(build.audit),
        people=made.people,
        people_import=made.services.get(build.people_import),
        connections=made.services.get(build.connections),
        factors=made.services.get(build.factors),
        apps=made.apps,
        apis=made.apis,
        issuers=issuers,
        api_keys=api_keys,
        api_key=(await api_keys.create(OPERATOR, "web", name="report", api="orders")).key.id,
        self_registered=_self_registered(made.services),
        roles=made.roles,
        keys=made.keys,
        sessions=made.services.get(build.sessions),
        passkeys=made.services.get(passkeys),
        risk=made.services.get(risk),
        streams=streams,
        stream=stream.id,
        session=session.id,
        wrappings=made.container.root_wrappings(),
        ada=ada,
        current_key=next(key.id for key in made.config.current().keys if key.state == "current"),
        place=tmp_path / "a.db",
        audited=made.audited,
    )
    await made.container.aclose()
    await store.close()
