"""Verdicts in sign-ins, through each door and on both stores."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.risk import CODES
from doorward.features.oauth.first_party import build
from doorward.features.oauth.first_party.outcomes import Code, More
from doorward.features.risk.settings import RiskPolicy
from tests.browsing import PASSWORD, SESSION
from tests.engines import BOTH, Engine
from tests.features import made
from tests.features.risk.watched import (
    BERLIN,
    LISBON,
    OTHER_AGENT,
    SYDNEY,
    assessed,
    at_home,
    mailed_code,
    stranger,
    watched,
)
from tests.front_channel import CODE_CHALLENGE, Front
from tests.trusting import sign_out_of

ENGINES = BOTH
pytestmark = pytest.mark.anyio
APP = made.public(id="app_tv", first_party=True, redirect_uris=())
BEGIN = {
    "client_id": "app_tv",
    "scope": "openid",
    "code_challenge": CODE_CHALLENGE,
    "code_challenge_method": "S256",
    "response_type": "code",
    "username": "ada@example.com",
    "password": PASSWORD,
}
AWAY = Caller(BERLIN, OTHER_AGENT, "req-1")


def all_of(verdict: str, **more: Any) -> RiskPolicy:
    return structs.replace(RiskPolicy(), **dict.fromkeys(CODES, verdict), **more)


@pytest.fixture
def policy() -> RiskPolicy:
    """The default one; a test names another."""
    return RiskPolicy()


@pytest.fixture
async def front(
    engine: Engine, request: pytest.FixtureRequest, tmp_path: Path, policy: RiskPolicy
) -> AsyncGenerator[Front]:
    """The server with this policy."""
    database = ":memory:" if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    async with watched(tmp_path, policy=policy, database=database) as opened:
        await opened.register(APP)
        await opened.person()
        yield opened


async def call(front: Front, params: Mapping[str, str], caller: Caller = AWAY) -> Code | More | OAuthError:
    return await front.services.get(build.challenge).answer(params, authorization=None, caller=caller)


async def test_a_sign_in_at_home_on_a_known_device_is_asked_nothing(front: Front) -> None:
    tab = await at_home(front)
    assert (await tab.sign_in()).header("location") == "/account"
    assert await assessed(front) == []


async def test_a_browser_update_is_the_same_device(front: Front) -> None:
    """A browser update is the same device, wherever it is and whatever it says it is."""
    tab = await at_home(front)
    tab.user_agent, tab.address = OTHER_AGENT, SYDNEY
    assert (await tab.sign_in()).header("location") == "/account"
    assert await assessed(front) == []


async def test_who_has_no_second_step_is_mailed_a_code_and_told_why(front: Front) -> None:
    await at_home(front)
    tab = stranger(front)
    page = await tab.on(await tab.sign_in())
    assert "second-factor" in page.forms, page.words
    assert "This sign-in looks unusual" in page.words
    assert "It comes from Berlin, DE , and an earlier one came from PT ." in page.words
    assert "Lisbon" not in page.text, "a thief of the password does not learn the town of its owner"
    assert SESSION not in tab.cookies
    wrong = await tab.submit(page, "second-factor", code="000000")
    assert wrong.problem is not None
    done = await tab.submit(wrong, "second-factor", code=await mailed_code(front))
    assert done.header("location") == "/account", done.words
    (line,) = await assessed(front)
    assert line.account_id == "usr_ada"
    assert line.detail["verdict"] == "ask_factor"
    assert line.detail["reasons"] == ["new_country"]
    assert (line.detail["here"], line.detail["before"]) == ("Berlin, DE", "Lisbon, PT")
    (session, *_) = await front.store.sessions.live_of("usr_ada", front.now)
    assert "mfa" not in session.amr, "a mailbox raises no level"
    sign_out_of(tab)
    front.clock.time += 60
    assert (await tab.sign_in()).header("location") == "/account", "the device is known now"


@pytest.mark.parametrize("policy", [RiskPolicy(impossible_travel="ask_factor")])
async def test_a_thief_learns_nothing_of_a_later_sign_in_of_the_owner(front: Front) -> None:
    """The page was asked for again: it told of the newest question, which may be the owner's in another town."""
    await at_home(front)
    thief, owner = stranger(front), stranger(front, SYDNEY)
    page = await thief.on(await thief.sign_in())
    front.clock.time += 60
    asked = await owner.on(await owner.sign_in())
    assert "It comes from Sydney, AU" in asked.words
    again = await thief.get(page.path)
    assert "It comes from Berlin, DE" in again.words
    assert "Sydney" not in again.text


async def test_the_owner_sees_both_places(front: Front) -> None:
    home = await at_home(front)
    await stranger(front).sign_in()
    await home.sign_in()
    page = await home.get("/account/activity")
    assert "A sign-in looked unusual" in page.words
    assert "It comes from Berlin, DE , and an earlier one came from Lisbon, PT ." in page.words


async def test_a_second_step_of_the_person_is_asked_for_and_no_mail_is_sent(front: Front) -> None:
    await at_home(front)
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    await front.authenticator(ada)
    sent = len(await front.store.messages.recent_mail(50))
    tab = stranger(front)
    page = await tab.on(await tab.sign_in())
    assert "Get a code" not in page.words
    done = await tab.submit(page, "second-factor", code=front.code())
    assert done.header("location") == "/account"
    told = len(await front.store.messages.recent_mail(50)) - sent
    assert told == 1, "only the notice of a new device"


@pytest.mark.parametrize("policy", [all_of("ask_phishing_resistant")])
async def test_without_a_passkey_the_best_that_the_person_has_is_asked_for(front: Front) -> None:
    await at_home(front)
    tab = stranger(front)
    page = await tab.on(await tab.sign_in())
    done = await tab.submit(page, "second-factor", code=await mailed_code(front))
    assert done.header("location") == "/account", done.words


@pytest.mark.parametrize("policy", [all_of("refuse")])
async def test_a_refusal_is_a_page_that_helps_and_no_session(front: Front) -> None:
    home = await at_home(front)
    tab = stranger(front)
    page = await tab.sign_in()
    assert page.status == 403
    assert "We stopped this sign-in" in page.words
    assert SESSION not in tab.cookies
    assert (await assessed(front))[0].ok is False
    again = await tab.on(await tab.get("/sign-in"))
    assert "sign-in" in again.forms
    assert (await home.sign_in()).header("location") == "/account", "the owner is not kept out (R95)"


@pytest.mark.parametrize("policy", [all_of("end")])
async def test_an_end_ends_all_access(front: Front) -> None:
    home = await at_home(front)
    await home.sign_in()
    assert len(await front.store.sessions.live_of("usr_ada", front.now)) == 2
    page = await stranger(front).sign_in()
    assert page.status == 403
    assert await front.store.sessions.live_of("usr_ada", front.now) == []
    assert (await home.sign_in()).header("location") == "/account"


@pytest.mark.parametrize("policy", [all_of("refuse", mode="shadow")])
async def test_shadow_writes_and_asks_nobody(front: Front) -> None:
    home = await at_home(front)
    assert (await stranger(front).sign_in()).header("location") == "/account"
    assert await assessed(front) == []
    (line,) = await assessed(front, "risk.shadowed")
    assert line.detail["verdict"] == "refuse"
    await home.sign_in()
    assert "unusual" not in (await home.get("/account/activity")).words


@pytest.mark.parametrize("policy", [all_of("refuse", mode="off")])
async def test_off_looks_at_nothing(front: Front) -> None:
    await at_home(front)
    assert (await stranger(front).sign_in()).header("location") == "/account"
    assert await assessed(front) + await assessed(front, "risk.shadowed") == []


async def test_the_json_sign_in_asks_the_same(front: Front) -> None:
    await at_home(front)
    asked = await call(front, BEGIN)
    assert isinstance(asked, More), asked
    assert asked.next == "second_factor"
    assert [one["method"] for one in asked.acceptable] == ["email_code"]
    handle = {"client_id": "app_tv", "auth_session": asked.auth_session}
    sent = await call(front, {**handle, "send": "email_code"})
    assert isinstance(sent, More)
    assert sent.because is None
    done = await call(front, {**handle, "code": await mailed_code(front), "method": "email_code"})
    assert isinstance(done, Code), done
    assert len(await assessed(front)) == 1


@pytest.mark.parametrize("policy", [all_of("refuse")])
async def test_the_json_sign_in_is_refused_by_the_codes_of_its_specification(front: Front) -> None:
    await at_home(front)
    refused = await call(front, BEGIN)
    assert isinstance(refused, OAuthError)
    assert refused.code == "access_denied"
    assert await front.store.grants.live_of_account("usr_ada", front.now) == []
    (line,) = await assessed(front)
    assert line.detail["verdict"] == "refuse"


async def test_a_json_app_with_its_device_token_is_asked_nothing(front: Front) -> None:
    at_once = await call(front, BEGIN, Caller(LISBON, OTHER_AGENT, "req-1"))
    assert isinstance(at_once, Code)
    assert at_once.device_token is not None
    front.clock.time += 60
    again = await call(front, {**BEGIN, "device_token": at_once.device_token})
    assert isinstance(again, Code)
