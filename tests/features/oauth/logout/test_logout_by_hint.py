"""Logout by ID token without the session cookie: what ends, and no false report of a sign-out."""

from __future__ import annotations

import pytest

from tests.features.oauth.logout.test_routes import BYE, OWN, is_signed_in, leaving, signed_in
from tests.front_channel import Front
from tests.tabs import said, sent_to

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
APPS = (OWN,)


async def goes_on(front: Front, tokens: dict[str, str]) -> bool:
    """Whether the session of these tokens is live."""
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    answer = await front.token(OWN, form)
    if answer["status"] == 200:
        tokens["refresh_token"] = answer["refresh_token"]
    return answer["status"] == 200


NAVIGATION = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
EMBEDDED = (
    {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"},
    {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
    {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "empty"},
)


@pytest.mark.requirement(75, 100)
async def test_a_browser_without_the_cookie_is_asked_before_the_hints_session_ends(front: Front) -> None:
    tab, tokens = await signed_in(front)
    other = front.browser()
    page = await other.get("/")
    address = leaving(id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE, state="x")
    for headers in (*EMBEDDED, NAVIGATION):
        page = await other.ask("GET", address, **headers)
        assert page.status == 200
        assert "Sign out?" in page.words
        assert "own asks to end the sign-in" in page.words
        assert "ada@example.com" not in page.words
        assert await goes_on(front, tokens)
    assert await is_signed_in(tab)
    page = await other.submit(page, "sign-out", confirm="yes")
    assert sent_to(page) == f"{BYE}?state=x"
    assert not await goes_on(front, tokens)
    assert not await is_signed_in(tab)
    (event,) = await front.audited("session.ended")
    assert (event.client_id, event.detail["reason"]) == ("app_own", "signed_out_by_app")
    # an ended session is not asked about again
    assert (await other.ask("GET", address, **NAVIGATION)).header("location") == f"{BYE}?state=x"


@pytest.mark.requirement(75, 100)
async def test_a_non_browser_with_a_fresh_hint_ends_its_session_and_the_owner_sees_it(front: Front) -> None:
    _, tokens = await signed_in(front)
    page = await front.browser().get(leaving(id_token_hint=tokens["id_token"]))
    assert page.header("location") == "/signed-out"
    assert not await goes_on(front, tokens)
    (event,) = await front.audited("session.ended")
    assert (event.client_id, event.detail["reason"]) == ("app_own", "signed_out_by_app")
    again, _ = await signed_in(front)
    assert "A device was signed out through own" in (await again.get("/account/activity")).words


@pytest.mark.requirement(75, 100)
async def test_an_old_hint_without_the_cookie_ends_nothing_without_confirmation(front: Front) -> None:
    tab, tokens = await signed_in(front)
    address = leaving(id_token_hint=tokens["id_token"])
    await front.rotate_out()
    assert "Sign out?" in (await front.browser().get(address)).words
    front.clock.time += 7200
    page = await front.browser().get(address)
    assert "Sign out?" in page.words
    assert await is_signed_in(tab)
    assert (await tab.get(address)).header("location") == "/signed-out"
    assert not await is_signed_in(tab)


@pytest.mark.requirement(75)
async def test_after_a_key_rotation_the_apps_hint_still_signs_out_at_once(front: Front) -> None:
    tab, tokens = await signed_in(front)
    await front.rotate_out()
    page = await tab.get(leaving(id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE))
    assert page.header("location") == BYE
    assert not await is_signed_in(tab)


@pytest.mark.requirement(75)
async def test_a_hint_signed_by_a_revoked_key_is_ignored(front: Front) -> None:
    tab, tokens = await signed_in(front)
    await front.rotate_out("revoked")
    address = leaving(id_token_hint=tokens["id_token"], client_id="app_own", post_logout_redirect_uri=BYE)
    page = await tab.get(address)
    assert "Sign out?" in page.words
    assert "post_logout_redirect_uri" not in page.forms["sign-out"].fields
    assert await is_signed_in(tab)
    assert (await front.browser().get(address)).header("location") == "/signed-out"
    assert await is_signed_in(tab)


@pytest.mark.requirement(70, 75)
async def test_a_confirmation_ends_only_the_session_that_was_asked_about(front: Front) -> None:
    """While the question is open, another person signs in in a second tab, or an app asks about another session."""
    tab, _ = await signed_in(front)
    asked = await tab.get("/logout")
    await tab.submit(await tab.get("/logout"), "sign-out", confirm="yes")
    page = await tab.sign_in_at(await tab.get(front.asking(OWN)))
    own = await front.redeem(OWN, said(page)["code"])
    other, tokens = await signed_in(front)
    shown = await tab.get("/logout")
    stale = {**asked.forms["sign-out"].fields, "csrf": shown.forms["sign-out"].fields["csrf"]}
    hinted = {**shown.forms["sign-out"].fields, "id_token_hint": tokens["id_token"]}
    for fields in (stale, hinted, {**hinted, "about": ""}):
        page = await tab.post("/logout", {**fields, "confirm": "yes"})
        assert "Sign out?" in page.words
    assert await is_signed_in(tab)
    assert await is_signed_in(other)
    assert await goes_on(front, own)
    assert await goes_on(front, tokens)


@pytest.mark.requirement(70, 75)
async def test_a_foreign_page_cannot_confirm_for_a_browser_without_the_cookie(front: Front) -> None:
    _, tokens = await signed_in(front)
    other = front.browser()
    page = await other.ask("GET", leaving(id_token_hint=tokens["id_token"]), **NAVIGATION)
    fields = {**page.forms["sign-out"].fields, "confirm": "yes"}
    forged = [
        await other.post("/logout", {**fields, "csrf": ""}),
        await other.post("/logout", fields, origin="https://evil.example", site="cross-site"),
        await other.post("/logout", {"confirm": "yes", "id_token_hint": tokens["id_token"]}),
        await front.browser().post("/logout", fields),
        await front.browser().post("/logout", fields, origin="https://evil.example", site="cross-site"),
    ]
    for page in forged:
        assert page.status == 303 or "Sign out?" in page.words or "Going on to sign-out" in page.words
    assert await goes_on(front, tokens)
    # where a browser withholds our cookies, the server cannot know who is signed in
    page = await front.browser().ask(
        "GET", leaving(client_id="app_own", post_logout_redirect_uri=BYE), **EMBEDDED[1]
    )
    assert "Sign out?" in page.words


@pytest.mark.requirement(75, 100)
async def test_a_foreign_form_posing_as_ours_gets_no_report_of_a_sign_out(front: Front) -> None:
    """It arrives without cookies, so a missing session proves nothing."""
    tab, tokens = await signed_in(front)
    for form in (
        {},
        {"client_id": "app_own", "post_logout_redirect_uri": BYE},
        {"id_token_hint": tokens["id_token"], "confirm": "yes"},
    ):
        page = await tab.foreign_post("/logout", {**form, "from_here": "1"})
        assert page.header("location") is None
        assert "You are signed out" not in page.words
        assert await is_signed_in(tab)
        assert await goes_on(front, tokens)
