"""Seed data of development: APIs, roles, people and apps, each created once, and updated when its address changed."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from doorward.core.model.actor import Actor
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.admin.error import AdminError
from doorward.features.oauth.clients.rules.kinds import KINDS, AppKind
from doorward.features.services import Services
from doorward_demo.dev.people import PEOPLE, SeededPerson
from doorward_demo.dev.places import Places
from doorward_demo.dev.state import DRIVER_CALLBACK, DRIVER_SIGNED_OUT, Credential, DemoApps

ORDERS: Final = "Orders"
STOCK: Final = "Stock"
FOREIGN_AUDIENCE: Final = "https://stock.example.com"
"""An API that does not run: its tokens are real, and the orders API must refuse them."""

_ORDERS_PERMISSIONS: Final = (
    Permission("orders:read", "See your orders"),
    Permission("orders:write", "Place orders"),
)
_STOCK_PERMISSIONS: Final = (Permission("stock:read", "See what is in stock"),)


class _SeededRole(Struct, frozen=True):
    name: str
    permissions: str
    default: bool = False
    second_factor: bool = False


_ROLES: Final = (
    _SeededRole("customer", "orders:read", default=True),
    _SeededRole("clerk", "orders:read,orders:write"),
    _SeededRole("auditor", "orders:read", second_factor=True),
)


async def seed(services: Services, actor: Actor, places: Places, known: DemoApps | None) -> DemoApps:
    """Create what is missing and keep what exists. Returns the apps' credentials. `known` are those of the last start.

    A secret is shown only when it is created: if the last start's secret is lost, a new one is created.
    """
    await _apis(services, actor, places)
    await _roles(services, actor)
    for person in PEOPLE:
        await _person(services, actor, person)
    shop = await _app(
        services,
        actor,
        _client(
            "Corner Shop",
            "web",
            redirect_uris=(f"{places.shop}/callback",),
            post_logout_redirect_uris=(f"{places.shop}/signed-out",),
            backchannel_logout_uri=f"{places.shop}/backchannel-logout",
        ),
        "web",
        (ORDERS,),
        known.shop if known else None,
    )
    driver = await _app(
        services,
        actor,
        _client(
            "Demo driver",
            "spa",
            redirect_uris=(f"{places.shop}{DRIVER_CALLBACK}",),
            post_logout_redirect_uris=(f"{places.shop}{DRIVER_SIGNED_OUT}",),
        ),
        "spa",
        (ORDERS,),
        known.driver if known else None,
    )
    report = await _app(
        services,
        actor,
        _client("Night report", "service", oidc_scopes=()),
        "service",
        (f"{ORDERS}:orders:read", STOCK),
        known.report if known else None,
    )
    device = await _app(
        services,
        actor,
        _client("Corner CLI", "device"),
        "device",
        (ORDERS,),
        known.device if known else None,
    )
    return DemoApps(shop=shop, driver=driver, report=report, device=device)


def _client(name: str, kind: AppKind, **members: tuple[str, ...] | str) -> Client:
    usual = KINDS[kind]
    client = Client(
        id="", name=name, auth_method=usual.auth_method, created_at=0, grant_types=usual.grant_types
    )
    return structs.replace(client, **members)


async def _apis(services: Services, actor: Actor, places: Places) -> None:
    wanted = (
        (ORDERS, places.api, _ORDERS_PERMISSIONS),
        (STOCK, FOREIGN_AUDIENCE, _STOCK_PERMISSIONS),
    )
    there = {api.name: api for api in await services.get(admin.apis).find(actor)}
    for name, identifier, permissions in wanted:
        old = there.get(name)
        if old is not None and (old.identifier, old.permissions) == (identifier, permissions):
            continue
        if old is not None:
            # an identifier is the audience of tokens: another port makes it another API
            await services.get(admin.apis).delete(actor, old.id)
        await services.get(admin.apis).create(actor, identifier, name=name, permissions=permissions)


async def _roles(services: Services, actor: Actor) -> None:
    orders = await services.get(admin.apis).get(actor, ORDERS)
    there = {role.name: role for role in await services.get(admin.roles).find(actor)}
    for role in _ROLES:
        old = there.get(role.name)
        held = {orders.identifier: tuple(role.permissions.split(","))}
        allowed = [f"{ORDERS}:{role.permissions}"]
        if old is None:
            await services.get(admin.roles).create(
                actor,
                role.name,
                permissions=allowed,
                default=role.default,
                second_factor=role.second_factor,
            )
        elif (old.permissions, old.default, old.second_factor) != (held, role.default, role.second_factor):
            await services.get(admin.roles).update(
                actor, old.id, allow=allowed, default=role.default, second_factor=role.second_factor
            )


async def _person(services: Services, actor: Actor, person: SeededPerson) -> None:
    try:
        await services.get(admin.people).get(actor, person.email)
    except AdminError:
        await services.get(admin.people).create(
            actor, person.email, name=person.name, password=Secret(person.password), roles=person.roles
        )


async def _app(
    services: Services,
    actor: Actor,
    draft: Client,
    kind: AppKind,
    access: tuple[str, ...],
    known: Credential | None,
) -> Credential:
    there = {client.name: client for client in await services.get(admin.apps).find(actor)}
    old = there.get(draft.name)
    if old is None:
        made = await services.get(admin.apps).create(actor, draft, kind=kind, access=access)
        return Credential(made.client.id, made.secret.reveal() if made.secret else None)
    await _mend(services, actor, old, draft, access)
    if old.auth_method == "none":
        return Credential(old.id)
    if known is not None and known.client_id == old.id and known.secret is not None:
        return known
    rotated = await services.get(admin.apps).rotate_secret(actor, old.id)
    return Credential(old.id, rotated.secret.reveal() if rotated.secret else None)


async def _mend(
    services: Services, actor: Actor, old: Client, draft: Client, access: tuple[str, ...]
) -> None:
    def change(client: Client) -> Client:
        return structs.replace(
            client,
            redirect_uris=draft.redirect_uris,
            post_logout_redirect_uris=draft.post_logout_redirect_uris,
            backchannel_logout_uri=draft.backchannel_logout_uri,
        )

    missing = {
        api.identifier for api in await services.get(admin.apis).find(actor) if _names(access, api.name)
    } - old.access.keys()
    if missing or change(old) != old:
        await services.get(admin.apps).update(actor, old.id, change, access=access)


def _names(access: tuple[str, ...], api: str) -> bool:
    return any(entry == api or entry.startswith(f"{api}:") for entry in access)
