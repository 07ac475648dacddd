"""Refreshing: strict about replays, tolerant of races and lost answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.features.oauth.token.rules import TokenResponse
from doorward_verify import jwk
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, assertion, back_channel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("channel_account")]


async def next_token(channel: BackChannel, raw: str) -> str:
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse), answer
    assert answer.refresh_token is not None
    return answer.refresh_token


async def is_refused(channel: BackChannel, raw: str) -> None:
    answer = await channel.refresh(raw)
    assert isinstance(answer, OAuthError), answer
    assert answer.code == "invalid_grant"


@pytest.mark.requirement(18)
@pytest.mark.parametrize("leeway", [0, 10])
async def test_64_concurrent_refreshes_yield_one_successor_and_sign_nobody_out(leeway: int) -> None:
    async with back_channel(refresh_leeway=leeway) as channel:
        await channel.person()
        raw, _ = await channel.family()
        for _ in range(10):
            answers = await asyncio.gather(*(channel.refresh(raw) for _ in range(64)))
            good = [answer for answer in answers if isinstance(answer, TokenResponse)]
            assert len(good) == 64
            assert len({answer.refresh_token for answer in good}) == 1
            assert len({channel.claims(answer.access_token)["jti"] for answer in good}) == 64
            following = good[0].refresh_token
            assert following is not None
            assert following != raw
            raw = following


@pytest.mark.requirement(18)
async def test_two_processes_on_one_database_yield_one_successor(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    async with back_channel(path) as one, back_channel(path) as two:
        await one.person()
        raw, _ = await one.family()
        for _ in range(20):
            answers = await asyncio.gather(*((one, two)[i % 2].refresh(raw) for i in range(32)))
            tokens = {answer.refresh_token for answer in answers if isinstance(answer, TokenResponse)}
            assert all(isinstance(answer, TokenResponse) for answer in answers)
            assert len(tokens) == 1
            raw = tokens.pop() or ""


@pytest.mark.requirement(18)
@pytest.mark.parametrize("strict", [False, True])
async def test_only_strict_mode_detects_a_thief_who_refreshes_in_turn_with_the_owner(strict: bool) -> None:
    async with back_channel(refresh_strict=strict) as channel:
        await channel.person()
        raw, grant = await channel.family()
        owner = thief = raw
        for _ in range(3):
            owner = await next_token(channel, owner)
            channel.clock.time += 100
            if strict:
                await is_refused(channel, thief)
                break
            thief = await next_token(channel, thief)
            channel.clock.time += 100
        stored = await channel.store.grants.get(grant.id)
        assert stored is not None
        assert stored.end_reason == ("refresh_token_replayed" if strict else None)


@pytest.mark.requirement(18)
async def test_a_lost_answer_is_repeated_however_late(channel: BackChannel) -> None:
    raw, _ = await channel.family()
    lost = await next_token(channel, raw)
    channel.clock.time += 40_000
    assert await next_token(channel, raw) == lost
    await next_token(channel, lost)


@pytest.mark.requirement(18)
async def test_a_replay_after_the_leeway_ends_the_grant_is_audited_and_mailed_once(
    channel: BackChannel,
) -> None:
    raw, grant = await channel.family()
    second = await next_token(channel, raw)
    third = await channel.refresh(second)
    assert isinstance(third, TokenResponse)
    assert third.refresh_token is not None
    channel.clock.time += channel.policy.refresh_leeway - 1
    assert await next_token(channel, raw) == second
    channel.clock.time += 1
    await asyncio.gather(*(is_refused(channel, raw) for _ in range(8)))
    await is_refused(channel, third.refresh_token)
    view = await channel.view.fresh(channel.clock.time)
    assert view.revoked(channel.claims(third.access_token)) == "grant"
    assert await channel.audited("refresh_token.replayed") == 1
    mail = await channel.store.messages.recent_mail()
    assert [(one.kind, one.to) for one in mail] == [("refresh_replayed", "ada@example.com")]
    ended = await channel.store.grants.get(grant.id)
    assert ended is not None
    assert ended.end_reason == "refresh_token_replayed"


@pytest.mark.requirement(18)
async def test_a_spent_token_of_another_app_is_refused_and_ends_nothing(channel: BackChannel) -> None:
    await channel.put(made.client(id="app_other", name="other"))
    raw, _ = await channel.family()
    second = await next_token(channel, raw)
    third = await next_token(channel, second)
    channel.clock.time += 60
    answer = await channel.refresh(raw, made.client(id="app_other"))
    assert isinstance(answer, OAuthError)
    assert await channel.audited("refresh_token.replayed") == 0
    await next_token(channel, third)


@pytest.mark.requirement(19)
async def test_an_app_with_a_private_key_and_no_rotation_keeps_its_token_without_a_write(
    channel: BackChannel,
) -> None:
    key = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k1")
    await channel.put(
        made.client(
            auth_method="private_key_jwt", secrets=(), jwks={"keys": [key.public_jwk()]}, rotation=False
        )
    )
    raw, grant = await channel.family()
    for _ in range(3):
        answer = await channel.exchange(
            {"grant_type": "refresh_token", "refresh_token": raw, **assertion(channel, key)}, caller=CALLER
        )
        assert isinstance(answer, TokenResponse)
        assert answer.refresh_token == raw
    found = await channel.store.grants.refresh(grant.id)
    assert found is not None
    assert (found[0].generation, found[0].recent) == (1, ())


@pytest.mark.requirement(20)
async def test_rotation_never_moves_the_absolute_end(channel: BackChannel) -> None:
    raw, grant = await channel.family(expires_at=made.NOW + 1000)
    for _ in range(9):
        channel.clock.time += 100
        raw = await next_token(channel, raw)
    channel.clock.time = grant.expires_at
    await is_refused(channel, raw)


@pytest.mark.requirement(21)
async def test_a_refresh_can_narrow_the_scope_but_not_widen_it(channel: BackChannel) -> None:
    raw, _ = await channel.family()
    less = await channel.refresh(raw, scope="orders:read")
    assert isinstance(less, TokenResponse)
    assert less.scope == "orders:read"
    assert less.id_token is None
    raw = less.refresh_token or ""
    for scope in ("openid profile", "orders:write", " "):
        answer = await channel.refresh(raw, scope=scope)
        assert isinstance(answer, OAuthError)
        assert answer.code == "invalid_scope"
    answer = await channel.refresh(raw, resource="https://other.example.com")
    assert isinstance(answer, OAuthError)
    assert answer.code == "invalid_target"
    again = await channel.refresh(raw)
    assert isinstance(again, TokenResponse)
    assert again.scope == "openid email orders:read"


async def test_a_revoked_role_is_missing_from_the_next_token(channel: BackChannel) -> None:
    raw, _ = await channel.family()
    first = await channel.refresh(raw)
    assert isinstance(first, TokenResponse)
    assert channel.claims(first.access_token)["permissions"] == ["orders:read"]
    ada = await channel.store.accounts.get("usr_ada")
    assert ada is not None
    assert await channel.store.commit(channel.store.accounts.replace(structs.replace(ada, role_names=())))
    second = await channel.refresh(first.refresh_token or "")
    assert isinstance(second, TokenResponse)
    said = channel.claims(second.access_token)
    assert said["permissions"] == said["roles"] == []
    assert second.scope == "openid email"


async def test_a_refreshed_id_token_describes_the_same_sign_in_without_a_nonce(channel: BackChannel) -> None:
    raw, grant = await channel.family()
    channel.clock.time += 50
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    said = channel.claims(answer.id_token or "", "JWT")
    assert "nonce" not in said
    assert said["auth_time"] == grant.auth_time
    assert said["iat"] == channel.clock.time


@pytest.mark.parametrize("raw", ["", "dw_rt_", "dw_rt_" + "x" * 43, "é" * 50, "\ud800"])
async def test_malformed_refresh_tokens_are_refused(channel: BackChannel, raw: str) -> None:
    answer = await channel.refresh(raw)
    assert isinstance(answer, OAuthError)
    assert answer.code in {"invalid_grant", "invalid_request"}


@pytest.mark.requirement(18)
async def test_a_compare_and_swap_that_always_fails_is_answered_with_temporarily_unavailable(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, _ = await channel.family()
    commits = 0

    async def lose(self: object, *writes: object) -> bool:
        nonlocal commits
        commits += 1
        return False

    monkeypatch.setattr(type(channel.store), "commit", lose)
    answer = await channel.refresh(raw)
    assert isinstance(answer, OAuthError)
    assert answer.code == "temporarily_unavailable"
    assert commits == 4
    monkeypatch.undo()
    await next_token(channel, raw)
