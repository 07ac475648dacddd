"""Revocation feed: waiting readers get a revocation at once, completely, and from every process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

import pytest
from msgspec.json import decode

from doorward.cluster.change_notifier import ChangeNotifiers
from doorward.core.errors import StoreUnavailable
from doorward.core.model.revocation import Revocation
from doorward.features.revocations import feed
from doorward.features.revocations.feed import MOST_WAITING, Watch
from doorward.features.revocations.rules.pages import NEWS, PAGE
from doorward.storage.sql.text import ALL
from doorward_verify.revocation import hidden
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel, back_channel, page, told
from tests.waiting import PATIENCE, keeps_async, until_async

pytestmark = pytest.mark.anyio


class Connected:
    """A change notifier that reports itself as connected."""

    connected = True

    async def publish(self) -> None:
        """Reaches nobody else."""

    async def run(self, wake: Callable[[], None]) -> None:
        """Hears nothing."""


async def end(channel: BackChannel, name: str, kind: str = "grant") -> None:
    before = made.NOW if kind in {"sub", "client"} else None
    entry = Revocation(kind, name, made.NOW, made.NOW + 400, before)  # type: ignore[arg-type]
    assert await channel.store.commit(channel.store.revocations.insert(entry))


async def many(channel: BackChannel, count: int) -> None:
    """Ends `count` grants, in one commit for each thousand."""
    for start in range(0, count, 1000):
        entries = [
            Revocation("grant", f"grt_{number}", made.NOW, made.NOW + 400)
            for number in range(start, min(start + 1000, count))
        ]
        assert await channel.store.commit(*(channel.store.revocations.insert(entry) for entry in entries))


def waiting_at(channel: BackChannel) -> int:
    """The number of waiting readers."""
    return len(channel.feed.watch._waiting)


async def test_the_first_answer_is_complete_and_the_next_has_only_news(channel: BackChannel) -> None:
    await end(channel, "grt_a")
    await end(channel, "usr_a", "sub")
    first = await told(channel.feed, None, 0)
    assert first["reset"] is True
    assert first["entries"] == [
        {"kind": "grant", "id": "grt_a", "exp": made.NOW + 400},
        {"kind": "sub", "id": "usr_a", "exp": made.NOW + 400, "before": made.NOW},
    ]
    assert await told(channel.feed, first["cursor"], 0) == {
        "cursor": first["cursor"],
        "reset": False,
        "entries": [],
    }
    await end(channel, "grt_b")
    second = await told(channel.feed, first["cursor"], 0)
    assert [entry["id"] for entry in second["entries"]] == ["grt_b"]
    assert second["reset"] is False


@pytest.mark.parametrize(
    "cursor", ["", "1", "x.1", "1.1", "-1", "{name}.99", "{name}.x", "{name}.-1", "{name}.٣"]
)
async def test_an_unknown_cursor_gets_the_complete_answer(channel: BackChannel, cursor: str) -> None:
    await end(channel, "grt_a")
    name = (await told(channel.feed, None, 0))["cursor"].partition(".")[0]
    answer = await told(channel.feed, cursor.replace("{name}", name), 5)
    assert answer["reset"] is True
    assert len(answer["entries"]) == 1


async def test_the_complete_answer_is_built_once_for_all_readers_until_an_entry_is_added(
    channel: BackChannel,
) -> None:
    await end(channel, "grt_a")
    first = await channel.feed.plain(None, 0)
    others = await asyncio.gather(*(channel.feed.plain(None, 0) for _ in range(20)))
    assert all(other is first for other in others)
    await end(channel, "grt_b")
    second = await told(channel.feed)
    assert [entry["id"] for entry in second["entries"]] == ["grt_a", "grt_b"]
    assert second["cursor"] != decode(first)["cursor"]


async def test_live_entries_are_read_once_and_then_only_the_added_ones(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/incidents/0049-one-person-filled-everybodys-revocation-view.md"""
    for number in range(5):
        await end(channel, f"grt_{number}")
    read: list[int] = []
    since = channel.store.revocations.since

    async def noted(seq: int, now: int, limit: int = ALL) -> tuple[int, Sequence[Revocation]]:
        found = await since(seq, now, limit)
        read.append(len(found[1]))
        return found

    monkeypatch.setattr(channel.store.revocations, "since", noted)
    name = (await told(channel.feed))["cursor"].partition(".")[0]
    for _ in range(10):
        for cursor in (None, f"{name}.0", f"{name}.1", "x.1"):
            await channel.feed.plain(cursor, 0)
            await channel.feed.pages(cursor, 0)
    assert read == [5]
    await end(channel, "grt_new")
    await asyncio.gather(*(channel.feed.plain(f"{name}.1", 0) for _ in range(20)))
    assert read == [5, 1]


@pytest.mark.requirement(93)
async def test_a_distant_cursor_gets_the_cached_complete_answer(channel: BackChannel) -> None:
    await many(channel, NEWS + 10)
    whole = await channel.feed.plain(None, 0)
    name, _, newest = decode(whole)["cursor"].partition(".")
    assert await channel.feed.plain(f"{name}.1", 0) is whole
    near = await told(channel.feed, f"{name}.{int(newest) - NEWS}")
    assert (near["reset"], len(near["entries"])) == (False, NEWS)


@pytest.mark.requirement(93)
@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 2 * PAGE + 3])
async def test_the_pages_together_have_every_entry_once(channel: BackChannel, count: int) -> None:
    await many(channel, count)
    cursor, seen, begins = None, [], []
    while True:
        answer = await page(channel.feed, cursor, 20 if cursor else 0)
        begins.append(answer["reset"])
        assert len(answer["entries"]) <= PAGE
        seen += [entry["id"] for entry in answer["entries"]]
        cursor = answer["cursor"]
        if not answer["more"]:
            break
    assert seen == [hidden(answer["salt"], "grant", f"grt_{number}") for number in range(count)]
    assert begins == [True] + [False] * (max(count - 1, 0) // PAGE)
    await end(channel, "grt_new")
    news = await page(channel.feed, cursor)
    assert [entry["id"] for entry in news["entries"]] == [hidden(news["salt"], "grant", "grt_new")]
    assert (news["reset"], news["more"]) == (False, False)


@pytest.mark.requirement(98)
async def test_the_second_edition_has_no_names_and_a_new_salt_each_day(channel: BackChannel) -> None:
    for kind, name in (
        ("jti", "grt_a.x"),
        ("grant", "grt_a"),
        ("sid", "ses_a"),
        ("sub", "usr_a"),
        ("client", "app_a"),
    ):
        await end(channel, name, kind)
    first = await channel.feed.pages(None, 0)
    for name in (b"grt_", b"ses_", b"usr_", b"app_"):
        assert name not in first
    today = decode(first)
    channel.clock.time += 86_400 - channel.clock.time % 86_400
    await end(channel, "usr_a", "sub")
    tomorrow = await page(channel.feed, today["cursor"])
    assert tomorrow["reset"] is True
    assert tomorrow["salt"] != today["salt"]
    names = {entry["id"] for entry in today["entries"]}
    assert len(names) == 5
    assert names.isdisjoint(entry["id"] for entry in tomorrow["entries"])


async def test_the_salt_is_the_same_in_all_processes_and_differs_between_servers(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    async with back_channel(path) as one, back_channel(path) as two, back_channel() as other:
        salts = [(await page(each.feed))["salt"] for each in (one, two, other)]
    assert salts[0] == salts[1] != salts[2]


@pytest.mark.requirement(93)
async def test_an_entry_with_a_bound_replaces_the_previous_one(channel: BackChannel) -> None:
    await end(channel, "grt_a")
    for _ in range(3):
        channel.clock.time += 1
        entry = Revocation(
            "client", "app_a", channel.clock.time, channel.clock.time + 400, channel.clock.time
        )
        assert await channel.store.commit(
            channel.store.revocations.insert_later(entry, now=channel.clock.time)
        )
        found = await told(channel.feed)
        assert [entry["id"] for entry in found["entries"]] == ["grt_a", "app_a"]
        assert found["entries"][1]["before"] == channel.clock.time
    _, stored = await channel.store.revocations.live(channel.clock.time)
    assert len(stored) == 2


@pytest.mark.requirement(58)
async def test_a_notification_is_answered_at_once(channel: BackChannel) -> None:
    notifiers = ChangeNotifiers([Connected()])
    channel.store.on_change(notifiers.changed)
    await keeps_async(0.3, partial(until_told, channel, Watch(store=channel.store, notifier=notifiers)))


async def test_a_lost_notification_costs_half_a_second(channel: BackChannel) -> None:
    await keeps_async(
        1, partial(until_told, channel, Watch(store=channel.store, notifier=ChangeNotifiers([Connected()])))
    )


async def until_told(channel: BackChannel, watch: Watch) -> float:
    """Seconds from a revocation until a waiting reader gets it."""
    newest = int((await told(channel.feed, None, 0))["cursor"].rpartition(".")[2])
    waiting = asyncio.create_task(watch.beyond(newest, 20))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    began = perf_counter()
    await end(channel, f"grt_{newest}")
    await waiting
    return perf_counter() - began


async def test_expired_entries_are_not_sent(channel: BackChannel) -> None:
    await end(channel, "grt_a")
    channel.clock.time += 400
    assert (await told(channel.feed, None, 0))["entries"] == []


@pytest.mark.requirement(58)
async def test_waiting_ends_within_a_second_of_a_revocation_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    async with back_channel(path) as one, back_channel(path) as two:

        async def until_all_are_told() -> float:
            cursor = (await told(one.feed, None, 0))["cursor"]
            assert (await told(two.feed, None, 0))["cursor"] == cursor
            waiting = [asyncio.create_task(told(one.feed, cursor, 20)) for _ in range(100)]
            await until_async(lambda: waiting_at(one) == 100)
            await asyncio.sleep(0.2)
            assert not any(task.done() for task in waiting)
            began = perf_counter()
            await end(two, f"grt_{cursor}")
            answers = await asyncio.gather(*waiting)
            took = perf_counter() - began
            assert all(
                [entry["id"] for entry in answer["entries"]] == [f"grt_{cursor}"] for answer in answers
            )
            return took

        await keeps_async(1, until_all_are_told)


async def test_a_wait_ends_at_its_timeout_and_the_poller_stops(channel: BackChannel) -> None:
    cursor = (await told(channel.feed, None, 0))["cursor"]
    before = asyncio.all_tasks()

    async def waited() -> float:
        began = perf_counter()
        assert await told(channel.feed, cursor, 0.2) == {"cursor": cursor, "reset": False, "entries": []}
        took = perf_counter() - began
        assert took > 0.15
        return took

    await keeps_async(1, waited)
    await until_async(lambda: asyncio.all_tasks() == before)


async def test_nothing_is_lost_between_two_polls(channel: BackChannel) -> None:
    cursor = (await told(channel.feed, None, 0))["cursor"]
    seen: list[str] = []

    async def follow(cursor: str) -> None:
        while len(seen) < 200:
            answer = await told(channel.feed, cursor, 5)
            seen.extend(entry["id"] for entry in answer["entries"])
            cursor = answer["cursor"]

    following = asyncio.create_task(follow(cursor))
    for number in range(200):
        await end(channel, f"grt_{number}")
        if number % 50 == 0:
            await asyncio.sleep(0.07)
    await following
    assert seen == [f"grt_{number}" for number in range(200)]


async def test_a_server_that_stops_answers_waiting_readers_and_those_that_come_later(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/incidents/0061-a-reader-that-came-during-a-stop-got-a-500.md"""
    monkeypatch.setattr(feed, "LONGEST_WAIT", 2 * PATIENCE)
    cursor = (await told(channel.feed, None, 0))["cursor"]
    waiting = asyncio.create_task(told(channel.feed, cursor, 2 * PATIENCE))
    await until_async(lambda: waiting_at(channel) == 1)
    channel.feed.watch.release()
    assert (await asyncio.wait_for(waiting, PATIENCE))["entries"] == []
    later = await asyncio.wait_for(told(channel.feed, cursor, 2 * PATIENCE), PATIENCE)
    assert later["entries"] == []


@pytest.mark.requirement(58)
async def test_strangers_that_occupy_all_waiting_places_delay_no_news(channel: BackChannel) -> None:
    """docs/incidents/0027-waiting-places-taken.md"""
    cursor = (await told(channel.feed, None, 0))["cursor"]
    strangers = [asyncio.create_task(told(channel.feed, cursor, 20)) for _ in range(MOST_WAITING)]
    await until_async(lambda: waiting_at(channel) == MOST_WAITING)
    quiet = await asyncio.wait_for(told(channel.feed, cursor, 20), PATIENCE)
    assert quiet == {"cursor": cursor, "reset": False, "entries": []}
    await end(channel, "grt_a")
    news = await asyncio.wait_for(told(channel.feed, quiet["cursor"], 20), PATIENCE)
    assert [entry["id"] for entry in news["entries"]] == ["grt_a"]
    channel.feed.watch.release()
    await asyncio.gather(*strangers)


async def test_waiting_readers_get_an_error_during_an_outage(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = (await told(channel.feed, None, 0))["cursor"]
    waiting = asyncio.create_task(told(channel.feed, cursor, 20))
    await until_async(lambda: waiting_at(channel) == 1)

    async def gone(self: object) -> int:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(type(channel.store.revocations), "newest", gone)
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(waiting, PATIENCE)


async def test_two_processes_on_a_new_database_agree_on_its_name(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    async with back_channel(path) as one, back_channel(path) as two:
        answers = await asyncio.gather(*(told((one, two)[i % 2].feed) for i in range(20)))
        assert len({answer["cursor"] for answer in answers}) == 1
