"""Attacks on the order of steps: every address in every state of a sign-in, old sessions, and a reset (R84, R85)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

import pytest
from msgspec import structs

from doorward.adapters.mail.queue import open_message
from doorward.core.model.account import EnrolledFactor
from doorward.core.model.policy import SecondFactorPolicy
from tests.browsing import PASSWORD, Page
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.tabs import Tab, sent_to

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(85)]
APP = structs.replace(made.client(), first_party=True)
REQUIRED = SecondFactorPolicy(require="required", kinds=("passkey", "totp", "email_code"))
FIELDS = {
    "identifier": "ada@example.com",
    "email": "ada@example.com",
    "code": "123456",
    "answer": "allow",
    "kind": "email_code",
    "method": "email_code",
    "credential": "{}",
    "setup": "x",
}


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel(second_factor=REQUIRED) as opened:
        await opened.register(APP)
        yield opened


async def at(front: Front, state: str) -> tuple[Tab, str]:
    """A browser with a sign-in in this state, and its id."""
    ada = await front.person()
    if state == "second step":
        await front.authenticator(ada)
    if state == "mailed code":
        factor = EnrolledFactor("fac_mail", ada.id, "email_code", front.now)
        assert await front.store.commit(front.store.accounts.add_factor(factor))
    tab = front.browser()
    page = await tab.follow(await tab.get(front.asking(APP)))
    if state != "nothing":
        page = await tab.on(
            await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD)
        )
    found = re.search(r"flow=(sin_[0-9a-f]+)", page.path) or re.search(
        r'name="flow" value="([^"]+)"', page.text
    )
    assert found, page.words
    return tab, found[1]


STATES = ("nothing", "second step", "mailed code", "enrolment")


def in_(page: Page) -> bool:
    """Whether this answer signs in: a code for the app."""
    return page.status in {200, 302, 303} and "code=" in (page.header("location") or sent_or_nothing(page))


def sent_or_nothing(page: Page) -> str:
    return sent_to(page) if 'http-equiv="refresh"' in page.text else ""


@pytest.mark.parametrize("state", STATES)
async def test_no_address_skips_a_step(front: Front, state: str) -> None:
    """Each page and form of the server is opened in the middle of a sign-in; none ends it."""
    tab, flow = await at(front, state)
    ada = await front.store.accounts.by_email("ada@example.com")
    assert ada is not None
    before = await front.store.accounts.factors(ada.id)
    csrf = re.search(r'name="csrf" value="([^"]+)"', (await tab.get(f"/sign-in?flow={flow}&restart=0")).text)
    tried = 0
    for route in front.app.routes:
        if route.prefix or route.path.startswith(("/_dev", "/static", "/token", "/feed")):
            continue
        for method in sorted(set(route.methods) & {"GET", "POST"}):
            if "flow" not in route.operation.takes.split() and not route.path.startswith(
                ("/account", "/consent")
            ):
                continue
            path = f"{route.path}?flow={flow}"
            if method == "GET":
                page = await tab.get(path)
            else:
                form = {**FIELDS, "flow": flow, "csrf": csrf[1] if csrf else ""}
                page = await tab.post(path, form)
            tried += 1
            assert not in_(page), (method, route.path, page.header("location"))
            assert await front.store.sessions.live_of(ada.id, front.now) == [], (method, route.path)
            assert await front.store.accounts.factors(ada.id) == before, (method, route.path)
    assert tried > 15


async def test_a_session_from_before_the_enrolment_does_not_stand_for_the_new_factor(front: Front) -> None:
    ada = await front.person()
    await front.session(ada, auth_time=front.now - 100)
    tab = front.browser()
    tab.cookies[front.jar.name("session")] = "s" * 43
    await front.authenticator(ada)
    page = await tab.on(await tab.get(front.asking(APP)))
    assert page.path.startswith("/sign-in/code")
    # a factor that was set up later than the proofs of a session counts for nothing in them
    page = await tab.get(front.asking(APP, prompt="none"))
    assert "login_required" in sent_to(page)


async def test_a_password_reset_never_skips_the_factor(front: Front) -> None:
    ada = await front.person()
    await front.authenticator(ada)
    tab = front.browser()
    page = await tab.submit(await tab.get("/reset"), "reset", email="ada@example.com")
    page = await tab.on(page)
    (mail,) = await front.store.messages.recent_mail(1)
    message = open_message(front.services.sealer, mail)
    assert message.code is not None
    page = await tab.on(await tab.submit(page, "check", code=message.code))
    page = await tab.on(await tab.submit(page, "new-password", password="walrus canyon velvet twelve"))
    assert await front.store.sessions.live_of(ada.id, front.now) == []
    page = await tab.get("/sign-in") if "sign-in" not in page.forms else page
    page = await tab.submit(
        page, "sign-in", identifier="ada@example.com", password="walrus canyon velvet twelve"
    )
    page = await tab.on(page)
    assert page.path.startswith("/sign-in/code")
    assert await front.store.sessions.live_of(ada.id, front.now) == []
