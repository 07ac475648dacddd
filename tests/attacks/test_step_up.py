"""Step-up, from the challenge of an API back to the repeated call (RFC 9470); and an app that asks for less than is needed."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest

from doorward.core.model.digest import digest
from doorward.core.model.session import Session
from doorward_verify import AuthError, Demand, ResourceServer, demand
from tests.all_factors import all_factors
from tests.authenticator import Authenticator
from tests.browsing import SESSION
from tests.features import made
from tests.features.authn.factors.passkeys.served import enrol, options_on, use
from tests.features.authn.test_toys import claims_of, said
from tests.front_channel import Front
from tests.tabs import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(38)]
OWN = made.client(id="app_own", name="own", first_party=True)
AAL1, AAL2, AAL3, PHR = "urn:doorward:aal1", "urn:doorward:aal2", "urn:doorward:aal3", "phr"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with all_factors() as opened:
        await opened.register(OWN)
        await opened.person()
        yield opened


class Api:
    """An API with one resource, which requires `asked`."""

    def __init__(self, front: Front, asked: Demand) -> None:
        self.asked = asked
        self.auth = ResourceServer(
            made.ISSUER,
            made.API,
            jwks=msgspec.json.decode(msgspec.json.encode(front.services.signer.jwks())),
            clock=lambda: front.now,
        )

    def challenge(self, token: str) -> dict[str, str]:
        """The parameters of the challenge to a call that must not succeed."""
        found = self.call(token)
        assert found is not None
        return found

    def call(self, token: str) -> dict[str, str] | None:
        """None if the call succeeds, otherwise the parameters of the challenge."""
        try:
            self.auth.check(self.auth.verify(token), self.asked)
        except AuthError as refused:
            answer = self.auth.challenge(refused)
            assert answer.status == 401
            challenge = dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["WWW-Authenticate"]))
            assert challenge["error"] == "insufficient_user_authentication"
            return {name: challenge[name] for name in ("acr_values", "max_age") if name in challenge}
        return None


async def token(front: Front, page: Any) -> dict[str, Any]:
    """What the app gets at the end of a sign-in."""
    answer = await front.redeem(OWN, said(page)["code"])
    assert answer["status"] == 200, answer
    return answer


async def by_password(front: Front) -> tuple[Tab, dict[str, Any]]:
    """A person who has signed in with a password, and the app's tokens."""
    tab = front.browser()
    return tab, await token(front, await tab.sign_in_at(await tab.get(front.asking(OWN))))


async def passkey(front: Front, *, second: bool = False, **about: Any) -> Authenticator:
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    return await enrol(front, ada, second=second, **about)


async def session_of(front: Front, tab: Tab) -> Session:
    found = await front.store.sessions.by_secret(digest(tab.cookies[SESSION]))
    assert found is not None
    return found


@pytest.mark.parametrize("level", [AAL2, PHR])
async def test_the_app_follows_the_challenge_and_its_call_succeeds(front: Front, level: str) -> None:
    phone = await passkey(front)
    tab, first = await by_password(front)
    api = Api(front, demand(acr=[level]))
    challenge = api.challenge(first["access_token"])
    assert challenge == {"acr_values": level}
    front.clock.time += 90
    page = await tab.on(await tab.get(front.asking(OWN, **challenge)))
    assert page.path.startswith("/sign-in/passkey")
    second = await token(front, await use(tab, page, phone))
    assert api.call(second["access_token"]) is None
    session = await session_of(front, tab)
    assert session.acr == AAL2
    for stated in (claims_of(second["access_token"]), claims_of(second["id_token"])):
        assert (stated["acr"], stated["auth_time"]) == (level, front.now)
        assert sorted(stated["amr"]) == ["mfa", "pwd", "swk", "user"]
    assert session.auth_time == front.now
    # the next request of the same level is silent, and a refreshed token says the same
    silent = await token(front, await tab.get(front.asking(OWN, prompt="none", **challenge)))
    assert api.call(silent["access_token"]) is None
    assert claims_of(silent["access_token"])["auth_time"] == front.now


async def test_a_code_of_the_app_answers_a_challenge_for_two_factors(front: Front) -> None:
    tab, first = await by_password(front)
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    await front.authenticator(ada)
    api = Api(front, demand(acr=[AAL2], max_age=300))
    challenge = api.challenge(first["access_token"])
    assert challenge == {"acr_values": AAL2, "max_age": "300"}
    page = await tab.on(await tab.get(front.asking(OWN, **challenge)))
    assert page.path.startswith("/sign-in/code")
    second = await token(front, await tab.submit(page, "second-factor", code=front.code()))
    assert api.call(second["access_token"]) is None


async def test_a_token_for_more_is_accepted_where_less_is_required(front: Front) -> None:
    phone = await passkey(front)
    tab, _ = await by_password(front)
    page = await tab.on(await tab.get(front.asking(OWN, acr_values=PHR)))
    strong = await token(front, await use(tab, page, phone))
    assert claims_of(strong["access_token"])["acr"] == PHR
    for level in (AAL1, AAL2, PHR):
        assert Api(front, demand(acr=[level])).call(strong["access_token"]) is None
    assert Api(front, demand(acr=[AAL3])).call(strong["access_token"]) == {"acr_values": AAL3}


async def test_a_level_that_nobody_reaches_ends_in_an_answer_and_not_in_a_loop(front: Front) -> None:
    phone = await passkey(front)
    tab, first = await by_password(front)
    api = Api(front, demand(acr=[AAL3]))
    challenge = api.challenge(first["access_token"])
    assert challenge == {"acr_values": AAL3}
    page = await tab.on(await tab.get(front.asking(OWN, **challenge)))
    second = await token(front, await use(tab, page, phone))
    assert claims_of(second["access_token"])["acr"] == AAL2
    assert api.call(second["access_token"]) == {"acr_values": AAL3}, "the app stops here"
    # asked again, the person is not: what they can show is shown
    again = await token(front, await tab.get(front.asking(OWN, **challenge)))
    assert claims_of(again["access_token"])["acr"] == AAL2
    essential = msgspec.json.encode({"id_token": {"acr": {"essential": True, "value": AAL3}}}).decode()
    refused = said(await tab.get(front.asking(OWN, claims=essential)))
    assert refused["error"] == "unmet_authentication_requirements"


@pytest.mark.requirement(13)
async def test_an_old_sign_in_is_renewed_as_a_whole(front: Front) -> None:
    tab, first = await by_password(front)
    api = Api(front, demand(max_age=60))
    assert api.call(first["access_token"]) is None
    front.clock.time += 100
    challenge = api.challenge(first["access_token"])
    assert challenge == {"max_age": "60"}
    page = await tab.get(front.asking(OWN, **challenge))
    assert (page.header("location") or "").startswith("/sign-in"), "a session of before is not enough"
    second = await token(front, await tab.sign_in_at(page))
    assert api.call(second["access_token"]) is None
    assert claims_of(second["access_token"])["auth_time"] == front.now
    # a new app in the same session does not make the sign-in younger
    front.clock.time += 50
    third = await token(front, await tab.get(front.asking(OWN)))
    assert claims_of(third["access_token"])["auth_time"] == front.now - 50


@pytest.mark.requirement(13, 85)
@pytest.mark.parametrize("asked", [{"max_age": "0"}, {"prompt": "login"}])
async def test_every_factor_is_shown_anew_when_the_app_says_so(front: Front, asked: dict[str, str]) -> None:
    phone = await passkey(front, second=True)
    tab = front.browser()
    page = await tab.on(await tab.sign_in_at(await tab.get(front.asking(OWN))))
    await token(front, await use(tab, page, phone))
    front.clock.time += 5
    page = await tab.get(front.asking(OWN, **asked))
    assert (page.header("location") or "").startswith("/sign-in")
    page = await tab.on(await tab.sign_in_at(page))
    assert page.path.startswith("/sign-in/passkey"), "the passkey of before does not count"
    done = await token(front, await use(tab, page, phone))
    assert claims_of(done["access_token"])["auth_time"] == front.now


@pytest.mark.requirement(13)
async def test_a_step_up_in_another_tab_makes_a_waiting_sign_in_no_older_than_it_asks(front: Front) -> None:
    phone = await passkey(front)
    tab, _ = await by_password(front)
    front.clock.time += 50
    # this tab waits for the passkey, with a password that was recent enough when it began
    waiting = await tab.on(await tab.get(front.asking(OWN, acr_values=PHR, max_age="60")))
    answer = phone.get(options_on(waiting))
    other = await tab.on(await tab.get(front.asking(OWN, acr_values=AAL2)))
    await use(tab, other, phone)
    front.clock.time += 5
    done = await token(front, await tab.submit(waiting, "passkey", credential=answer))
    assert claims_of(done["access_token"])["auth_time"] == front.now
    assert claims_of(done["access_token"])["acr"] == PHR


WEAKER: list[dict[str, str]] = [
    {"acr_values": AAL1},
    {"acr_values": "urn:somebody:else"},
    {"acr_values": f"{AAL1} {AAL2}"},
    {"max_age": "315360000"},
    {"prompt": "select_account"},
    {"claims": '{"id_token":{"acr":{"essential":true,"value":"urn:doorward:aal1"}}}'},
    {"claims": '{"id_token":{"acr":{"value":"urn:doorward:aal1"}}}'},
]


@pytest.mark.requirement(85)
@pytest.mark.parametrize("asked", WEAKER, ids=str)
async def test_no_wish_of_an_app_spares_the_factor_of_its_owner(front: Front, asked: dict[str, str]) -> None:
    phone = await passkey(front, second=True)
    tab = front.browser()
    page = await tab.on(await tab.sign_in_at(await tab.get(front.asking(OWN, **asked))))
    assert page.path.startswith("/sign-in/passkey")
    assert (await tab.get("/account")).header("location") is not None, "half a sign-in gives no access"
    done = await token(front, await use(tab, page, phone))
    assert "mfa" in claims_of(done["access_token"])["amr"]
    # and a wish for less names no less, unless the app calls it essential
    expected = AAL1 if "essential" in asked.get("claims", "") else AAL2
    assert claims_of(done["access_token"])["acr"] == expected


@pytest.mark.requirement(85)
async def test_an_app_that_asks_for_no_page_gets_no_code_from_half_a_sign_in(front: Front) -> None:
    await passkey(front, second=True)
    tab = front.browser()
    await tab.sign_in_at(await tab.get(front.asking(OWN)))
    refused = said(await tab.get(front.asking(OWN, prompt="none")))
    assert refused["error"] == "login_required"
    assert await front.store.grants.live_of_account("usr_ada", front.now) == []
