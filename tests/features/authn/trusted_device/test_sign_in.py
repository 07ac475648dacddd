"""Remembered devices in a sign-in: the box, the skipped step, the changing secret, and two tabs at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from doorward.adapters.mail.queue import open_message
from doorward.adapters.metrics import PrometheusMetrics
from doorward.core.model.account import EnrolledFactor
from doorward.core.model.digest import digest
from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.flow.remembered import HeldDevice
from doorward.features.authn.trusted_device.service import TrustedDevices
from tests.authenticator import Authenticator
from tests.browsing import ISSUER, SESSION, Page
from tests.features import made
from tests.features.authn.factors.passkeys.served import enrol, options_on
from tests.front_channel import Front, front_channel
from tests.tabs import Tab, said
from tests.trusting import TRUST, after_password, at_code, devices, remembered, sign_out_of, skips

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(85)]
DAY = 86_400
BOX = "Don't ask again on this device for 30 days"
APP = made.public(first_party=True)


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.register(APP)
        await opened.person()
        yield opened


@pytest.fixture
async def coded(front: Front) -> Front:
    """Ada has an authenticator app."""
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    await front.authenticator(ada)
    front.clock.time += 60
    return front


async def rows(front: Front) -> list[str]:
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    return [one.id for one in await devices(front, ada)]


async def test_the_step_is_not_asked_for_again_for_thirty_days(coded: Front) -> None:
    tab = coded.browser()
    page = await at_code(tab)
    assert BOX in page.words
    assert "trust" not in page.forms["second-factor"].fields, "the person has to tick it"
    page = await tab.submit(page, "second-factor", code="000000", trust="1")
    assert page.forms["second-factor"].fields["trust"] == "1", "a wrong code keeps what was chosen"
    assert await rows(coded) == []
    done = await tab.submit(page, "second-factor", code=coded.code())
    assert done.header("location") == "/account"
    line = next(value for name, value in done.headers if name == "set-cookie" and value.startswith(TRUST))
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in line.split(";")}
    for _ in range(2):
        sign_out_of(tab)
        coded.clock.time += 14 * DAY
        assert skips(await after_password(tab))
    sign_out_of(tab)
    coded.clock.time += 2 * DAY
    assert not skips(await after_password(tab)), "use does not extend it"


async def test_without_the_box_nothing_is_remembered(coded: Front) -> None:
    tab = coded.browser()
    await tab.submit(await at_code(tab), "second-factor", code=coded.code(), trust="yes")
    assert TRUST not in tab.cookies
    assert await rows(coded) == []


async def test_the_session_is_what_the_password_is_worth(coded: Front) -> None:
    tab = await remembered(coded)
    page = await tab.sign_in_at(await tab.get(coded.asking(APP)))
    assert (await coded.redeem(APP, said(page)["code"]))["status"] == 200
    (session,) = await coded.store.sessions.live_of("usr_ada", coded.now, limit=1)
    assert (session.acr, session.amr) == ("urn:doorward:aal1", ("pwd",))
    newest, first = await coded.audited("sign_in.succeeded")
    assert newest.detail == {"method": "pwd", "device": (await rows(coded))[0]}
    assert "device" not in first.detail
    # other apps enter with the open session, without a page
    page = await tab.get(coded.asking(APP, prompt="none"))
    assert "code" in said(page)
    metrics = coded.services.metrics
    assert isinstance(metrics, PrometheusMetrics)
    assert b'doorward_second_factors_total{kind="remembered"} 2.0' in metrics.page()


async def test_every_use_changes_the_secret(coded: Front) -> None:
    tab = await remembered(coded)
    seen = {tab.cookies[TRUST]}
    for number in range(4):
        coded.clock.time += 3600
        sign_out_of(tab)
        assert skips(await after_password(tab))
        seen.add(tab.cookies[TRUST])
        assert len(seen) == number + 2
    device, _, secret = tab.cookies[TRUST].partition("~")
    row = await coded.store.remembered_devices.get(device)
    assert row is not None
    assert (row.secret_hash, row.used_at) == (digest(secret), coded.now)


async def test_two_tabs_at_once_both_end_with_the_same_secret(coded: Front) -> None:
    tab = await remembered(coded)
    tabs: list[Tab] = []
    for _ in range(4):
        one = coded.browser()
        one.cookies = dict(tab.cookies)
        tabs.append(one)
    pages: list[Page] = await asyncio.gather(*(after_password(one) for one in tabs))
    assert all(skips(page) for page in pages)
    assert len({one.cookies[TRUST] for one in tabs}) == 1
    assert tabs[0].cookies[TRUST] != tab.cookies[TRUST]
    # an answer that was lost: the browser sends the old secret again, and gets the same new one
    coded.clock.time += 60
    sign_out_of(tab)
    assert skips(await after_password(tab))
    assert tab.cookies[TRUST] == tabs[0].cookies[TRUST]
    assert await coded.audited("trusted_device.replayed") == []


async def test_a_shared_browser_is_remembered_for_each_of_its_people(coded: Front) -> None:
    bob = await coded.person(id="usr_bob", email="bob@example.com")
    mail = EnrolledFactor("fac_bob", bob.id, "totp", coded.now, sealed=_seed(coded, "fac_bob"))
    assert await coded.store.commit(coded.store.accounts.add_factor(mail))
    coded.clock.time += 60
    tab = await remembered(coded)
    page = await tab.on(await tab.sign_in("bob@example.com"))
    await tab.submit(page, "second-factor", code=coded.code(), trust="1")
    assert tab.cookies[TRUST].count("~") == 2
    for email in ("ada@example.com", "bob@example.com") * 2:
        sign_out_of(tab)
        assert skips(await tab.sign_in(email)), email
    assert tab.cookies[TRUST].count("~") == 2


def _seed(front: Front, factor_id: str) -> bytes:
    return front.services.sealer.seal("totp", factor_id, b"s" * 20)


async def test_a_browser_that_is_remembered_anew_has_one_row(coded: Front) -> None:
    tab = await remembered(coded)
    (first,) = await rows(coded)
    coded.clock.time += 31 * DAY
    await remembered(coded, tab)
    (second,) = await rows(coded)
    assert first != second
    assert tab.cookies[TRUST].count("~") == 1


async def test_a_consent_page_in_between_loses_nothing(coded: Front) -> None:
    third = await coded.register(made.public(id="app_third", name="third"))
    tab = await remembered(coded)
    before = tab.cookies[TRUST]
    page = await tab.on(await tab.sign_in_at(await tab.get(coded.asking(third))))
    assert page.path.startswith("/consent")
    assert tab.cookies[TRUST] == before
    done = await tab.submit(page, "consent", decision="allow")
    assert "code" in said(done)
    assert tab.cookies[TRUST] != before


@pytest.mark.parametrize("second", [True, False], ids=["security key", "passkey"])
async def test_a_passkey_as_the_second_step_can_be_remembered(second: bool) -> None:
    policy = SecondFactorPolicy(require="required", remember=3600)
    async with front_channel(second_factor=policy) as front:
        ada = await front.person()
        authenticator = await enrol(front, ada, second=second)
        front.clock.time += 60
        tab = front.browser()
        page = await tab.on(await after_password(tab))
        assert page.path.startswith("/sign-in/passkey")
        assert "for 1 hour" in page.words
        credential = authenticator.get(options_on(page))
        wrong = await tab.submit(page, "passkey", credential="{}", trust="1")
        assert wrong.forms["passkey"].fields["trust"] == "1"
        done = await tab.submit(page, "passkey", credential=credential, trust="1")
        assert done.header("location") == "/account", done.words
        assert len(await devices(front, ada)) == 1
        sign_out_of(tab)
        assert (await after_password(tab)).header("location") == "/account"
        sign_out_of(tab)
        front.clock.time += 3600
        assert (await tab.on(await after_password(tab))).path.startswith("/sign-in/passkey")


async def test_a_passkey_alone_offers_no_box_and_remembers_nothing(front: Front) -> None:
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    authenticator = await enrol(front, ada)
    tab = front.browser()
    page = await tab.get("/sign-in/passkey")
    assert 'name="trust"' not in page.text
    done = await tab.submit(page, "passkey", credential=authenticator.get(options_on(page)), trust="1")
    assert done.header("location") == "/account"
    assert TRUST not in tab.cookies
    assert await rows(front) == []


async def test_a_code_by_mail_can_be_remembered(front: Front) -> None:
    assert await front.store.commit(
        front.store.accounts.add_factor(EnrolledFactor("fac_mail", "usr_ada", "email_code", front.now))
    )
    front.clock.time += 60
    tab = front.browser()
    page = await at_code(tab)
    assert BOX in page.words
    again = await tab.submit(page, "second-factor", code="", trust="1")
    assert again.forms["second-factor"].fields["trust"] == "1"
    newest, *_ = await front.store.messages.recent_mail(1)
    letter = open_message(front.services.sealer, newest)
    done = await tab.submit(again, "second-factor", code=letter.code or "")
    assert done.header("location") == "/account"
    sign_out_of(tab)
    sent = len(await front.store.messages.recent_mail(50))
    assert skips(await after_password(tab))
    assert len(await front.store.messages.recent_mail(50)) == sent, (
        "no code is sent for a step that is not asked"
    )


async def test_a_passkey_made_without_a_question_does_not_end_it(coded: Front) -> None:
    """It is made on the page that follows the sign-in in which the box was ticked."""
    tab, manager = coded.browser(), Authenticator(origin=ISSUER)
    await tab.submit(await at_code(tab), "second-factor", code=coded.code(), trust="1")
    page = await tab.get("/account")
    text = manager.create(options_on(page), silently=True)
    assert (await tab.submit(page, "passkey-silent", credential=text)).status == 204
    (passkey,) = await coded.store.passkeys.of_account("usr_ada")
    assert passkey.made_silently
    assert skips(await after_password(tab))
    ada = await coded.store.accounts.get("usr_ada")
    assert ada is not None
    await enrol(coded, ada)
    assert not skips(await after_password(tab)), "one that its owner adds is a change"


async def test_a_device_that_ends_in_between_skips_nothing(
    coded: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner ends it between the check and the commit of the sign-in."""
    tab = await remembered(coded)
    really, ended = TrustedDevices.holds, 0

    async def holds(self: TrustedDevices, *given: Any) -> HeldDevice | None:
        nonlocal ended
        held = await really(self, *given)
        if held is not None:
            ended += 1
            assert await self.store.commit(self.store.remembered_devices.end("usr_ada", held.id))
        return held

    monkeypatch.setattr(TrustedDevices, "holds", holds)
    assert not skips(await after_password(tab))
    assert ended == 1
    assert SESSION not in tab.cookies
