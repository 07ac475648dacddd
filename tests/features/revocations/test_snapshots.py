"""Snapshots of the feed: what a verifier begins with, and what caches may keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from doorward.core.model.revocation import Revocation
from doorward.features.revocations import feed as feed_module
from doorward.features.revocations import routes, snapshots
from doorward.features.revocations.rules import pages as rule
from doorward.features.revocations.rules.snapshot import EVERY, LIFE, part_name
from doorward.features.revocations.snapshots import Snapshots
from doorward_verify.revocation import RevocationView, parse_feed
from doorward_verify.snapshot import Snapshot, beginning, read_snapshot
from tests.features import made
from tests.features.oauth.grants.token_exchange.parties import BILLING
from tests.features.oauth.logout.back_channel import BackChannel, back_channel
from tests.web.asgi import Answer, Asgi

pytestmark = pytest.mark.anyio
QUERY = "v=2&snapshots=1"


@pytest.fixture
async def channel(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[BackChannel]:
    monkeypatch.setattr(rule, "PAGE", 10)
    monkeypatch.setattr(feed_module, "PAGE", 10)
    monkeypatch.setattr(snapshots, "_FLUSH", 7)
    async with back_channel() as one:
        yield one


@pytest.fixture
def asgi(channel: BackChannel) -> Asgi:
    return Asgi(routes.routes(channel.feed))


async def ended(
    channel: BackChannel, first: int, count: int, *, audience: str | None = None, life: int = 4000
) -> None:
    now = channel.clock.time
    entries = [
        Revocation("grant", f"grt_{number}", now, now + life, audience=audience)
        for number in range(first, first + count)
    ]
    assert await channel.store.commit(*(channel.store.revocations.insert(entry) for entry in entries))


async def fetched(asgi: Asgi, channel: BackChannel, address: str, salt: str) -> tuple[Answer, Snapshot]:
    answer = await asgi("GET", address.removeprefix(made.ISSUER))
    assert answer.status == 200, answer.body
    part = address.rpartition(".")[2]
    keys = channel.signer.keys()
    found = read_snapshot(bytearray(answer.body), keys, part=part, salt=salt, now=channel.clock.time)
    return answer, found


async def begun(
    asgi: Asgi,
    channel: BackChannel,
    audience: str | None = None,
    *,
    between: Callable[[], Awaitable[object]] | None = None,
) -> RevocationView:
    """A view that began with the snapshots and read the rest in pages. `between` the answer that names them and the files."""
    query = QUERY if audience is None else f"{QUERY}&audience={audience}"
    first = parse_feed((await asgi("GET", "/revocations", query=query)).body)
    assert (first.reset, first.more, first.entries) == (True, True, [])
    if between is not None:
        await between()
    salt = first.salt or ""
    found = [(await fetched(asgi, channel, address, salt))[1] for address in first.snapshots]
    view = RevocationView()
    view.apply(beginning(first, found), channel.clock.time, tuple(one.table for one in found))
    more = True
    while more:
        page = parse_feed((await asgi("GET", "/revocations", query=f"{query}&after={view.cursor}")).body)
        assert not page.reset
        view.apply(page, channel.clock.time)
        more = page.more
    return view


def held(view: RevocationView, *numbers: int) -> list[bool]:
    return [view.before("grant", f"grt_{number}") >= 0 for number in numbers]


@pytest.mark.requirement(58, 98)
async def test_a_verifier_begins_with_snapshots_and_a_tail(asgi: Asgi, channel: BackChannel) -> None:
    await ended(channel, 0, 30)
    await ended(channel, 100, 10, audience=made.API)
    await ended(channel, 200, 10, audience=BILLING)
    assert held(await begun(asgi, channel, made.API), 0, 29, 100, 109, 200) == [True, True, True, True, False]
    # within the minute the same snapshot serves, and the tail has the rest
    await ended(channel, 300, 25, audience=made.API)
    view = await begun(asgi, channel, made.API)
    assert held(view, 0, 109, 300, 324, 200) == [True, True, True, True, False]
    assert held(await begun(asgi, channel), 0, 109, 300, 200) == [True] * 4
    assert held(await begun(asgi, channel, "https://unknown.example.com"), 0, 100, 200) == [
        True,
        False,
        False,
    ]


@pytest.mark.requirement(58)
@pytest.mark.parametrize("file", ["of the next minute", "of another process"])
async def test_the_first_entry_of_an_api_is_not_missed(asgi: Asgi, channel: BackChannel, file: str) -> None:
    """docs/incidents/0097-the-first-entry-of-an-api-was-skipped.md"""
    await ended(channel, 0, 30)

    async def between() -> None:
        await ended(channel, 100, 1, audience=made.API)
        if file == "of the next minute":
            channel.clock.time += EVERY
        else:
            channel.feed.snapshots = Snapshots(clock=channel.clock, signer=channel.signer, issuer=made.ISSUER)

    assert held(await begun(asgi, channel, made.API, between=between), 0, 29, 100) == [True, True, True]


@pytest.mark.requirement(93)
async def test_a_snapshot_is_made_once_a_minute_however_many_begin(
    asgi: Asgi, channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_of: list[int] = []
    make = snapshots._made

    def counted(*given: object) -> object:
        made_of.append(len(given[1]))  # type: ignore[arg-type]
        return make(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(snapshots, "_made", counted)
    await ended(channel, 0, 30)
    await asyncio.gather(*(begun(asgi, channel, made.API) for _ in range(20)))
    assert made_of == [30]
    await ended(channel, 30, 5)
    await begun(asgi, channel, made.API)
    assert made_of == [30]
    channel.clock.time += EVERY
    assert held(await begun(asgi, channel, made.API), 0, 34) == [True, True]
    assert made_of == [30, 5]
    # nothing new: the one before has its name for another minute
    channel.clock.time += EVERY
    await begun(asgi, channel, made.API)
    assert made_of == [30, 5]


async def test_expired_entries_are_left_out_of_the_next_snapshot(asgi: Asgi, channel: BackChannel) -> None:
    await ended(channel, 0, 30, life=4000)
    await ended(channel, 100, 30, life=30)
    await begun(asgi, channel)
    channel.clock.time += EVERY + 1
    await ended(channel, 200, 1)
    view = await begun(asgi, channel)
    assert held(view, 0, 29, 100, 200) == [True, True, False, True]


async def test_caches_may_keep_a_snapshot(asgi: Asgi, channel: BackChannel) -> None:
    await ended(channel, 0, 30)
    first = parse_feed((await asgi("GET", "/revocations", query=QUERY)).body)
    answer, _ = await fetched(asgi, channel, first.snapshots[0], first.salt or "")
    assert answer.headers["cache-control"] == f"public, max-age={LIFE}, immutable"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert (await asgi("HEAD", first.snapshots[0].removeprefix(made.ISSUER))).body == b""
    again, _ = await fetched(asgi, channel, first.snapshots[0], first.salt or "")
    assert (again.body, again.headers["etag"]) == (answer.body, answer.headers["etag"])


@pytest.mark.requirement(98)
async def test_a_snapshot_names_nobody(asgi: Asgi, channel: BackChannel) -> None:
    await ended(channel, 0, 30, audience=made.API)
    first = parse_feed((await asgi("GET", "/revocations", query=f"{QUERY}&audience={made.API}")).body)
    for address in first.snapshots:
        answer, _ = await fetched(asgi, channel, address, first.salt or "")
        assert b"grt_" not in answer.body
        assert b"example" not in answer.body.partition(b"\n")[0]
        assert part_name(made.API) == part_name(made.API) != part_name(BILLING)


@pytest.mark.requirement(93)
@pytest.mark.parametrize("name", ["", "x", "a.b.c", "é", "salt.0.30000000.all", "%00"])
async def test_other_names_are_not_found_and_cost_nothing(
    asgi: Asgi, channel: BackChannel, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ended(channel, 0, 30)
    monkeypatch.setattr(snapshots, "_made", None)
    answer = await asgi("GET", f"/revocations/snapshots/{name}")
    assert answer.status == 404
    assert answer.json["error"] == "not_found"


async def test_an_old_name_and_one_of_another_part_are_not_found(asgi: Asgi, channel: BackChannel) -> None:
    await ended(channel, 0, 30)
    first = parse_feed((await asgi("GET", "/revocations", query=QUERY)).body)
    path = first.snapshots[0].removeprefix(made.ISSUER)
    assert (await asgi("GET", path.replace(".all", f".{part_name(made.API)}"))).status == 404
    channel.clock.time += 2 * EVERY
    assert (await asgi("GET", path)).status == 404


async def test_another_process_serves_the_same_name(asgi: Asgi, channel: BackChannel) -> None:
    """Behind a balancer the file is asked of a process that did not offer it."""
    await ended(channel, 0, 30)
    first = parse_feed((await asgi("GET", "/revocations", query=QUERY)).body)
    await ended(channel, 30, 5)
    channel.feed.snapshots = Snapshots(clock=channel.clock, signer=channel.signer, issuer=made.ISSUER)
    _, found = await fetched(asgi, channel, first.snapshots[0], first.salt or "")
    assert len(found.table) == 35
    assert found.place > 30


async def test_a_small_view_has_no_snapshots(asgi: Asgi, channel: BackChannel) -> None:
    await ended(channel, 0, 10)
    first = parse_feed((await asgi("GET", "/revocations", query=QUERY)).body)
    assert (first.snapshots, len(first.entries), first.more) == ((), 10, False)


async def test_a_verifier_that_does_not_ask_for_snapshots_gets_pages(
    asgi: Asgi, channel: BackChannel
) -> None:
    await ended(channel, 0, 30)
    first = parse_feed((await asgi("GET", "/revocations", query="v=2")).body)
    assert (first.snapshots, len(first.entries), first.more) == ((), 10, True)
