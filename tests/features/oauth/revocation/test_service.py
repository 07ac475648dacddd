"""Revocation: an app revokes its own tokens and no others."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from doorward.core.errors import OAuthError
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.rate_limits.rules import budget
from doorward.features.sessions.rules import bounds, revocation
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, back_channel, basic

pytestmark = pytest.mark.anyio


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as made_channel:
        await made_channel.person()
        await made_channel.put(made.client(id="app_other", name="other"))
        yield made_channel


async def give_back(
    channel: BackChannel, token: str, client_id: str = "app_web", **more: str
) -> OAuthError | None:
    return await channel.revoke(
        {"token": token, **more}, authorization=basic(made.client(id=client_id)), caller=CALLER
    )


async def both(channel: BackChannel) -> TokenResponse:
    raw, _ = await channel.family()
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    return answer


async def revoked(channel: BackChannel, token: str) -> str | None:
    return (await channel.view.fresh(channel.clock.time)).revoked(channel.claims(token))


@pytest.mark.requirement(55)
@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "access_token"}, {"token_type_hint": "nonsense"}])
async def test_revoking_a_refresh_token_revokes_its_access_tokens(
    channel: BackChannel, hint: dict[str, str]
) -> None:
    mine, other = await both(channel), await both(channel)
    assert await give_back(channel, mine.refresh_token or "", **hint) is None
    assert isinstance(await channel.refresh(mine.refresh_token or ""), OAuthError)
    assert await revoked(channel, mine.access_token) == "grant"
    assert await revoked(channel, other.access_token) is None
    assert await channel.audited("token.revoked") == 1


@pytest.mark.requirement(55)
async def test_a_spent_refresh_token_still_revokes_the_grant(channel: BackChannel) -> None:
    raw, _ = await channel.family()
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    assert await give_back(channel, raw) is None
    assert isinstance(await channel.refresh(answer.refresh_token or ""), OAuthError)


async def test_revoking_an_access_token_revokes_only_it(channel: BackChannel) -> None:
    mine = await both(channel)
    assert await give_back(channel, mine.access_token) is None
    assert await revoked(channel, mine.access_token) == "jti"
    assert await give_back(channel, mine.access_token) is None
    _, entries = await channel.store.revocations.live(channel.clock.time)
    assert len(entries) == 1
    assert isinstance(await channel.refresh(mine.refresh_token or ""), TokenResponse)


@pytest.mark.requirement(54)
async def test_tokens_of_another_app_are_not_revoked(channel: BackChannel) -> None:
    mine = await both(channel)
    for token in (mine.access_token, mine.refresh_token or ""):
        answer = await give_back(channel, token, "app_other")
        assert isinstance(answer, OAuthError)
        assert answer.code == "unauthorized_client"
    assert await revoked(channel, mine.access_token) is None
    assert isinstance(await channel.refresh(mine.refresh_token or ""), TokenResponse)


@pytest.mark.requirement(54)
@pytest.mark.parametrize("token", ["dw_rt_" + "x" * 43, "x", "a.b.c", "é"])
async def test_an_unknown_token_is_answered_like_a_revoked_one(channel: BackChannel, token: str) -> None:
    assert await give_back(channel, token) is None


async def test_an_expired_token_is_not_stored_as_revoked(channel: BackChannel) -> None:
    mine = await both(channel)
    channel.clock.time += 300
    assert await give_back(channel, mine.access_token) is None
    assert await channel.store.revocations.newest() == 0


async def test_a_caller_without_valid_credentials_revokes_nothing(channel: BackChannel) -> None:
    mine = await both(channel)
    answer = await channel.revoke({"token": mine.access_token}, authorization=None, caller=CALLER)
    assert isinstance(answer, OAuthError)
    assert answer.code == "invalid_client"
    missing = await channel.revoke({}, authorization=basic(made.client()), caller=CALLER)
    assert isinstance(missing, OAuthError)
    assert missing.code == "invalid_request"


async def test_a_public_app_revokes_its_own_token(channel: BackChannel) -> None:
    raw, _ = await channel.family(client_id="app_spa")
    form = {"token": raw, "client_id": "app_spa"}
    assert await channel.revoke(form, authorization=None, caller=CALLER) is None
    again = {"grant_type": "refresh_token", "refresh_token": raw, "client_id": "app_spa"}
    assert isinstance(await channel.exchange(again, caller=CALLER), OAuthError)


async def own_token(channel: BackChannel) -> str:
    answer = await channel.ask({"grant_type": "client_credentials", "scope": "orders:read"})
    assert isinstance(answer, TokenResponse)
    return answer.access_token


async def kinds(channel: BackChannel) -> list[str]:
    _, entries = await channel.store.revocations.live(channel.clock.time)
    return [entry.kind for entry in entries]


async def repeated(channel: BackChannel, raw: str) -> str:
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    return answer.access_token


@pytest.mark.requirement(93)
async def test_after_twenty_revoked_tokens_of_a_grant_the_grant_ends(
    channel: BackChannel,
) -> None:
    raw, grant = await channel.family()
    first = await repeated(channel, raw)
    for _ in range(bounds.OF_GRANT):
        assert await give_back(channel, await repeated(channel, raw)) is None
    assert await kinds(channel) == ["jti"] * bounds.OF_GRANT
    assert await channel.audited("token.revoked") == 0
    assert await revoked(channel, first) is None
    assert await give_back(channel, await repeated(channel, raw)) is None
    assert await kinds(channel) == ["jti"] * bounds.OF_GRANT + ["grant"]
    assert await revoked(channel, first) == "grant"
    ended = await channel.store.grants.get(grant.id)
    assert ended is not None
    assert ended.end_reason == "revoked"
    assert isinstance(await channel.refresh(raw), OAuthError)
    (line,) = await channel.store.audit.page(kind="token.revoked", limit=10)
    assert (line.grant_id, line.detail["token_kind"]) == (grant.id, "access_token")


@pytest.mark.requirement(93)
async def test_expired_tokens_do_not_count(channel: BackChannel) -> None:
    raw, _ = await channel.family()
    for _ in range(bounds.OF_GRANT):
        await give_back(channel, await repeated(channel, raw))
    channel.clock.time += 300 + revocation.MARGIN
    assert await give_back(channel, await repeated(channel, raw)) is None
    assert await kinds(channel) == ["jti"]


@pytest.mark.requirement(93)
async def test_one_person_at_one_app_has_a_shared_budget_over_all_grants_and_is_never_refused(
    channel: BackChannel,
) -> None:
    for _ in range(budget.REVOCATIONS):
        mine = await both(channel)
        assert await give_back(channel, mine.access_token) is None
    assert set(await kinds(channel)) == {"jti"}
    beyond = await both(channel)
    assert await give_back(channel, beyond.access_token) is None
    assert await revoked(channel, beyond.access_token) == "grant"
    assert (await kinds(channel)).count("jti") == budget.REVOCATIONS
    # another person, and the same person at another app, are counted separately
    await channel.person(id="usr_bob", email="bob@example.com")
    raw, _ = await channel.family(account_id="usr_bob")
    bobs = await repeated(channel, raw)
    assert await give_back(channel, bobs) is None
    assert await revoked(channel, bobs) == "jti"


@pytest.mark.requirement(93)
async def test_after_two_hundred_own_tokens_of_an_app_one_entry_ends_them_all(
    channel: BackChannel,
) -> None:
    spared = await own_token(channel)
    for _ in range(bounds.OF_APP):
        assert await give_back(channel, await own_token(channel)) is None
    assert await kinds(channel) == ["jti"] * bounds.OF_APP
    assert await revoked(channel, spared) is None
    for _ in range(5):
        channel.clock.time += 1
        token = await own_token(channel)
        assert await give_back(channel, token) is None
        assert await revoked(channel, token) == "client"
        assert await kinds(channel) == ["jti"] * bounds.OF_APP + ["client"]
    assert await revoked(channel, spared) == "client"
    channel.clock.time += 1
    assert await revoked(channel, await own_token(channel)) is None
    assert await channel.audited("token.revoked") == 1


async def test_a_token_whose_grant_has_no_row_is_revoked_too(channel: BackChannel) -> None:
    raw, grant = await channel.family()
    tokens = [await repeated(channel, raw) for _ in range(bounds.OF_GRANT + 1)]

    async def unknown(_: object, grant_id: str) -> None:
        assert grant_id == grant.id

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(channel.store.grants), "get", unknown)
        for token in tokens:
            assert await give_back(channel, token) is None
    assert await revoked(channel, tokens[-1]) == "grant"
