"""Administration services on a real store, under a clock that a test sets."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from doorward.app.container import Container, open_container
from doorward.cluster.config_snapshot import ConfigSnapshotWatcher
from doorward.core.model.actor import ALL_RIGHTS, Actor
from doorward.core.model.audit import AuditEvent
from doorward.core.model.client import Client
from doorward.core.model.secret import Secret
from doorward.features.admin import build
from doorward.features.admin.apis import ApiAdmin
from doorward.features.admin.apps import AppAdmin
from doorward.features.admin.keys import KeyAdmin
from doorward.features.admin.people import PeopleAdmin
from doorward.features.admin.roles import RoleAdmin
from doorward.features.services import Services
from doorward.features.signing_keys.build import key_rotation
from doorward.features.signing_keys.rotation import KeyRotation
from doorward.settings.tree import KeySettings
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite
from tests.containers import CHEAP_HASHING, settings
from tests.manual_clock import ManualClock

DAY = 86_400
ISSUER = "https://auth.example.com"
KEY = Secret(b64encode(b"k" * 32).decode())
OPERATOR = Actor(kind="os_user", id="grace", rights=ALL_RIGHTS)
"""Who does what a test does."""
WEB = Client(
    id="",
    name="web",
    auth_method="client_secret_basic",
    created_at=0,
    redirect_uris=("https://app.example.com/cb",),
    id_token_signed_alg="ES256",
)


@dataclass
class Desk:
    """The services of one process. Several desks may share a store, as a command and a server do."""

    container: Container
    store: Store
    clock: ManualClock
    config: ConfigSnapshotWatcher
    people: PeopleAdmin
    apps: AppAdmin
    apis: ApiAdmin
    roles: RoleAdmin
    keys: KeyAdmin
    rotation: KeyRotation

    @property
    def services(self) -> Services:
        """The dependencies of the services."""
        return self.container.services

    async def audited(self, kind: str | None = None) -> list[AuditEvent]:
        """The audit events, oldest first."""
        events = list(await self.store.audit.page(limit=1000))
        # without the event of the database's creation
        told = [event for event in reversed(events) if event.kind != "root_secret.created"]
        return [event for event in told if kind is None or event.kind == kind]


async def admin_services(store: Store, clock: ManualClock) -> Desk:
    """The services on a store that stays open."""
    container = await open_container(
        settings=settings(
            issuer=ISSUER,
            keys=KeySettings(secret_key=KEY, publish_ahead=DAY, rotate_after=90 * DAY),
            passwords=CHEAP_HASHING,
        ),
        clock=clock,
        store=store,
    )
    services = container.services
    return Desk(
        container=container,
        store=store,
        clock=clock,
        config=services.config,
        people=services.get(build.people),
        apps=services.get(build.apps),
        apis=services.get(build.apis),
        roles=services.get(build.roles),
        keys=services.get(build.keys),
        rotation=services.get(key_rotation),
    )


@asynccontextmanager
async def opened() -> AsyncGenerator[Desk]:
    """A desk on a store of its own."""
    store = await open_sqlite(":memory:")
    made = await admin_services(store, ManualClock())
    await made.config.refresh()
    try:
        yield made
    finally:
        await made.container.aclose()
        await store.close()
