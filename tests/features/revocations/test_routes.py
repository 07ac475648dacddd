"""Revocation feed over HTTP: polls, long polls and unreadable requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from time import perf_counter

import pytest

from doorward.core.model.revocation import Revocation
from doorward.features.revocations import routes as feed
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel, back_channel
from tests.waiting import keeps_async
from tests.web.asgi import Asgi

pytestmark = pytest.mark.anyio


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as made_channel:
        yield made_channel


@pytest.fixture
def asgi(channel: BackChannel) -> Asgi:
    return Asgi(feed.routes(channel.feed))


@pytest.mark.requirement(58)
async def test_a_long_poll_is_answered_when_something_is_revoked(asgi: Asgi, channel: BackChannel) -> None:
    async def until_told() -> float:
        first = await asgi("GET", "/revocations")
        assert first.status == 200
        assert first.headers["cache-control"] == "no-store"
        assert first.json["reset"] is True
        cursor: str = first.json["cursor"]
        poll = asyncio.create_task(asgi("GET", "/revocations", query=f"after={cursor}&wait=20"))
        await asyncio.sleep(0.2)
        assert not poll.done()
        began = perf_counter()
        entry = Revocation("sid", f"ses_{cursor}", made.NOW, made.NOW + 400)
        assert await channel.store.commit(channel.store.revocations.insert(entry))
        answer = await poll
        took = perf_counter() - began
        assert answer.json["entries"] == [{"kind": "sid", "id": f"ses_{cursor}", "exp": made.NOW + 400}]
        return took

    await keeps_async(1, until_told)


async def test_the_complete_answer_is_the_same_for_all_until_something_is_revoked(
    asgi: Asgi, channel: BackChannel
) -> None:
    first = await asgi("GET", "/revocations")
    assert (await asgi("GET", "/revocations")).json == first.json
    entry = Revocation("sid", "ses_one", made.NOW, made.NOW + 400)
    assert await channel.store.commit(channel.store.revocations.insert(entry))
    after = await asgi("GET", "/revocations")
    assert after.headers["cache-control"] == "no-store"
    assert [one["id"] for one in after.json["entries"]] == ["ses_one"]
    assert after.json["reset"] is True


@pytest.mark.parametrize("wait", ["x", "-1", "1e3", "", "nan", "inf", "1.x", "9" * 40, "٣", "1.٣"])
async def test_a_wait_that_is_not_a_number_of_seconds_is_refused(asgi: Asgi, wait: str) -> None:
    answer = await asgi("GET", "/revocations", query=f"wait={wait}")
    assert answer.status == 400
    assert answer.json["error"] == "invalid_request"


@pytest.mark.parametrize("query", ["after=1&after=2", "after=%ff", "wait=0.1&after=x.y", "after=%00"])
async def test_unusual_queries_never_fail(asgi: Asgi, query: str) -> None:
    assert (await asgi("GET", "/revocations", query=query)).status in {200, 400}
