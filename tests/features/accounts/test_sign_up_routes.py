"""Sign-up pages: a person gets an account, and no answer reveals whether an address has one."""

from __future__ import annotations

import re

import pytest

from doorward.core.model.policy import ThrottlePolicy
from tests.people import PASSWORD, Browser, House, Page, open_house

pytestmark = pytest.mark.anyio
NEUTRAL = "If we can use new@example.com, we've sent a message there. It works for 10 minutes."

ARABIC = {ord("0") + digit: 0x660 + digit for digit in range(10)}


async def ask(browser: Browser, email: str = "new@example.com", password: str = PASSWORD) -> Page:
    page = await browser.get("/sign-up")
    return await browser.submit(page, "sign-up", email=email, password=password, name="New")


async def mailed(house: House) -> tuple[str, str]:
    (_, _, found), *_ = await house.mails()
    link = re.search(r"https://auth\.example\.com(/verify\?token=[A-Za-z0-9_-]+)", found.text)
    assert link is not None
    return found.code or "", link.group(1)


async def test_sign_up_by_code_signs_in(house: House) -> None:
    browser = house.browser()
    check = await browser.follow(await ask(browser))
    assert NEUTRAL in check.words.replace(" ,", ",")
    code, _ = await mailed(house)
    done = await browser.submit(check, "check", code=f"\u200e{code[:3].translate(ARABIC)} {code[3:]}\ufeff ")
    assert done.header("location") == "/account"
    account = await browser.follow(done)
    assert "new@example.com" in account.text
    stored = await house.store.accounts.by_email("new@example.com")
    assert stored is not None
    assert stored.name == "New"


async def test_sign_up_by_link_signs_in_and_a_get_of_the_link_does_nothing(house: House) -> None:
    browser = house.browser()
    await ask(browser)
    _, link = await mailed(house)
    page = await browser.get(link)
    assert page.status == (await browser.get(link)).status == 200
    assert await house.store.accounts.by_email("new@example.com") is None
    done = await browser.submit(page, "link")
    assert done.header("location") == "/account"
    assert await house.store.accounts.by_email("new@example.com") is not None
    gone = await browser.get(link)
    assert gone.status == 410
    assert "/sign-in" in gone.text


async def test_a_link_opened_in_another_browser_says_where_to_type_the_code(house: House) -> None:
    browser, phone = house.browser(), house.browser()
    check = await browser.follow(await ask(browser))
    code, link = await mailed(house)
    page = await phone.get(link)
    assert page.status == 200
    assert "link" not in page.forms
    assert "works only in the browser that asked for it" in page.words
    forced = await phone.post(
        "/verify",
        {
            "csrf": (await phone.get("/sign-up")).forms["sign-up"].fields["csrf"],
            "token": link.partition("=")[2],
        },
    )
    assert "works only in the browser that asked for it" in forced.words
    assert await house.store.accounts.by_email("new@example.com") is None
    assert (await browser.submit(check, "check", code=code)).status == 303


@pytest.mark.requirement(80)
async def test_a_taken_address_gets_the_same_pages(house: House) -> None:
    await house.person()
    shown: list[tuple[int, str, int]] = []
    for email in ("ada@example.com", "bob@example.com"):
        browser = house.browser()
        sent = await ask(browser, email)
        check = await browser.follow(sent)
        wrong = await browser.submit(check, "check", code="000000")
        shown.append((sent.status, check.words.replace(email, "the address"), wrong.status))
        assert wrong.problem == "That code didn't work. Check it, or use the newest one."
    assert shown[0] == shown[1]


@pytest.mark.requirement(100)
async def test_the_sixth_wrong_code_explains_what_to_do_for_known_and_unknown_addresses(house: House) -> None:
    await house.person()
    for email in ("ada@example.com", "bob@example.com"):
        browser = house.browser()
        check = await browser.follow(await ask(browser, email))
        said = [(await browser.submit(check, "check", code="000000")).problem for _ in range(6)]
        assert said[:5] == ["That code didn't work. Check it, or use the newest one."] * 5
        assert said[5] is not None
        assert said[5].startswith(
            "Too many wrong codes. Open the link in the message instead, or try again at "
        )


@pytest.mark.requirement(77, 78)
@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "Enter a password."),
        ("short", "15 characters"),
        ("x" * 300, "256"),
        ("aaaaaaaaaaaaaaaaaaaaaa", "easy to guess"),
        ("new@example.com1", "contains your name, your address or a word of this service"),
    ],
)
async def test_a_refused_password_says_why(house: House, password: str, said: str) -> None:
    page = await ask(house.browser(), password=password)
    assert page.status == 400
    assert said in page.words
    assert page.forms["sign-up"].fields["email"] == "new@example.com"
    assert password == "" or f'value="{password}"' not in page.text


async def test_an_invalid_address_is_reported(house: House) -> None:
    for email, said in (("", "Enter your email address."), ("nonsense", "like name@example.com")):
        page = await ask(house.browser(), email)
        assert page.status == 400
        assert said in page.words


async def test_a_new_mail_replaces_the_first(house: House) -> None:
    browser = house.browser()
    check = await browser.follow(await ask(browser))
    first, _ = await mailed(house)
    resent = await browser.follow(await browser.submit(check, "resend"))
    assert "another message is on its way" in resent.words
    second, _ = await mailed(house)
    if first != second:
        assert (await browser.submit(resent, "check", code=first)).status == 400
    assert (await browser.submit(resent, "check", code=second)).status == 303


@pytest.mark.requirement(81)
async def test_mails_are_limited_and_the_page_says_until_when(house: House) -> None:
    browser = house.browser()
    for _ in range(ThrottlePolicy().mails_per_address):
        assert (await ask(browser)).status == 303
    page = await ask(browser)
    assert page.status == 429
    assert page.problem is not None
    assert page.problem.startswith("Too many messages were asked for this address.")


@pytest.mark.requirement(70)
async def test_cross_site_forms_have_no_effect(house: House) -> None:
    browser = house.browser()
    form = (await browser.get("/sign-up")).forms["sign-up"]
    fields = {**form.fields, "email": "new@example.com", "password": PASSWORD, "csrf": "no"}
    assert (await browser.post("/sign-up", fields)).status == 403
    assert await house.mails() == []
    check = await browser.follow(await ask(browser))
    code, link = await mailed(house)
    for form_name, typed in (("check", {"code": code}), ("resend", {})):
        chosen = check.forms[form_name]
        answer = await browser.post(chosen.action, {**chosen.fields, **typed, "csrf": "no"})
        assert answer.status == 403
        assert answer.problem is not None
    button = await browser.get(link)
    answer = await browser.post("/verify", {**button.forms["link"].fields, "csrf": "no"})
    assert answer.status == 403
    assert await house.store.accounts.by_email("new@example.com") is None
    assert (await browser.submit(answer, "link")).status == 303


async def test_unknown_tickets_lead_back_to_the_start(house: House) -> None:
    browser = house.browser()
    csrf = (await browser.get("/sign-up")).forms["sign-up"].fields["csrf"]
    for ticket in ("", "tkt_" + "0" * 32, "../../etc", "%00", "tkt_" + "g" * 32):
        page = await browser.get(f"/sign-up/check?ticket={ticket}")
        assert page.status in {303, 400}
        answer = await browser.post(f"/sign-up/check?ticket={ticket}", {"csrf": csrf, "code": "123456"})
        assert answer.status in {303, 400}
    assert (await browser.get("/verify?token=" + "x" * 5000)).status == 410
    assert (await browser.get("/verify")).status == 410


async def test_page_and_mail_use_the_persons_language(house: House) -> None:
    browser = house.browser()
    browser.language = "de"
    await ask(browser)
    (_, _, found), *_ = await house.mails()
    english = house.browser()
    await ask(english, "other@example.com")
    (_, _, other), *_ = await house.mails()
    assert found.subject != other.subject


async def test_an_undeliverable_address_is_refused_on_the_form() -> None:
    async with open_house(beyond_ascii=False) as house:
        page = await ask(house.browser(), email="müller@example.com")
        assert page.status == 400
        assert "before the @" in page.words
        assert await house.mails() == []
        assert (await ask(house.browser(), email="mueller@bücher.example")).status == 303
    async with open_house(beyond_ascii=True) as house:
        assert (await ask(house.browser(), email="müller@example.com")).status == 303
