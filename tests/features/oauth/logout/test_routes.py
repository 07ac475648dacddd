"""Logout over HTTP: only the person, or an app with a valid hint for this session, can sign out."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.browsing import SESSION
from tests.features import made
from tests.front_channel import Front
from tests.tabs import Tab, said, sent_to

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
BYE = "https://own.example.com/bye"
OWN = made.client(
    id="app_own",
    name="own",
    first_party=True,
    redirect_uris=("https://own.example.com/cb",),
    post_logout_redirect_uris=(BYE,),
    backchannel_logout_uri="https://own.example.com/backchannel",
)
APPS = (OWN,)


async def signed_in(front: Front, **asked: str) -> tuple[Tab, dict[str, str]]:
    """A browser in which Ada is signed in to the app, and the app's tokens."""
    tab = front.browser()
    page = await tab.sign_in_at(await tab.get(front.asking(OWN, **asked)))
    return tab, await front.redeem(OWN, said(page)["code"])


async def is_signed_in(tab: Tab) -> bool:
    """Whether the account page opens."""
    return (await tab.get("/account")).status == 200


def leaving(**params: str) -> str:
    return "/logout?" + urlencode(params)


@pytest.mark.requirement(75)
async def test_the_apps_hint_signs_out_at_once_and_redirects_back(front: Front) -> None:
    tab, tokens = await signed_in(front)
    page = await tab.get(
        leaving(id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE, state="s&x=\r\n'")
    )
    assert page.status == 303
    assert page.header("location") == f"{BYE}?state=s%26x%3D%0D%0A%27"
    assert not await is_signed_in(tab)
    (event,) = await front.audited("session.ended")
    assert (event.account_id, event.client_id) == ("usr_ada", "app_own")


@pytest.mark.requirement(72, 76)
async def test_the_sessions_grants_end_and_the_apps_are_notified(front: Front) -> None:
    tab, tokens = await signed_in(front)
    await tab.get(leaving(id_token_hint=tokens["id_token"]))
    refreshed = await front.token(
        OWN, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    )
    assert refreshed["error"] == "invalid_grant"
    (notice,) = await front.store.messages.due_logouts(front.now)
    assert notice.client_id == "app_own"
    _, entries = await front.store.revocations.live(front.now)
    assert {entry.kind for entry in entries} == {"sid", "grant"}


async def test_an_offline_grant_survives(front: Front) -> None:
    tab, tokens = await signed_in(front, scope="openid offline_access")
    await tab.get(leaving(id_token_hint=tokens["id_token"]))
    refreshed = await front.token(
        OWN, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    )
    assert refreshed["status"] == 200


@pytest.mark.requirement(75)
async def test_without_a_hint_the_person_is_asked_and_can_stay_signed_in(front: Front) -> None:
    tab, _ = await signed_in(front)
    for path in ("/logout", leaving(client_id="app_own", post_logout_redirect_uri=BYE, state="x")):
        page = await tab.get(path)
        assert page.status == 200
        assert "Sign out?" in page.words
        assert "ada@example.com" in page.words
        assert await is_signed_in(tab)
    page = await tab.submit(page, "sign-out", confirm="yes")
    assert sent_to(page) == f"{BYE}?state=x"
    assert not await is_signed_in(tab)


@pytest.mark.requirement(75)
async def test_an_invalid_hint_counts_as_none(front: Front) -> None:
    tab, tokens = await signed_in(front)
    other, foreign = await signed_in(front)
    for hint in ("x", "a.b.c", tokens["access_token"], tokens["id_token"][:-4] + "AAAA", foreign["id_token"]):
        page = await tab.get(leaving(id_token_hint=hint))
        assert "Sign out?" in page.words, hint[:20]
    assert await is_signed_in(tab)
    assert await is_signed_in(other)


@pytest.mark.requirement(75)
async def test_an_expired_hint_still_signs_out_its_own_session(front: Front) -> None:
    tab, tokens = await signed_in(front)
    front.clock.time += 86_400
    await tab.get(leaving(id_token_hint=tokens["id_token"]))
    assert not await is_signed_in(tab)


@pytest.mark.requirement(70, 75)
async def test_a_foreign_page_cannot_confirm(front: Front) -> None:
    tab, _ = await signed_in(front)
    fields = {**(await tab.get("/logout")).forms["sign-out"].fields, "confirm": "yes"}
    forged = [
        await tab.post("/logout", {**fields, "csrf": ""}),
        await tab.post("/logout", {**fields, "csrf": "A" * 43}),
        await tab.post("/logout", {"confirm": "yes"}),
        await tab.post("/logout", fields, origin="https://evil.example", site="cross-site"),
        await tab.post("/logout", fields, origin="null", site="cross-site"),
        await tab.post("/logout", fields, site="same-site", origin=None),
        await tab.get("/logout?" + urlencode(fields)),
    ]
    for page in forged:
        assert "Sign out?" in page.words
    assert await is_signed_in(tab)


@pytest.mark.requirement(75)
async def test_a_cross_site_form_removes_no_cookies(front: Front) -> None:
    """The POST arrives without our cookies (SameSite=Lax), as if nobody were signed in. The answer must not clear them."""
    tab, tokens = await signed_in(front)
    for form in ({}, {"confirm": "yes"}, {"client_id": "app_own", "post_logout_redirect_uri": BYE}):
        before = dict(tab.cookies)
        page = await tab.foreign_post("/logout", form)
        assert tab.cookies == before
        assert page.status == 200
        assert "Sign out?" in (await tab.submit(page, "form-post")).words
        assert await is_signed_in(tab)
    long = await tab.foreign_post("/logout", {"state": "x" * 7000})
    assert "Sign out?" in (await tab.submit(long, "form-post")).words
    assert await is_signed_in(tab)
    page = await tab.foreign_post("/logout", {"id_token_hint": tokens["id_token"], "state": "x"})
    # the ID token contains a person's address, so it is never put in a URL
    assert page.header("location") is None
    assert page.forms["form-post"].action == "/logout"
    await tab.submit(page, "form-post")
    assert not await is_signed_in(tab)


@pytest.mark.requirement(75)
async def test_an_apps_form_from_a_browser_without_cookies_leads_to_the_question(front: Front) -> None:
    tab, tokens = await signed_in(front)
    bare = front.browser()
    page = await bare.foreign_post("/logout", {"id_token_hint": tokens["id_token"]})
    asked = await bare.submit(page, "form-post")
    assert "Sign out?" in asked.words
    assert await is_signed_in(tab)
    # a form of another site that claims to be ours is still cross-site, and decides nothing
    forged = await bare.foreign_post("/logout", {"id_token_hint": tokens["id_token"], "from_here": "1"})
    assert "Going on to sign-out" in forged.words
    assert await is_signed_in(tab)


@pytest.mark.requirement(75)
@pytest.mark.parametrize(
    "target", ["https://evil.example/", BYE + "/", "//evil.example", "javascript:alert(1)", "/account"]
)
async def test_there_is_no_open_redirect(front: Front, target: str) -> None:
    tab, tokens = await signed_in(front)
    for who in (tab, front.browser()):
        for named in ({"client_id": "app_own"}, {"id_token_hint": tokens["id_token"]}):
            page = await who.get(leaving(post_logout_redirect_uri=target, **named))
            assert page.status == 400
            assert page.header("location") is None
            assert "evil.example" not in page.text
    page = await tab.get(leaving(post_logout_redirect_uri=target))
    assert "Sign out?" in page.words
    assert "evil.example" not in page.text
    assert await is_signed_in(tab)


@pytest.mark.requirement(75)
async def test_a_request_without_the_session_cookie_clears_no_cookie(front: Front) -> None:
    page = await front.browser().get("/logout")
    assert not [value for name, value in page.headers if name == "set-cookie" and SESSION in value]


async def test_a_person_who_is_not_signed_in_is_redirected_on(front: Front) -> None:
    tab = front.browser()
    assert (await tab.get("/logout")).header("location") == "/signed-out"
    page = await tab.get(leaving(client_id="app_own", post_logout_redirect_uri=BYE))
    assert page.header("location") == BYE
    assert (await tab.get(leaving(post_logout_redirect_uri=BYE))).header("location") == "/signed-out"
    assert "You are signed out" in (await tab.get("/signed-out")).words


@pytest.mark.requirement(75, 100)
async def test_a_signed_in_person_is_never_told_to_be_signed_out(front: Front) -> None:
    tab, _ = await signed_in(front)
    page = await tab.get("/signed-out")
    assert page.header("location") == "/logout"
    assert "You are signed in as ada@example.com" in (await tab.follow(page)).words


@pytest.mark.requirement(75)
async def test_without_a_valid_hint_the_person_is_asked_and_stays_here(front: Front) -> None:
    for asked in (
        {"post_logout_redirect_uri": BYE},
        {"post_logout_redirect_uri": BYE, "id_token_hint": "garbage"},
        {"post_logout_redirect_uri": BYE, "id_token_hint": "garbage", "client_id": "app_own"},
    ):
        tab, tokens = await signed_in(front)
        hint = tokens["id_token"][:-4] + "AAAA" if "id_token_hint" in asked else None
        page = await tab.get(leaving(**{**asked, "state": "x", **({"id_token_hint": hint} if hint else {})}))
        assert "Sign out?" in page.words
        page = await tab.submit(page, "sign-out", confirm="yes")
        assert page.header("location") == "/signed-out"
        assert not await is_signed_in(tab)
        # nobody is signed in any more, so there is no further redirect
        assert (await tab.get(leaving(**asked))).header("location") == "/signed-out"


@pytest.mark.requirement(9)
async def test_a_repeated_parameter_is_refused(front: Front) -> None:
    tab, tokens = await signed_in(front)
    query = urlencode([("id_token_hint", tokens["id_token"]), ("state", "a"), ("state", "b")])
    assert (await tab.get(f"/logout?{query}")).status == 400
    assert await is_signed_in(tab)


async def test_the_page_uses_the_language_requested_by_the_app(front: Front) -> None:
    tab, _ = await signed_in(front)
    assert '<html lang="de"' in (await tab.get(leaving(ui_locales="de"))).text


async def test_a_sign_in_begun_before_the_sign_out_cannot_be_continued(front: Front) -> None:
    web = made.client()
    tab, tokens = await signed_in(front)
    waiting = await tab.sign_in_at(await tab.get(front.asking(web, prompt="login")))
    consent = waiting.header("location") or ""
    assert consent.startswith("/consent?flow=")
    await tab.get(leaving(id_token_hint=tokens["id_token"]))
    assert (await tab.get(consent)).header("location") == "/sign-in"
