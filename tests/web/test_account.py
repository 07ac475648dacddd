"""Do the account pages belong to who is signed in, ask again before what matters, and do what they say?"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from doorward.model.session import Consent
from tests.people import (
    ISSUER,
    OTHER_PASSWORD,
    PASSWORD,
    Browser,
    House,
    Page,
    code_for,
    key_bytes,
    open_house,
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
SENSITIVE = (
    "/account/methods/password",
    "/account/methods/authenticator",
    "/account/methods/authenticator/remove",
    "/account/methods/recovery",
)


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    async with open_house() as opened:
        yield opened


async def signed_in(house: House, email: str = "ada@example.com", password: str = PASSWORD) -> Browser:
    browser = house.browser()
    page = await browser.sign_in(email, password)
    assert page.header("location") == "/account"
    return browser


async def csrf(browser: Browser) -> str:
    return (await browser.get("/account")).forms["profile"].fields["csrf"]


async def test_strangers_sign_in_first_and_come_back(house: House) -> None:
    await house.person()
    for path in PAGES:
        browser = house.browser()
        form = await browser.follow(await browser.get(path))
        assert "sign-in" in form.forms, path
        done = await browser.submit(form, "sign-in", identifier="ada@example.com", password=PASSWORD)
        assert done.header("location") == path


async def test_every_page_is_shown_to_its_owner(house: House) -> None:
    await house.person(name="Ada <i>King</i>")
    browser = await signed_in(house)
    for path in PAGES:
        page = await browser.get(path)
        assert page.status == 200, path
        assert page.header("cache-control") == "no-store"
        assert "<i>King" not in page.text


@pytest.mark.requirement(70)
async def test_forms_from_elsewhere_act_on_nothing(house: House) -> None:
    account = await house.person()
    browser = await signed_in(house)
    token = await csrf(browser)
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
        for fields, origin in (({"csrf": "no"}, ISSUER), ({"csrf": token}, "https://evil.example")):
            page = await browser.post(path, {**everything, **fields}, origin=origin)
            assert page.status == 403 or (path.endswith("authenticator") and page.status == 303), path
    assert await house.store.accounts.get(account.id) == before
    assert len(await house.store.sessions.live_of(account.id, house.now)) == 2


@pytest.mark.requirement(73)
async def test_what_matters_asks_again_after_ten_minutes(house: House) -> None:
    account = await house.person()
    browser = await signed_in(house)
    token = await csrf(browser)
    house.later(601)
    for path in SENSITIVE:
        page = await browser.post(path, {"csrf": token, "current": PASSWORD, "new": OTHER_PASSWORD})
        assert page.status == 303, path
        assert (page.header("location") or "").startswith("/account/confirm?return_to=/account/methods")
    page = await browser.get("/account/methods/authenticator")
    confirm = await browser.follow(page)
    wrong = await browser.submit(confirm, "confirm", password="not it")
    assert (wrong.status, wrong.problem) == (400, "That password isn't right.")
    done = await browser.submit(wrong, "confirm", password=PASSWORD)
    assert done.header("location") == "/account/methods/authenticator"
    assert (await browser.follow(done)).status == 200
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    assert stored.password_hash == account.password_hash


@pytest.mark.requirement(73, 85)
async def test_confirming_asks_no_less_than_signing_in(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in())
    await browser.submit(asked, "second-factor", code=code_for(seed, house.now))
    house.later(700)
    page = await browser.get("/account/confirm?return_to=/account/methods")
    asked = await browser.submit(page, "confirm", password=PASSWORD)
    assert (asked.header("location") or "").startswith("/sign-in/code")
    token = await csrf(browser)
    refused = await browser.post("/account/methods/recovery", {"csrf": token})
    assert (refused.header("location") or "").startswith("/account/confirm")
    code_page = await browser.follow(asked)
    done = await browser.submit(code_page, "second-factor", code=code_for(seed, house.now))
    assert done.header("location") == "/account/methods"
    shown = await browser.post("/account/methods/recovery", {"csrf": token})
    assert shown.status == 200


async def test_nobody_is_led_away_from_the_account_pages(house: House) -> None:
    await house.person()
    browser = await signed_in(house)
    for bad in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/accountant",
        "/account/../x",
        "/account?x",
    ):
        page = await browser.get(f"/account/confirm?return_to={bad}")
        assert page.forms["confirm"].fields["return_to"] == "/account", bad
        fields = {**page.forms["confirm"].fields, "return_to": bad, "password": PASSWORD}
        done = await browser.post("/account/confirm", fields)
        assert done.header("location") == "/account", bad


async def test_the_profile_is_saved_and_said_once(house: House) -> None:
    await house.person()
    browser = await signed_in(house)
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


async def test_a_link_from_elsewhere_cannot_make_a_page_claim_something(house: House) -> None:
    await house.person()
    browser = await signed_in(house)
    for query in (
        "done=password_changed",
        "done=password_changed&word=AAAAAAAAAAAAAAAA",
        "done=nonsense&word=",
    ):
        assert 'id="done"' not in (await browser.get(f"/account/methods?{query}")).text


@pytest.mark.requirement(68)
async def test_a_new_password_over_the_page(house: House) -> None:
    await house.person()
    browser, other = await signed_in(house), await signed_in(house)
    page = await browser.get("/account/methods")
    for typed, said in (
        ({"current": "", "new": OTHER_PASSWORD}, "Enter a password."),
        ({"current": "wrong", "new": OTHER_PASSWORD}, "That password isn't right."),
        ({"current": PASSWORD, "new": "short"}, "15 characters"),
        ({"current": PASSWORD, "new": PASSWORD}, "That is your current password."),
    ):
        answer = await browser.submit(page, "password-change", **typed)
        assert answer.status == 400
        assert said in answer.words
    before = browser.cookies["__Host-dw_session"]
    done = await browser.submit(page, "password-change", current=PASSWORD, new=OTHER_PASSWORD)
    shown = await browser.follow(done)
    assert 'id="done"' in shown.text
    assert browser.cookies["__Host-dw_session"] != before
    assert (await other.get("/account")).status == 303
    assert (await house.browser().sign_in(password=PASSWORD)).status == 400
    assert (await house.browser().sign_in(password=OTHER_PASSWORD)).status == 303


@pytest.mark.requirement(82, 84)
async def test_an_authenticator_is_set_up_used_and_taken_away(house: House) -> None:
    account = await house.person()
    browser = await signed_in(house)
    setup = await browser.get("/account/methods/authenticator")
    uri = re.search(r'href="(otpauth://[^"]+)"', setup.text)
    assert uri is not None
    secret = parse_qs(urlsplit(unquote(uri.group(1)).replace("&amp;", "&")).query)["secret"][0]
    seed = key_bytes(secret)
    assert "data:image/svg+xml" in setup.text
    wrong = await browser.submit(setup, "authenticator", code="12345")
    assert wrong.status == 400
    assert secret in wrong.text.replace(" ", "").replace("&#x200B;", "") or "otpauth" in wrong.text
    codes = await browser.submit(wrong, "authenticator", code=code_for(seed, house.now))
    assert codes.status == 200
    shown = re.findall(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}", codes.text)
    assert len(set(shown)) == 10

    house.later(60)
    fresh = house.browser()
    asked = await fresh.follow(await fresh.sign_in())
    assert (await fresh.submit(asked, "second-factor", code=shown[0])).header("location") == "/account"

    methods = await browser.get("/account/methods")
    assert "9" in methods.words
    ask = await browser.submit(methods, "authenticator-remove")
    assert ask.status == 200
    assert (await browser.submit(ask, "confirm", password="")).status == 400
    assert (await browser.submit(ask, "confirm", password="wrong")).status == 400
    done = await browser.follow(await browser.submit(ask, "confirm", password=PASSWORD))
    assert 'id="done"' in done.text
    assert await house.store.accounts.factors(account.id) == []


@pytest.mark.requirement(77)
async def test_with_a_short_password_the_app_stays_and_the_mend_is_said(house: House) -> None:
    account = await house.person(password="kV3#zPq9")
    seed, _ = await house.authenticator(account)
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in(password="kV3#zPq9"))
    await browser.submit(asked, "second-factor", code=code_for(seed, house.now))
    ask = await browser.submit(await browser.get("/account/methods"), "authenticator-remove")
    page = await browser.submit(ask, "confirm", password="kV3#zPq9")
    assert page.status == 400
    assert "15 characters" in page.words
    assert "password-change" in page.forms
    assert len(await house.store.accounts.factors(account.id)) == 11


async def test_an_expired_set_up_page_begins_again(house: House) -> None:
    await house.person()
    browser = await signed_in(house)
    setup = await browser.get("/account/methods/authenticator")
    fields = {**setup.forms["authenticator"].fields, "setup": "nonsense", "code": "123456"}
    page = await browser.post("/account/methods/authenticator", fields)
    assert (page.status, page.header("location")) == (303, "/account/methods/authenticator")


@pytest.mark.requirement(74)
async def test_devices_are_listed_and_ended(house: House) -> None:
    account, eve = await house.person(), await house.person("eve@example.com")
    browser, other = await signed_in(house), await signed_in(house)
    hers = await signed_in(house, "eve@example.com")
    page = await browser.get("/account/devices")
    assert "Chrome on Linux" in page.words
    assert "This device" in page.words
    (strange,) = await house.store.sessions.live_of(eve.id, house.now)
    await browser.post("/account/devices/end", {"csrf": await csrf(browser), "session": strange.id})
    assert (await hers.get("/account")).status == 200, "nobody ends another's session"
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
    await browser.post("/account/devices/end", {"csrf": await csrf(browser), "session": mine.id})
    assert "__Host-dw_session" not in browser.cookies
    assert await house.store.sessions.live_of(account.id, house.now) == []


@pytest.mark.requirement(74)
async def test_all_other_devices_at_once(house: House) -> None:
    await house.person()
    browser, other, third = [await signed_in(house) for _ in range(3)]
    page = await browser.get("/account/devices")
    await browser.submit(page, "end-others")
    assert [(await b.get("/account")).status for b in (browser, other, third)] == [200, 303, 303]


@pytest.mark.requirement(74)
async def test_apps_are_listed_and_disconnected(house: House) -> None:
    account = await house.person()
    await house.app_named("Shop <b>")
    browser = await signed_in(house)
    (session,) = await house.store.sessions.live_of(account.id, house.now)
    consent = Consent(account.id, "app_shop", ISSUER, ("openid", "email"), house.now)
    await house.store.commit(house.store.sessions.put_consent(consent))
    await house.grant(account, session)
    page = await browser.get("/account/apps")
    assert "Shop &lt;b&gt;" in page.text
    assert "shop.example.net" in page.words
    done = await browser.follow(
        await browser.post("/account/apps/disconnect", {"csrf": await csrf(browser), "app": "app_shop"})
    )
    assert "shop.example.net" not in done.words
    assert await house.store.grants.live_of_account(account.id, house.now) == []
    assert await house.store.sessions.consents_of(account.id) == []


async def test_activity_is_told_in_sentences_and_can_be_disowned(house: House) -> None:
    await house.person()
    await house.browser("203.0.113.9").sign_in(password="wrong")
    browser, thief = await signed_in(house), await signed_in(house)
    page = await browser.get("/account/activity")
    assert "sign_in" not in page.words
    report = next(name for name in page.forms if name.startswith("report-"))
    done = await browser.submit(page, report)
    shown = await browser.follow(done)
    assert shown.path.startswith("/account/methods?done=reported")
    assert 'id="done"' in shown.text
    assert (await thief.get("/account")).status == 303
    assert (await browser.get("/account")).status == 200


async def test_password_managers_find_the_way(house: House) -> None:
    page = await house.browser().get("/.well-known/change-password")
    assert (page.status, page.header("location")) == (303, "/account/methods")


@pytest.mark.requirement(71, 72)
async def test_a_disabled_person_is_out_at_the_next_click(house: House) -> None:
    account = await house.person()
    browser = await signed_in(house)
    await house.change_account(account, disabled_at=house.now)
    assert (await browser.get("/account")).status == 303
    page: Page = await browser.sign_in()
    assert page.status == 400


def _digest(browser: Browser) -> bytes:
    from doorward.model.digest import digest

    return digest(browser.cookies["__Host-dw_session"])
