"""Tests of a failover to a standby that lacked the last commits: caches of the lost commits must not hide new ones.

docs/incidents/0008-a-number-that-was-given-twice.md
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.signing import SnapshotSigner
from doorward.adapters.random import SystemRandom
from doorward.core.model.revocation import Revocation, same_history
from doorward.features.revocations.feed import RevocationFeed, Watch
from doorward.features.revocations.snapshots import Snapshots
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.storage.postgres.database import open_postgres
from doorward.storage.sql.store import Store
from tests.features import made
from tests.features.oauth.logout.back_channel import told
from tests.manual_clock import ManualClock
from tests.postgres import Postgres, postgres_server

pytestmark = pytest.mark.anyio
ISSUER = "https://auth.example.com"


@dataclass
class Failover:
    """A primary, and an earlier copy that can replace it and has its own history from then on."""

    server: Postgres
    copy: Path
    store: Store

    async def happens(self) -> None:
        """The primary is lost, and the copy is promoted."""
        self.server.stop()
        shutil.rmtree(self.server.data)
        shutil.copytree(self.copy, self.server.data, symlinks=True)
        owner = self.copy.stat()
        for path in (self.server.data, *self.server.data.rglob("*")):
            shutil.chown(path, owner.st_uid, owner.st_gid)
        signal = self.server.data / "standby.signal"
        signal.touch()
        shutil.chown(signal, owner.st_uid, owner.st_gid)
        self.server.start()
        assert self.server.query("SELECT pg_promote()") == ["t"]
        # the first read finds that the connections are unusable
        assert await self.store.ready()

    async def revoke(self, grant_id: str) -> None:
        """Add one revocation."""
        entry = Revocation("grant", grant_id, made.NOW, made.NOW + 900)
        assert await self.store.commit(self.store.revocations.insert(entry))

    @staticmethod
    def token(grant_id: str) -> dict[str, Any]:
        """The claims of a token of that grant."""
        return {"jti": f"{grant_id}.1", "sub": "usr_ada", "client_id": "app_web", "iat": made.NOW}


def feed_of(store: Store) -> RevocationFeed:
    """The revocation feed, as APIs request it."""
    sealer = KeyedSealer(b"k" * 32)
    return RevocationFeed(
        store=store,
        random=SystemRandom(),
        clock=ManualClock(),
        watch=Watch(store=store),
        sealer=sealer,
        snapshots=Snapshots(
            clock=ManualClock(), signer=SnapshotSigner(issuer=ISSUER, sealer=sealer), issuer=ISSUER
        ),
    )


@pytest.fixture
async def failover(tmp_path: Path) -> AsyncGenerator[Failover]:
    with postgres_server(tmp_path, settings={"wal_level": "replica"}) as server:
        url = server.create()
        store = await open_postgres(url)
        assert await store.commit(store.registry.put_client(made.client()))
        await told(feed_of(store))
        await store.close()
        server.stop()
        copy = server.data.with_name("copy")
        shutil.copytree(server.data, copy, symlinks=True)
        owner = server.data.stat()
        shutil.chown(copy, owner.st_uid, owner.st_gid)
        server.start()
        store = await open_postgres(url)
        yield Failover(server, copy, store)
        await store.close()


@pytest.mark.requirement(55, 58)
async def test_a_token_revoked_after_the_failover_is_refused(failover: Failover) -> None:
    view = ServerRevocationView(store=failover.store)
    await failover.revoke("grt_lost")
    assert (await view.fresh(made.NOW)).revoked(failover.token("grt_lost")) == "grant"
    await failover.happens()
    await failover.revoke("grt_new")
    known = await view.fresh(made.NOW)
    assert known.revoked(failover.token("grt_new")) == "grant"
    # as in the new primary, which lacks that commit
    assert known.revoked(failover.token("grt_lost")) is None


@pytest.mark.requirement(58)
async def test_apis_get_the_complete_feed_after_a_failover(failover: Failover) -> None:
    feed = feed_of(failover.store)
    await failover.revoke("grt_before")
    first = await told(feed, None, 0)
    assert [entry["id"] for entry in first["entries"]] == ["grt_before"]
    await failover.happens()
    await failover.revoke("grt_after")
    second = await told(feed, first["cursor"], 0)
    assert second["reset"] is True
    assert [entry["id"] for entry in second["entries"]] == ["grt_after"]
    # and from there on only new entries
    await failover.revoke("grt_later")
    third = await told(feed, second["cursor"], 0)
    assert (third["reset"], [entry["id"] for entry in third["entries"]]) == (False, ["grt_later"])


async def test_a_cached_configuration_is_not_taken_for_the_new_one(failover: Failover) -> None:
    registry = failover.store.registry
    assert await failover.store.commit(registry.put_client(made.client(id="app_lost")))
    known = await registry.load()
    await failover.happens()
    assert await failover.store.commit(registry.delete_client("app_web"))
    now = await registry.load()
    assert list(now.clients) == []
    assert now.version == await registry.version() != known.version
    assert (await failover.store.nodes.look("nod_here"))[0] == now.version
    assert not same_history(now.version, known.version)
    # a write based on a read from another history is refused
    assert not await failover.store.commit(registry.unchanged(known.version))
    assert await failover.store.commit(registry.unchanged(now.version))
