"""Warnings before an API key expires (zitadel#6131): each once, over all processes, and none for a key that was just made."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from doorward.adapters.mail.queue import open_message
from doorward.core.model.account import Account
from doorward.features.api_keys.build import own_keys, warnings
from doorward.features.api_keys.making import NewApiKey
from tests.features.api_keys.keyring import DAY, key_of, key_of_app
from tests.features.oauth.logout.back_channel import CALLER, BackChannel

pytestmark = pytest.mark.anyio


async def subjects(channel: BackChannel) -> list[str]:
    mails = await channel.store.messages.due_mail(channel.clock.time, limit=100)
    told = [open_message(channel.services.sealer, mail).subject for mail in mails]
    return [subject for subject in told if "expires" in subject]


async def test_the_owner_is_warned_14_7_and_1_days_before_and_never_twice(
    channel: BackChannel, channel_account: Account
) -> None:
    key = (await key_of(channel, channel_account, life=30 * DAY)).key
    await key_of_app(channel)
    send = channel.services.get(warnings).send
    assert await send() == 0
    for days, said in ((14, "14 days"), (7, "7 days"), (1, "1 day")):
        channel.clock.time = key.expires_at - days * DAY
        assert sum(await asyncio.gather(*(send() for _ in range(4)))) == 1
        assert await send() == 0
        assert (await subjects(channel))[-1] == f"Your API key “Nightly report” expires in {said}"
    channel.clock.time = key.expires_at
    assert await send() == 0


async def test_after_a_pause_only_the_nearest_warning_is_sent(
    channel: BackChannel, channel_account: Account
) -> None:
    key = (await key_of(channel, channel_account, life=30 * DAY)).key
    channel.clock.time = key.expires_at - 5 * DAY
    send = channel.services.get(warnings).send
    assert await send() == 1
    assert await send() == 0
    assert await subjects(channel) == ["Your API key “Nightly report” expires in 5 days"]


async def test_a_short_key_and_a_disabled_owner_are_not_warned(
    channel: BackChannel, channel_account: Account
) -> None:
    short = await key_of(channel, channel_account, life=3 * DAY)
    send = channel.services.get(warnings).send
    assert await send() == 0, "its owner has just made it"
    channel.clock.time = short.key.expires_at - DAY
    assert await send() == 1
    await key_of(channel, channel_account, name="other", life=30 * DAY)
    disabled = structs.replace(channel_account, disabled_at=channel.clock.time)
    assert await channel.store.commit(channel.store.accounts.replace(disabled, old=channel_account))
    channel.clock.time += 29 * DAY
    assert await send() == 0


async def test_a_renewed_key_is_warned_of_anew(channel: BackChannel, channel_account: Account) -> None:
    key = (await key_of(channel, channel_account, life=30 * DAY)).key
    send = channel.services.get(warnings).send
    channel.clock.time = key.expires_at - 7 * DAY
    assert await send() == 1
    new = await channel.services.get(own_keys).rotate(
        channel_account, key.id, overlap=0, caller=CALLER, now=channel.clock.time
    )
    assert isinstance(new, NewApiKey)
    assert await send() == 0
    channel.clock.time = new.key.expires_at - 14 * DAY
    assert await send() == 1
