"""Authorization of administration: every operation refuses an actor without its right, every write audits its actor."""

from __future__ import annotations

import dataclasses
import inspect
import io
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from msgspec import structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.actor import ALL_RIGHTS, Actor, Right
from doorward.core.model.audit import AuditEvent
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.problem import problem
from doorward.core.model.provider import ExternalIdentity
from doorward.core.model.secret import Secret
from doorward.core.model.self_registered import ClientDocument, RegisteredApp
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.admin import build
from doorward.features.admin.api_keys import ApiKeyAdmin
from doorward.features.admin.apis import ApiAdmin
from doorward.features.admin.apps import AppAdmin
from doorward.features.admin.connections import ConnectionAdmin
from doorward.features.admin.error import AdminError
from doorward.features.admin.factors import FactorAdmin
from doorward.features.admin.imports.service import PeopleImport
from doorward.features.admin.keys import KeyAdmin
from doorward.features.admin.people import PeopleAdmin
from doorward.features.admin.roles import RoleAdmin
from doorward.features.admin.self_registered import SelfRegisteredAdmin
from doorward.features.admin.trusted_issuers import IssuerAdmin
from doorward.features.admin.wrappings import WrappingAdmin
from doorward.features.authn.trusted_device.build import trusted_devices
from doorward.features.oauth.client_documents.build import client_documents
from doorward.features.services import Services
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from tests.features import made as features_made
from tests.features.admin import managing
from tests.features.admin.imports.importing import NoProgress
from tests.features.admin.managing import OPERATOR, WEB
from tests.manual_clock import NOW, ManualClock
from tests.people import CALLER, CHROME
from tests.stand_ins.workloads import KubernetesApi

pytestmark = pytest.mark.anyio
SERVICES = (
    PeopleAdmin,
    ConnectionAdmin,
    PeopleImport,
    FactorAdmin,
    AppAdmin,
    ApiAdmin,
    IssuerAdmin,
    ApiKeyAdmin,
    SelfRegisteredAdmin,
    RoleAdmin,
    KeyAdmin,
    WrappingAdmin,
)
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
GOOD = Secret("walrus canyon velvet twelve")

Call = Callable[["Stocked", Actor], Awaitable[object]]
CALLS: dict[str, Call] = {
    "ConnectionAdmin.issuers": lambda desk, actor: desk.connections.issuers(actor),
    "ConnectionAdmin.end_access": lambda desk, actor: desk.connections.end_access(actor, ELSEWHERE),
    "PeopleAdmin.create": lambda desk, actor: desk.people.create(actor, "bob@example.com"),
    "PeopleAdmin.find": lambda desk, actor: desk.people.find(actor),
    "PeopleAdmin.count": lambda desk, actor: desk.people.count(actor),
    "PeopleAdmin.get": lambda desk, actor: desk.people.get(actor, ADA),
    "PeopleAdmin.with_role_names": lambda desk, actor: desk.people.with_role_names(actor, desk.ada),
    "PeopleAdmin.set_password": lambda desk, actor: desk.people.set_password(actor, ADA, GOOD),
    "PeopleAdmin.disable": lambda desk, actor: desk.people.disable(actor, ADA),
    "PeopleAdmin.enable": lambda desk, actor: desk.people.enable(actor, "off@example.com"),
    "PeopleAdmin.delete": lambda desk, actor: desk.people.delete(actor, ADA),
    "PeopleAdmin.update": lambda desk, actor: desk.people.update(actor, ADA, {"name": "Ada"}),
    "PeopleAdmin.grant_role": lambda desk, actor: desk.people.grant_role(actor, ADA, "clerk"),
    "PeopleAdmin.revoke_role": lambda desk, actor: desk.people.revoke_role(actor, ADA, "customer"),
    "PeopleImport.run": lambda desk, actor: desk.people_import.run(
        actor, io.BytesIO(b'{"email": "carol@example.com"}'), progress=NoProgress()
    ),
    "FactorAdmin.find": lambda desk, actor: desk.factors.find(actor, ADA),
    "FactorAdmin.reset": lambda desk, actor: desk.factors.reset(actor, ADA),
    "FactorAdmin.forget_devices": lambda desk, actor: desk.factors.forget_devices(actor, ADA),
    "FactorAdmin.require": lambda desk, actor: desk.factors.require(actor, ADA),
    "AppAdmin.create": lambda desk, actor: desk.apps.create(
        actor, structs.replace(WEB, name="other"), kind="web"
    ),
    "AppAdmin.find": lambda desk, actor: desk.apps.find(actor),
    "AppAdmin.get": lambda desk, actor: desk.apps.get(actor, "web"),
    "AppAdmin.get_undelivered": lambda desk, actor: desk.apps.get_undelivered(actor, "web"),
    "AppAdmin.update": lambda desk, actor: desk.apps.update(
        actor, "web", lambda app: structs.replace(app, first_party=True)
    ),
    "AppAdmin.add_redirect_uri": lambda desk, actor: desk.apps.add_redirect_uri(
        actor, "web", "https://app.example.com/more"
    ),
    "AppAdmin.rotate_secret": lambda desk, actor: desk.apps.rotate_secret(actor, "web"),
    "AppAdmin.delete": lambda desk, actor: desk.apps.delete(actor, "web"),
    "ApiAdmin.create": lambda desk, actor: desk.apis.create(
        actor, "https://stock.example.com", name="stock", permissions=[]
    ),
    "ApiAdmin.find": lambda desk, actor: desk.apis.find(actor),
    "ApiAdmin.get": lambda desk, actor: desk.apis.get(actor, "orders"),
    "ApiAdmin.update": lambda desk, actor: desk.apis.update(
        actor, "orders", lambda api: structs.replace(api, name="shop")
    ),
    "ApiAdmin.set_introspecting_app": lambda desk, actor: desk.apis.set_introspecting_app(
        actor, "orders", "web"
    ),
    "ApiAdmin.delete": lambda desk, actor: desk.apis.delete(actor, "orders"),
    "IssuerAdmin.create": lambda desk, actor: desk.issuers.create(
        actor, structs.replace(TRUSTED, name="other", issuer="https://other.example")
    ),
    "IssuerAdmin.find": lambda desk, actor: desk.issuers.find(actor),
    "IssuerAdmin.get": lambda desk, actor: desk.issuers.get(actor, "cluster"),
    "IssuerAdmin.update": lambda desk, actor: desk.issuers.update(actor, "cluster", {"tolerance": 20}),
    "IssuerAdmin.allow": lambda desk, actor: desk.issuers.allow(
        actor, "cluster", "second", app="robot", claims={"sub": "y"}
    ),
    "IssuerAdmin.disallow": lambda desk, actor: desk.issuers.disallow(actor, "cluster", "first"),
    "IssuerAdmin.disable": lambda desk, actor: desk.issuers.disable(actor, "cluster"),
    "IssuerAdmin.enable": lambda desk, actor: desk.issuers.enable(actor, "off"),
    "IssuerAdmin.delete": lambda desk, actor: desk.issuers.delete(actor, "cluster"),
    "IssuerAdmin.examine": lambda desk, actor: desk.issuers.examine(actor, "cluster"),
    "ApiKeyAdmin.create": lambda desk, actor: desk.api_keys.create(actor, "web", name="cron", api="orders"),
    "ApiKeyAdmin.find": lambda desk, actor: desk.api_keys.find(actor, who=ADA),
    "ApiKeyAdmin.get": lambda desk, actor: desk.api_keys.get(actor, desk.api_key),
    "ApiKeyAdmin.rotate": lambda desk, actor: desk.api_keys.rotate(actor, desk.api_key),
    "ApiKeyAdmin.revoke": lambda desk, actor: desk.api_keys.revoke(actor, desk.api_key),
    "SelfRegisteredAdmin.find": lambda desk, actor: desk.self_registered.find(actor),
    "SelfRegisteredAdmin.get": lambda desk, actor: desk.self_registered.get(actor, DOCUMENT),
    "SelfRegisteredAdmin.disable": lambda desk, actor: desk.self_registered.disable(actor, DOCUMENT),
    "SelfRegisteredAdmin.enable": lambda desk, actor: desk.self_registered.enable(actor, "dcr_off"),
    "SelfRegisteredAdmin.delete": lambda desk, actor: desk.self_registered.delete(actor, DOCUMENT),
    "SelfRegisteredAdmin.pin": lambda desk, actor: desk.self_registered.pin(actor, DOCUMENT, fetch=False),
    "SelfRegisteredAdmin.unpin": lambda desk, actor: desk.self_registered.unpin(actor, PINNED),
    "SelfRegisteredAdmin.create_token": lambda desk, actor: desk.self_registered.create_token(actor, "all"),
    "SelfRegisteredAdmin.find_tokens": lambda desk, actor: desk.self_registered.find_tokens(actor),
    "SelfRegisteredAdmin.revoke_token": lambda desk, actor: desk.self_registered.revoke_token(
        actor, "partners"
    ),
    "RoleAdmin.create": lambda desk, actor: desk.roles.create(actor, "guest", permissions=()),
    "RoleAdmin.find": lambda desk, actor: desk.roles.find(actor),
    "RoleAdmin.get": lambda desk, actor: desk.roles.get(actor, "clerk"),
    "RoleAdmin.update": lambda desk, actor: desk.roles.update(actor, "clerk", name="counter"),
    "RoleAdmin.delete": lambda desk, actor: desk.roles.delete(actor, "clerk"),
    "KeyAdmin.find": lambda desk, actor: desk.keys.find(actor),
    "KeyAdmin.get_revocable": lambda desk, actor: desk.keys.get_revocable(actor, desk.current_key),
    "KeyAdmin.rotate": lambda desk, actor: desk.keys.rotate(actor, force=True),
    "KeyAdmin.revoke": lambda desk, actor: desk.keys.revoke(actor, desk.current_key),
    "WrappingAdmin.get_in_use": lambda desk, actor: desk.wrappings.get_in_use(actor),
    "WrappingAdmin.find": lambda desk, actor: desk.wrappings.find(actor),
    "WrappingAdmin.rewrap": lambda desk, actor: desk.wrappings.rewrap(actor, None, drop_old=False),
}


def right_of(method: object) -> Right | None:
    """The right that an operation demands; None for any other object."""
    return cast("Right | None", getattr(method, "right", None))


def operations() -> Iterator[tuple[str, object]]:
    """Every public method of every service, by name."""
    for service in SERVICES:
        fields = {field.name for field in dataclasses.fields(cast("Any", service))}
        for name, attribute in inspect.getmembers_static(service):
            if not name.startswith("_") and name not in fields:
                yield f"{service.__name__}.{name}", attribute


OPERATIONS = dict(operations())
WRITES = sorted(name for name, method in OPERATIONS.items() if (right_of(method) or "").endswith(".write"))


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
    return dataclasses.replace(
        services.get(build.self_registered), documents=lambda: services.get(client_documents)
    )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Stocked]:
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
    yield Stocked(
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
        wrappings=made.container.root_wrappings(),
        ada=ada,
        current_key=next(key.id for key in made.config.current().keys if key.state == "current"),
        place=tmp_path / "a.db",
        audited=made.audited,
    )
    await made.container.aclose()
    await store.close()


def test_every_public_method_of_a_service_is_an_operation_with_a_call_below() -> None:
    assert [name for name, method in OPERATIONS.items() if right_of(method) is None] == []
    assert set(CALLS) == set(OPERATIONS)


def test_every_right_is_required_by_an_operation_and_every_required_right_exists() -> None:
    assert {right_of(method) for method in OPERATIONS.values()} == set(get_args(Right))


@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_an_operation_refuses_an_actor_without_its_right_and_changes_nothing(
    desk: Stocked, name: str
) -> None:
    right = right_of(OPERATIONS[name])
    assert right is not None
    before = desk.rows()
    for rights in (frozenset[Right](), ALL_RIGHTS - {right}):
        eve = Actor(kind="os_user", id="eve", rights=rights)
        with pytest.raises(AdminError) as caught:
            await CALLS[name](desk, eve)
        assert caught.value.problem == problem("right_missing", right=right, actor="os_user:eve")
    assert desk.rows() == before


@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_an_operation_needs_only_its_own_right(desk: Stocked, name: str) -> None:
    right = right_of(OPERATIONS[name])
    assert right is not None
    before = desk.rows()
    await CALLS[name](desk, Actor(kind="os_user", id="eve", rights=frozenset({right})))
    assert (desk.rows() != before) is (name in WRITES)


def test_an_operation_that_is_given_a_password_is_one_of_those_below() -> None:
    given = {
        name
        for name, method in OPERATIONS.items()
        if "password" in inspect.signature(cast("Callable[..., object]", method)).parameters
    }
    assert given == {"PeopleAdmin.create", "PeopleAdmin.set_password"}


async def test_whoever_gives_a_new_person_a_password_needs_the_right_for_credentials(desk: Stocked) -> None:
    """docs/incidents/0058-a-password-without-its-right.md"""
    before = desk.rows()
    clerk = Actor(kind="os_user", id="eve", rights=ALL_RIGHTS - {"credentials.write"})
    with pytest.raises(AdminError) as caught:
        await desk.people.create(clerk, "bob@example.com", password=GOOD)
    assert caught.value.problem == problem("right_missing", right="credentials.write", actor="os_user:eve")
    assert desk.rows() == before
    both = Actor(kind="os_user", id="eve", rights=frozenset({"people.write", "credentials.write"}))
    bob = await desk.people.create(both, "bob@example.com", password=GOOD)
    assert bob.password_hash is not None


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_audits_its_actor(desk: Stocked, name: str) -> None:
    before = {event.id for event in await desk.audited()}
    ada = Actor(kind="os_user", id="ada", rights=ALL_RIGHTS, as_user="root")
    await CALLS[name](desk, ada)
    new = [event for event in await desk.audited() if event.id not in before]
    assert new
    for event in new:
        assert {
            "by": "operator",
            "actor": "os_user:ada",
            "as_user": "root",
        }.items() <= event.detail.items(), event
        assert event.ok


async def test_changes_by_the_server_are_audited_under_its_name(desk: Stocked) -> None:
    made = await desk.audited()
    assert [event.detail["actor"] for event in made if event.kind == "key.created"] == ["server:doorward"] * 2
    (root,) = [row for row in desk.rows() if "'root_secret.created'" in row]
    assert '"actor":"server:doorward"' in root
