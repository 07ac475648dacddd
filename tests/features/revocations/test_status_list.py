"""Status list service: it shows which grants have ended and nothing else."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode

import pytest

from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.revocations.rules.status_index import SIZE, list_for
from tests.features import made
from tests.features.oauth.logout.back_channel import back_channel

pytestmark = pytest.mark.anyio
LIST = list_for(made.NOW, 0)


def bits(said: dict[str, dict[str, str]]) -> bytes:
    packed = said["status_list"]["lst"]
    return zlib.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))


@pytest.mark.requirement(57)
async def test_only_the_index_of_an_ended_grant_is_set() -> None:
    async with back_channel(status_list=True) as channel:
        await channel.person()
        index = 777_777
        raw, grant = await channel.family(status_list=LIST, status_index=index)
        await channel.family(status_list=LIST, status_index=index + 1)
        answer = await channel.refresh(raw)
        assert isinstance(answer, TokenResponse)
        uri = f"{made.ISSUER}/status/{LIST}"
        assert channel.claims(answer.access_token)["status"] == {"status_list": {"idx": index, "uri": uri}}
        before = await channel.status.make(LIST)
        assert before is not None
        said = channel.claims(before, "statuslist+jwt")
        assert said["sub"] == uri
        assert said["ttl"] == 60
        assert said["exp"] > said["iat"]
        assert said["status_list"]["bits"] == 1
        assert bits(said) == bytes(SIZE // 8)
        assert await channel.store.commit(
            *channel.revoker.grant(grant, now=channel.clock.time, reason="revoked")
        )
        after = await channel.status.make(LIST)
        assert after is not None
        held = bits(channel.claims(after, "statuslist+jwt"))
        assert [place for place in range(SIZE) if held[place >> 3] >> (place & 7) & 1] == [index]
        assert await channel.status.make(LIST) == after


@pytest.mark.requirement(57)
async def test_a_list_that_cannot_contain_a_grant_is_not_served() -> None:
    async with back_channel(status_list=True) as channel:
        assert await channel.status.make(LIST) is not None
        for number in (LIST + 1, LIST - 60, 0, 10**9 + LIST + 1, 10**11):
            assert await channel.status.make(number) is None
    async with back_channel() as channel:
        assert await channel.status.make(LIST) is None


async def test_cached_lists_are_bounded_and_still_correct() -> None:
    async with back_channel(status_list=True, refresh_ttl=4 * 365 * 86_400) as channel:
        first = await channel.status.make(LIST)
        for number in range(LIST - 100, LIST):
            assert await channel.status.make(number) is not None
        assert await channel.status.make(LIST) is not None
        channel.clock.time += 1
        assert await channel.status.make(LIST) != first
