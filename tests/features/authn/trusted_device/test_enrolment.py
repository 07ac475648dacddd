"""Box of a remembered device on the pages that set up a required second step inside a sign-in (R84, R85)."""

from __future__ import annotations

import html
import json
import re

import pytest
from msgspec import structs

from doorward.adapters.mail.queue import open_message
from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.factors.totp import rules as totp
from tests.authenticator import Authenticator
from tests.browsing import ISSUER, Page
from tests.features import made
from tests.features.authn.factors.sms.phones import NUMBER, Phoned, phoned
from tests.features.authn.flow.test_enrolment import begun, click, key_in
from tests.front_channel import Front
from tests.tabs import Tab, said
from tests.trusting import TRUST, devices

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(85)]
BOX = "Don't ask again on this device for 30 days"
APP = structs.replace(made.client(), first_party=True)
REQUIRED = SecondFactorPolicy(require="required", kinds=("passkey", "totp", "email_code", "sms"))


async def at_the_box(server: Phoned, kind: str, tab: Tab) -> tuple[Page, str, dict[str, str]]:
    """The last page of the setup, the id of its form, and what a person types there."""
    front = server.front
    page = await click(tab, await begun(front, tab), f"enrol-{kind}")
    match kind:
        case "totp":
            code = totp.code_at(key_in(page), front.now // totp.PERIOD)
            return page, "authenticator", {"code": code}
        case "email_code":
            page = await tab.on(await tab.submit(page, "mail-codes-send"))
            (mail, *_) = await front.store.messages.recent_mail(1)
            return page, "mail-codes", {"code": open_message(front.services.sealer, mail).code or ""}
        case "sms":
            page = await tab.on(await tab.submit(page, "phone", number=NUMBER))
            return page, "phone-code", {"code": await server.code()}
        case _:
            options = page.text.partition('data-options="')[2].partition('"')[0]
            made_there = Authenticator(origin=ISSUER).create(json.loads(html.unescape(options)))
            return page, "passkey-new", {"credential": made_there}


async def on_to_the_app(tab: Tab, page: Page) -> dict[str, str]:
    """What the app is told, by way of the page of recovery codes if there is one."""
    if page.status == 200 and "to-methods" in page.text:
        page = await click(tab, page, "to-methods")
    return dict(said(await tab.on(page)))


@pytest.mark.parametrize("kind", ["totp", "email_code", "sms", "passkey"])
async def test_the_device_is_remembered_with_the_setup(kind: str) -> None:
    async with phoned(second_factor=REQUIRED) as server:
        front = server.front
        await front.register(APP)
        ada, tab = await front.person(), front.browser()
        page, form, typed = await at_the_box(server, kind, tab)
        assert BOX in page.words
        assert "trust" not in page.forms[form].fields, "the person has to tick it"
        done = await tab.submit(page, form, trust="1", **typed)
        assert "code" in await on_to_the_app(tab, done)
        (device,) = await devices(front, ada)
        assert [event.detail["device"] for event in await front.audited("trusted_device.added")] == [
            device.id
        ]
        front.clock.time += 60
        tab.cookies.pop(front.jar.name("session"))
        again = await tab.on(await tab.sign_in_at(await tab.get(front.asking(APP))))
        assert "code" in said(again), "the password is enough here"
        other = await begun(front, front.browser())
        assert other.path.startswith("/sign-in"), "and nowhere else"


async def test_without_the_tick_nothing_is_remembered() -> None:
    async with phoned(second_factor=REQUIRED) as server:
        await server.front.register(APP)
        ada, tab = await server.front.person(), server.front.browser()
        page, form, typed = await at_the_box(server, "totp", tab)
        assert "code" in await on_to_the_app(tab, await tab.submit(page, form, **typed))
        assert await devices(server.front, ada) == []
        assert TRUST not in tab.cookies


async def test_a_refused_form_keeps_the_tick() -> None:
    async with phoned(second_factor=REQUIRED) as server:
        await server.front.register(APP)
        tab = server.front.browser()
        await server.front.person()
        page, form, typed = await at_the_box(server, "totp", tab)
        wrong = f"{(int(typed['code']) + 500_000) % 1_000_000:06d}"
        page = await tab.submit(page, form, trust="1", code=wrong)
        assert re.search(r'id="trust"[^>]* checked', page.text)
        assert TRUST not in tab.cookies


@pytest.mark.parametrize(
    ("policy", "app"),
    [
        (structs.replace(REQUIRED, ask="each_sign_in"), APP),
        (structs.replace(REQUIRED, require="optional"), structs.replace(APP, second_factor="required")),
    ],
)
async def test_where_the_step_is_always_asked_for_neither_the_box_nor_its_field_counts(
    policy: SecondFactorPolicy, app: made.Client
) -> None:
    async with phoned(second_factor=policy) as server:
        await server.front.register(app)
        ada, tab = await server.front.person(), server.front.browser()
        page, form, typed = await at_the_box(server, "totp", tab)
        assert BOX not in page.words
        assert "code" in await on_to_the_app(tab, await tab.submit(page, form, trust="1", **typed))
        assert await devices(server.front, ada) == []


async def test_the_account_pages_remember_no_device() -> None:
    async with phoned(second_factor=structs.replace(REQUIRED, require="optional")) as server:
        front: Front = server.front
        ada, tab = await front.person(), await front.signed_in()
        page = await tab.get("/account/methods/authenticator")
        assert BOX not in page.words
        code = totp.code_at(key_in(page), front.now // totp.PERIOD)
        done = await tab.submit(page, "authenticator", code=code, trust="1")
        assert done.text.count("<li><code>") == 10
        assert await devices(front, ada) == []
