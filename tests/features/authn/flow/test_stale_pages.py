"""Stale pages: the sign-in continues to the app, only in its own browser, and every address can be reloaded."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.browsing import PASSWORD, SESSION, Page, flow_of
from tests.features import made
from tests.front_channel import Front
from tests.tabs import Tab, said

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
STALE = "This page was out of date, so we didn't use what you sent. Please try again."


async def at_the_app(front: Front, tab: Tab, **asked: str) -> Page:
    """The sign-in page of an app's sign-in."""
    return await tab.follow(await tab.get(front.asking(made.client(), **asked)))


async def arrives(tab: Tab, page: Page) -> None:
    """Submits the password once and checks that it leads to the app."""
    answer = await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD)
    page = await tab.follow(answer)
    assert said(await tab.submit(page, "consent", decision="allow"))["code"]


@pytest.mark.requirement(100)
async def test_a_page_with_lost_cookies_says_so_once_and_continues(front: Front) -> None:
    tab = front.browser()
    page = await at_the_app(front, tab, login_hint="bob@example.com")
    old = flow_of(page)
    tab.cookies.clear()
    shown = await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD)
    assert (shown.status, shown.problem) == (403, STALE)
    assert "to continue to Web" in shown.words or "to continue to" in shown.words
    new = shown.forms["sign-in"].fields["flow"]
    assert new != old
    again = await tab.get(shown.forms["sign-in"].action)
    assert again.problem is None, "the notice is shown more than once"
    await arrives(tab, again)


@pytest.mark.requirement(100)
async def test_a_stale_page_in_the_apps_requested_language_continues_too(front: Front) -> None:
    """The sign-in of the form belongs to the cookie that the same answer sets."""
    tab = front.browser()
    page = await at_the_app(front, tab, ui_locales="de")
    tab.cookies.clear()
    shown = await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD)
    assert shown.status == 403
    assert '<html lang="de"' in shown.text
    await arrives(tab, shown)


@pytest.mark.requirement(100)
async def test_an_expired_step_says_so_once(front: Front) -> None:
    tab = front.browser()
    page = await at_the_app(front, tab)
    front.clock.time += front.settings.sessions.sign_in_ttl
    answer = await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD)
    shown = await tab.follow(answer)
    assert shown.problem == STALE
    wrong = await tab.submit(shown, "sign-in", identifier="ada@example.com", password="not the password")
    assert wrong.problem is not None
    assert wrong.problem != STALE
    await arrives(tab, wrong)
    # a GET loses nothing, so it shows no notice
    late = front.browser()
    page = await at_the_app(front, late)
    front.clock.time += front.settings.sessions.sign_in_ttl
    assert (await late.follow(await late.get(page.path))).problem is None


@pytest.mark.requirement(70, 100)
async def test_a_link_cannot_make_a_page_show_the_stale_notice(front: Front) -> None:
    tab, other = front.browser(), front.browser()
    page = await at_the_app(front, tab)
    front.clock.time += front.settings.sessions.sign_in_ttl
    answer = await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD)
    word = (answer.header("location") or "").partition("stale=")[2].partition("&")[0]
    await other.get("/sign-in")
    own = flow_of(await at_the_app(front, other))
    for path in (
        f"/sign-in?flow={own}&stale={word}",
        f"/sign-in?stale={word}",
        "/sign-in?stale=1",
        "/sign-up?stale=1",
    ):
        assert (await other.get(path)).problem is None


@pytest.mark.requirement(70)
async def test_only_our_own_page_continues_and_without_proofs(front: Front) -> None:
    """Nobody can be moved into a sign-in that an attacker began and proved; a cross-site POST begins nothing."""
    await front.person(id="usr_eve", email="eve@example.com")
    attacker, victim = front.browser(), front.browser()
    page = await at_the_app(front, attacker, login_hint="eve@example.com")
    fields = {name: page.forms["sign-in"].fields[name] for name in ("csrf", "flow")}
    answer = await attacker.submit(page, "sign-in", identifier="eve@example.com", password=PASSWORD)
    assert flow_of(answer) == fields["flow"]
    await victim.get("/sign-in")
    before = len(await front.store.audit.page(limit=100))
    for path, form in (
        ("/sign-in", fields),
        ("/consent", {**fields, "decision": "allow"}),
        ("/sign-in/code", fields),
    ):
        forged = await victim.post(path, form, origin="https://evil.example", site="cross-site")
        assert "flow=" not in (forged.header("location") or "")
        assert "eve@example.com" not in forged.text
        shown = await victim.on(await victim.post(path, form))
        assert "eve@example.com" not in shown.text
        assert "consent" not in shown.forms
        assert shown.forms["sign-in"].fields["flow"] != fields["flow"]
    assert len(await front.store.audit.page(limit=100)) == before
    assert SESSION not in victim.cookies


async def test_every_form_keeps_the_sign_in_id_in_its_address(front: Front) -> None:
    tab = front.browser()
    page = await at_the_app(front, tab)
    flow = flow_of(page)
    for path in ("/sign-in", "/sign-up", "/reset"):
        shown = await tab.get(f"{path}?flow={flow}")
        for form in shown.forms.values():
            assert f"flow={flow}" in form.action
    for typed in ({"identifier": "", "password": ""}, {"identifier": "ada@example.com", "password": "wrong"}):
        wrong = await tab.submit(page, "sign-in", **typed)
        assert "to continue to" in wrong.words
        again = await tab.get(wrong.path)
        assert again.status == 200
        assert "to continue to" in again.words
    shown = await tab.get(f"/sign-up?flow={flow}")
    sent = await tab.submit(shown, "sign-up", email="new@example.com", password="walrus canyon velvet twelve")
    check = await tab.follow(sent)
    wrong = await tab.submit(check, "check", code="000000")
    for path in (wrong.path, wrong.forms["resend"].action):
        again = await tab.follow(await tab.get(path))
        assert again.forms["check"].fields["flow"] == flow


# An app's request, and a form whose answer (204) leaves the browser where it is.
_NEVER_SHOWN = {"/authorize", "/account/passkeys/silent"}


async def test_every_address_that_accepts_a_form_can_be_reloaded(front: Front) -> None:
    tab = front.browser()
    await tab.sign_in()
    taken = [
        path
        for path, methods in front.app._exact.items()
        if "POST" in methods and methods["POST"].page and path not in _NEVER_SHOWN
    ]
    assert len(taken) > 15
    for path in taken:
        answer = await tab.get(path)
        assert answer.status in {200, 303, 410}, path
        shown = await tab.follow(answer)
        assert shown.status in {200, 410}, path
        if answer.status == 303:
            assert urlsplit(answer.header("location") or "").path != path


async def test_a_ticket_with_lost_cookies_starts_again_with_the_app(front: Front) -> None:
    for path, form, email in (
        ("/sign-up", "sign-up", "new@example.com"),
        ("/reset", "reset", "ada@example.com"),
    ):
        for app in (True, False):
            tab = front.browser()
            flow = flow_of(await at_the_app(front, tab)) if app else None
            shown = await tab.get(path + (f"?flow={flow}" if flow else ""))
            sent = await tab.submit(shown, form, email=email, password="walrus canyon velvet twelve")
            check = await tab.follow(sent)
            tab.cookies.clear()
            begun = await tab.follow(await tab.submit(check, "check", code="000000"))
            assert begun.problem == STALE
            assert urlsplit(begun.path).path == path
            assert bool(begun.forms[form].fields.get("flow")) is app
