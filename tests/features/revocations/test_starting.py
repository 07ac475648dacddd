"""Start of a process: it has read the live revocations before it serves."""

from __future__ import annotations

import pytest

from doorward.core.model.revocation import Revocation
from doorward.features.revocations.feature import REVOCATIONS
from doorward.features.revocations.rules.pages import PAGE
from tests.features import made
from tests.features.oauth.logout.back_channel import back_channel

pytestmark = pytest.mark.anyio


@pytest.mark.requirement(58)
async def test_the_first_poll_after_a_start_reads_no_entries() -> None:
    """docs/incidents/0096-a-node-that-started-held-polls.md"""
    async with back_channel() as channel:
        for start in range(0, PAGE + 1000, 1000):
            entries = [
                Revocation("sid", f"ses_{number}", made.NOW, made.NOW + 4000)
                for number in range(start, start + 1000)
            ]
            assert await channel.store.commit(*(channel.store.revocations.insert(one) for one in entries))
        await REVOCATIONS.starting(channel.services)
        assert len(channel.feed._pages) == PAGE + 1000
        assert channel.view._view.seq == channel.feed._pages.seq
        reads: list[int] = []
        since = channel.store.revocations.since

        async def counted(*given: object, **named: object) -> object:
            reads.append(1)
            return await since(*given, **named)  # type: ignore[arg-type]

        channel.store.revocations.since = counted  # type: ignore[method-assign, assignment]
        await channel.feed.pages(None, 0)
        assert reads == []
