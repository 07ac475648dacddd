"""Revocation: everything that depends on an ended item ends too, and nothing else."""

from __future__ import annotations

import pytest

from doorward.core.errors import OAuthError
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.sessions.revoker import MANY
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel

pytestmark = pytest.mark.anyio


async def tokens(channel: BackChannel, raw: str) -> tuple[dict[str, object], str]:
    """(claims of a new access token, the next refresh token)."""
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse), answer
    return channel.claims(answer.access_token), answer.refresh_token or ""


async def revoked(channel: BackChannel, claims: dict[str, object]) -> str | None:
    return (await channel.view.fresh(channel.clock.time)).revoked(claims)


async def lives(channel: BackChannel, raw: str) -> bool:
    return not isinstance(await channel.refresh(raw), OAuthError)


@pytest.mark.requirement(72)
async def test_ending_a_session_ends_its_grants_except_offline_ones_and_notifies_the_apps(
    channel: BackChannel,
) -> None:
    await channel.put(made.client(backchannel_logout_uri="https://app.example.com/logout"))
    ada = await channel.person()
    session = await channel.session(ada)
    bound, _ = await channel.family()
    offline, _ = await channel.family(offline=True, scopes=("openid", "offline_access"))
    other, _ = await channel.family(session_id="ses_two")
    bound_claims, bound = await tokens(channel, bound)
    offline_claims, offline = await tokens(channel, offline)
    other_claims, other = await tokens(channel, other)
    assert bound_claims["sid"] == "ses_one"
    assert "sid" not in offline_claims
    writes = await channel.revoker.session(session, now=channel.clock.time, reason="signed_out")
    assert await channel.store.commit(*writes)
    assert not await lives(channel, bound)
    assert await lives(channel, offline)
    assert await lives(channel, other)
    assert await revoked(channel, bound_claims) in {"sid", "grant"}
    assert await revoked(channel, offline_claims) is None
    assert await revoked(channel, other_claims) is None
    notices = await channel.store.messages.due_logouts(channel.clock.time)
    assert [(one.client_id, one.session_id) for one in notices] == [("app_web", "ses_one")]
    ended = await channel.store.sessions.get("ses_one")
    assert ended is not None
    assert ended.end_reason == "signed_out"


@pytest.mark.requirement(72)
async def test_a_large_number_of_grants_ends_completely_in_a_short_commit(channel: BackChannel) -> None:
    """A session can have any number of grants, which one request ends."""
    ada = await channel.person()
    session = await channel.session(ada)
    bound = [(await channel.family())[0] for _ in range(MANY + 1)]
    offline, _ = await channel.family(offline=True)
    claims, first = await tokens(channel, bound[0])
    writes = await channel.revoker.session(session, now=channel.clock.time, reason="signed_out")
    assert len(writes) < 10
    assert await channel.store.commit(*writes)
    assert not any([await lives(channel, raw) for raw in (first, *bound[1:])])
    assert await revoked(channel, {**claims, "sid": None}) == "grant"
    assert await lives(channel, offline)
    more = [(await channel.family(offline=True))[0] for _ in range(MANY + 1)]
    writes = await channel.revoker.account(
        ada.id, now=channel.clock.time, reason="account_disabled", sub_entry=False
    )
    assert len(writes) < 10
    assert await channel.store.commit(*writes)
    assert not any([await lives(channel, raw) for raw in (*more, offline)])


@pytest.mark.requirement(72)
async def test_disabling_a_person_ends_all_sessions_and_tokens(channel: BackChannel) -> None:
    ada = await channel.person()
    await channel.session(ada)
    await channel.session(ada, "ses_two")
    raw, _ = await channel.family(offline=True)
    claims, raw = await tokens(channel, raw)
    writes = await channel.revoker.account(
        ada.id, now=channel.clock.time, reason="account_disabled", sub_entry=True
    )
    assert await channel.store.commit(*writes)
    assert not await channel.store.sessions.live_of(ada.id, channel.clock.time)
    assert not await lives(channel, raw)
    assert await revoked(channel, claims) is not None
    # An access token of theirs without a grant row, issued until now, is covered by the entry for the person.
    stray = {**claims, "jti": "grt_other.x", "sid": None}
    assert await revoked(channel, stray) == "sub"
    assert await revoked(channel, {**stray, "iat": channel.clock.time + 1}) is None


@pytest.mark.requirement(72)
async def test_a_new_password_ends_the_other_sessions_and_every_grant(channel: BackChannel) -> None:
    ada = await channel.person()
    await channel.session(ada)
    await channel.session(ada, "ses_two")
    mine, _ = await channel.family()
    offline, _ = await channel.family(offline=True)
    claims, mine = await tokens(channel, mine)
    writes = await channel.revoker.account(
        ada.id, now=channel.clock.time, reason="password_changed", keep_session="ses_one", sub_entry=False
    )
    assert await channel.store.commit(*writes)
    left = await channel.store.sessions.live_of(ada.id, channel.clock.time)
    assert [one.id for one in left] == ["ses_one"]
    assert not await lives(channel, mine)
    assert not await lives(channel, offline)
    assert await revoked(channel, claims) == "grant"
    # Tokens issued from now on in the session that she kept are valid.
    again, _ = await channel.family()
    claims, _ = await tokens(channel, again)
    assert await revoked(channel, claims) is None


async def test_deleting_an_app_ends_its_grants_and_its_own_tokens(channel: BackChannel) -> None:
    await channel.person()
    await channel.put(made.client(id="app_other", name="other"))
    raw, _ = await channel.family()
    answer = await channel.ask({"grant_type": "client_credentials"})
    other = await channel.ask({"grant_type": "client_credentials"}, made.client(id="app_other"))
    assert isinstance(answer, TokenResponse)
    assert isinstance(other, TokenResponse)
    writes = channel.revoker.client("app_web", now=channel.clock.time, reason="app_deleted")
    assert await channel.store.commit(*writes)
    assert not await lives(channel, raw)
    assert await revoked(channel, channel.claims(answer.access_token)) == "client"
    assert await revoked(channel, channel.claims(other.access_token)) is None


async def test_entries_outlive_the_longest_token_that_they_cover(channel: BackChannel) -> None:
    await channel.put(made.client(access_token_ttl=7200))
    await channel.person()
    raw, grant = await channel.family()
    claims, _ = await tokens(channel, raw)
    assert await channel.store.commit(*channel.revoker.grant(grant, now=channel.clock.time, reason="revoked"))
    _, entries = await channel.store.revocations.live(channel.clock.time)
    assert [entry.kind for entry in entries] == ["grant"]
    expires = claims["exp"]
    assert isinstance(expires, int)
    assert entries[0].expires_at > expires


@pytest.mark.requirement(76)
async def test_the_logout_token_names_person_and_session_and_lives_two_minutes(channel: BackChannel) -> None:
    await channel.put(
        made.client(backchannel_logout_uri="https://app.example.com/logout", id_token_signed_alg="RS256")
    )
    session = await channel.session(await channel.person())
    await channel.family()
    assert await channel.store.commit(
        *await channel.revoker.session(session, now=channel.clock.time, reason="signed_out")
    )
    (notice,) = await channel.store.messages.due_logouts(channel.clock.time)
    told = channel.logout.make(notice, now=channel.clock.time)
    assert told is not None
    uri, token = told
    assert uri == "https://app.example.com/logout"
    said = channel.claims(token, "logout+jwt")
    assert said["aud"] == "app_web"
    assert said["sub"] == "usr_ada"
    assert said["sid"] == "ses_one"
    assert said["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert 0 < said["exp"] - said["iat"] <= 120
    assert "nonce" not in said
    await channel.put(made.client())
    assert channel.logout.make(notice, now=channel.clock.time) is None
