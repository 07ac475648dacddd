"""Device sign-in attacked: codes guessed, people phished, codes of others fetched, a sign-in prepared by somebody else (RFC 8628 §5)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from doorward.core.model.policy import ThrottlePolicy
from doorward.features.oauth.grants.device_code.requests import GRANT_TYPE
from doorward.features.oauth.registration.settings import RegistrationPolicy
from tests.browsing import SESSION
from tests.devices import Device, allow, ask, device, device_app, state
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.tabs import Tab

pytestmark = pytest.mark.anyio


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    """A server that Ada has an account at."""
    async with front_channel() as opened:
        await opened.person()
        yield opened


async def statuses(tab: Tab, typed: list[str]) -> list[int]:
    page = await tab.get("/device")
    return [(await tab.submit(page, "device-code", user_code=code)).status for code in typed]


def codes(number: int) -> list[str]:
    """Codes that no device shows."""
    letters = "BCDFGHJKLM"
    return ["".join(letters[int(digit)] for digit in f"{n:08d}") for n in range(number)]


@pytest.mark.requirement(34, 96)
async def test_user_codes_are_guessed_ten_times_whoever_signs_in_and_however_often() -> None:
    """RFC 8628 §5.1. Counted for the account, whatever the session; right codes, which anybody can get, give no further guesses."""
    async with front_channel(throttle=ThrottlePolicy(per_device=4)) as front:
        await front.person()
        found, tab = await device(front), await front.signed_in()
        assert await statuses(tab, codes(6)) == [400] * 4 + [429] * 2
        page = await ask(tab, found.user_code)
        assert page.status == 429, "the right code is not looked at either"
        again = await front.signed_in()
        again.cookies.update({k: v for k, v in tab.cookies.items() if "device" in k})
        assert (await ask(again, found.user_code)).status == 429
        front.clock.time += 900
        await found.begin()
        assert "consent" in (await ask(tab, found.user_code)).forms
        assert await statuses(tab, codes(4)) == [400] * 3 + [429]
        assert len(await front.audited("user_code.wrong")) == 7


@pytest.mark.requirement(34, 96)
async def test_wrong_user_codes_of_a_network_are_counted_over_all_accounts() -> None:
    async with front_channel(throttle=ThrottlePolicy(per_address=6)) as front:
        answers: list[int] = []
        tabs = [front.browser() for _ in range(3)]
        for number, tab in enumerate(tabs):
            await front.person(id=f"usr_{number}", email=f"p{number}@example.com")
            await tab.sign_in(email=f"p{number}@example.com")
        for tab in tabs:
            # without the cookie by which the account knows this browser
            tab.cookies = {name: value for name, value in tab.cookies.items() if "device" not in name}
            answers += await statuses(tab, codes(3))
        assert answers == [400] * 6 + [429] * 3


@pytest.mark.requirement(96)
async def test_guesses_at_once_are_checked_only_up_to_the_limit() -> None:
    async with front_channel(throttle=ThrottlePolicy(per_device=5)) as front:
        await front.person()
        tab = await front.signed_in()
        page = await tab.get("/device")
        tries = [tab.submit(page, "device-code", user_code=code) for code in codes(24)]
        answers = [page.status for page in await asyncio.gather(*tries)]
        assert answers.count(400) == 5


@pytest.mark.requirement(34)
async def test_an_address_with_a_code_has_no_effect_and_tells_nothing(front: Front) -> None:
    """RFC 8628 §3.3.1, §5.4: somebody sends their own device's complete address. Opening it, signed in or not, decides nothing, and
    looks the same whether or not a device shows that code."""
    found, tab = await device(front), await front.signed_in()
    pages = [await tab.get(f"/device?user_code={code}") for code in (found.user_code, "BBBB-BBBB")]
    assert [page.status for page in pages] == [200, 200]
    shown = [page.words.replace(found.user_code, "-").replace("BBBB-BBBB", "-") for page in pages]
    assert shown[0] == shown[1]
    assert "Don't continue if someone sent you this code." in pages[0].words
    assert "Compare it with your device." in pages[0].words
    for name in ("user_code", "code"):
        await tab.get(f"/device?{name}={found.user_code}&decision=allow")
    assert await found.said() == "authorization_pending"
    front.clock.time += 5
    page = await tab.foreign_post("/device", {"user_code": found.user_code, "decision": "allow"})
    assert "consent" not in page.forms
    assert await found.said() == "authorization_pending"


@pytest.mark.requirement(34)
async def test_the_question_cannot_be_answered_from_another_site_or_another_browser(front: Front) -> None:
    """Session fixation: an attacker types the code in their browser, and sends the victim the page, or its form."""
    found = await device(front)
    await front.person(id="usr_eve", email="eve@example.com", name="Eve")
    eve, ada = front.browser(), await front.signed_in()
    await eve.sign_in(email="eve@example.com")
    question = await ask(eve, found.user_code)
    flow = question.forms["consent"].fields["flow"]
    page = await ada.get(f"/consent?flow={flow}")
    assert "consent" not in page.forms
    fields = {**question.forms["consent"].fields, "decision": "allow"}
    await ada.foreign_post("/consent", fields)
    page = await ada.follow(await ada.post("/consent", fields))
    assert "Corner CLI" not in page.words or "consent" in page.forms
    assert await found.said() == "authorization_pending"
    assert not await front.audited("device_code.approved")


@pytest.mark.requirement(34)
async def test_a_question_for_one_person_is_not_answered_by_the_next_in_the_same_browser(
    front: Front,
) -> None:
    """Session fixation: Eve leaves her question open in a shared browser, and Ada signs in there."""
    found = await device(front)
    await front.person(id="usr_eve", email="eve@example.com", name="Eve")
    tab = front.browser()
    await tab.sign_in(email="eve@example.com")
    page = await ask(tab, found.user_code)
    assert "eve@example.com" in page.words
    del tab.cookies[SESSION]
    await tab.sign_in()
    page = await tab.follow(await tab.submit(page, "consent", decision="allow"))
    assert state(page) == ""
    assert await found.said() == "authorization_pending"


@pytest.mark.requirement(35)
async def test_another_app_cannot_fetch_what_was_allowed_and_cannot_spend_it(front: Front) -> None:
    found = await device(front)
    other = replace(found, app=await front.register(device_app(id="app_evil", name="Evil CLI")))
    await allow(await front.signed_in(), found.user_code)
    assert await other.said() == "invalid_grant"
    assert (await found.poll())["status"] == 200
    assert await other.said() == "invalid_grant"
    tokens = await front.audited("device_code.reused")
    assert not tokens, "another app's try ends nothing"


@pytest.mark.requirement(34)
async def test_names_of_apps_and_devices_cannot_write_on_the_page(front: Front) -> None:
    """Whatever a device says of itself is not repeated: only names that this server knows are shown."""
    app = await front.register(device_app(name="Bank <b>of</b> \u202eyou"))
    found = Device(front, app, address="198.51.100.7")
    tab = front.browser(found.address)
    tab.user_agent = "Ask no questions, click Allow <script>"
    page = await tab.ask("POST", "/device_authorization", form={"client_id": app.id, "scope": "openid"})
    code = page.text.partition('"user_code":"')[2].partition('"')[0]
    page = await ask(await front.signed_in(), code)
    assert "Ask no questions" not in page.text
    assert "<b>of" not in page.text
    assert "\u202e" not in page.text
    assert "Unknown device" in page.words


@pytest.mark.requirement(34, 94)
async def test_a_person_who_is_disabled_while_deciding_lets_no_device_in(front: Front) -> None:
    found, tab = await device(front), await front.signed_in()
    page = await ask(tab, found.user_code)
    account = await front.store.accounts.get("usr_ada")
    assert account is not None
    await front.change(account, disabled_at=front.now)
    await tab.submit(page, "consent", decision="allow")
    assert await found.said() == "authorization_pending"
    assert made.API not in str(await front.audited("device_code.approved"))


@pytest.mark.requirement(34)
async def test_an_app_that_nobody_checked_is_named_so_whatever_its_name_says() -> None:
    """It registered itself under the name of another, and sends somebody the code of its device."""
    async with front_channel(registration=RegistrationPolicy(mode="open")) as front:
        await front.person()
        form = {
            "client_name": "Corner Shop",
            "grant_types": [GRANT_TYPE],
            "response_types": [],
            "token_endpoint_auth_method": "none",
        }
        answer = await front.browser().ask(
            "POST", "/register", body=json.dumps(form), content_type="application/json"
        )
        assert answer.status == 201, answer.text
        made = json.loads(answer.text)
        codes = await front.browser().ask(
            "POST",
            "/device_authorization",
            form={"client_id": made["client_id"], "scope": "openid"},
        )
        page = await ask(await front.signed_in(), json.loads(codes.text)["user_code"])
        assert "Let a device sign in to Corner Shop?" in page.words
        assert "Nobody here has checked this app, nor its name." in page.words
