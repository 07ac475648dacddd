"""Revocation of one access token, and what was exchanged for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.features.oauth.grants.token_exchange.parties import exchanged, furnish, lives, token_of, web
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, back_channel, basic

pytestmark = pytest.mark.anyio


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as one:
        await furnish(one)
        yield one


async def test_a_token_revoked_alone_takes_with_it_what_was_exchanged_for_it(channel: BackChannel) -> None:
    """RFC 7009 §2.1 leaves it open: who revokes a stolen access token means also what the thief exchanged it for."""
    token = await token_of(channel)
    mine = channel.claims(token)
    made_of_it = await exchanged(channel, token)
    assert await lives(channel, made_of_it)
    assert await channel.revoke({"token": token}, authorization=basic(web()), caller=CALLER) is None
    assert not await lives(channel, mine)
    assert not await lives(channel, made_of_it)
    # the grant lives, and so does what is exchanged from now on
    grant = await channel.store.grants.get(str(mine["jti"]).partition(".")[0])
    assert grant is not None
    assert grant.ended_at is None
