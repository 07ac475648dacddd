"""Setting up of a required second step inside a sign-in, over HTTP: nothing skips it, and it leads on to the app (R84, R85)."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Role
from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.factors.totp import rules as totp
from tests.authenticator import Authenticator
from tests.browsing import ISSUER, Page
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.tabs import Tab, said, sent_to

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(85)]

REQUIRED = SecondFactorPolicy(require="required")
DAY = 86_400
APP = structs.replace(made.client(), first_party=True)


@asynccontextmanager
async def opened(**settings: Any) -> AsyncGenerator[Front]:
    """The server, with an app that skips consent."""
    async with front_channel(**settings) as front:
        await front.register(APP)
        yield front


async def begun(front: Front, tab: Tab) -> Page:
    """The page after the password, in a sign-in that the app began."""
    page = await tab.sign_in_at(await tab.get(front.asking(APP)))
    return await tab.on(page)


def key_in(page: Page) -> bytes:
    """The key that an authenticator app gets from the page."""
    found = re.search(r'id="key"[^>]*>([^<]*)<', page.text)
    assert found, page.words
    text = found[1].replace(" ", "")
    return base64.b32decode(text + "=" * (-len(text) % 8))


async def click(tab: Tab, page: Page, link: str) -> Page:
    """Follow the link with this id."""
    found = re.search(rf'<a[^>]* id="{link}"[^>]*? href="([^"]*)"', page.text)
    assert found, page.words
    return await tab.get(html.unescape(found[1]).removeprefix(ISSUER))


async def set_up(front: Front, tab: Tab, choice: Page) -> Page:
    """Choose the authenticator app on the page of kinds, and enter its code."""
    page = await click(tab, choice, "enrol-totp")
    seed = key_in(page)
    assert "Sign out" not in page.words
    return await tab.submit(page, "authenticator", code=totp.code_at(seed, front.now // totp.PERIOD))


async def test_a_person_without_a_required_factor_is_led_through_enrolment_and_on_to_the_app() -> None:
    async with opened(second_factor=REQUIRED) as front:
        ada = await front.person()
        tab = front.browser()
        choice = await begun(front, tab)
        assert choice.status == 200
        assert "Set up a second step" in choice.words
        assert "Doorward asks for one." in choice.words
        assert "later" not in choice.forms
        page = await set_up(front, tab, choice)
        assert len(re.findall(r"<li><code>", page.text)) == 10
        done = await tab.on(await click(tab, page, "to-methods"))
        tokens = await front.redeem(APP, said(done)["code"])
        assert tokens["status"] == 200
        rows = await front.store.accounts.factors(ada.id)
        assert sorted({row.kind for row in rows}) == ["recovery_code", "totp"]
        assert [event.kind for event in await front.audited("second_factor.added")]
        assert [mail.kind for mail in await front.store.messages.recent_mail(9)].count(
            "second_factor_added"
        ) == 1
        (session,) = await front.store.sessions.live_of(ada.id, front.now)
        assert session.acr == "urn:doorward:aal2"
        # the next sign-in asks for it
        front.clock.time += 60
        page = await begun(front, front.browser())
        assert "Code from your authenticator app" in page.words


async def test_without_the_factor_no_page_gives_a_session_or_a_code() -> None:
    async with opened(second_factor=REQUIRED) as front:
        ada = await front.person()
        tab = front.browser()
        choice = await begun(front, tab)
        flow = choice.path.partition("flow=")[2]
        for path in (
            "/sign-in",
            "/sign-in/code",
            "/consent",
            "/sign-in/enrol",
            "/sign-in/enrol/authenticator",
        ):
            page = await tab.on(await tab.get(f"{path}?flow={flow}"))
            assert page.path.startswith(("/sign-in",)), (path, page.path)
        page = await tab.on(await tab.get("/account"))
        assert page.path.startswith("/sign-in")
        assert await front.store.sessions.live_of(ada.id, front.now) == []
        # nothing is due: the form to put it off has no effect
        await tab.post("/sign-in/enrol/later", {**_fields(choice, tab), "flow": flow})
        assert await front.store.sessions.live_of(ada.id, front.now) == []


def _fields(page: Page, tab: Tab) -> dict[str, str]:
    del tab
    found = re.search(r'name="csrf" value="([^"]*)"', page.text)
    return {"csrf": found[1]} if found else {}


async def test_a_grace_period_is_used_once_for_each_sign_in_and_ends() -> None:
    policy = SecondFactorPolicy(require="required", grace=DAY)
    async with opened(second_factor=policy) as front:
        await front.person()
        for wait in (0, DAY // 2):
            front.clock.time += wait
            tab = front.browser()
            choice = await begun(front, tab)
            assert "You have until" in choice.words
            page = await tab.on(await tab.submit(choice, "later"))
            assert "code" in said(page)
        front.clock.time += DAY
        choice = await begun(front, front.browser())
        assert "Set up a second step" in choice.words
        assert "later" not in choice.forms


async def test_an_app_and_a_role_demand_it_for_themselves() -> None:
    async with opened() as front:
        await front.person()
        strict = structs.replace(APP, second_factor="required")
        assert "code" in said(await begun(front, front.browser()))
        await front.register(strict)
        choice = await begun(front, front.browser())
        assert f"{strict.name} asks for one." in choice.words
        await front.register(APP)
        role = Role("rol_auditor", "auditor", {}, made.NOW, second_factor=True)
        assert await front.store.commit(front.store.registry.put_role(role))
        await front.services.config.refresh()
        ada = await front.store.accounts.by_email("ada@example.com")
        assert ada is not None
        await front.change(ada, role_names=(*ada.role_names, role.held_as))
        choice = await begun(front, front.browser())
        assert "Your role here asks for one." in choice.words


async def test_an_app_that_shows_no_page_and_the_json_sign_in_get_an_error() -> None:
    async with opened(second_factor=REQUIRED) as front:
        ada = await front.person()
        session = await front.session(ada, acr="urn:doorward:aal1", amr=("pwd",))
        tab = front.browser()
        tab.cookies[front.jar.name("session")] = "s" * 43
        page = await tab.get(front.asking(APP, prompt="none"))
        assert said(page)["error"] == "interaction_required"
        assert session.id
        first: Client = structs.replace(made.client(), id="app_first", name="First", first_party=True)
        await front.register(first)
        told = await front.browser().ask(
            "POST",
            "/authorize-challenge",
            form={
                "client_id": first.id,
                "client_secret": made.SECRET,
                "scope": "openid",
                "username": "ada@example.com",
                "password": "teapot gravel orchid nine",
                "code_challenge": made.challenge(made.VERIFIER),
                "code_challenge_method": "S256",
            },
        )
        assert told.status == 400
        assert "second step has to be set up" in told.text


async def test_nobody_sets_up_a_factor_in_the_sign_in_of_another_browser_or_without_a_first_factor() -> None:
    async with opened(second_factor=REQUIRED) as front:
        ada = await front.person()
        tab = front.browser()
        choice = await begun(front, tab)
        flow = choice.path.partition("flow=")[2]
        page = await click(tab, choice, "enrol-totp")
        form = page.forms["authenticator"]
        code = totp.code_at(key_in(page), front.now // totp.PERIOD)
        other = front.browser()
        shown = await other.on(await other.get(f"/sign-in/enrol/authenticator?flow={flow}"))
        assert shown.path == "/sign-in"
        csrf = re.search(r'name="csrf" value="([^"]*)"', shown.text)
        assert csrf
        await other.post(form.action, {**form.fields, "csrf": csrf[1], "code": code})
        # a sign-in of the other browser that is at its password
        mine = await other.on(await other.get(front.asking(APP)))
        own = mine.path.partition("flow=")[2]
        fields = {**form.fields, "csrf": csrf[1], "flow": own, "code": code}
        await other.post("/sign-in/enrol/authenticator", fields)
        assert await front.store.accounts.factors(ada.id) == []


async def test_the_key_of_one_sign_in_is_useless_in_another() -> None:
    async with opened(second_factor=REQUIRED) as front:
        ada = await front.person()
        tab = front.browser()
        first = await click(tab, await begun(front, tab), "enrol-totp")
        second = await click(tab, await begun(front, tab), "enrol-totp")
        seed = key_in(first)
        stolen = {
            **second.forms["authenticator"].fields,
            "setup": first.forms["authenticator"].fields["setup"],
        }
        await tab.post(
            second.forms["authenticator"].action,
            {**stolen, "code": totp.code_at(seed, front.now // totp.PERIOD)},
        )
        assert await front.store.accounts.factors(ada.id) == []


async def test_a_password_changed_meanwhile_stops_the_enrolment() -> None:
    async with opened(second_factor=REQUIRED) as front:
        ada = await front.person()
        tab = front.browser()
        page = await click(tab, await begun(front, tab), "enrol-totp")
        await front.change(ada, password_changed_at=front.now + 1)
        code = totp.code_at(key_in(page), front.now // totp.PERIOD)
        await tab.submit(page, "authenticator", code=code)
        assert await front.store.accounts.factors(ada.id) == []


@pytest.mark.requirement(86)
async def test_a_passkey_is_set_up_in_the_sign_in() -> None:
    async with opened(second_factor=REQUIRED) as front:
        ada = await front.person()
        tab, phone = front.browser(), Authenticator(origin=ISSUER)
        choice = await begun(front, tab)
        page = await click(tab, choice, "enrol-passkey")
        options = page.text.partition('data-options="')[2].partition('"')[0]
        answer = phone.create(json.loads(html.unescape(options)))
        form = page.forms["passkey-new"]
        done = await tab.on(await tab.post(form.action, {**form.fields, "credential": answer}))
        assert "code" in said(done), sent_to(done)
        (session,) = await front.store.sessions.live_of(ada.id, front.now)
        assert session.acr == "urn:doorward:aal2"
        # one that is kept in one place only gets recovery codes; a passkey with a copy elsewhere needs none
        rows = await front.store.accounts.factors(ada.id)
        assert {row.kind for row in rows} <= {"passkey", "security_key"}


@pytest.mark.requirement(84)
async def test_a_required_passkey_without_a_copy_comes_with_recovery_codes() -> None:
    async with opened(second_factor=REQUIRED) as front:
        ada = await front.person()
        tab, key = front.browser(), Authenticator(origin=ISSUER, synced=False)
        page = await click(tab, await begun(front, tab), "enrol-passkey")
        options = page.text.partition('data-options="')[2].partition('"')[0]
        form = page.forms["passkey-new"]
        made = key.create(json.loads(html.unescape(options)))
        shown = await tab.post(form.action, {**form.fields, "credential": made})
        codes = re.findall(r"<li><code>([^<]*)<", shown.text)
        assert len(codes) == 10
        done = await tab.on(await click(tab, shown, "to-methods"))
        assert "code" in said(done), sent_to(done)
        # without the key, one of them is the second step
        other = front.browser()
        asked = await begun(front, other)
        (way,) = re.findall(r'class="other-way" href="([^"]*)"', asked.text)
        page = await other.get(html.unescape(way).removeprefix(ISSUER))
        assert "Enter a recovery code" in page.words
        done = await other.on(await other.submit(page, "second-factor", code=codes[0]))
        assert "code" in said(done), sent_to(done)
        used = [mail.kind for mail in await front.store.messages.recent_mail(9)]
        assert used.count("recovery_code_used") == 1
        assert ada.email


async def test_new_kinds_are_not_offered_while_a_process_of_an_older_program_is_registered() -> None:
    async with opened(second_factor=REQUIRED) as front:
        await front.person()
        old = "INSERT INTO nodes (id, seen, expires_at) VALUES ('nod_old', 1, 1)"
        await front.store._db.apply(((old, (), None),))
        choice = await begun(front, front.browser())
        assert "enrol-totp" in choice.text
        assert "enrol-passkey" not in choice.text


async def test_where_nothing_can_be_set_up_the_app_gets_an_error() -> None:
    policy = SecondFactorPolicy(require="off")
    async with opened(second_factor=policy) as front:
        await front.person()
        await front.register(structs.replace(APP, second_factor="required"))
        page = await begun(front, front.browser())
        assert said(page)["error"] == "unmet_authentication_requirements"
        tab = await front.signed_in()
        # and no page sets one up
        page = await tab.on(await tab.get("/account/methods/authenticator"))
        assert page.path == "/account/methods"
