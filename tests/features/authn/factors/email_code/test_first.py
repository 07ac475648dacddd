"""A code by mail in place of the password: only where it is allowed, the same answers for every address, and no step skipped."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from msgspec import structs

from doorward.adapters.mail.queue import open_message
from doorward.core.model.account import Account
from doorward.features.authn.factors.email_code import first
from doorward.features.authn.factors.email_code.settings import EmailCodePolicy
from tests.browsing import Page
from tests.front_channel import Front, front_channel
from tests.tabs import Tab

pytestmark = pytest.mark.anyio


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel(email_codes=EmailCodePolicy(first=True)) as opened:
        await opened.person()
        yield opened


async def mails(front: Front) -> list[tuple[str, str]]:
    """(address, code), newest first."""
    found = await front.store.messages.recent_mail(100)
    sealer = front.services.sealer
    return [(one.to, open_message(sealer, one).code or "") for one in found if one.kind == "sign_in_by_mail"]


async def asked(tab: Tab, email: str = "ada@example.com") -> Page:
    """The page that waits for the code."""
    return await tab.on(await tab.submit(await tab.get("/sign-in/email"), "mail-first", email=email))


async def ada_of(front: Front) -> Account:
    (account,) = await front.store.accounts.find("ada@example.com")
    return account


async def test_a_code_by_mail_signs_in_at_the_first_level(front: Front) -> None:
    tab = front.browser()
    assert "Email me a code" in (await tab.get("/sign-in")).words
    page = await asked(tab)
    ((address, code),) = await mails(front)
    assert address == "ada@example.com"
    assert len(code) == 9
    done = await tab.on(await tab.submit(page, "check", code=code))
    assert done.path == "/account"
    (session,) = await front.store.sessions.live_of((await ada_of(front)).id, front.now)
    assert (session.acr, session.amr) == ("urn:doorward:aal1", ("otp",))


@pytest.mark.requirement(80)
async def test_an_unknown_address_gets_the_same_pages_and_no_mail(front: Front) -> None:
    shown: list[tuple[int, str, str | None]] = []
    for email in ("ada@example.com", "bob@example.com"):
        page = await asked(tab := front.browser(), email)
        wrong = await tab.submit(page, "check", code="000000000")
        shown.append((page.status, page.words.replace(email, "the address"), wrong.problem))
    assert shown[0] == shown[1]
    assert [address for address, _ in await mails(front)] == ["ada@example.com"]


@pytest.mark.requirement(85)
async def test_the_second_step_is_asked_for_as_ever(front: Front) -> None:
    await front.authenticator(await ada_of(front))
    tab = front.browser()
    page = await asked(tab)
    (_, code), *_ = await mails(front)
    page = await tab.on(await tab.submit(page, "check", code=code))
    assert page.path.startswith("/sign-in/code")
    done = await tab.on(await tab.submit(page, "second-factor", code=front.code()))
    assert done.path == "/account"
    # a mailbox beside something held raises no level
    (session,) = await front.store.sessions.live_of((await ada_of(front)).id, front.now)
    assert (session.acr, session.amr) == ("urn:doorward:aal1", ("otp",))


@pytest.mark.requirement(82, 83)
async def test_a_code_works_once_in_its_own_sign_in_and_browser(front: Front) -> None:
    tab, other = front.browser(), front.browser()
    page, elsewhere = await asked(tab), await asked(other, "bob@example.com")
    ((_, code),) = await mails(front)
    # with the ticket of Ada's mail in another browser
    moved = await other.post(page.forms["check"].action, {**elsewhere.forms["check"].fields, "code": code})
    assert (moved.header("location") or "") != "/account"
    assert (await tab.on(await tab.submit(page, "check", code=code))).path == "/account"
    fields = {name: value for name, value in page.forms["check"].fields.items() if name != "once"}
    tab.cookies = {name: value for name, value in tab.cookies.items() if "session" not in name}
    again = await tab.on(await tab.post(page.forms["check"].action, {**fields, "code": code}))
    assert again.path != "/account"


@pytest.mark.requirement(83)
async def test_another_code_replaces_the_first(front: Front) -> None:
    tab = front.browser()
    page = await asked(tab)
    again = await tab.on(await tab.submit(page, "resend"))
    assert "another message is on its way" in again.words
    (_, second), (_, first_code) = await mails(front)
    if first_code != second:
        assert (await tab.submit(again, "check", code=first_code)).status == 400
    assert (await tab.on(await tab.submit(again, "check", code=second))).path == "/account"


@pytest.mark.requirement(94)
def test_a_proof_ends_with_the_address_and_the_password() -> None:
    account = Account("usr_1", "ada@example.com", 1, password_changed_at=5)
    shown = first.of_mailbox(account, 9)
    assert first.stands(shown, account)
    assert not first.stands(shown, structs.replace(account, email="eve@example.com"))
    assert not first.stands(shown, structs.replace(account, password_changed_at=8))
    assert not first.stands(shown, account.with_password("y", 5))
    of_session = structs.replace(shown, against=None)
    assert first.stands(of_session, account)
    assert not first.stands(of_session, structs.replace(account, password_changed_at=10))


async def test_it_is_not_there_unless_the_operator_allows_it() -> None:
    async with front_channel() as front:
        await front.person()
        tab = front.browser()
        assert "Email me a code" not in (await tab.get("/sign-in")).words
        assert (await tab.get("/sign-in/email")).status == 404
