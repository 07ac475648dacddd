"""Data of a server under test: one API, two roles, apps of every kind, and a few people."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorward.adapters.os_user import os_actor
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Permission
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.oauth.clients.rules.kinds import KINDS, AppKind
from doorward.features.services import Services
from tests.flows.apps import App
from tests.flows.running import Running, operate

PASSWORD = "teapot gravel orchid nine"
API = "https://orders.example.com"
OTHER_API = "https://stock.example.com"
CALLBACK = "https://shop.example.net/callback"


@dataclass
class House:
    """The created objects. First-party apps are `own` and `spa` (public); `web` is a third party's, `service` uses client
    credentials.

    The API of `reader` introspects. ada is a customer (orders:read), bob a clerk (also orders:write).
    """

    web: App
    own: App
    spa: App
    service: App
    reader: App
    issuer: str
    config: Path

    def close(self) -> None:
        """Close the apps' connections."""
        for app in (self.web, self.own, self.spa, self.service, self.reader):
            app.close()


def draft(name: str, kind: AppKind, **changes: Any) -> Client:
    """An app as `doorward app create` would request it."""
    usual = KINDS[kind]
    values: dict[str, Any] = {
        "id": "",
        "name": name,
        "auth_method": usual.auth_method,
        "grant_types": usual.grant_types,
        "created_at": 0,
        "redirect_uris": () if kind == "service" else (CALLBACK,),
        "oidc_scopes": () if kind == "service" else ("openid", "profile", "email", "offline_access"),
        **changes,
    }
    return Client(**values)


def seed(server: Running) -> House:
    """Create everything in one run of the actions; the server has seen it when this returns."""
    return seed_at(server.config, server.issuer, verify=server.tls)


def seed_at(config: Path, issuer: str, *, verify: ssl.SSLContext | None = None) -> House:
    """The same for a server that need not run yet."""

    async def work(services: Services) -> House:
        read, write = Permission("orders:read", "See your orders"), Permission("orders:write", "Place orders")
        await services.get(admin.apis).create(os_actor(), API, name="Orders", permissions=(read, write))
        await services.get(admin.apis).create(
            os_actor(), OTHER_API, name="Stock", permissions=(Permission("stock:read"),)
        )
        await services.get(admin.roles).create(
            os_actor(), "customer", permissions=[f"{API}:orders:read"], default=True
        )
        await services.get(admin.roles).create(
            os_actor(), "clerk", permissions=[f"{API}:orders:read,orders:write"]
        )
        for email, name, roles in (
            ("ada@example.com", "Ada Lovelace", None),
            ("bob@example.com", "Bob Noyce", ["customer", "clerk"]),
        ):
            await services.get(admin.people).create(
                os_actor(), email, name=name, password=Secret(PASSWORD), roles=roles
            )

        async def app(name: str, kind: AppKind, access: tuple[str, ...] = (API,), **changes: Any) -> App:
            made = await services.get(admin.apps).create(
                os_actor(), draft(name, kind, **changes), kind=kind, access=access
            )
            secret = made.secret.reveal() if made.secret else None
            uris = made.client.redirect_uris
            return App(issuer, made.client.id, secret, uris[0] if uris else "", verify=verify)

        after = ("https://shop.example.net/bye",)
        house = House(
            web=await app("Shop", "web", post_logout_redirect_uris=after),
            own=await app("Till", "web", first_party=True, post_logout_redirect_uris=after),
            spa=await app("Counter", "spa", first_party=True, origins=("https://counter.example.net",)),
            service=await app("Batch", "service"),
            reader=await app("Orders API", "service", ()),
            issuer=issuer,
            config=config,
        )
        await services.get(admin.apis).set_introspecting_app(os_actor(), "Orders", "Orders API")
        return house

    return operate(config, work)
