"""Audit log: read from the newest line, and protected from changes by the database itself."""

from __future__ import annotations

import pytest

from doorward.core.errors import StoreConflict
from doorward.storage.sql.statements import write
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW, SEEN, event
from tests.storage.stores import THEMSELVES, on

pytestmark = pytest.mark.anyio


async def test_events_are_read_as_written_newest_first(store: Store) -> None:
    bare = event(2, ok=False, kind="sign_in.failed", account_id=None, address=None, detail={})
    await store.commit(store.audit.append(event(1)), store.audit.append(bare), store.audit.append(event(3)))
    assert list(await store.audit.page()) == [event(3), bare, event(1)]
    assert list(await store.audit.of_account("usr_ada", SEEN)) == [event(3), event(1)]
    assert list(await store.audit.of_account("usr_ada", SEEN, limit=1)) == [event(3)]
    assert list(await store.audit.of_account("usr_ada", ())) == []
    assert await store.audit.get(bare.id) == bare
    assert await store.audit.get("aud_none") is None


@pytest.mark.requirement(99)
async def test_lines_of_an_account_are_read_by_kind_in_pages_and_since_a_time(store: Store) -> None:
    kinds = ("a.shown", "b.hidden", "c.shown", "d.hidden")
    events = [event(n, kind=kinds[n % 4], at=NOW + n) for n in range(40)]
    others = [event(100 + n, kind=kinds[n % 4], account_id=("usr_bob", None)[n % 2]) for n in range(8)]
    await store.commit(*(store.audit.append(one) for one in (*events, *others)))
    wanted = [one for one in reversed(events) if one.kind.endswith("shown") and one.at >= NOW + 5]
    seen, before = [], None
    while page := await store.audit.of_account(
        "usr_ada", ("c.shown", "a.shown", "e.shown"), since=NOW + 5, before=before, limit=4
    ):
        assert len(page) <= 4
        seen += page
        before = page[-1].id
    assert seen == wanted


@pytest.mark.parametrize("kind", [None, "sign_in.failed"])
async def test_pages_contain_every_event_once(store: Store, kind: str | None) -> None:
    kinds = ["sign_in.failed", "sign_in.succeeded"]
    events = [event(n, kind=kinds[n % 2]) for n in range(11)]
    await store.commit(*(store.audit.append(one) for one in events))
    seen, before = [], None
    while page := await store.audit.page(before=before, kind=kind, limit=4):
        assert len(page) <= 4
        seen += page
        before = page[-1].id
    assert seen == [one for one in reversed(events) if kind in (None, one.kind)]


@on(*THEMSELVES)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET ok = 0",
        "UPDATE audit SET detail = '{}' WHERE id = 'aud_00000000000000000000000000000001'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE at < 9999999999",
    ],
)
async def test_the_database_refuses_to_change_or_delete_an_audit_line(store: Store, statement: str) -> None:
    await store.commit(store.audit.append(event()))
    with pytest.raises(StoreConflict, match="append-only"):
        await store.commit(write(statement))
    assert list(await store.audit.page()) == [event()]


async def test_an_id_is_used_once(store: Store) -> None:
    await store.commit(store.audit.append(event()))
    with pytest.raises(StoreConflict):
        await store.commit(store.audit.append(event(kind="forged")))
    assert list(await store.audit.page()) == [event()]
