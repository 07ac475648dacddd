"""Seed data of the trial: an API, apps, and people with a password, created by the services behind the commands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doorward.adapters.os_user import os_actor
from doorward.cli.run import opened
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.oauth.clients.rules.kinds import KINDS, AppKind
from doorward.features.services import Services
from trials.cluster.people import App

API = "https://orders.example.com"
CALLBACK = "https://shop.example.net/callback"
PASSWORD = "teapot gravel orchid nine"
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Seeds:
    """`shop` signs people in, `batch` acts for itself, `reader` introspects for the API. `doomed` are apps
    that will be deleted: each signs people in and acts for itself."""

    shop: App
    batch: App
    reader: App
    doomed: list[App]
    emails: Sequence[str]


async def sow(config: Path, *, people: int, doomed: int) -> Seeds:
    """Create all seed data in the store that the settings in `config` name, in one run of the services."""
    async with opened(config) as container:
        services = container.services
        await services.get(admin.apis).create(
            os_actor(), API, name="Orders", permissions=[Permission("orders:read", "See your orders")]
        )
        await services.get(admin.roles).create(
            os_actor(), "customer", permissions=[f"{API}:orders:read"], default=True
        )
        emails = [f"person-{number}@example.com" for number in range(people)]
        waiting = asyncio.Semaphore(_AT_ONCE)

        async def person(email: str) -> None:
            async with waiting:
                await services.get(admin.people).create(
                    os_actor(), email, name=email.partition("@")[0], password=Secret(PASSWORD)
                )

        await asyncio.gather(*(person(email) for email in emails))
        seeds = Seeds(
            shop=await _app(services, "Shop", "web"),
            batch=await _app(services, "Batch", "service"),
            reader=await _app(services, "Orders API", "service", access=()),
            doomed=[
                await _app(services, f"Doomed {number}", "web", more=("client_credentials",))
                for number in range(doomed)
            ],
            emails=emails,
        )
        await services.get(admin.apis).set_introspecting_app(os_actor(), "Orders", "Orders API")
        return seeds


async def _app(
    services: Services,
    name: str,
    kind: AppKind,
    *,
    access: Sequence[str] = (API,),
    more: tuple[str, ...] = (),
) -> App:
    usual = KINDS[kind]
    service = kind == "service"
    draft = Client(
        id="",
        name=name,
        auth_method=usual.auth_method,
        grant_types=(*usual.grant_types, *more),
        created_at=0,
        first_party=not service,
        redirect_uris=() if service else (CALLBACK,),
        oidc_scopes=() if service else ("openid", "profile", "email", "offline_access"),
    )
    made = await services.get(admin.apps).create(os_actor(), draft, kind=kind, access=access)
    assert made.secret is not None
    uris = made.client.redirect_uris
    return App(made.client.id, made.secret.reveal(), uris[0] if uris else "")
