"""Sign-in pages: a sign-in stays with its browser, continues where it was, and ends once."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.browsing import SESSION, flow_of
from tests.features import made
from tests.front_channel import Front
from tests.tabs import said, sent_to

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
OWN = made.client(id="app_own", name="own", first_party=True, redirect_uris=("https://own.example.com/cb",))
APPS = (OWN,)


@pytest.mark.requirement(70)
async def test_a_sign_in_of_another_browser_cannot_be_joined(front: Front) -> None:
    mine = await front.signed_in()
    page = await mine.on(await mine.get(front.asking(made.client())))
    fields = {**page.forms["consent"].fields, "decision": "allow"}
    thief = front.browser()
    own = await thief.get("/sign-in")
    answer = await thief.post("/consent", {**fields, "csrf": own.forms["sign-in"].fields["csrf"]})
    assert answer.header("location") == "/sign-in"
    answer = await thief.get(f"/consent?flow={fields['flow']}")
    assert answer.header("location") == "/sign-in"
    assert SESSION not in thief.cookies


@pytest.mark.requirement(70)
async def test_a_link_cannot_sign_a_person_in_to_another_account(front: Front) -> None:
    """Login CSRF: the attacker proves their own password in a sign-in and sends its address to the victim."""
    await front.person(id="usr_eve", email="eve@example.com")
    attacker = front.browser()
    page = await attacker.get(front.asking(made.client()))
    page = await attacker.sign_in_at(page, "eve@example.com")
    flow = flow_of(page)
    victim = front.browser()
    for path in (f"/consent?flow={flow}", f"/sign-in?flow={flow}", f"/sign-in/code?flow={flow}"):
        page = await victim.get(path)
        assert (page.header("location") or "") == "/sign-in", path
        assert "eve@example.com" not in page.text


async def test_a_step_is_taken_once_over_http(front: Front) -> None:
    tab = await front.signed_in()
    page = await tab.on(await tab.get(front.asking(made.client())))
    fields = {**page.forms["consent"].fields, "decision": "allow"}
    first = said(await tab.post("/consent", fields))
    # not a double click, which gets the first answer: the same question, shown again and answered again
    again = said(await tab.post("/consent", {**fields, "once": "n" * 22}))
    assert first["code"] != again["code"]
    grants = await front.store.grants.live_of_account("usr_ada", front.now)
    assert len(grants) == 2
    assert len(await front.audited("consent.granted")) == 1


@pytest.mark.requirement(1)
async def test_an_app_or_address_removed_during_the_sign_in_gets_nothing(front: Front) -> None:
    for changed in (None, made.client(redirect_uris=("https://new.example.com/cb",))):
        await front.register(made.client())
        tab = front.browser()
        page = await tab.on(await tab.get(front.asking(made.client())))
        if changed is None:
            await front.remove(made.client())
        else:
            await front.register(changed)
        page = await tab.on(
            await tab.submit(
                page, "sign-in", identifier="ada@example.com", password="teapot gravel orchid nine"
            )
        )
        assert page.status == 400
        assert "app.example.com" not in page.text
        assert page.header("location") is None


@pytest.mark.requirement(13)
async def test_a_cross_site_post_still_uses_the_persons_session(front: Front) -> None:
    """Apps may send the request by POST (OpenID Connect Core §3.1.2.1), and SameSite=Lax withholds our cookies from it."""
    tab = await front.signed_in()
    page = await tab.foreign_post("/authorize", front.params(OWN, prompt="none"))
    assert page.status == 303
    assert urlsplit(page.header("location") or "").path == "/authorize"
    assert "code" in said(await tab.get(page.header("location") or ""))


@pytest.mark.requirement(70)
async def test_a_cross_site_post_does_not_change_this_browsers_cookies(front: Front) -> None:
    tab = await front.signed_in()
    before = dict(tab.cookies)
    for path in ("/authorize", "/consent", "/sign-in", "/sign-in/code", "/sign-up", "/logout", "/reset"):
        await tab.foreign_post(path, front.params(OWN))
        await tab.foreign_post(path, {})
        assert tab.cookies == before, path


async def test_a_request_too_long_for_an_address_is_still_answered(front: Front) -> None:
    tab = front.browser()
    page = await tab.foreign_post("/authorize", front.params(OWN, state="x" * 7000))
    assert page.status == 303
    assert (page.header("location") or "").startswith("/sign-in?flow=")


async def test_an_expired_or_finished_sign_in_starts_again_with_the_same_destination(front: Front) -> None:
    tab = front.browser()
    page = await tab.get(front.asking(OWN))
    front.clock.time += 1800
    again = await tab.get(page.header("location") or "")
    assert (again.header("location") or "").startswith("/sign-in?flow=")
    assert flow_of(again) != flow_of(page)
    done = await tab.sign_in_at(again)
    assert said(done)["state"] == "st"
    assert said(await tab.get(again.header("location") or ""))["state"] == "st"


@pytest.mark.requirement(10)
async def test_a_page_with_nothing_left_to_ask_ends_on_a_page_instead_of_a_redirect(
    front: Front,
) -> None:
    """Such a GET may be the redirect of a form; the browser would then apply form-action to the redirect to the app."""
    tab = await front.signed_in()
    first = await tab.on(await tab.get(front.asking(made.client())))
    second = await tab.on(await tab.get(front.asking(made.client(), state="other")))
    assert second.path.startswith("/consent")
    await tab.submit(first, "consent", decision="allow")
    again = await tab.get(second.path)
    assert again.status == 200
    assert sent_to(again).startswith(made.REDIRECT)
    # a request sent here by the app itself is answered by redirect
    assert (await tab.get(front.asking(made.client(), state="third"))).status == 303
