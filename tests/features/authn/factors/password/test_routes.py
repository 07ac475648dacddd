"""Sign-in pages: the right person gets in, and every other case looks the same."""

from __future__ import annotations

import re

import pytest

from doorward.core.model.policy import PasswordPolicy, ThrottlePolicy
from doorward.core.model.request import AuthRequest
from tests.browsing import BROWSER, SESSION
from tests.people import ISSUER, PASSWORD, Browser, House, Page, code_for, flow_of, open_house

pytestmark = pytest.mark.anyio
WRONG = "That email and password don't match."


async def from_app(house: House, browser: Browser, **asked: object) -> str:
    """Starts an app's sign-in in this browser; returns its id."""
    await browser.get("/sign-in")
    request = AuthRequest(
        client_id="app_shop",
        redirect_uri="https://shop.example.net/callback",
        response_mode="query",
        scopes=("openid",),
        audience=ISSUER,
        **asked,  # type: ignore[arg-type]
    )
    sign_in = await house.sign_in(browser.cookies[BROWSER], request=request, return_to=None)
    return sign_in.id


async def test_the_right_password_gives_access_to_the_account_pages(house: House) -> None:
    await house.person(name="Ada")
    browser = house.browser()
    page = await browser.sign_in()
    assert page.status == 303
    assert page.header("location") == "/account"
    account = await browser.follow(page)
    assert account.status == 200
    assert "ada@example.com" in account.text


@pytest.mark.requirement(68, 69)
async def test_the_session_cookie_is_new_and_protected(house: House) -> None:
    await house.person()
    browser = house.browser()
    browser.cookies[SESSION] = "A" * 43
    page = await browser.sign_in()
    lines = [value for name, value in page.headers if name == "set-cookie"]
    (session,) = [line for line in lines if line.startswith(f"{SESSION}=")]
    assert "A" * 43 not in session
    for attribute in ("; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"):
        assert attribute in session
    assert "Domain" not in session
    first = browser.cookies[SESSION]
    again = await browser.get("/account/confirm?return_to=/account/methods")
    page = await browser.submit(again, "confirm", password=PASSWORD)
    assert page.header("location") == "/account/methods"
    assert browser.cookies[SESSION] != first
    old = house.browser()
    old.cookies[SESSION] = first
    assert (await old.get("/account")).status == 303


@pytest.mark.requirement(80)
async def test_wrong_unknown_and_disabled_get_the_same_page(house: House) -> None:
    await house.person()
    gone = await house.person("eve@example.com")
    await house.change_account(gone, disabled_at=house.now)
    pages: list[Page] = []
    for email in ("ada@example.com", "bob@example.com", "eve@example.com"):
        browser = house.browser()
        pages.append(await browser.sign_in(email, "not the right password"))
        assert SESSION not in browser.cookies
    assert {page.status for page in pages} == {400}
    assert {page.problem for page in pages} == {WRONG}

    def bare(page: Page) -> str:
        text = page.text
        for form in page.forms.values():
            for value in sorted(form.fields.values(), key=len, reverse=True):
                text = text.replace(value, "?") if value else text
        flow = page.forms["sign-in"].fields["flow"]
        # each page has a new challenge, of one length
        return re.sub(
            r"(&#34;challenge&#34;:&#34;)[A-Za-z0-9_-]{54}(&#34;)", r"\1?\2", text.replace(flow, "?")
        )

    assert len({len(page.text) for page in pages}) == 1, "the pages differ in size"
    assert len({bare(page) for page in pages}) == 1, (
        "the text differs in more than the input and the form's token"
    )
    assert len({tuple(name for name, _ in page.headers) for page in pages}) == 1


@pytest.mark.requirement(81)
async def test_too_many_attempts_name_the_time_and_the_owner_is_not_locked_out(house: House) -> None:
    await house.person()
    owner = house.browser()
    await owner.sign_in()
    stranger = house.browser("203.0.113.5")
    for number in range(ThrottlePolicy().per_account):
        assert (await stranger.sign_in(password=f"guess {number}")).status == 400
    page = await stranger.sign_in()
    assert page.status == 429
    assert page.header("retry-after") == "900"
    assert page.problem is not None
    assert page.problem.startswith("Too many tries. Try again at")
    # the owner's own browser is a known device, even without a session
    del owner.cookies[SESSION]
    assert (await owner.sign_in()).status == 303


@pytest.mark.requirement(70)
async def test_a_cross_site_form_has_no_effect(house: House) -> None:
    await house.person()
    browser = house.browser()
    page = await browser.get("/sign-in")
    fields = {**page.forms["sign-in"].fields, "identifier": "ada@example.com", "password": PASSWORD}
    stranger = house.browser()
    other = (await stranger.get("/sign-in")).forms["sign-in"].fields["csrf"]
    refused = [
        await browser.post("/sign-in", {**fields, "csrf": ""}),
        await browser.post("/sign-in", {**fields, "csrf": other}),
        await browser.post("/sign-in", {k: v for k, v in fields.items() if k != "csrf"}),
        await browser.post("/sign-in", fields, origin="https://evil.example", site="cross-site"),
        await browser.post("/sign-in", fields, origin="null", site="cross-site"),
        await browser.post("/sign-in", fields, origin=None, site="cross-site"),
        await browser.post("/sign-in", fields, origin=None, site="same-site"),
    ]
    for answer in refused:
        assert answer.status == 403
        assert answer.problem is not None
        assert "sign-in" in answer.forms, "the page is shown again with a working form"
    assert SESSION not in browser.cookies
    assert (await browser.submit(refused[0], "sign-in", password=PASSWORD)).status == 303


@pytest.mark.requirement(70)
async def test_a_browser_cannot_be_moved_into_another_browsers_sign_in(house: House) -> None:
    await house.app_named()
    attacker, victim = house.browser(), house.browser()
    flow = await from_app(house, attacker)
    await victim.get("/sign-in")
    page = await victim.get(f"/sign-in?flow={flow}")
    assert (page.status, page.header("location")) == (303, "/sign-in")


@pytest.mark.requirement(10, 11)
async def test_posts_answer_303_and_pages_cannot_be_framed(house: House) -> None:
    await house.person()
    browser = house.browser()
    page = await browser.get("/sign-in")
    assert "frame-ancestors 'none'" in (page.header("content-security-policy") or "")
    assert page.header("referrer-policy") == "same-origin"
    assert page.header("cache-control") == "no-store"
    assert (await browser.sign_in()).status == 303


async def test_missing_fields_are_reported_at_their_fields(house: House) -> None:
    browser = house.browser()
    page = await browser.get("/sign-in")
    answer = await browser.submit(page, "sign-in", identifier=" ", password="")
    assert answer.status == 400
    assert "Enter your email address." in answer.words
    assert "Enter a password." in answer.words
    kept = await browser.submit(page, "sign-in", identifier="ada@example.com", password="")
    assert kept.forms["sign-in"].fields["identifier"] == "ada@example.com"


async def test_viewing_the_page_writes_nothing_to_the_database(house: House) -> None:
    browser = house.browser()
    page = await browser.get("/sign-in")
    assert "flow" not in page.forms["sign-in"].fields


async def test_the_requesting_app_is_named_and_its_login_hint_prefilled(house: House) -> None:
    await house.app_named("The <b>Shop</b>")
    browser = house.browser()
    flow = await from_app(house, browser, login_hint="ada@example.com", ui_locales=("de",))
    page = await browser.get(f"/sign-in?flow={flow}")
    assert "The &lt;b&gt;Shop&lt;/b&gt;" in page.text
    assert '<html lang="de"' in page.text
    assert page.forms["sign-in"].fields["identifier"] == "ada@example.com"
    wrong = await browser.submit(page, "sign-in", identifier="x@example.com", password="wrong")
    assert '<html lang="de"' in wrong.text
    assert wrong.forms["sign-in"].fields["flow"] == flow


async def test_an_expired_step_restarts_silently_and_keeps_the_destination(house: House) -> None:
    await house.app_named()
    browser = house.browser()
    flow = await from_app(house, browser)
    house.later(1801)
    page = await browser.get(f"/sign-in?flow={flow}")
    assert page.status == 303
    fresh = flow_of(page)
    assert fresh is not None
    assert fresh != flow
    stored = await house.store.sign_ins.get(fresh)
    assert stored is not None
    assert stored.request is not None
    assert stored.request.client_id == "app_shop"


@pytest.mark.requirement(85)
async def test_with_an_authenticator_the_password_alone_is_not_enough(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    browser = house.browser()
    page = await browser.sign_in()
    assert (page.header("location") or "").startswith("/sign-in/code?flow=")
    assert SESSION not in browser.cookies
    assert (await browser.get("/account")).status == 303
    asked = await browser.follow(page)
    wrong = await browser.submit(asked, "second-factor", code="000 000")
    assert wrong.status == 400
    assert wrong.problem is not None
    empty = await browser.submit(asked, "second-factor", code=" ")
    assert empty.status == 400
    done = await browser.submit(wrong, "second-factor", code=code_for(seed, house.now))
    assert done.header("location") == "/account"
    (session,) = await house.store.sessions.live_of(account.id, house.now)
    assert session.acr == "urn:doorward:aal2"
    assert session.amr == ("pwd", "otp", "mfa")


@pytest.mark.requirement(85)
async def test_the_code_page_reveals_nothing_before_a_password_was_proven(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    browser = house.browser()
    assert (await browser.get("/sign-in/code")).header("location") == "/sign-in"
    form = (await browser.get("/sign-in")).forms["sign-in"].fields
    sign_in = await house.sign_in(browser.cookies[BROWSER], account_id=account.id)
    for page in (
        await browser.get(f"/sign-in/code?flow={sign_in.id}"),
        await browser.post(
            "/sign-in/code",
            {"csrf": form["csrf"], "flow": sign_in.id, "code": code_for(seed, house.now)},
        ),
    ):
        assert page.status == 303
        assert (page.header("location") or "").startswith("/sign-in?flow=")
    assert SESSION not in browser.cookies


@pytest.mark.requirement(84)
async def test_a_recovery_code_has_its_own_page(house: House) -> None:
    account = await house.person()
    _, codes = await house.authenticator(account)
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in())
    assert "Use a recovery code" in asked.words
    flow = asked.forms["second-factor"].fields["flow"]
    view = await browser.get(f"/sign-in/code?flow={flow}&method=recovery")
    wrong = await browser.submit(view, "second-factor", code="nothing like one")
    assert wrong.problem == "That recovery code didn't work. Each code works once."
    done = await browser.submit(wrong, "second-factor", code=codes[0])
    assert done.header("location") == "/account"


@pytest.mark.requirement(82)
async def test_too_many_codes_name_the_time(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in())
    for _ in range(ThrottlePolicy().per_code):
        assert (await browser.submit(asked, "second-factor", code="abc")).status == 400
    page = await browser.submit(asked, "second-factor", code="abc")
    assert page.status == 429
    assert page.problem is not None
    assert page.problem.startswith("Too many tries.")


async def test_switching_to_another_person_starts_again(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    await house.person("eve@example.com")
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in())
    flow = asked.forms["second-factor"].fields["flow"]
    page = await browser.get(f"/sign-in?flow={flow}&restart=1")
    stored = await house.store.sign_ins.get(flow)
    assert stored is not None
    assert (stored.account_id, stored.proofs) == (None, ())
    done = await browser.submit(page, "sign-in", identifier="eve@example.com", password=PASSWORD)
    assert done.header("location") == "/account"


async def test_a_signed_in_person_is_sent_to_the_account_page(house: House) -> None:
    await house.person()
    browser = house.browser()
    await browser.sign_in()
    page = await browser.get("/sign-in")
    assert (page.status, page.header("location")) == (303, "/account")


@pytest.mark.requirement(79)
async def test_an_overloaded_server_says_so() -> None:
    import asyncio

    async with open_house(passwords=PasswordPolicy(threads=1, queue=1)) as house:
        await house.person()
        pages = await asyncio.gather(*(house.browser(f"192.0.2.{n}").sign_in() for n in range(8)))
        busy = [page for page in pages if page.status == 503]
        assert busy
        assert all(page.header("retry-after") for page in busy)
        assert all(page.status in {303, 503} for page in pages)


@pytest.mark.requirement(9)
async def test_a_repeated_field_is_refused(house: House) -> None:
    browser = house.browser()
    page = await browser.get("/sign-in")
    csrf = page.forms["sign-in"].fields["csrf"]
    answer = await browser._ask(
        "POST",
        "/sign-in",
        f"csrf={csrf}&identifier=a&identifier=b&password=c".encode(),
        {"content-type": "application/x-www-form-urlencoded", "origin": ISSUER},
    )
    assert answer.status == 400


async def test_hostile_text_is_escaped(house: House) -> None:
    browser = house.browser()
    answer = await browser.sign_in('"><script>alert(1)</script>@example.com', "x")
    assert "<script>alert" not in answer.text
    assert answer.status == 400
