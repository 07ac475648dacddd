"""Feed of one API: it hears all that concerns it, whatever was registered or exchanged meanwhile, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest
from msgspec.json import decode

from doorward.core.model.revocation import HISTORY_BITS, Revocation
from doorward.features.oauth.revocation import service as revocation
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.revocations.feed import Watch
from doorward.features.revocations.rules.pages import NEWS
from doorward.storage.sql.text import ALL
from doorward_verify.claims import AccessRules, Verified
from doorward_verify.revocation import RevocationView, parse_feed
from doorward_verify.verifier import Verifier
from tests.features import made
from tests.features.oauth.grants.token_exchange.parties import (
    BILLING,
    api,
    exchanged,
    furnish,
    lives,
    orders,
    own_token,
    token_of,
    web,
)
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, back_channel, basic
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as one:
        await furnish(one)
        yield one


async def ended(channel: BackChannel, *names: str, audience: str | None = None) -> None:
    entries = [Revocation("grant", name, made.NOW, made.NOW + 400, audience=audience) for name in names]
    assert await channel.store.commit(*(channel.store.revocations.insert(entry) for entry in entries))


class Listener:
    """The view of an API, and how many entries it was sent."""

    def __init__(self, channel: BackChannel, audience: str | None) -> None:
        self.channel, self.audience = channel, audience
        self.view = RevocationView()
        self.heard = 0

    async def hear(self, wait: float = 0) -> int:
        """One request; returns the number of entries in the answer."""
        answer = await self.channel.feed.pages(self.view.cursor, wait, audience=self.audience)
        feed = parse_feed(answer)
        self.view.apply(feed, made.NOW)
        self.heard += len(feed.entries)
        return len(feed.entries)

    def refuses(self, token: str) -> bool:
        """Whether the API refuses a token that is for it."""
        assert self.audience is not None
        rules = AccessRules(made.ISSUER, self.audience, frozenset({"ES256", "RS256"}), 0)
        found = Verifier(rules, self.channel.signer.keys()).verify(token, self.channel.clock.time)
        assert isinstance(found, Verified), found
        return self.view.revokes(found.principal)


@pytest.mark.requirement(58)
async def test_an_api_hears_its_own_entries_and_those_that_concern_all(channel: BackChannel) -> None:
    await ended(channel, "a", "b", audience=made.API)
    await ended(channel, "c", audience=BILLING)
    await ended(channel, "d")
    listeners = [Listener(channel, one) for one in (made.API, BILLING, "https://unknown.example.com", None)]
    assert [await one.hear() for one in listeners] == [3, 2, 1, 4]
    await ended(channel, "e", audience=BILLING)
    await ended(channel, "f")
    assert [await one.hear() for one in listeners] == [1, 2, 1, 2]


@pytest.mark.requirement(58, 93)
async def test_an_api_is_woken_only_for_what_concerns_it(channel: BackChannel) -> None:
    mine = Listener(channel, made.API)
    await mine.hear()
    poll = asyncio.create_task(mine.hear(20))
    for name in ("a", "b", "c"):
        await ended(channel, name, audience=BILLING)
        await asyncio.sleep(0.12)
    assert not poll.done()
    await ended(channel, "d", audience=made.API)
    assert await asyncio.wait_for(poll, PATIENCE) == 1
    # what concerned others is behind the cursor now
    assert await mine.hear() == 0
    assert mine.heard == 1


async def test_a_poll_of_a_cursor_far_behind_is_answered_at_once(channel: BackChannel) -> None:
    mine = Listener(channel, made.API)
    await mine.hear()
    await ended(channel, *(f"other_{number}" for number in range(NEWS + 1)), audience=BILLING)
    assert await asyncio.wait_for(mine.hear(20), PATIENCE) == 0
    poll = asyncio.create_task(mine.hear(20))
    await asyncio.sleep(0.1)
    assert not poll.done()
    channel.feed.watch.release()
    assert await asyncio.wait_for(poll, PATIENCE) == 0


@pytest.mark.requirement(58)
async def test_a_cursor_of_another_history_does_not_wait(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failover to a standby that lacked the last commits: its numbers begin again below the cursor's, so that nothing new would
    wake the poll."""
    mine = Listener(channel, made.API)
    await ended(channel, "a", "b", audience=BILLING)
    await mine.hear()
    await ended(channel, "c", audience=BILLING)
    view = channel.store.revocations
    newest, since = view.newest, view.since

    async def newest_there() -> int:
        return 1 << HISTORY_BITS | await newest()

    async def since_there(seq: int, now: int, limit: int = ALL) -> tuple[int, Sequence[Revocation]]:
        found, entries = await since(seq, now, limit)
        return 1 << HISTORY_BITS | found, entries

    view.newest, view.since = newest_there, since_there
    monkeypatch.setattr(Watch, "beyond", None)
    answer = await channel.feed.pages(mine.view.cursor, 20, audience=made.API)
    assert decode(answer)["reset"] is True


@pytest.mark.requirement(55, 58)
async def test_a_grant_of_an_app_that_exchanges_nothing_concerns_its_api_alone(channel: BackChannel) -> None:
    await channel.put(web(exchange=None))
    mine, other = Listener(channel, made.API), Listener(channel, BILLING)
    token = await token_of(channel)
    assert not mine.refuses(token)
    grant = await channel.store.grants.get(channel.claims(token)["jti"].partition(".")[0])
    assert grant is not None
    assert await channel.store.commit(*channel.revoker.grant(grant, now=channel.clock.time, reason="revoked"))
    assert (await mine.hear(), await other.hear()) == (1, 0)
    assert mine.refuses(token)


@pytest.mark.requirement(58, 72)
@pytest.mark.parametrize("exchanges", [False, True])
async def test_grants_that_end_together_concern_the_apis_that_they_are_for(
    channel: BackChannel, exchanges: bool
) -> None:
    """By one statement, as a disabled account's. Those of an app that may exchange tokens concern every API."""
    app = web() if exchanges else web(exchange=None)
    await channel.put(app)
    mine, other = Listener(channel, made.API), Listener(channel, BILLING)
    token = await token_of(channel)
    grant = await channel.store.grants.get(channel.claims(token)["jti"].partition(".")[0])
    assert grant is not None
    assert grant.account_id is not None
    assert (await mine.hear(), await other.hear()) == (0, 0)
    now = channel.clock.time
    ends = await channel.revoker.account(
        grant.account_id, now=now, reason="password_changed", sub_entry=False
    )
    assert await channel.store.commit(*ends)
    sessions = await other.hear() - exchanges
    assert await mine.hear() == sessions + 1
    assert mine.refuses(token)


@pytest.mark.requirement(36, 58)
async def test_what_an_app_exchanged_for_another_api_is_refused_there(channel: BackChannel) -> None:
    """The exchanged token begins with the grant of the first one, which is for another API."""
    mine, other = Listener(channel, made.API), Listener(channel, BILLING)
    token = await token_of(channel)
    first = await channel.store.grants.get(channel.claims(token)["jti"].partition(".")[0])
    assert first is not None
    answer = await channel.exchange(
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "resource": BILLING,
        },
        authorization=basic(web()),
    )
    assert isinstance(answer, TokenResponse), answer
    assert channel.claims(answer.access_token)["jti"].startswith(f"{first.id}.")
    await other.hear()
    assert not other.refuses(answer.access_token)
    assert await channel.store.commit(*channel.revoker.grant(first, now=channel.clock.time, reason="revoked"))
    await mine.hear()
    await other.hear()
    assert mine.refuses(token)
    assert other.refuses(answer.access_token)


@pytest.mark.requirement(36, 58)
async def test_what_rests_on_a_row_is_refused_at_its_api(channel: BackChannel) -> None:
    other = Listener(channel, BILLING)
    token = await token_of(channel)
    claims = await exchanged(channel, token, orders())
    assert claims["aud"] == BILLING
    grant = await channel.store.grants.get(channel.claims(token)["jti"].partition(".")[0])
    assert grant is not None
    assert await channel.store.commit(*channel.revoker.grant(grant, now=channel.clock.time, reason="revoked"))
    assert await other.hear() >= 1
    assert not await lives(channel, claims)
    assert other.view.before("grant", claims["jti"].partition(".")[0]) > 0


@pytest.mark.requirement(54, 58)
async def test_a_single_token_concerns_the_api_that_it_names(channel: BackChannel) -> None:
    mine, other = Listener(channel, made.API), Listener(channel, BILLING)
    token = await own_token(channel, web(), BILLING)
    error = await channel.revoke({"token": token}, authorization=basic(web()), caller=CALLER)
    assert error is None
    assert (await mine.hear(), await other.hear()) == (0, 1)
    assert other.refuses(token)


@pytest.mark.requirement(58)
async def test_an_api_that_was_added_or_renamed_misses_nothing(channel: BackChannel) -> None:
    """An entry has the audience that its tokens name, whatever the API is called now."""
    new = "https://new.example.com"
    renamed = Listener(channel, made.API)
    await channel.put(web(exchange=None, access={made.API: ("orders:read",), new: ("orders:read",)}))
    old_token = await token_of(channel)
    assert await channel.store.commit(channel.store.registry.put_api(api(new, "new")))
    await channel.config.refresh()
    added = Listener(channel, new)
    await added.hear()
    token = await own_token(channel, web(), new)
    error = await channel.revoke({"token": token}, authorization=basic(web()), caller=CALLER)
    assert error is None
    assert await channel.revoke({"token": old_token}, authorization=basic(web()), caller=CALLER) is None
    assert (await added.hear(), await renamed.hear()) == (1, 1)
    assert added.refuses(token)
    assert renamed.refuses(old_token)


def test_a_token_for_several_apis_concerns_all() -> None:
    assert revocation.only_audience({"aud": made.API}) == made.API
    assert revocation.only_audience({"aud": [made.API]}) is None
    assert revocation.only_audience({"aud": [made.API, BILLING]}) is None


async def test_an_older_verifier_gets_everything(channel: BackChannel) -> None:
    await ended(channel, "a", audience=made.API)
    await ended(channel, "b", audience=BILLING)
    plain = decode(await channel.feed.plain(None, 0))
    assert [one["id"] for one in plain["entries"]] == ["a", "b"]
    assert len(decode(await channel.feed.pages(None, 0))["entries"]) == 2
