"""Password reset pages: only the owner replaces a forgotten password."""

from __future__ import annotations

import re

import pytest

from tests.browsing import SESSION
from tests.people import OTHER_PASSWORD, PASSWORD, Browser, House, Page, code_for

pytestmark = pytest.mark.anyio


async def ask(browser: Browser, email: str = "ada@example.com") -> Page:
    page = await browser.get("/reset")
    return await browser.follow(await browser.submit(page, "reset", email=email))


async def mailed(house: House) -> tuple[str, str]:
    (_, _, found), *_ = await house.mails()
    link = re.search(r"https://auth\.example\.com(/reset/link\?token=[A-Za-z0-9_-]+)", found.text)
    assert link is not None
    return found.code or "", link.group(1)


async def to_new(house: House, browser: Browser) -> Page:
    check = await ask(browser)
    code, _ = await mailed(house)
    return await browser.follow(await browser.submit(check, "check", code=code))


async def test_reset_by_code_then_sign_in(house: House) -> None:
    await house.person()
    browser = house.browser()
    form = await to_new(house, browser)
    done = await browser.submit(form, "new-password", password=OTHER_PASSWORD)
    assert SESSION not in browser.cookies, "a reset alone does not sign in"
    page = await browser.follow(done)
    assert "Your new password is set" in page.words
    assert page.forms["sign-in"].fields["identifier"] == "ada@example.com"
    entered = await browser.submit(page, "sign-in", password=OTHER_PASSWORD)
    assert entered.header("location") == "/account"
    assert (await house.browser().sign_in(password=PASSWORD)).status == 400


async def test_the_link_also_works_and_only_through_its_button(house: House) -> None:
    await house.person()
    browser = house.browser()
    await ask(browser)
    _, link = await mailed(house)
    button = await browser.get(link)
    await browser.get(link)
    form = await browser.follow(await browser.submit(button, "link"))
    assert "new-password" in form.forms
    assert (await browser.get(link)).status == 410
    elsewhere = house.browser()
    await ask(browser)
    _, second = await mailed(house)
    assert "works only in the browser that asked for it" in (await elsewhere.get(second)).words


@pytest.mark.requirement(80)
async def test_an_unknown_address_gets_the_same_pages(house: House) -> None:
    await house.person()
    shown: list[tuple[str, int, str | None]] = []
    for email in ("ada@example.com", "bob@example.com"):
        browser = house.browser()
        check = await ask(browser, email)
        wrong = await browser.submit(check, "check", code="000000")
        shown.append((check.words.replace(email, "the address"), wrong.status, wrong.problem))
    assert shown[0] == shown[1]
    assert len(await house.mails()) == 1


@pytest.mark.requirement(84)
async def test_sign_in_after_a_reset_still_requires_the_second_factor(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    browser = house.browser()
    form = await to_new(house, browser)
    page = await browser.follow(await browser.submit(form, "new-password", password=OTHER_PASSWORD))
    asked = await browser.submit(page, "sign-in", password=OTHER_PASSWORD)
    assert (asked.header("location") or "").startswith("/sign-in/code")
    assert SESSION not in browser.cookies
    code_page = await browser.follow(asked)
    done = await browser.submit(code_page, "second-factor", code=code_for(seed, house.now))
    assert done.header("location") == "/account"


async def test_other_browsers_are_signed_out_unless_the_person_chooses_otherwise(house: House) -> None:
    await house.person()
    old = house.browser()
    await old.sign_in()
    browser = house.browser()
    form = await to_new(house, browser)
    assert form.forms["new-password"].fields["end_sessions"] == "yes"
    await browser.submit(form, "new-password", password=OTHER_PASSWORD)
    assert (await old.get("/account")).status == 303

    await old.sign_in(password=OTHER_PASSWORD)
    form = await to_new(house, browser)
    chosen = form.forms["new-password"]
    fields = {k: v for k, v in chosen.fields.items() if k != "end_sessions"}
    await browser.post(chosen.action, {**fields, "password": "another " + OTHER_PASSWORD})
    assert (await old.get("/account")).status == 200


@pytest.mark.requirement(77, 78)
async def test_a_weak_password_is_refused_with_the_reason_and_the_form_still_works(house: House) -> None:
    await house.person()
    browser = house.browser()
    form = await to_new(house, browser)
    page = await browser.submit(form, "new-password", password="short")
    assert page.status == 400
    assert "15 characters" in page.words
    assert (await browser.submit(page, "new-password", password=OTHER_PASSWORD)).status == 303


@pytest.mark.requirement(70)
async def test_cross_site_forms_have_no_effect(house: House) -> None:
    await house.person()
    browser = house.browser()
    ask_form = (await browser.get("/reset")).forms["reset"]
    answer = await browser.post("/reset", {**ask_form.fields, "email": "ada@example.com", "csrf": "no"})
    assert answer.status == 403
    assert await house.mails() == []
    form = await to_new(house, browser)
    chosen = form.forms["new-password"]
    answer = await browser.post(chosen.action, {**chosen.fields, "password": OTHER_PASSWORD, "csrf": "no"})
    assert answer.status == 403
    assert (await house.browser().sign_in()).status == 303, "the old password still works"
    assert (await browser.submit(answer, "new-password", password=OTHER_PASSWORD)).status == 303


async def test_an_expired_reset_starts_again(house: House) -> None:
    await house.person()
    browser = house.browser()
    csrf = (await browser.get("/reset")).forms["reset"].fields["csrf"]
    for path in ("/reset/new", "/reset/check"):
        for ticket in ("", "tkt_" + "0" * 32, "nonsense"):
            page = await browser.get(f"{path}?ticket={ticket}")
            assert (page.status, page.header("location")) == (303, "/reset")
    answer = await browser.post(
        "/reset/new?ticket=tkt_" + "0" * 32, {"csrf": csrf, "password": OTHER_PASSWORD}
    )
    assert (answer.status, answer.header("location")) == (303, "/reset")
    form = await to_new(house, browser)
    house.later(600)
    late = await browser.submit(form, "new-password", password=OTHER_PASSWORD)
    assert (late.status, late.header("location")) == (303, "/reset")


async def test_another_mail_can_be_requested(house: House) -> None:
    await house.person()
    browser = house.browser()
    check = await ask(browser)
    resent = await browser.follow(await browser.submit(check, "resend"))
    assert "another message is on its way" in resent.words
    code, _ = await mailed(house)
    assert (await browser.submit(resent, "check", code=code)).status == 303


async def test_an_invalid_address_is_reported(house: House) -> None:
    browser = house.browser()
    page = await browser.get("/reset")
    for email, said in (("", "Enter your email address."), ("nonsense", "like name@example.com")):
        answer = await browser.submit(page, "reset", email=email)
        assert answer.status == 400
        assert said in answer.words
