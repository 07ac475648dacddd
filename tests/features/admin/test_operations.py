"""Authorization of administration: every operation refuses an actor without its right, every write audits its actor."""

from __future__ import annotations

import importlib
import inspect
import io
import pkgutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import cast, get_args

import pytest
from msgspec import structs

from doorward.core.model.actor import ALL_RIGHTS, Actor, Right
from doorward.core.model.audit_filter import EVERYTHING
from doorward.core.model.problem import problem
from doorward.core.model.secret import Secret
from doorward.features import admin
from doorward.features.admin.api_keys import ApiKeyAdmin
from doorward.features.admin.apis import ApiAdmin
from doorward.features.admin.apps import AppAdmin
from doorward.features.admin.audit import AuditAdmin
from doorward.features.admin.connections import ConnectionAdmin
from doorward.features.admin.error import AdminError
from doorward.features.admin.factors import FactorAdmin
from doorward.features.admin.imports.service import PeopleImport
from doorward.features.admin.keys import KeyAdmin
from doorward.features.admin.passkeys import PasskeyAdmin
from doorward.features.admin.people import PeopleAdmin
from doorward.features.admin.risk import RiskAdmin
from doorward.features.admin.roles import RoleAdmin
from doorward.features.admin.self_registered import SelfRegisteredAdmin
from doorward.features.admin.sessions import SessionAdmin
from doorward.features.admin.streams import StreamAdmin
from doorward.features.admin.trusted_issuers import IssuerAdmin
from doorward.features.admin.wrappings import WrappingAdmin
from tests.features.admin.imports.importing import NoProgress
from tests.features.admin.managing import WEB
from tests.features.admin.stocked import (
    ADA,
    DOCUMENT,
    ELSEWHERE,
    PINNED,
    TRUSTED,
    Stocked,
    stocked,
)

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
    AuditAdmin,
    SessionAdmin,
    PasskeyAdmin,
    RiskAdmin,
    StreamAdmin,
)
GOOD = Secret("walrus canyon velvet twelve")

Call = Callable[["Stocked", Actor], Awaitable[object]]
CALLS: dict[str, Call] = {
    "AuditAdmin.newest": lambda desk, actor: desk.audit.newest(actor, EVERYTHING, limit=1),
    "AuditAdmin.following": lambda desk, actor: desk.audit.following(actor, EVERYTHING, after=""),
    "AuditAdmin.since": lambda desk, actor: desk.audit.since(actor, EVERYTHING, 0),
    "AuditAdmin.account_of": lambda desk, actor: desk.audit.account_of(actor, ADA),
    "AuditAdmin.client_of": lambda desk, actor: desk.audit.client_of(actor, "web"),
    "AuditAdmin.head": lambda desk, actor: desk.audit.head(actor),
    "AuditAdmin.verify": lambda desk, actor: desk.audit.verify(actor),
    "AuditAdmin.erase": lambda desk, actor: desk.audit.erase(actor, ADA),
    "SessionAdmin.find": lambda desk, actor: desk.sessions.find(actor, ADA),
    "SessionAdmin.end": lambda desk, actor: desk.sessions.end(actor, ADA, desk.session),
    "SessionAdmin.end_access": lambda desk, actor: desk.sessions.end_access(actor, ADA),
    "PasskeyAdmin.find": lambda desk, actor: desk.passkeys.find(actor, ADA),
    "RiskAdmin.explain": lambda desk, actor: desk.risk.explain(actor, ADA),
    "RiskAdmin.replay": lambda desk, actor: desk.risk.replay(actor, 3600),
    "StreamAdmin.allow": lambda desk, actor: desk.streams.allow(actor, "caller"),
    "StreamAdmin.create": lambda desk, actor: desk.streams.create(actor, "web"),
    "StreamAdmin.find": lambda desk, actor: desk.streams.find(actor),
    "StreamAdmin.get": lambda desk, actor: desk.streams.get(actor, desk.stream),
    "StreamAdmin.set_status": lambda desk, actor: desk.streams.set_status(actor, desk.stream, "paused", None),
    "StreamAdmin.verify": lambda desk, actor: desk.streams.verify(actor, desk.stream),
    "StreamAdmin.delete": lambda desk, actor: desk.streams.delete(actor, desk.stream),
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
    "AppAdmin.end_access": lambda desk, actor: desk.apps.end_access(actor, "web"),
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
        fields = set(service.__struct_fields__)
        for name, attribute in inspect.getmembers_static(service):
            if not name.startswith("_") and name not in fields:
                yield f"{service.__name__}.{name}", attribute


OPERATIONS = dict(operations())
WRITES = sorted(name for name, method in OPERATIONS.items() if (right_of(method) or "").endswith(".write"))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Stocked]:
    async with stocked(tmp_path) as made:
        yield made


def test_every_public_method_of_a_service_is_an_operation_with_a_call_below() -> None:
    assert [name for name, method in OPERATIONS.items() if right_of(method) is None] == []
    assert set(CALLS) == set(OPERATIONS)


def test_every_service_with_an_operation_is_listed() -> None:
    found: set[type] = set()
    for module in pkgutil.walk_packages(admin.__path__, f"{admin.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and value.__module__ == module.name:
                own = (right_of(one) for one in vars(value).values())
                found |= {value} if any(own) else set()
    assert found == set(SERVICES)


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
