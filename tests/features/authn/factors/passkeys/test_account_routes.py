"""Passkeys on the account pages: added, renamed and removed after a recent sign-in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from doorward.core.model.passkey import Passkey
from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.factors.passkeys.rules.response import padless
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from tests.authenticator import Authenticator
from tests.features.authn.factors.passkeys.owners import device
from tests.features.authn.factors.passkeys.test_routes import added, asked_of
from tests.front_channel import Front, front_channel
from tests.racing import before_commit
from tests.tabs import Tab

pytestmark = pytest.mark.anyio
PAGE = "/account/methods/passkeys"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.person()
        yield opened


async def owner(front: Front, phone: Authenticator) -> Tab:
    """The browser in which Ada has added a passkey just now. With her password alone she could not change it."""
    tab = await front.signed_in()
    page = await tab.get(PAGE)
    form = page.forms["passkey-new"]
    page = await tab.post(PAGE, {**form.fields, "credential": phone.create(asked_of(page))})
    assert page.status == 303
    return tab


async def passkeys(front: Front) -> list[Passkey]:
    return list(await front.store.passkeys.of_account("usr_ada"))


@pytest.mark.requirement(73)
async def test_each_page_and_form_needs_a_recent_sign_in(front: Front) -> None:
    tab = await owner(front, device())
    (mine,) = await passkeys(front)
    page = await tab.get(PAGE)
    form = page.forms["passkey-new"]
    front.clock.time += 601
    for path in (PAGE, f"{PAGE}/rename?factor={mine.factor_id}"):
        assert "/account/confirm" in ((await tab.get(path)).header("location") or "")
    for path, fields in (
        (PAGE, {"credential": device().create(asked_of(page))}),
        (f"{PAGE}/rename", {"factor": mine.factor_id, "name": "Mine"}),
        (f"{PAGE}/remove", {"factor": mine.factor_id}),
        (f"{PAGE}/second", {"factor": mine.factor_id, "second": "yes"}),
    ):
        answer = await tab.post(path, {**form.fields, **fields})
        assert "/account/confirm" in (answer.header("location") or ""), path
    assert await passkeys(front) == [mine]
    assert [row.kind for row in await front.store.accounts.factors("usr_ada")] == ["passkey"]


async def test_what_is_wrong_is_said(front: Front) -> None:
    phone = device()
    assert "didn't work" in ((await added(front, phone, credential="{}")).problem or "")
    tab = await owner(front, phone)
    page = await tab.get(PAGE)
    again = phone.create(asked_of(page))
    form = page.forms["passkey-new"]
    assert (await tab.post(PAGE, {**form.fields, "credential": again})).status == 303
    page = await tab.post(PAGE, {**form.fields, "once": "another", "credential": again})
    assert "in use already" in (page.problem or "")


async def test_a_passkey_is_renamed(front: Front) -> None:
    tab = await owner(front, device())
    (mine,) = await passkeys(front)
    page = await tab.get(f"{PAGE}/rename?factor={mine.factor_id}")
    page = await tab.submit(page, "passkey-name", name="x" * 41)
    assert page.status == 400
    assert page.forms["passkey-name"].fields["name"] == "x" * 41
    page = await tab.submit(page, "passkey-name", name="Blue phone")
    assert page.status == 303
    assert [one.name for one in await passkeys(front)] == ["Blue phone"]
    page = await tab.get(f"{PAGE}/rename?factor=fac_other")
    assert page.header("location") == "/account/methods"


async def test_a_passkey_is_removed(front: Front) -> None:
    tab = await owner(front, device())
    (mine,) = await passkeys(front)
    fields = (await tab.get(PAGE)).forms["passkey-new"].fields
    page = await tab.post(f"{PAGE}/remove", {**fields, "factor": mine.factor_id})
    assert page.status == 303
    assert await passkeys(front) == []
    page = await tab.post(f"{PAGE}/remove", {**fields, "once": "other", "factor": mine.factor_id})
    assert page.header("location") == "/account/methods"


async def test_a_passkey_is_asked_for_after_the_password_if_its_owner_wants_that(front: Front) -> None:
    tab = await owner(front, device())
    page = await tab.get("/account/methods")
    assert page.forms["passkey-1-second"].fields["second"] == "yes"
    assert "Asked for after your password" not in page.words
    page = await tab.on(await tab.submit(page, "passkey-1-second"))
    assert "From now on we ask for this passkey after your password, too." in page.words
    assert "Asked for after your password, too" in page.words
    asked = await front.browser().sign_in()
    assert (asked.header("location") or "").startswith("/sign-in/passkey")
    assert page.forms["passkey-1-second"].fields["second"] == "no"
    page = await tab.on(await tab.submit(page, "passkey-1-second"))
    assert "we ask for this passkey only where a second step is required." in page.words
    assert (await front.browser().sign_in()).header("location") == "/account"


async def test_the_page_that_adds_one_asks_whether_it_is_asked_for(front: Front) -> None:
    tab = await front.signed_in()
    page = await tab.get(PAGE)
    assert '<input type="checkbox" id="second" name="second" value="yes"' in page.text
    await added(front, device(), second="yes")
    (row,) = await front.store.accounts.factors("usr_ada")
    assert row.kind == "security_key"


async def test_a_manager_adds_a_passkey_without_leaving_the_page(front: Front) -> None:
    phone, tab = device(), await front.signed_in()
    page = await tab.get(PAGE)
    fields = page.forms["passkey-new"].fields
    # the options of the page are for a passkey that is made by the person
    wrong = await tab.post("/account/passkeys/silent", {**fields, "credential": phone.create(asked_of(page))})
    assert wrong.status == 204
    assert await passkeys(front) == []
    assert (await tab.post("/account/passkeys/silent", {"csrf": "wrong"})).status == 204


async def test_passkeys_are_among_the_sign_in_methods(front: Front) -> None:
    tab = await owner(front, device(aaguid=bytes.fromhex("d548826e79b4db40a3d811116f7e8349")))
    (mine,) = await passkeys(front)
    page = await tab.get("/account/methods")
    assert "Bitwarden" in page.words
    assert "Backed up" in page.words
    assert "Not used yet" in page.words
    assert "allAcceptedCredentials" in page.text
    assert padless(mine.credential_id) in page.text
    page = await tab.submit(page, "passkey-1")
    assert page.status == 303
    page = await tab.follow(page)
    assert "The passkey is removed." in page.words
    assert padless(mine.credential_id) not in page.text


@pytest.mark.parametrize(
    "settings",
    [
        {"passkeys": PasskeyPolicy(enabled=False)},
        {"second_factor": SecondFactorPolicy(kinds=("totp",))},
        {"second_factor": SecondFactorPolicy(require="off")},
    ],
)
async def test_where_none_can_be_added_none_is_offered(settings: dict[str, Any]) -> None:
    async with front_channel(**settings) as front:
        await front.person()
        tab = await front.signed_in()
        page = await tab.get("/account/methods")
        assert page.status == 200
        assert "Passkeys" not in page.words
        assert (await tab.get(PAGE)).status in {303, 404}


async def test_a_removal_that_was_lost_is_said_and_not_passed_over(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/incidents/0127-a-sign-in-kept-a-passkey-from-being-removed.md"""
    tab = await owner(front, device())
    (mine,) = await passkeys(front)
    form = (await tab.get(PAGE)).forms["passkey-new"]

    async def elsewhere() -> None:
        await front.signed_in()

    before_commit(monkeypatch, "DELETE FROM factors", elsewhere, times=3)
    page = await tab.post(f"{PAGE}/remove", {**form.fields, "factor": mine.factor_id})
    assert page.status == 409
    assert "Your account changed" in (page.problem or "")
    assert await passkeys(front) == [mine]
    page = await tab.post(f"{PAGE}/remove", {**form.fields, "once": "another", "factor": mine.factor_id})
    assert page.status == 303
    assert await passkeys(front) == []
