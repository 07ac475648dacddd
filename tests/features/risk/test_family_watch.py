"""Networks of tokens: noted without a statement, written in the background, and read by the next sign-in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from doorward.core.model.grant import Grant
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.risk import family_watch as watching
from doorward.features.risk.build import family_watch
from doorward.features.risk.family_watch import FamilyWatch
from doorward.features.risk.settings import RiskPolicy
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, basic
from tests.features.risk.watched import BERLIN, LISBON, assessed, at_home, watched
from tests.front_channel import Front
from tests.work_done import recorded

pytestmark = pytest.mark.anyio


@pytest.fixture
def policy() -> RiskPolicy:
    """The default one; a test names another."""
    return RiskPolicy()


@pytest.fixture
async def front(tmp_path: Path, policy: RiskPolicy) -> AsyncGenerator[Front]:
    """The server with this policy, and Ada."""
    async with watched(tmp_path, policy=policy) as opened:
        await opened.person()
        yield opened


def watch(front: Front) -> FamilyWatch:
    return front.services.get(family_watch)


async def granted(front: Front) -> Grant:
    grant = made.grant(account_id="usr_ada", client_id="app_web", session_id=None)
    assert await front.store.commit(front.store.grants.insert(grant))
    return grant


async def by_turns(front: Front, grant: Grant) -> int:
    for number in range(4):
        watch(front).note(grant.id, (LISBON, BERLIN)[number % 2], front.now + number * 60)
    return await watch(front).judge()


async def test_two_countries_in_turn_are_told_once(front: Front) -> None:
    home = await at_home(front)
    grant = await granted(front)
    assert await by_turns(front, grant) == 1
    assert await by_turns(front, grant) == 0, "once an hour"
    (line,) = await front.audited("refresh_token.two_networks")
    assert (line.account_id, line.client_id, line.grant_id) == ("usr_ada", "app_web", grant.id)
    assert (line.detail["one"], line.detail["other"]) == (LISBON, BERLIN)
    front.clock.time += 60
    assert (await home.sign_in()).header("location") == "/account", "nothing is asked on a known device (R95)"
    assert await assessed(front) == []


async def test_the_next_sign_in_on_another_device_is_asked_about(front: Front) -> None:
    await at_home(front)
    assert await by_turns(front, await granted(front)) == 1
    front.clock.time += 60
    tab = front.browser(LISBON)
    page = await tab.on(await tab.sign_in())
    assert "An app's access to the account was used from two networks at once." in page.words
    (verdict,) = await assessed(front)
    assert verdict.detail["reasons"] == ["family_on_two_networks"]
    assert {verdict.detail["here"], verdict.detail["before"]} == {"Lisbon, PT", "Berlin, DE"}


@pytest.mark.parametrize("policy", [RiskPolicy(family_on_two_networks="end")])
async def test_the_grant_ends_where_the_operator_wants_that(front: Front) -> None:
    grant = await granted(front)
    assert await by_turns(front, grant) == 1
    assert (await front.store.grants.live_of_account("usr_ada", front.now)) == []


async def test_the_memory_is_bounded(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST", 2)
    for number in range(5):
        watch(front).note(f"gra_{number}", LISBON, front.now)
    assert list(watch(front)._watched) == ["gra_3", "gra_4"]


@pytest.mark.parametrize("policy", [RiskPolicy(mode="off")])
async def test_off_notes_nothing(front: Front) -> None:
    assert await by_turns(front, await granted(front)) == 0


@pytest.mark.usefixtures("channel_account")
async def test_refreshes_and_introspection_are_noted_without_a_statement(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[str, str]] = []
    raw, grant = await channel.family()
    # the first rotation reads the token; those after it are decided from memory
    first = await channel.refresh(raw)
    assert isinstance(first, TokenResponse)
    with recorded() as steps:
        answer = await channel.refresh(first.refresh_token or "")
    assert isinstance(answer, TokenResponse)

    def note(_: FamilyWatch, grant_id: str, address: str, now: int) -> None:
        assert now
        noted.append((grant_id, address))

    monkeypatch.setattr(FamilyWatch, "note", note)
    with recorded() as unwatched:
        again = await channel.refresh(answer.refresh_token or "")
    assert steps == unwatched
    assert noted == [(grant.id, CALLER.address)]
    assert isinstance(again, TokenResponse)
    asked = {"token": again.access_token, "caller_address": BERLIN}
    api = made.client(id="app_orders", name="orders")
    await channel.put(api)
    for asker in (made.client(), api):
        seen = await channel.introspect(asked, authorization=basic(asker), caller=CALLER)
        assert isinstance(seen, dict)
        assert seen["active"]
    assert noted[1:] == [(grant.id, BERLIN)], "the API is believed, the token's own app is not"
