"""Attacks on what risk knows: forged headers, and strangers' tries."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from doorward.features.risk.build import family_watch
from doorward.features.risk.settings import RiskPolicy
from tests.browsing import CHROME, PASSWORD
from tests.features import made
from tests.features.oauth.logout.back_channel import basic
from tests.features.risk.watched import BERLIN, LISBON, assessed, at_home, stranger, watched
from tests.front_channel import Front
from tests.tabs import Tab, sent_to

pytestmark = pytest.mark.anyio


@pytest.fixture
async def front(tmp_path: Path) -> AsyncGenerator[Front]:
    """The server without a proxy, and Ada."""
    async with watched(tmp_path, policy=RiskPolicy(addresses_per_account=2, spray_misses=2)) as opened:
        await opened.person()
        yield opened


async def forged(tab: Tab) -> tuple[int, str]:
    """A sign-in with headers that a proxy would set, and the user agent of the owner."""
    tab.user_agent = CHROME
    page = await tab.get("/sign-in")
    chosen = page.forms["sign-in"]
    answer = await tab.ask(
        "POST",
        chosen.action,
        form={**chosen.fields, "identifier": "ada@example.com", "password": PASSWORD},
        origin="https://auth.example.com",
        sec_fetch_site="same-origin",
        x_forwarded_for=LISBON,
        forwarded=f"for={LISBON}",
        x_real_ip=LISBON,
        true_client_ip=LISBON,
    )
    return answer.status, answer.header("location") or ""


@pytest.mark.requirement(95)
async def test_risk_state_poisoned_by_forged_headers(front: Front) -> None:
    await at_home(front)
    status, location = await forged(front.browser(BERLIN))
    assert status == 303
    assert location.startswith("/sign-in/code"), "neither the address nor the browser makes a thief known"
    (line,) = await assessed(front)
    assert line.address == BERLIN
    assert line.detail["here"] == "Berlin, DE"


@pytest.mark.requirement(81, 95, 96)
async def test_strangers_tries_make_nothing_known_and_ask_nothing_of_the_owner(front: Front) -> None:
    home = await at_home(front)
    for address in (LISBON, BERLIN, "20.3.3.9", "20.4.4.9"):
        for _ in range(2):
            await stranger(front, address).sign_in(password="wrong horse battery staple")
    assert (await home.sign_in()).header("location") == "/account"
    assert await assessed(front) == []
    thief = stranger(front, BERLIN)
    assert (await thief.sign_in()).header("location") != "/account", "tries in Berlin made it no known place"
    (line,) = await assessed(front)
    assert set(line.detail["reasons"]) >= {"new_country", "many_addresses_on_account", "password_spray"}
    assert "new_device" not in line.detail["reasons"], "the account has too few sign-ins"


@pytest.mark.requirement(95)
@pytest.mark.parametrize("policy", [RiskPolicy(family_on_two_networks="end")])
async def test_an_app_cannot_make_up_two_networks_for_its_own_tokens(
    tmp_path: Path, policy: RiskPolicy
) -> None:
    """Four introspections by the token's own app, from addresses that it makes up, would end the grant, or have the person asked."""
    async with watched(tmp_path, policy=policy) as front:
        await front.person(role_names=("rol_reader",))
        app, tab = await front.register(made.client(first_party=True)), front.browser()
        landed = await tab.sign_in_at(await tab.get(front.asking(app)))
        code = parse_qs(urlsplit(sent_to(landed)).query)["code"]
        tokens = await front.redeem(app, code[0])
        for number in range(6):
            front.clock.time += 30
            form = {"token": tokens["access_token"], "caller_address": (LISBON, BERLIN)[number % 2]}
            answer = await front.browser().ask("POST", "/introspect", form=form, authorization=basic(app))
            assert msgspec.json.decode(answer.text)["active"] is True
        assert await front.services.get(family_watch).judge() == 0
        assert await front.audited("refresh_token.two_networks") == []
        assert len(await front.store.grants.live_of_account("usr_ada", front.now)) == 1
