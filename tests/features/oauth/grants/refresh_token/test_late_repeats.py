"""Late repeats: a public app gets a lost answer again once a day; a spent token gives no lasting access."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from doorward.adapters.metrics import PrometheusMetrics
from doorward.core.errors import OAuthError
from doorward.core.model.grant import Grant, RefreshToken
from doorward.features.oauth.token.rules import TokenResponse
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, back_channel, basic

pytestmark = pytest.mark.anyio
LATE = "refresh_token.repeated_late"
DAY = 86_400


async def ask(channel: BackChannel, raw: str) -> TokenResponse | OAuthError:
    """A refresh of the public app."""
    form = {"grant_type": "refresh_token", "refresh_token": raw, "client_id": "app_spa"}
    return await channel.exchange(form, caller=CALLER)


async def good(channel: BackChannel, raw: str) -> str:
    """The refresh token in the answer."""
    answer = await ask(channel, raw)
    assert isinstance(answer, TokenResponse), answer
    assert answer.refresh_token is not None
    return answer.refresh_token


async def refused(channel: BackChannel, raw: str) -> None:
    answer = await ask(channel, raw)
    assert isinstance(answer, OAuthError), answer
    assert answer.code == "invalid_grant"


async def held(channel: BackChannel, grant: Grant) -> tuple[RefreshToken, Grant]:
    found = await channel.store.grants.refresh(grant.id)
    assert found is not None
    return found


async def family(channel: BackChannel) -> tuple[str, Grant]:
    await channel.person()
    return await channel.family(client_id="app_spa", expires_at=made.NOW + 30 * DAY)


@pytest.mark.requirement(18)
async def test_a_spent_token_from_a_log_cannot_fetch_the_owners_newest_token_again_and_again() -> None:
    async with back_channel() as channel:
        raw, grant = await family(channel)
        newest = await good(channel, raw)
        answered = 0
        for _ in range(12 * 15):
            channel.clock.time += 300
            answer = await ask(channel, raw)
            if isinstance(answer, OAuthError):
                break
            answered += 1
        assert answered == 1
        assert (await held(channel, grant))[1].end_reason == "refresh_token_replayed"
        assert await channel.audited("refresh_token.replayed") == 1
        assert [mail.kind for mail in await channel.store.messages.recent_mail()] == ["refresh_replayed"]
        await refused(channel, newest)


@pytest.mark.requirement(18)
async def test_a_lost_answer_is_repeated_once_a_day_and_audited_each_time() -> None:
    async with back_channel() as channel:
        raw, grant = await family(channel)
        for night in range(3):
            lost = await good(channel, raw)
            channel.clock.time += DAY
            assert await good(channel, raw) == lost
            assert await channel.audited(LATE) == night + 1
            raw = lost
        (event, *_) = await channel.store.audit.page(kind=LATE)
        assert (event.account_id, event.client_id, event.grant_id) == (grant.account_id, "app_spa", grant.id)
        assert (event.ok, event.user_agent, event.address) == (True, CALLER.user_agent, CALLER.address)
        metrics = channel.metrics
        assert isinstance(metrics, PrometheusMetrics)
        assert b'doorward_refreshes_total{kind="late_repeat"} 3.0' in metrics.page()
        assert b'doorward_refreshes_total{kind="rotate"} 3.0' in metrics.page()
        assert (await held(channel, grant))[1].ended_at is None


@pytest.mark.requirement(18)
async def test_a_repeat_within_the_leeway_is_not_audited() -> None:
    async with back_channel() as channel:
        raw, grant = await family(channel)
        lost = await good(channel, raw)
        channel.clock.time += channel.policy.refresh_leeway - 1
        assert await good(channel, raw) == lost
        assert (await held(channel, grant))[0].late_at is None
        assert await channel.audited(LATE) == 0


@pytest.mark.requirement(18)
async def test_a_late_repeat_opens_a_window_of_the_leeway_for_tabs_and_retries() -> None:
    async with back_channel() as channel:
        raw, grant = await family(channel)
        lost = await good(channel, raw)
        channel.clock.time += 40_000
        opened = channel.clock.time
        assert await good(channel, raw) == lost
        # one tab continues at once, another still sends the parent token
        newer = await good(channel, lost)
        channel.clock.time += channel.policy.refresh_leeway - 1
        assert await good(channel, raw) == lost
        assert await good(channel, lost) == newer
        assert await channel.audited(LATE) == 1
        assert (await held(channel, grant))[0].late_at == opened
        channel.clock.time += 1
        await refused(channel, raw)


@pytest.mark.requirement(18)
async def test_an_authenticated_app_gets_a_lost_answer_repeated_without_limit() -> None:
    async with back_channel() as channel:
        await channel.person()
        raw, grant = await channel.family(expires_at=made.NOW + 30 * DAY)
        lost = await channel.refresh(raw)
        assert isinstance(lost, TokenResponse)
        for _ in range(3):
            channel.clock.time += 20_000
            again = await channel.refresh(raw)
            assert isinstance(again, TokenResponse)
            assert again.refresh_token == lost.refresh_token
        assert await channel.audited(LATE) == 0
        assert (await held(channel, grant))[0].late_at is None


@pytest.mark.requirement(18)
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_64_concurrent_late_repeats_over_two_processes_are_all_answered_and_one_is_audited(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = tmp_path / "d.db" if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    async with back_channel(place) as one, back_channel(place) as two:
        raw, grant = await family(one)
        for round_number in range(3):
            lost = await good(one, raw)
            for channel in (one, two):
                channel.clock.time += DAY
            answers = await asyncio.gather(*(ask((one, two)[i % 2], raw) for i in range(64)))
            given = [answer for answer in answers if isinstance(answer, TokenResponse)]
            assert len(given) == 64
            assert {answer.refresh_token for answer in given} == {lost}
            assert await one.audited(LATE) == round_number + 1
            raw = lost
        token, stored = await held(two, grant)
        assert (token.late_at, stored.ended_at) == (one.clock.time, None)
        assert await good(two, raw)


@pytest.mark.requirement(18)
async def test_a_late_repeat_whose_grant_ends_meanwhile_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with back_channel() as channel:
        raw, grant = await family(channel)
        await good(channel, raw)
        channel.clock.time += DAY
        commit = type(channel.store).commit

        async def overtaken(self: object, *writes: object) -> bool:
            monkeypatch.undo()
            assert await channel.store.commit(
                channel.store.grants.end(grant.id, channel.clock.time, "revoked")
            )
            return await commit(self, *writes)  # type: ignore[arg-type]

        monkeypatch.setattr(type(channel.store), "commit", overtaken)
        await refused(channel, raw)
        assert await channel.audited(LATE) == 0


@pytest.mark.requirement(18)
async def test_a_row_from_before_late_repeats_existed_allows_its_first_one(
    tmp_path: Path,
) -> None:
    async with back_channel(tmp_path / "d.db") as channel:
        raw, grant = await family(channel)
        lost = await good(channel, raw)
        channel.clock.time += 3 * DAY
        assert (await held(channel, grant))[0].late_at is None
        assert await good(channel, raw) == lost


@pytest.mark.requirement(18, 56)
@pytest.mark.parametrize("strict", [False, True])
async def test_introspection_of_every_token_agrees_with_the_token_endpoint(strict: bool) -> None:
    async with back_channel(refresh_strict=strict) as channel:
        await channel.person()
        raw, grant = await channel.family(expires_at=made.NOW + 30 * DAY)
        for step in (1, 58, 1, 3000, 86_400):
            chain = [raw]
            for _ in range(2):
                answer = await channel.refresh(chain[-1])
                assert isinstance(answer, TokenResponse)
                chain.append(answer.refresh_token or "")
            channel.clock.time += step
            for token in chain:
                before = await held(channel, grant)
                told = await channel.introspect(
                    {"token": token}, authorization=basic(made.client()), caller=CALLER
                )
                assert isinstance(told, dict)
                assert await held(channel, grant) == before, "introspection changed the stored token"
                answer = await channel.refresh(token)
                assert told["active"] is isinstance(answer, TokenResponse), (step, chain.index(token))
                if isinstance(answer, OAuthError):
                    break
                assert {"sub", "scope", "exp"} <= set(told)
                assert ("iat" in told) is (token == chain[-1])
            raw, grant = await channel.family(expires_at=made.NOW + 30 * DAY)


async def test_a_public_app_that_became_confidential_is_judged_by_its_current_registration() -> None:
    async with back_channel() as channel:
        raw, grant = await family(channel)
        lost = await good(channel, raw)
        channel.clock.time += DAY
        assert await good(channel, raw) == lost
        channel.clock.time += 3600
        now = structs.replace(made.client(), id="app_spa")
        await channel.put(now)
        again = await channel.refresh(raw, now)
        assert isinstance(again, TokenResponse)
        assert again.refresh_token == lost
        assert (await held(channel, grant))[1].ended_at is None
