"""Setting up of codes by mail: an address is proven first, in a session or inside a sign-in; and their removal."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from msgspec import structs

from doorward.adapters.mail.queue import open_message
from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.factors.email_code.factor import ADDRESS_PURPOSE
from doorward.features.authn.flow.build import offered_factors
from tests.browsing import PASSWORD, Page
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.racing import before_commit
from tests.tabs import Tab, said

pytestmark = pytest.mark.anyio
PAGE = "/account/methods/email"
APP = structs.replace(made.client(), first_party=True)
ALLOWED = SecondFactorPolicy(kinds=("totp", "email_code"))


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel(second_factor=ALLOWED) as opened:
        await opened.person()
        yield opened


async def codes(front: Front, kind: str = "address_code") -> list[tuple[str, str]]:
    """(address, code) of the mails of one kind, newest first."""
    found = await front.store.messages.recent_mail(100)
    return [
        (one.to, open_message(front.services.sealer, one).code or "") for one in found if one.kind == kind
    ]


async def signed_in(front: Front) -> Tab:
    tab = front.browser()
    await tab.on(await tab.sign_in_at(await tab.get("/sign-in")))
    return tab


async def set_up(front: Front, tab: Tab, page: Page, address: str | None = None) -> Page:
    """Ask for a code at the address that the page proposes, or at another one, and enter it."""
    typed = {} if address is None else {"address": address}
    sent = await tab.on(await tab.submit(page, "mail-codes-send", **typed))
    assert "mail-codes" in sent.forms, sent.words
    (_, code), *_ = await codes(front)
    return await tab.submit(sent, "mail-codes", code=code)


@pytest.mark.requirement(73, 84)
async def test_the_accounts_address_is_proven_and_becomes_a_factor(front: Front) -> None:
    (ada,) = await front.store.accounts.find("ada@example.com")
    tab = await signed_in(front)
    page = await tab.get(PAGE)
    assert page.forms["mail-codes-send"].fields["address"] == ada.email
    assert await codes(front) == []
    shown = await set_up(front, tab, page)
    # new recovery codes, once
    assert shown.text.count("<li><code>") == 10
    assert "Codes by email are set up." in shown.words
    rows = await front.store.accounts.factors(ada.id)
    (factor,) = [row for row in rows if row.kind == "email_code"]
    assert factor.sealed is None
    kinds = [mail.kind for mail in await front.store.messages.recent_mail(9)]
    assert kinds.count("mail_codes_added") == 1
    (event,) = await front.audited("second_factor.added")
    assert event.detail["method"] == "email_code"
    # the next sign-in asks for one
    other = front.browser()
    asked = await other.on(await other.sign_in_at(await other.get("/sign-in")))
    (_, code), *_ = await codes(front, "sign_in_code")
    done = await other.on(await other.submit(asked, "second-factor", code=code))
    assert done.path == "/account"


async def test_the_page_of_sign_in_methods_shows_it(front: Front) -> None:
    tab = await signed_in(front)
    methods = await tab.get("/account/methods")
    assert "Codes by email Off We send a code to your email address. Set up" in methods.words
    await set_up(front, tab, await tab.get(PAGE))
    methods = await tab.get("/account/methods")
    assert "Codes by email On" in methods.words
    assert "we can send a code to ada@example.com" in methods.words
    assert "10 of 10 left" in methods.words
    assert (await tab.submit(methods, "recovery")).text.count("<li><code>") == 10
    done = await tab.on(await tab.submit(methods, "mail-codes-remove"))
    assert "Codes by email Off" in done.words


async def test_another_address_is_stored_sealed_and_only_after_its_code(front: Front) -> None:
    (ada,) = await front.store.accounts.find("ada@example.com")
    tab = await signed_in(front)
    sent = await tab.on(
        await tab.submit(await tab.get(PAGE), "mail-codes-send", address=" Backup@Example.NET ")
    )
    ((address, code),) = await codes(front)
    assert (address, "Backup@example.net" in sent.words or "backup@example.net" in sent.words) == (
        "backup@example.net",
        True,
    )
    assert [row.kind for row in await front.store.accounts.factors(ada.id)] == []
    wrong = await tab.submit(sent, "mail-codes", code=f"{(int(code) + 1) % 1_000_000:06d}")
    assert (wrong.status, wrong.problem) == (400, "That code didn't work. Check it, or use the newest one.")
    await tab.submit(wrong, "mail-codes", code=code)
    rows = await front.store.accounts.factors(ada.id)
    (factor,) = [row for row in rows if row.kind == "email_code"]
    assert factor.sealed is not None
    assert b"backup" not in factor.sealed
    assert front.services.sealer.open(ADDRESS_PURPOSE, factor.id, factor.sealed) == b"backup@example.net"
    # the owner hears of it at the account's address
    told = [mail.to for mail in await front.store.messages.recent_mail(9) if mail.kind == "mail_codes_added"]
    assert told == ["ada@example.com"]


@pytest.mark.requirement(82)
async def test_a_code_works_once_and_only_in_the_session_that_asked_for_it(front: Front) -> None:
    tab, other = await signed_in(front), await signed_in(front)
    sent = await tab.on(await tab.submit(await tab.get(PAGE), "mail-codes-send"))
    ((_, code),) = await codes(front)
    csrf = (await other.get(PAGE)).forms["mail-codes-send"].fields["csrf"]
    moved = await other.post(PAGE, {"csrf": csrf, "code": code})
    assert moved.status == 400
    assert (await tab.submit(sent, "mail-codes", code=code)).status == 200
    csrf = sent.forms["mail-codes"].fields["csrf"]
    assert (await tab.post(PAGE, {"csrf": csrf, "code": code})).status == 400


@pytest.mark.requirement(82, 83)
async def test_five_wrong_codes_end_it_without_holding_up_sign_ins(front: Front) -> None:
    tab = await signed_in(front)
    page = await tab.on(await tab.submit(await tab.get(PAGE), "mail-codes-send"))
    ((_, code),) = await codes(front)
    for _ in range(5):
        page = await tab.submit(page, "mail-codes", code=f"{(int(code) + 1) % 1_000_000:06d}")
    refused = await tab.submit(page, "mail-codes", code=code)
    assert refused.status in {400, 429}
    (ada,) = await front.store.accounts.find("ada@example.com")
    assert list(await front.store.accounts.factors(ada.id)) == []
    early = await tab.post(f"{PAGE}/send", {**page.forms["mail-codes"].fields, "address": "ada@example.com"})
    assert early.status == 429


@pytest.mark.parametrize("address", ["nonsense", "a@b", "ﬁn@example.com"])
async def test_an_invalid_address_is_reported(front: Front, address: str) -> None:
    tab = await signed_in(front)
    page = await tab.submit(await tab.get(PAGE), "mail-codes-send", address=address)
    assert page.status == 400
    assert "like name@example.com" in page.words
    assert await codes(front) == []


@pytest.mark.requirement(85)
async def test_it_is_set_up_inside_a_sign_in_that_requires_it_and_leads_on_to_the_app() -> None:
    policy = SecondFactorPolicy(require="required", kinds=("email_code",))
    async with front_channel(second_factor=policy) as front:
        await front.person()
        await front.register(APP)
        tab = front.browser()
        choice = await tab.on(await tab.sign_in_at(await tab.get(front.asking(APP))))
        assert "We send a code to your email address." in choice.words
        flow = choice.path.partition("flow=")[2]
        page = await tab.get(f"/sign-in/enrol/email?flow={flow}")
        shown = await set_up(front, tab, page)
        assert shown.text.count("<li><code>") == 10
        done = await tab.on(await tab.get(f"/sign-in/enrol?flow={flow}"))
        tokens = await front.redeem(APP, said(done)["code"])
        assert tokens["status"] == 200


async def test_it_is_not_offered_where_the_operator_does_not_allow_it() -> None:
    async with front_channel() as front:
        await front.person()
        tab = await signed_in(front)
        assert "Codes by email" not in (await tab.get("/account/methods")).words
        for path in (PAGE, f"{PAGE}/send"):
            assert (await tab.on(await tab.get(path))).path == "/account/methods"
        csrf = (await tab.get("/account")).forms["profile"].fields["csrf"]
        assert (await tab.on(await tab.post(f"{PAGE}/send", {"csrf": csrf}))).path == "/account/methods"
        assert await codes(front) == []


@pytest.mark.requirement(73, 94)
async def test_its_removal_tells_the_owner_and_takes_the_recovery_codes_along(front: Front) -> None:
    (ada,) = await front.store.accounts.find("ada@example.com")
    tab = await signed_in(front)
    await set_up(front, tab, await tab.get(PAGE))
    csrf = (await tab.get("/account")).forms["profile"].fields["csrf"]
    done = await tab.on(await tab.post(f"{PAGE}/remove", {"csrf": csrf}))
    assert "Codes by email are removed." in done.words
    assert list(await front.store.accounts.factors(ada.id)) == []
    kinds = [mail.kind for mail in await front.store.messages.recent_mail(9)]
    assert kinds.count("mail_codes_removed") == 1
    (event,) = await front.audited("second_factor.removed")
    assert event.detail["method"] == "email_code"
    assert (await tab.on(await tab.post(f"{PAGE}/remove", {"csrf": csrf}))).path == "/account/methods"
    front.clock.time += 700
    asked = await tab.post(f"{PAGE}/remove", {"csrf": csrf})
    assert (asked.header("location") or "").startswith("/account/confirm")


@pytest.mark.parametrize(("times", "removed"), [(2, True), (3, False)])
async def test_its_removal_beside_other_changes_is_tried_again_and_then_said(
    front: Front, monkeypatch: pytest.MonkeyPatch, times: int, *, removed: bool
) -> None:
    """docs/incidents/0127-a-sign-in-kept-a-passkey-from-being-removed.md"""
    (ada,) = await front.store.accounts.find("ada@example.com")
    tab = await signed_in(front)
    await set_up(front, tab, await tab.get(PAGE))
    csrf = (await tab.get("/account")).forms["profile"].fields["csrf"]

    async def changed() -> None:
        await front.store.commit(front.store.accounts.touch(ada.id, front.now))

    made = before_commit(monkeypatch, "DELETE FROM factors", changed, times=times)
    page = await tab.on(await tab.post(f"{PAGE}/remove", {"csrf": csrf}))
    assert made == [*[False] * times, *[True] * removed]
    assert ("Codes by email are removed." in page.words) == removed
    assert ("Your account changed" in (page.problem or "")) == (not removed)
    assert (not await front.store.accounts.factors(ada.id)) == removed


async def test_the_last_required_step_is_not_removed() -> None:
    policy = SecondFactorPolicy(require="required", kinds=("email_code", "totp"))
    async with front_channel(second_factor=policy) as front:
        ada = await front.person()
        tab = front.browser()
        choice = await tab.on(await tab.sign_in_at(await tab.get("/sign-in")))
        flow = choice.path.partition("flow=")[2]
        await set_up(front, tab, await tab.get(f"/sign-in/enrol/email?flow={flow}"))
        page = await tab.on(await tab.get(f"/sign-in/enrol?flow={flow}"))
        assert page.path == "/account"
        refused = await tab.post(f"{PAGE}/remove", {"csrf": page.forms["profile"].fields["csrf"]})
        assert refused.status in {400, 409}
        assert (
            refused.problem == "You need a second step here. Set up another one first, then remove this one."
        )
        assert "email_code" in {row.kind for row in await front.store.accounts.factors(ada.id)}


@pytest.mark.requirement(77)
async def test_it_permits_no_shorter_password(front: Front) -> None:
    (ada,) = await front.store.accounts.find("ada@example.com")
    tab = await signed_in(front)
    await set_up(front, tab, await tab.get(PAGE))
    offered = front.services.get(offered_factors)
    rows = await front.store.accounts.factors(ada.id)
    assert offered.second_factor(ada, rows)
    assert not offered.beside_password(ada, rows)
    methods = await tab.get("/account/methods")
    short = await tab.submit(methods, "password-change", current=PASSWORD, new="kV3#zPq9")
    assert (short.status, "15 characters" in short.words) == (400, True)
