"""The management actions on a real store, under a clock that a test turns."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.adapters.hashing.breached_list import NothingListed
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import CatalogSigner, SealedKeyMaker
from doorward.adapters.random import SystemChance
from doorward.cluster.config_snapshot import WatchedCatalog
from doorward.core.model.audit import AuditEvent
from doorward.core.model.client import Client
from doorward.core.model.policy import PasswordPolicy, TokenPolicy
from doorward.features.admin.apis import ManageApis
from doorward.features.admin.apps import ManageApps
from doorward.features.admin.people import ManagePeople
from doorward.features.admin.roles import ManageRoles
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.sessions.ending import Ending
from doorward.features.signing_keys.rotation import ManageKeys
from doorward.storage.sql.store import SqlStore
from doorward.storage.sqlite.database import open_sqlite

NOW = 1_800_000_000
DAY = 86_400
ISSUER = "https://auth.example.com"
SEALER = KeyedSealer(b"k" * 32)
WEB = Client(
    id="",
    name="web",
    auth_method="client_secret_basic",
    created_at=0,
    redirect_uris=("https://app.example.com/cb",),
    id_token_signed_alg="ES256",
)


class TurnedClock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> int:
        return self.time


@dataclass
class Desk:
    """One process's actions. Several desks may share a store, as a command and a server do."""

    store: SqlStore
    clock: TurnedClock
    catalog: WatchedCatalog
    signer: CatalogSigner
    hasher: Argon2Hasher
    people: ManagePeople
    apps: ManageApps
    apis: ManageApis
    roles: ManageRoles
    keys: ManageKeys

    async def audited(self, kind: str | None = None) -> list[AuditEvent]:
        """What the record says, oldest first."""
        events = list(await self.store.audit.page(limit=1000))
        return [event for event in reversed(events) if kind is None or event.kind == kind]


def desk(store: SqlStore, clock: TurnedClock) -> Desk:
    """The actions on a store."""
    chance = SystemChance()
    signer = CatalogSigner(issuer=ISSUER, sealer=SEALER)
    catalog = WatchedCatalog(store=store, signer=signer)
    tokens = TokenPolicy()
    policy = PasswordPolicy(threads=1)
    hasher = Argon2Hasher(policy)
    ending = Ending(store=store, chance=chance, catalog=catalog, policy=tokens)
    judge = JudgePassword(policy, NothingListed, "auth.example.com", "Doorward")
    keys = ManageKeys(store=store, catalog=catalog, maker=SealedKeyMaker(SEALER), chance=chance, clock=clock, tokens=tokens, publish_ahead=DAY, rotate_after=90 * DAY)
    return Desk(
        store=store,
        clock=clock,
        catalog=catalog,
        signer=signer,
        hasher=hasher,
        people=ManagePeople(store, catalog, chance, clock, hasher, ending, judge),
        apps=ManageApps(store, catalog, chance, clock, ending, keys),
        apis=ManageApis(store, catalog, chance, clock, ISSUER, keys),
        roles=ManageRoles(store, catalog, chance, clock),
        keys=keys,
    )


@asynccontextmanager
async def opened() -> AsyncGenerator[Desk]:
    """A desk on a store of its own."""
    store = await open_sqlite(":memory:")
    made = desk(store, TurnedClock())
    await made.catalog.refresh()
    try:
        yield made
    finally:
        made.hasher.close()
        await store.close()
