"""Device pages: who is asked, what they see, and what is true afterwards."""

from __future__ import annotations

import pytest

from tests.browsing import PASSWORD
from tests.devices import Device, allow, ask, device, state
from tests.front_channel import Front

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]


@pytest.mark.requirement(34)
async def test_a_visitor_signs_in_first_and_keeps_the_code(front: Front) -> None:
    found, tab = await device(front), front.browser()
    page = await tab.sign_in_at(await tab.get(f"/device?user_code={found.user_code}"))
    page = await tab.follow(page)
    assert page.forms["device-code"].fields["user_code"] == found.user_code
    page = await tab.follow(await tab.submit(page, "device-code"))
    assert "consent" in page.forms


@pytest.mark.requirement(34)
async def test_the_question_shows_app_place_age_person_and_what_is_asked(front: Front) -> None:
    found, tab = await device(front), await front.signed_in()
    front.clock.time += 130
    page = await ask(tab, found.user_code.lower().replace("-", " "))
    for said in (
        "Let a device sign in to Corner CLI?",
        "Don't continue if someone sent you this code.",
        found.user_code,
        found.address,
        "Another network than yours",
        "Linux",
        "3 minutes ago",
        "ada@example.com",
        "Not you?",
        "See your orders",
    ):
        assert said in page.words, (said, page.words)
    assert page.text.count('name="decision"') == 2
    assert "primary" not in page.text, "Allow and Cancel have equal weight"
    near = Device(front, found.app, address=tab.address)
    await near.begin()
    page = await ask(tab, near.user_code)
    assert "Your network" in page.words
    assert "Just now" in page.words


@pytest.mark.requirement(34)
async def test_even_an_app_of_the_operators_own_and_a_known_one_asks_each_time(front: Front) -> None:
    """oxide.rs#1016: a page that confirms follows the code."""
    found, tab = await device(front, first_party=True), await front.signed_in()
    assert state(await allow(tab, found.user_code)) == "allowed"
    assert (await found.poll())["status"] == 200
    await found.begin()
    assert "consent" in (await ask(tab, found.user_code)).forms
    assert await found.said() == "authorization_pending"


@pytest.mark.requirement(34)
async def test_not_you_leads_to_another_account_and_back_to_the_question(front: Front) -> None:
    bob = await front.person(id="usr_bob", email="bob@example.com", name="Bob")
    found, tab = await device(front), await front.signed_in()
    page = await ask(tab, found.user_code)
    link = page.text.partition('id="not-you" href="')[2].partition('"')[0].replace("&amp;", "&")
    page = await tab.follow(await tab.get(link))
    page = await tab.submit(page, "sign-in", identifier="bob@example.com", password=PASSWORD)
    page = await tab.follow(page)
    assert "bob@example.com" in page.words
    await tab.submit(page, "consent", decision="allow")
    await found.poll()
    assert (await front.audited("device_code.redeemed"))[0].account_id == bob.id


@pytest.mark.requirement(100)
async def test_the_last_page_says_what_is_so_at_each_moment(front: Front) -> None:
    found, tab = await device(front), await front.signed_in()
    page = await allow(tab, found.user_code)
    address = page.path
    assert state(page) == "allowed"
    assert "Corner CLI" in page.words
    await found.poll()
    assert state(await tab.get(address)) == "connected"
    await found.poll()
    assert state(await tab.get(address)) == "ended"
    refused = Device(front, found.app)
    await refused.begin()
    page = await allow(tab, refused.user_code, "deny")
    assert state(page) == "denied"
    front.clock.time += 700
    assert state(await tab.get(page.path)) == "denied"
    late = Device(front, found.app)
    await late.begin()
    page = await allow(tab, late.user_code)
    front.clock.time += 700
    assert state(await tab.get(page.path)) == "expired"
    assert await late.said() == "expired_token"


@pytest.mark.requirement(100)
@pytest.mark.parametrize("decision", ["allow", "deny"])
async def test_a_decision_that_comes_too_late_is_not_reported_as_one(front: Front, decision: str) -> None:
    found, tab = await device(front), await front.signed_in()
    page = await ask(tab, found.user_code)
    front.clock.time += 600
    page = await tab.follow(await tab.submit(page, "consent", decision=decision))
    assert (page.status, state(page)) == (400, "expired")
    assert await found.said() == "expired_token"


@pytest.mark.requirement(100)
async def test_of_two_people_with_one_code_the_first_decides(front: Front) -> None:
    await front.person(id="usr_bob", email="bob@example.com", name="Bob")
    found, ada, bob = await device(front), await front.signed_in(), front.browser()
    await bob.sign_in(email="bob@example.com")
    first, second = await ask(ada, found.user_code), await ask(bob, found.user_code)
    await ada.submit(first, "consent", decision="deny")
    page = await bob.follow(await bob.submit(second, "consent", decision="allow"))
    assert state(page) == "used"
    assert await found.said() == "access_denied"
    assert not await front.audited("device_code.approved")


async def test_an_app_that_was_deleted_meanwhile_is_named_as_gone(front: Front) -> None:
    found, tab = await device(front), await front.signed_in()
    page = await ask(tab, found.user_code)
    await front.remove(found.app)
    page = await tab.follow(await tab.submit(page, "consent", decision="allow"))
    assert (page.status, state(page)) == (400, "refused")
    other = await device(front, id="app_other")
    await front.remove(other.app)
    page = await ask(tab, other.user_code)
    assert "No device shows that code." in page.words


@pytest.mark.parametrize(
    ("typed", "said", "status"),
    [
        ("", "Enter the code.", 400),
        ("BBBB-BBBB", "No device shows that code.", 400),
        ("what?", "No device shows that code.", 400),
        ("x" * 3000, "No device shows that code.", 400),
    ],
)
async def test_a_wrong_code_says_what_to_do(front: Front, typed: str, said: str, status: int) -> None:
    page = await ask(await front.signed_in(), typed)
    assert page.status == status
    assert said in page.words
    assert len(page.text) < 20_000


async def test_a_code_that_expired_or_was_used_is_told_from_a_wrong_one(front: Front) -> None:
    found, tab = await device(front), await front.signed_in()
    await allow(tab, found.user_code)
    assert "That code was used before." in (await ask(tab, found.user_code)).words
    late = Device(front, found.app)
    await late.begin()
    front.clock.time += 600
    assert "That code has expired." in (await ask(tab, late.user_code)).words


async def test_a_stale_form_is_shown_again_with_the_code(front: Front) -> None:
    found, tab = await device(front), await front.signed_in()
    await tab.get("/device")
    page = await tab.post("/device", {"csrf": "no", "user_code": found.user_code})
    assert page.status == 403
    assert page.forms["device-code"].fields["user_code"] == found.user_code
    assert await found.said() == "authorization_pending"


@pytest.mark.parametrize("request_id", ["", "dva_none", "x" * 9000, "%20"])
async def test_the_last_page_of_nothing_leads_to_the_form(front: Front, request_id: str) -> None:
    page = await (await front.signed_in()).get(f"/device/done?request={request_id}")
    assert page.status == 303
    assert (page.header("location") or "").endswith("/device")


async def test_the_app_is_listed_and_disconnecting_it_ends_the_device(front: Front) -> None:
    found, tab = await device(front), await front.signed_in()
    await allow(tab, found.user_code)
    tokens = await found.poll()
    page = await tab.get("/account/apps")
    assert "Corner CLI" in page.words
    await tab.submit(page, next(name for name in page.forms if name.startswith("disconnect")))
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await found.post("/token", form))["error"] == "invalid_grant"
    activity = (await tab.get("/account/activity")).words
    assert "You let a device sign in to Corner CLI" in activity
