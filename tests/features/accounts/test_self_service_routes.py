"""Account pages: shown to the signed-in owner only, with recent proof required for sensitive changes."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from doorward.adapters.random import SystemRandom
from doorward.core.model.account import Account
from doorward.core.model.audit import AuditEvent
from doorward.core.model.session import Consent
from doorward.features.accounts.self_service import ACTIVITY_LINES, SHOWN
from tests.browsing import SESSION
from tests.people import (
    ISSUER,
    OTHER_PASSWORD,
    PASSWORD,
    Browser,
    House,
    Page,
)

pytestmark = pytest.mark.anyio
PAGES = (
    "/account",
    "/account/methods",
    "/account/methods/authenticator",
    "/account/devices",
    "/account/apps",
    "/account/activity",
    "/account/confirm",
)
POSTS = (
    "/account",
    "/account/methods/password",
    "/account/methods/authenticator",
    "/account/methods/authenticator/remove",
    "/account/methods/recovery",
    "/account/devices/end",
    "/account/devices/end-others",
    "/account/apps/disconnect",
    "/account/activity/report",
    "/account/confirm",
)


async def test_anonymous_visitors_sign_in_first_and_return(house: House) -> None:
    await house.person()
    for path in PAGES:
        browser = house.browser()
        form = await browser.follow(await browser.get(path))
        assert "sign-in" in form.forms, path
        done = await browser.submit(form, "sign-in", identifier="ada@example.com", password=PASSWORD)
        assert done.header("location") == path


async def test_every_page_is_shown_to_its_owner(house: House) -> None:
    await house.person(name="Ada <i>King</i>")
    browser = await house.signed_in()
    for path in PAGES:
        page = await browser.get(path)
        assert page.status == 200, path
        assert page.header("cache-control") == "no-store"
        assert "<i>King" not in page.text


@pytest.mark.requirement(70)
async def test_cross_site_forms_have_no_effect(house: House) -> None:
    account = await house.person()
    browser = await house.signed_in()
    token = await browser.csrf()
    other = await house.session(account)
    before = await house.store.accounts.get(account.id)
    everything = {
        "name": "Eve",
        "current": PASSWORD,
        "new": OTHER_PASSWORD,
        "password": PASSWORD,
        "session": other.id,
        "return_to": "/account",
    }
    for path in POSTS:
        for fields, origin, site in (
            ({"csrf": "no"}, ISSUER, "same-origin"),
            ({"csrf": token}, "https://evil.example", "cross-site"),
        ):
            page = await browser.post(path, {**everything, **fields}, origin=origin, site=site)
            assert page.status == 403 or (path.endswith("authenticator") and page.status == 303), path
    assert await house.store.accounts.get(account.id) == before
    assert len(await house.store.sessions.live_of(account.id, house.now)) == 2


async def test_a_profile_is_saved_and_confirmed_once(house: House) -> None:
    await house.person()
    browser = await house.signed_in()
    page = await browser.get("/account")
    done = await browser.submit(page, "profile", name="Ada King", locale="de")
    assert done.status == 303
    shown = await browser.follow(done)
    assert '<html lang="de"' in shown.text
    assert 'id="done"' in shown.text
    assert shown.forms["profile"].fields["name"] == "Ada King"
    assert 'id="done"' not in (await browser.get("/account")).text
    for typed in ({"name": "x" * 200}, {"locale": "xx"}):
        assert (await browser.submit(page, "profile", **typed)).status == 400


async def test_a_link_cannot_make_a_page_show_a_confirmation(house: House) -> None:
    await house.person()
    browser = await house.signed_in()
    for query in (
        "done=password_changed",
        "done=password_changed&word=AAAAAAAAAAAAAAAA",
        "done=nonsense&word=",
    ):
        assert 'id="done"' not in (await browser.get(f"/account/methods?{query}")).text


@pytest.mark.requirement(74)
async def test_devices_are_listed_and_ended(house: House) -> None:
    account, eve = await house.person(), await house.person("eve@example.com")
    browser, other = await house.signed_in(), await house.signed_in()
    hers = await house.signed_in("eve@example.com")
    page = await browser.get("/account/devices")
    assert "Chrome on Linux" in page.words
    assert "This device" in page.words
    (strange,) = await house.store.sessions.live_of(eve.id, house.now)
    await browser.post("/account/devices/end", {"csrf": await browser.csrf(), "session": strange.id})
    assert (await hers.get("/account")).status == 200, "a person cannot end another's session"
    mine = await house.store.sessions.by_secret(_digest(browser))
    assert mine is not None
    ends = [form for name, form in page.forms.items() if re.fullmatch(r"end-\d+", name)]
    chosen = next(form for form in ends if form.fields["session"] != mine.id)
    done = await browser.post(chosen.action, chosen.fields)
    assert 'id="done"' in (await browser.follow(done)).text
    assert (await other.get("/account")).status == 303
    assert (await browser.get("/account")).status == 200
    _, revoked = await house.store.revocations.live(house.now)
    assert [entry.kind for entry in revoked] == ["sid"]
    await browser.post("/account/devices/end", {"csrf": await browser.csrf(), "session": mine.id})
    assert SESSION not in browser.cookies
    assert await house.store.sessions.live_of(account.id, house.now) == []


@pytest.mark.requirement(74)
async def test_all_other_devices_are_ended_at_once(house: House) -> None:
    await house.person()
    browser, other, third = [await house.signed_in() for _ in range(3)]
    page = await browser.get("/account/devices")
    await browser.submit(page, "end-others")
    assert [(await b.get("/account")).status for b in (browser, other, third)] == [200, 303, 303]
    assert "All other devices were signed out" in (await browser.get("/account/activity")).words


async def test_a_truncated_list_of_devices_says_so(house: House) -> None:
    account = await house.person()
    browser = await house.signed_in()
    page = await browser.get("/account/devices")
    assert 'id="more"' not in page.text
    for number in range(SHOWN):
        await house.session(account, seen_at=house.now - number, user_agent="", address="192.0.2.7")
    page = await browser.get("/account/devices")
    assert f"Here are {SHOWN} devices, those that were active last." in page.words
    assert page.text.count("This device") == 1
    # the button that ends all of them is not below two hundred entries
    assert page.text.index('id="end-others-submit"') < page.text.index('id="devices"')
    # a device is not labelled by a bare number
    assert page.words.count("Unknown device 192.0.2.7") == SHOWN - 1


@pytest.mark.requirement(74)
async def test_apps_are_listed_and_disconnected(house: House) -> None:
    account = await house.person()
    await house.app_named("Shop <b>")
    browser = await house.signed_in()
    (session,) = await house.store.sessions.live_of(account.id, house.now)
    consent = Consent(account.id, "app_shop", ISSUER, ("openid", "email"), house.now)
    await house.store.commit(house.store.sessions.put_consent(consent))
    await house.grant(account, session)
    page = await browser.get("/account/apps")
    assert "Shop &lt;b&gt;" in page.text
    assert "shop.example.net" in page.words
    done = await browser.follow(
        await browser.post("/account/apps/disconnect", {"csrf": await browser.csrf(), "app": "app_shop"})
    )
    assert "shop.example.net" not in done.words
    assert await house.store.grants.live_of_account(account.id, house.now) == []
    assert await house.store.sessions.consents_of(account.id) == []


async def test_activity_is_listed_in_sentences_and_can_be_reported(house: House) -> None:
    await house.person()
    await house.browser("203.0.113.9").sign_in(password="wrong")
    browser, thief = await house.signed_in(), await house.signed_in()
    page = await browser.get("/account/activity")
    assert "sign_in" not in page.words
    report = next(name for name in page.forms if name.startswith("report-"))
    done = await browser.submit(page, report)
    shown = await browser.follow(done)
    assert shown.path.startswith("/account/review?done=reported")
    assert 'id="done"' in shown.text
    assert (await thief.get("/account")).status == 303
    assert (await browser.get("/account")).status == 200


async def flooded(house: House, account: Account, kind: str, lines: int) -> None:
    """Writes `lines` events of a kind, one second apart."""
    random = SystemRandom()
    events = [
        AuditEvent(id=random.new_id("aud"), at=house.now, kind=kind, account_id=account.id)
        for _ in range(lines)
    ]
    assert await house.store.commit(*(house.store.audit.append(event) for event in events))


@pytest.mark.requirement(18)
async def test_a_late_repeat_is_shown_with_app_and_device_and_can_be_reported(house: House) -> None:
    account = await house.person()
    shop = await house.app_named("Shop")
    browser = await house.signed_in()
    event = AuditEvent(
        id=SystemRandom().new_id("aud"),
        at=house.now,
        kind="refresh_token.repeated_late",
        account_id=account.id,
        client_id=shop.id,
        user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0",
    )
    assert await house.store.commit(house.store.audit.append(event))
    page = await browser.get("/account/activity")
    assert "Shop renewed its access late, as after a lost connection" in page.words
    assert "Firefox on Windows" in page.words
    (form,) = [name for name, form in page.forms.items() if form.fields.get("event") == event.id]
    done = await browser.follow(await browser.submit(page, form))
    assert done.path.startswith("/account/review?done=reported")


async def test_a_password_set_by_an_operator_is_not_shown_as_the_persons_own_change(house: House) -> None:
    account = await house.person()
    browser = await house.signed_in()
    event = AuditEvent(
        id=SystemRandom().new_id("aud"),
        at=house.now,
        kind="password.changed",
        account_id=account.id,
        detail={"by": "operator"},
    )
    assert await house.store.commit(house.store.audit.append(event))
    words = (await browser.get("/account/activity")).words
    assert "The people who run this service set a new password for you" in words
    assert "You changed your password" not in words


@pytest.mark.requirement(99)
async def test_hidden_events_do_not_push_others_off_the_activity_page(house: House) -> None:
    account = await house.person()
    browser = await house.signed_in()
    for kind in ("token.revoked", "code.issued", "code.redeemed", "second_factor.succeeded", "kind.of.later"):
        await flooded(house, account, kind, 400)
    page = await browser.get("/account/activity")
    assert "You signed in" in page.words
    # and the event that it shows can still be reported
    report = next(name for name in page.forms if name.startswith("report-"))
    done = await browser.follow(await browser.submit(page, report))
    assert done.path.startswith("/account/review?done=reported")


@pytest.mark.requirement(99)
async def test_every_visible_event_is_on_some_page(house: House) -> None:
    account = await house.person()
    browser = await house.signed_in()
    await flooded(house, account, "account.profile_changed", 7)
    await flooded(house, account, "sign_in.failed", 2 * ACTIVITY_LINES)
    page = await browser.get("/account/activity")
    seen, pages = page.words, 1
    while (older := re.search(r'id="older" href="([^"]+)"', page.text)) is not None:
        page = await browser.get(older[1])
        seen += page.words
        pages += 1
    assert pages == 3
    assert seen.count("Somebody tried to sign in and failed") == 2 * ACTIVITY_LINES
    assert seen.count("You changed your profile") == 7
    assert seen.count("This wasn't me : You signed in") == 1
    report = next(name for name in page.forms if name.startswith("report-"))
    done = await browser.follow(await browser.submit(page, report))
    assert done.path.startswith("/account/review?done=reported")


@pytest.mark.requirement(99)
@pytest.mark.parametrize("before", ["", "x", "aud_", "aud_" + "0" * 32, "aud_" + "f" * 33, "é", "'"])
async def test_any_value_of_before_gets_an_activity_page(house: House, before: str) -> None:
    await house.person()
    browser = await house.signed_in()
    page = await browser.get(f"/account/activity?before={quote(before)}")
    assert page.status == 200
    assert ("You signed in" in page.words) is (before != "aud_" + "0" * 32)


@pytest.mark.requirement(71, 72)
async def test_a_disabled_person_is_signed_out_at_the_next_request(house: House) -> None:
    account = await house.person()
    browser = await house.signed_in()
    await house.change_account(account, disabled_at=house.now)
    assert (await browser.get("/account")).status == 303
    page: Page = await browser.sign_in()
    assert page.status == 400


def _digest(browser: Browser) -> bytes:
    from doorward.core.model.digest import digest

    return digest(browser.cookies[SESSION])
