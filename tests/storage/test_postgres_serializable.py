"""Commits where every transaction is serializable and some must be retried, as on distributed engines.

PostgreSQL itself is configured this way, with the schema of the compatible engines: plain tables, no triggers, no
months.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from doorward.storage.postgres import commit as postgres_commit
from doorward.storage.postgres import database as postgres
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tests.postgres import Databases
from tests.storage.samples import (
    DAY,
    NOW,
    account,
    client,
    code,
    event,
    grant,
    refresh,
    revocation,
    rotated,
    running_tries,
    session,
)

pytestmark = pytest.mark.anyio
MIGRATED = False


@pytest.fixture
async def stores(
    postgres: Databases, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Store, Store]]:
    name = urlsplit(postgres_url).path[1:]
    postgres.query(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    _pretend(monkeypatch)
    one, two = await open_store(postgres_url), await open_store(postgres_url)
    yield one, two
    await one.close()
    await two.close()


def _pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    async def engine(_: object) -> str:
        return "cockroach"

    monkeypatch.setattr(postgres, "_engine", engine)


async def test_the_plain_schema_stores_all_data(
    stores: tuple[Store, Store], postgres: Databases, postgres_url: str
) -> None:
    store, other = stores
    assert await store.ready()
    assert postgres.query("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal", postgres_url) == ["0"]
    assert postgres.query("SELECT relkind FROM pg_class WHERE relname = 'audit'", postgres_url) == ["r"]
    assert await store.commit(store.accounts.insert(account()), store.sessions.insert(session()))
    assert await store.commit(store.registry.put_client(client()), store.audit.append(event()))
    assert await store.commit(
        store.grants.end("grt_none", NOW, "revoked"),
        store.revocations.insert(revocation(expires_at=NOW + DAY)),
    )
    assert (await other.registry.load()).clients == {client().id: client()}
    assert (await other.revocations.live(NOW))[0] == 1
    assert await other.sessions.get("ses_one") == session()
    assert await store.sweep(NOW) == 0


async def test_one_of_many_concurrent_refreshes_wins(stores: tuple[Store, Store]) -> None:
    store, _ = stores
    await store.commit(
        store.accounts.insert(account()), store.grants.insert(grant()), store.grants.insert_refresh(refresh())
    )
    token = refresh()
    for number in range(10):
        rivals = [rotated(token, f"{number} {rival}") for rival in range(32)]
        won = await asyncio.gather(
            *(
                by.commit(
                    by.grants.spend_refresh(token, rival, account()),
                    by.audit.append(event(100 * number + place)),
                )
                for place, (rival, by) in enumerate(zip(rivals, stores * 16, strict=True))
            )
        )
        assert sum(won) == 1
        token = rivals[won.index(True)]
        found = await store.grants.refresh("grt_one")
        assert found is not None
        assert found[0].hash == token.hash
    assert len(await store.audit.page()) == 10


async def test_a_code_is_redeemed_once(stores: tuple[Store, Store]) -> None:
    store, _ = stores
    await store.commit(store.grants.insert_code(code()))
    won = await asyncio.gather(
        *(
            by.commit(
                by.grants.redeem_code(code().hash, NOW),
                by.grants.insert_refresh(refresh(f"{number}")),
                by.audit.append(event(number)),
            )
            for number, by in enumerate(stores * 16)
        )
    )
    assert sum(won) == 1
    assert len(await store.audit.page()) == 1


async def test_no_attempt_is_lost_and_no_number_is_issued_twice(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = stores
    begun_again: list[int] = []
    pause = postgres_commit._pause

    def counted(tries: int) -> float:
        begun_again.append(tries)
        return pause(tries)

    monkeypatch.setattr(postgres_commit, "_pause", counted)
    tries = [by.commit(by.attempts.add("one", NOW, 900)) for by in stores * 12]
    numbers = [
        by.commit(by.revocations.insert(revocation(f"{number}", expires_at=NOW + DAY)))
        for number, by in enumerate(stores * 12)
    ]
    assert all(await asyncio.gather(*tries, *numbers))
    assert await running_tries(store, "one", NOW) == (24, NOW + 900)
    assert begun_again
    newest, entries = await store.revocations.live(NOW)
    assert (newest, [one.seq for one in entries]) == (24, list(range(1, 25)))


async def test_a_statement_that_others_undo_is_sent_again(postgres: Databases, postgres_url: str) -> None:
    postgres.query(
        "CREATE SEQUENCE asked; CREATE FUNCTION undone_twice() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN"
        " IF nextval('asked') < 3 THEN RAISE EXCEPTION 'undone' USING ERRCODE = '40001'; END IF;"
        " RETURN currval('asked'); END $$",
        postgres_url,
    )
    store = await open_store(postgres_url)
    assert await store._db.one("SELECT undone_twice()", ()) == (3,)
    await store.close()
