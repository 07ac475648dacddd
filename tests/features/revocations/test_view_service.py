"""Revocation view in memory: concurrent readers cause one read, and a long view is read in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from doorward.core.model.revocation import Revocation
from doorward.features.revocations import view_service as revocation_view
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.storage.sql.text import ALL
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel
from tests.waiting import until_async

pytestmark = pytest.mark.anyio


async def end(channel: BackChannel, name: str) -> None:
    entry = Revocation("grant", name, made.NOW, made.NOW + 400)
    assert await channel.store.commit(channel.store.revocations.insert(entry))


def token(name: str) -> dict[str, object]:
    return {"jti": f"{name}.1", "sub": "usr_ada", "client_id": "app_web", "iat": made.NOW}


@pytest.fixture
def read(channel: BackChannel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of entries of each read."""
    found: list[int] = []
    since = channel.store.revocations.since

    async def noted(seq: int, now: int, limit: int = ALL) -> tuple[int, Sequence[Revocation]]:
        answer = await since(seq, now, limit)
        found.append(len(answer[1]))
        return answer

    monkeypatch.setattr(channel.store.revocations, "since", noted)
    return found


@pytest.mark.requirement(58)
async def test_concurrent_requests_and_revocations_read_each_entry_once(
    channel: BackChannel, read: list[int]
) -> None:
    view = ServerRevocationView(store=channel.store)

    async def ask(number: int) -> None:
        await end(channel, f"grt_{number}")
        assert (await view.fresh(made.NOW)).revoked(token(f"grt_{number}")) == "grant"

    await asyncio.gather(*(ask(number) for number in range(50)))
    assert sum(read) == 50


@pytest.mark.requirement(58)
@pytest.mark.parametrize("count", [9, 10, 11, 25])
async def test_a_long_view_is_read_completely_in_pieces(
    channel: BackChannel, read: list[int], monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(revocation_view, "PAGE", 10)
    for number in range(count):
        await end(channel, f"grt_{number}")
    known = await ServerRevocationView(store=channel.store).fresh(made.NOW)
    assert max(read) <= 10
    assert sum(read) == count
    assert all(known.revoked(token(f"grt_{number}")) == "grant" for number in range(count))


@pytest.mark.requirement(58)
@pytest.mark.parametrize("what", ["view", "feed"])
async def test_a_request_overtaken_between_two_reads_reads_nothing_again(
    channel: BackChannel, read: list[int], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """docs/incidents/0041-an-old-cursor-that-cost-the-whole-feed.md"""
    for number in range(5):
        await end(channel, f"grt_{number}")
    view = ServerRevocationView(store=channel.store)

    async def look() -> None:
        if what == "view":
            await view.fresh(made.NOW)
        else:
            await channel.feed.plain(None, 0)

    await look()
    assert read == [5]
    newest = channel.store.revocations.newest
    overtaken = asyncio.Event()
    first = [True]

    async def slowly() -> int:
        found = await newest()
        if first and first.pop():
            await overtaken.wait()
        return found

    monkeypatch.setattr(channel.store.revocations, "newest", slowly)
    late = asyncio.create_task(look())
    await asyncio.sleep(0)
    await until_async(lambda: not first)
    await end(channel, "grt_new")
    await look()
    overtaken.set()
    await late
    assert read == [5, 1]
