"""Browser context: a browser is recognised only by its own cookies, and its forms only by their own token."""

from __future__ import annotations

import pytest

from doorward.core.model.digest import digest
from doorward.core.model.policy import SessionPolicy
from tests.browsing import BROWSER, JAR, SESSION, Page
from tests.features import made
from tests.front_channel import Front, front_channel

pytestmark = pytest.mark.anyio


async def opens(front: Front, secret: str) -> bool:
    """Whether this session cookie opens the account page."""
    tab = front.browser()
    tab.cookies[SESSION] = secret
    return (await tab.get("/account")).status == 200


async def test_a_browser_gets_its_cookie_once(front: Front) -> None:
    tab = front.browser()
    await tab.get("/sign-in")
    first = tab.cookies[BROWSER]
    page = await tab.get("/sign-in")
    assert page.header("set-cookie") is None
    assert tab.cookies[BROWSER] == first
    other = front.browser()
    await other.get("/sign-in")
    assert other.cookies[BROWSER] != first


@pytest.mark.parametrize(
    "value", ["", "x", "a" * 42, "a" * 44, "a" * 42 + "é", "a" * 42 + ";", "a" * 42 + "=", " " * 43]
)
async def test_a_malformed_browser_cookie_is_replaced(front: Front, value: str) -> None:
    tab = front.browser()
    tab.cookies[BROWSER] = value
    await tab.get("/sign-in")
    assert tab.cookies[BROWSER] != value
    assert len(tab.cookies[BROWSER]) == 43


@pytest.mark.requirement(71, 72)
async def test_a_session_works_until_it_ends(front: Front) -> None:
    ada = await front.person()
    session = await front.session(ada, "s" * 43)
    assert await opens(front, "s" * 43)
    for other in ("t" * 43, "s" * 42, session.id, digest("s" * 43).hex()[:43], "é" * 43):
        assert not await opens(front, other)
    disabled = await front.change(ada, disabled_at=front.now)
    assert not await opens(front, "s" * 43)
    await front.change(disabled, disabled_at=None)
    assert await opens(front, "s" * 43)
    await front.store.commit(front.store.sessions.end(session.id, front.now, "test"))
    assert not await opens(front, "s" * 43)


@pytest.mark.requirement(71)
async def test_idle_and_absolute_limits_apply_over_http() -> None:
    async with front_channel(sessions=SessionPolicy(idle=600, absolute=1500)) as front:
        ada = await front.person()
        await front.session(ada, created_at=front.now, seen_at=front.now, auth_time=front.now)
        for _ in range(2):
            front.clock.time += 599
            assert await opens(front, "s" * 43)
        front.clock.time += 301
        assert await opens(front, "s" * 43)
        front.clock.time += 1
        assert not await opens(front, "s" * 43)
        await front.session(ada, "t" * 43, seen_at=front.now)
        front.clock.time += 600
        assert not await opens(front, "t" * 43)


@pytest.mark.requirement(68, 69)
async def test_old_and_planted_session_cookies_are_not_valid(front: Front) -> None:
    await front.person()
    tab = front.browser()
    tab.cookies[SESSION] = "p" * 43
    await tab.sign_in()
    assert tab.cookies[SESSION] != "p" * 43
    assert not await opens(front, "p" * 43)
    first = tab.cookies[SESSION]
    front.clock.time += 10
    own = made.client(first_party=True)
    await front.register(own)
    await tab.sign_in_at(await tab.get(front.asking(own, prompt="login")))
    assert tab.cookies[SESSION] != first
    assert not await opens(front, first)
    assert await opens(front, tab.cookies[SESSION])


@pytest.mark.requirement(68)
async def test_signing_in_as_another_person_ends_the_existing_session(front: Front) -> None:
    await front.person()
    await front.person(id="usr_eve", email="eve@example.com")
    tab = front.browser()
    await tab.sign_in()
    adas = tab.cookies[SESSION]
    own = made.client(first_party=True)
    await front.register(own)
    page = await tab.get(front.asking(own, prompt="select_account"))
    await tab.sign_in_at(page, "eve@example.com")
    assert not await opens(front, adas)
    assert "eve@example.com" in (await tab.get("/account")).text


@pytest.mark.requirement(70)
async def test_a_form_token_is_bound_to_its_browser(front: Front) -> None:
    await front.person()
    mine, other = front.browser(), front.browser()
    fields = (await other.get("/sign-in")).forms["sign-in"].fields
    await mine.get("/sign-in")
    typed = {"identifier": "ada@example.com", "password": "teapot gravel orchid nine"}
    page = await mine.post("/sign-in", {**fields, **typed})
    assert page.status == 403
    assert SESSION not in mine.cookies
    page = await mine.post("/sign-in", {**page.forms["sign-in"].fields, **typed})
    assert page.status == 303


async def test_a_session_is_touched_once_a_minute(front: Front) -> None:
    ada = await front.person()
    session = await front.session(ada, seen_at=front.now)
    for seconds, seen in ((59, 0), (1, 60), (30, 60), (30, 120)):
        front.clock.time += seconds
        await opens(front, "s" * 43)
        stored = await front.store.sessions.get(session.id)
        assert stored is not None
        assert stored.seen_at == made.NOW + seen


def set_by(page: Page) -> list[str]:
    """The Set-Cookie lines of an answer."""
    return [value for name, value in page.headers if name == "set-cookie"]


async def test_cookies_of_the_previous_release_are_read_and_replaced_by_the_next_answer(front: Front) -> None:
    await front.session(await front.person(), "s" * 43)
    tab = front.browser()
    old = {kind: JAR.old_name(kind) for kind in ("browser", "session", "device")}
    tab.cookies = {old["browser"]: "b" * 43, old["session"]: "s" * 43, old["device"]: "d" * 43}
    page = await tab.get("/account")
    assert page.status == 200, "the new release signed a person out"
    assert tab.cookies == {BROWSER: "b" * 43, SESSION: "s" * 43, JAR.name("device"): "d" * 43}
    assert set_by(await tab.get("/account")) == []


async def test_an_old_session_cookie_that_is_not_ours_is_kept(front: Front) -> None:
    """It belongs to another issuer on this host: removing it would sign that issuer's people out."""
    tab = front.browser()
    tab.cookies = {JAR.old_name("session"): "x" * 43, BROWSER: "b" * 43}
    for path in ("/account", "/logout"):
        page = await tab.get(path)
        assert not [line for line in set_by(page) if "session" in line.partition("=")[0]]
    assert tab.cookies[JAR.old_name("session")] == "x" * 43


async def test_signing_out_with_an_old_cookie_works(front: Front) -> None:
    await front.session(await front.person(), "s" * 43)
    tab = front.browser()
    tab.cookies = {JAR.old_name("browser"): "b" * 43, JAR.old_name("session"): "s" * 43}
    page = await tab.get("/logout")
    again = front.browser()
    again.cookies = {JAR.old_name("browser"): "b" * 43, JAR.old_name("session"): "s" * 43}
    page = await again.submit(page, "sign-out", confirm="yes")
    assert page.header("location") == "/signed-out"
    assert again.cookies == {}
    assert len([line for line in set_by(page) if line.startswith(f"{SESSION}=")]) == 1
    assert not await opens(front, "s" * 43)


async def test_a_session_of_the_previous_release_counts_beside_a_new_cookie_that_has_ended(
    front: Front,
) -> None:
    """Two releases side by side: a sign-in at the older one is valid at the newer one too."""
    ada = await front.person()
    await front.session(ada, "s" * 43)
    over = await front.session(ada, "o" * 43)
    await front.store.commit(front.store.sessions.end(over.id, front.now, "test"))
    tab = front.browser()
    tab.cookies = {SESSION: "o" * 43, JAR.old_name("session"): "s" * 43, BROWSER: "b" * 43}
    assert (await tab.get("/account")).status == 200
    assert tab.cookies == {SESSION: "s" * 43, BROWSER: "b" * 43}
