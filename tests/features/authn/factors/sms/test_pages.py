"""Phones on the pages: added, asked for at sign-in, told of when a message did not arrive, and removed."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec import structs

from doorward.core.model.policy import SecondFactorPolicy
from tests.browsing import PASSWORD, Page
from tests.features import made
from tests.features.authn.factors.sms.phones import CODE, NUMBER, PHONE, phoned
from tests.front_channel import Front
from tests.tabs import Tab, said

pytestmark = pytest.mark.anyio
MASKED = "+49 ••• ••78"
WRONG = "That code didn't work. Check it, or use the newest one."


async def at_code(tab: Tab) -> Page:
    """The page after the right password."""
    return await tab.on(await tab.sign_in())


def other_than(code: str) -> str:
    return f"{(int(code) + 500_000) % 1_000_000:06d}"


async def kinds_of(front: Front) -> list[str]:
    account = await front.store.accounts.by_email("ada@example.com")
    assert account is not None
    return sorted({row.kind for row in await front.store.accounts.factors(account.id)})


@pytest.mark.requirement(83)
async def test_a_person_adds_a_phone() -> None:
    async with phoned() as server:
        front = server.front
        await front.person()
        tab = await front.signed_in()
        assert "/account/methods/phone" in (await tab.get("/account/methods")).text
        page = await tab.submit(await tab.get(PHONE), "phone", number="0049 171 2345678")
        assert page.header("location") == CODE
        page = await tab.on(page)
        assert f"A text message with a code is on its way to {MASKED} ." in page.words
        assert NUMBER not in page.text
        code = await server.code()
        wrong = await tab.submit(page, "phone-code", code=other_than(code))
        assert wrong.problem == WRONG
        assert await kinds_of(front) == []
        done = await tab.submit(wrong, "phone-code", code="\u200f" + " ".join(code))
        assert "Your phone is set up." in done.words
        assert done.text.count("<li><code>") == 10, "recovery codes, since a phone can be lost"
        assert await kinds_of(front) == ["recovery_code", "sms"]
        assert [event.detail["method"] for event in await front.audited("second_factor.added")] == ["sms"]
        assert "phone_added" in [mail.kind for mail in await front.store.messages.recent_mail(9)]
        again = await tab.submit(wrong, "phone-code", code=code)
        assert again.status == 303, "the code is spent, and its page is over"


async def test_a_phone_is_asked_for_at_the_next_sign_in() -> None:
    async with phoned() as server:
        front = server.front
        ada = await front.person()
        await server.enrolled(ada)
        tab = front.browser()
        page = await at_code(tab)
        assert f"We've sent a code to {MASKED} ." in page.words
        text = server.gateway
        answer = await tab.submit(page, "second-factor", code=await server.code())
        assert answer.header("location") == "/account"
        (session,) = await front.store.sessions.live_of(ada.id, front.now)
        assert (session.acr, session.amr) == ("urn:doorward:aal2", ("pwd", "sms", "mfa"))
        assert text.to(NUMBER).text.endswith(f"\n\n@auth.example.com #{text.to(NUMBER).code}")


@pytest.mark.requirement(83)
async def test_the_person_is_told_that_a_message_did_not_arrive() -> None:
    async with phoned() as server:
        front, tab = server.front, server.front.browser()
        await server.enrolled(await front.person())
        server.gateway.answers.append((400, b""))
        page = await at_code(tab)
        assert "We couldn't deliver" not in page.words
        await server.deliver()
        page = await tab.get(page.path)
        assert f"We couldn't deliver a message to {MASKED} ." in page.words
        assert "We've sent a code" not in page.words
        front.clock.time += 60
        page = await tab.on(await tab.submit(await tab.get(page.path), "send"))
        assert "We couldn't deliver" not in page.words
        await server.deliver()
        taken = server.gateway.to(NUMBER)
        report = server.gateway.failed(taken)
        headers = {
            name.replace("-", "_"): value
            for name, value in server.gateway.signed_report(taken, at=front.now).items()
        }
        stranger = front.browser()
        assert (await stranger.ask("POST", "/sms/report/webhook", body=report)).status == 403
        told = await stranger.ask("POST", "/sms/report/webhook", body=report, **headers)
        assert told.status == 204
        assert "We couldn't deliver" in (await tab.get(page.path)).words
        assert len(await front.audited("sms.failed")) == 2


async def test_the_code_page_of_a_new_number_tells_it_too() -> None:
    async with phoned() as server:
        front = server.front
        await front.person()
        tab = await front.signed_in()
        page = await tab.on(await tab.submit(await tab.get(PHONE), "phone", number=NUMBER))
        early = await tab.submit(page, "again")
        assert early.status == 429
        assert early.problem is not None
        assert early.problem.startswith("We can't send another message now.")
        server.gateway.answers.append((422, b""))
        watch = f"{PHONE}/delivery"
        assert f'data-delivery="{watch}"' in page.text
        assert (await tab.get(watch)).text == '{"delivery":"under_way"}'
        await server.deliver()
        assert (await tab.get(watch)).text == '{"delivery":"failed"}', "for the script of the page"
        page = await tab.get(CODE)
        assert f"We couldn't deliver a message to {MASKED} . Check the number" in page.words
        front.clock.time += 60
        page = await tab.submit(page, "again")
        assert "Another message is on its way. Use the newest one." in page.words
        done = await tab.submit(page, "phone-code", code=await server.code())
        assert "Your phone is set up." in done.words


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter a mobile number with its country code"),
        ("hello", "Enter a mobile number with its country code"),
        ("+49 30 901820", "This number can't receive our messages."),
        ("+49 900 1 234567", "This number can't receive our messages."),
        ("+33 6 12 34 56 78", "We don't send messages to this country."),
    ],
)
async def test_a_number_that_is_not_allowed_is_refused_with_advice(typed: str, sentence: str) -> None:
    async with phoned() as server:
        await server.front.person()
        tab = await server.front.signed_in()
        page = await tab.submit(await tab.get(PHONE), "phone", number=typed)
        assert page.status == 400
        assert sentence in page.words
        await server.deliver()
        assert server.gateway.taken == []


@pytest.mark.requirement(73)
async def test_a_phone_is_changed_only_after_a_recent_sign_in() -> None:
    async with phoned() as server:
        front = server.front
        await front.person()
        tab = await front.signed_in()
        page = await tab.get(PHONE)
        front.clock.time += 3600
        for path in (PHONE, CODE):
            assert "/account/confirm" in ((await tab.get(path)).header("location") or "")
        answer = await tab.submit(page, "phone", number=NUMBER)
        assert "/account/confirm" in (answer.header("location") or "")
        await server.deliver()
        assert server.gateway.taken == []


@pytest.mark.requirement(73, 77)
async def test_the_last_phone_is_removed_with_a_password_that_may_stand_alone() -> None:
    async with phoned() as server:
        front = server.front
        row = await server.enrolled(await front.person())
        tab = front.browser()
        await tab.submit(await at_code(tab), "second-factor", code=await server.code())
        page = await tab.get(PHONE)
        assert MASKED in page.words
        asked = await tab.submit(page, "phone-remove-1")
        assert "your password alone is enough" in asked.words
        wrong = await tab.submit(asked, "phone-remove", password="not my password")
        assert "That password isn't right." in wrong.words
        assert await kinds_of(front) == ["sms"]
        done = await tab.on(await tab.submit(wrong, "phone-remove", password=PASSWORD))
        assert "The phone is removed." in done.words
        assert await kinds_of(front) == []
        assert [event.detail["method"] for event in await front.audited("second_factor.removed")] == ["sms"]
        gone = await tab.submit(page, "phone-remove-1")
        assert gone.header("location") == "/account/methods"
        assert row.kind == "sms"


async def test_a_phone_beside_another_second_step_is_removed_at_once() -> None:
    async with phoned() as server:
        front = server.front
        ada = await front.person()
        await server.enrolled(ada)
        await front.authenticator(ada)
        tab = front.browser()
        page = await at_code(tab)
        assert "Get a code by text message" in page.words
        assert server.gateway.taken == [], "there is a choice, so nothing is sent without being asked for"
        await tab.submit(page, "second-factor", code=front.code())
        done = await tab.on(await tab.submit(await tab.get(PHONE), "phone-remove-1"))
        assert "The phone is removed." in done.words
        assert await kinds_of(front) == ["totp"]


@pytest.mark.requirement(85)
async def test_a_required_phone_is_set_up_inside_the_sign_in() -> None:
    required = SecondFactorPolicy(require="required", kinds=("sms",))
    async with phoned(second_factor=required) as server:
        front = server.front
        app = await front.register(structs.replace(made.client(), first_party=True))
        await front.person()
        tab = front.browser()
        choice = await tab.on(await tab.sign_in_at(await tab.get(front.asking(app))))
        assert "Set up a second step" in choice.words
        flow = choice.path.partition("flow=")[2]
        page = await tab.get(f"/sign-in/enrol/phone?flow={flow}")
        page = await tab.on(await tab.submit(page, "phone", number=NUMBER))
        assert page.path.startswith("/sign-in/enrol/phone/code")
        codes = await tab.submit(page, "phone-code", code=await server.code())
        assert codes.text.count("<li><code>") == 10
        done = await tab.on(await tab.get(f"/sign-in/enrol?flow={flow}"))
        assert "code" in said(done)
        assert (await front.redeem(app, said(done)["code"]))["status"] == 200


async def test_phones_that_the_settings_do_not_offer_cannot_be_added() -> None:
    async with phoned(second_factor=SecondFactorPolicy(kinds=("totp",))) as server:
        front = server.front
        await front.person()
        tab = await front.signed_in()
        assert PHONE not in (await tab.get("/account/methods")).text
        assert (await tab.get(PHONE)).header("location") == "/account/methods"


async def test_the_card_of_phones_removes_one_unless_a_second_step_is_demanded() -> None:
    async with phoned() as server:
        front = server.front
        ada = await front.person()
        await server.enrolled(ada)
        await front.authenticator(ada)
        tab = front.browser()
        await tab.submit(await at_code(tab), "second-factor", code=front.code())
        page = await tab.get("/account/methods")
        assert f"We can send codes to {MASKED}." in page.words
        done = await tab.on(await tab.submit(page, "phone-remove"))
        assert "The phone is removed." in done.words
    required = SecondFactorPolicy(require="required", kinds=("sms",))
    async with phoned(second_factor=required) as server:
        front = server.front
        await server.enrolled(await front.person())
        tab = front.browser()
        await tab.submit(await at_code(tab), "second-factor", code=await server.code())
        kept = await tab.submit(await tab.get("/account/methods"), "phone-remove")
        assert "You need a second step here." in kept.words
        assert await kinds_of(front) == ["sms"]


async def test_the_page_of_codes_without_a_method_is_that_of_a_code_that_can_be_shown() -> None:
    """Neither an authenticator app nor recovery codes are there to be typed."""
    async with phoned() as server:
        ada = await server.front.person()
        await server.enrolled(ada)
        tab = server.front.browser()
        at = await at_code(tab)
        flow = parse_qs(urlsplit(at.path).query)["flow"][0]
        for address in (
            "/sign-in/code",
            "/sign-in/code?method=recovery",
            "/sign-in/code?method=authenticator",
        ):
            page = await tab.get(f"{address}{'&' if '?' in address else '?'}flow={flow}")
            assert page.forms["second-factor"].fields["method"] == "sms", address


@pytest.mark.requirement(77)
async def test_the_page_of_methods_asks_for_no_longer_password_than_the_rule() -> None:
    async with phoned() as server:
        ada = await server.front.person()
        tab = await server.front.signed_in()
        assert "At least 15 characters." in (await tab.get("/account/methods")).words
        await server.enrolled(ada)
        assert "At least 8 characters." in (await tab.get("/account/methods")).words
