"""Tokens in cookies over HTTP: out of reach of scripts and other sites, and removed at sign-out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.browsing import AT, BROWSER, JAR, RT, SESSION, Page
from tests.features import made
from tests.front_channel import Front
from tests.tabs import Tab, said

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
PAGE = "https://app.example.com"
APP = made.public(first_party=True, origins=(PAGE,))
APPS = (APP,)


async def call(tab: Tab, path: str, form: dict[str, str] | str | None = None, **headers: str) -> Page:
    """One request of the app's script, with the headers that a browser adds."""
    sent = {"origin": PAGE, "sec_fetch_site": "same-site", "accept": "application/json", **headers}
    if form is None:
        return await tab.ask("GET", path, **sent)
    return await tab.ask("POST", path, form=form, **sent)


async def code(front: Front, tab: Tab, **asked: str) -> str:
    """A code returned to the app's page."""
    page = await tab.get(front.asking(APP, **asked))
    if "code=" not in (page.header("location") or ""):
        page = await tab.sign_in_at(page)
    return said(page)["code"]


async def signed_in(front: Front) -> tuple[Tab, dict[str, Any]]:
    """A browser with the app's cookies, and the answer that the page's script received."""
    tab = front.browser()
    page = await call(tab, "/cookie/token", form(await code(front, tab)))
    assert page.status == 200, page.text
    return tab, msgspec.json.decode(page.text)


def form(code_: str) -> dict[str, str]:
    return {"client_id": APP.id, "code": code_, "code_verifier": made.VERIFIER, "redirect_uri": made.REDIRECT}


@pytest.mark.requirement(69)
async def test_tokens_are_delivered_in_protected_cookies_and_never_in_a_body(front: Front) -> None:
    tab = front.browser()
    page = await call(tab, "/cookie/token", form(await code(front, tab)))
    lines = {line.partition("=")[0]: line for name, line in page.headers if name == "set-cookie"}
    assert lines.keys() == {AT, RT}
    assert "; Path=/cookie; " in lines[RT]
    assert RT.startswith("__Secure-")
    for line in lines.values():
        for attribute in ("; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"):
            assert attribute in line
        assert "Domain" not in line
    assert "Max-Age=300" in lines[AT]
    for value in (tab.cookies[AT], tab.cookies[RT]):
        assert value not in page.text
    assert msgspec.json.decode(page.text).keys() == {"expires_in", "scope", "csrf_token"}
    assert page.header("access-control-allow-origin") == PAGE
    assert page.header("access-control-allow-credentials") == "true"
    assert page.header("cache-control") == "no-store"


async def test_the_apps_page_is_told_who_is_signed_in(front: Front) -> None:
    tab, heard = await signed_in(front)
    page = await call(tab, f"/cookie/session?client_id={APP.id}")
    said_ = msgspec.json.decode(page.text)
    assert said_["sub"] == "usr_ada"
    assert said_["csrf_token"] == heard["csrf_token"]
    assert tab.cookies[AT] not in page.text
    stranger = await call(front.browser(), f"/cookie/session?client_id={APP.id}")
    assert stranger.status == 401


async def test_silent_renewal_rotates_and_works_without_the_access_cookie(front: Front) -> None:
    tab, _ = await signed_in(front)
    old = tab.cookies[RT]
    front.clock.time += 400
    tab.cookies.pop(AT)
    page = await call(tab, "/cookie/refresh", {"client_id": APP.id})
    assert page.status == 200
    assert tab.cookies[RT] != old
    assert (await call(tab, f"/cookie/session?client_id={APP.id}")).status == 200


@pytest.mark.requirement(18)
async def test_cookies_that_cannot_be_renewed_are_removed(front: Front) -> None:
    tab, _ = await signed_in(front)
    thief = front.browser()
    thief.cookies = dict(tab.cookies)
    for _ in range(2):
        await call(tab, "/cookie/refresh", {"client_id": APP.id})
    front.clock.time += 60
    page = await call(thief, "/cookie/refresh", {"client_id": APP.id})
    assert page.status == 400
    assert AT not in thief.cookies
    assert RT not in thief.cookies
    assert (await call(tab, "/cookie/refresh", {"client_id": APP.id})).status == 400


@pytest.mark.requirement(70)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
        {"origin": "https://evil.app.example.com"},
        {"origin": "null"},
        {"origin": "http://app.example.com"},
        {"sec_fetch_site": "cross-site"},
    ],
)
async def test_a_foreign_origin_is_refused_and_changes_nothing(front: Front, headers: dict[str, str]) -> None:
    tab, heard = await signed_in(front)
    before = dict(tab.cookies)
    fresh = form(await code(front, tab))
    csrf = heard["csrf_token"]
    for page in (
        await call(tab, "/cookie/token", fresh, **headers),
        await call(tab, "/cookie/refresh", {"client_id": APP.id}, **headers),
        await call(tab, f"/cookie/session?client_id={APP.id}", **headers),
        await call(tab, "/cookie/sign-out", {"client_id": APP.id}, x_csrf_token=csrf, **headers),
    ):
        assert page.status == 403
        assert page.header("access-control-allow-origin") in {None, PAGE}
        assert "csrf_token" not in page.text
    assert {name: tab.cookies[name] for name in before} == before
    assert (await call(tab, f"/cookie/session?client_id={APP.id}")).status == 200


@pytest.mark.requirement(70)
async def test_a_form_post_without_an_origin_is_refused(front: Front) -> None:
    tab, _ = await signed_in(front)
    page = await tab.ask("POST", "/cookie/refresh", form={"client_id": APP.id})
    assert page.status == 400


@pytest.mark.requirement(70)
async def test_signing_out_requires_the_csrf_token(front: Front) -> None:
    tab, heard = await signed_in(front)
    for wrong in ({}, {"x_csrf_token": ""}, {"x_csrf_token": "A" * 43}):
        page = await call(tab, "/cookie/sign-out", {"client_id": APP.id}, **wrong)
        assert page.status == 403
    assert (await call(tab, f"/cookie/session?client_id={APP.id}")).status == 200
    page = await call(tab, "/cookie/sign-out", {"client_id": APP.id}, x_csrf_token=heard["csrf_token"])
    assert page.status == 204
    assert not {AT, RT, SESSION} & set(tab.cookies)


@pytest.mark.requirement(72)
async def test_signing_out_ends_the_session_the_grant_and_the_tokens(front: Front) -> None:
    tab, heard = await signed_in(front)
    thief = front.browser()
    thief.cookies = dict(tab.cookies)
    await call(tab, "/cookie/sign-out", {"client_id": APP.id}, x_csrf_token=heard["csrf_token"])
    assert (await call(thief, f"/cookie/session?client_id={APP.id}")).status == 401
    assert (await call(thief, "/cookie/refresh", {"client_id": APP.id})).status == 400
    thief.cookies = {SESSION: thief.cookies.get(SESSION, "")}
    assert (await thief.get("/account")).status == 303
    assert len(await front.audited("session.ended")) == 1


@pytest.mark.requirement(72)
@pytest.mark.parametrize("ended", ["access cookie ran out", "grant ended already"])
async def test_signing_out_works_with_an_unreadable_access_cookie(front: Front, ended: str) -> None:
    tab, _ = await signed_in(front)
    kept = dict(tab.cookies)
    if ended == "grant ended already":
        (grant,) = await front.store.grants.live_of_account("usr_ada", front.now)
        await front.store.commit(*front.revoker.grant(grant, now=front.now, reason="revoked"))
    else:
        front.clock.time += 400
        tab.cookies.pop(AT)
    page = await call(tab, "/cookie/sign-out", {"client_id": APP.id})
    assert page.status == 204
    tab.cookies = kept
    assert (await tab.get("/account")).status == 303
    again = await call(tab, "/cookie/sign-out", {"client_id": APP.id})
    assert again.status == 204


@pytest.mark.requirement(72, 100)
async def test_signing_out_ends_the_session_whose_cookie_it_removes(front: Front) -> None:
    """No token names the session any more, but the session cookie does."""
    tab, _ = await signed_in(front)
    kept = {SESSION: tab.cookies[SESSION]}
    front.clock.time += 400
    del tab.cookies[AT], tab.cookies[RT]
    page = await call(tab, "/cookie/sign-out", {"client_id": APP.id})
    assert page.status == 204
    tab.cookies = kept
    assert (await tab.get("/account")).status == 303
    (event,) = await front.audited("session.ended")
    assert event.client_id == APP.id


async def test_an_app_cannot_use_the_cookies_of_another(front: Front) -> None:
    await front.register(made.public(id="app_two", name="two", first_party=True, origins=(PAGE,)))
    tab, heard = await signed_in(front)
    assert (await call(tab, "/cookie/session?client_id=app_two")).status == 401
    page = await call(tab, "/cookie/sign-out", {"client_id": "app_two"}, x_csrf_token=heard["csrf_token"])
    assert page.status == 204
    assert (await call(tab, f"/cookie/session?client_id={APP.id}")).status == 200
    assert (await tab.get("/account")).status == 200
    (grant,) = await front.store.grants.live_of_account("usr_ada", front.now)
    assert grant.client_id == APP.id


@pytest.mark.requirement(16)
async def test_a_code_requested_by_another_browser_cannot_be_used(front: Front) -> None:
    """Login CSRF by code injection: the page sends its own verifier, which does not match a code requested elsewhere."""
    tab = front.browser()
    injected = {**form(await code(front, tab)), "code_verifier": "x" * 43}
    page = await call(tab, "/cookie/token", injected)
    assert page.status == 400
    assert AT not in tab.cookies


async def test_confidential_and_third_party_apps_must_use_the_token_endpoint(front: Front) -> None:
    for client in (made.client(), made.public(id="app_third", name="third", origins=())):
        await front.register(client)
        page = await call(front.browser(), "/cookie/refresh", {"client_id": client.id})
        assert page.status == 400
        assert msgspec.json.decode(page.text)["error"] == "unauthorized_client"
    assert (await call(front.browser(), "/cookie/refresh", {"client_id": "x"})).status == 401
    assert (await call(front.browser(), "/cookie/refresh", {})).status == 401


async def test_the_preflight_allows_only_registered_origins(front: Front) -> None:
    tab = front.browser()
    good = await tab.ask("OPTIONS", "/cookie/sign-out", origin=PAGE)
    assert good.status == 204
    assert good.header("access-control-allow-origin") == PAGE
    assert "x-csrf-token" in (good.header("access-control-allow-headers") or "")
    assert good.header("vary") == "Origin"
    for origin in ("https://evil.example", "null", made.REDIRECT):
        bad = await tab.ask("OPTIONS", "/cookie/sign-out", origin=origin)
        assert bad.header("access-control-allow-origin") is None


@pytest.mark.requirement(9)
async def test_a_repeated_parameter_is_refused(front: Front) -> None:
    tab, _ = await signed_in(front)
    page = await tab.ask("POST", "/cookie/refresh", form="client_id=app_spa&client_id=app_two", origin=PAGE)
    assert page.status == 400
    page = await call(tab, "/cookie/session?client_id=app_spa&client_id=app_two")
    assert page.status == 400


@pytest.mark.requirement(69, 70)
async def test_a_refresh_cookie_set_by_a_sibling_domain_is_refused(front: Front) -> None:
    """`__Secure-` does not stop a sibling domain from setting one: the attacker's, so that the owner acts in the attacker's account."""
    thief, _ = await signed_in(front)
    owner, _ = await signed_in(front)
    own = owner.cookies[RT]
    for planted in (thief.cookies[RT], thief.cookies[RT].rpartition(".")[0], thief.cookies[RT][:-1], "", "."):
        owner.cookies[RT] = planted
        page = await call(owner, "/cookie/refresh", {"client_id": APP.id})
        assert page.status == 400, planted
    # browsers send the cookie with the longer path first; the owner's is found beside it
    line = f"{RT}={thief.cookies[RT]}; {RT}={own}; {BROWSER}={owner.cookies[BROWSER]}"
    page = await call(front.browser(), "/cookie/refresh", {"client_id": APP.id}, cookie=line)
    assert page.status == 200
    # another browser's cookie does not validate it
    line = f"{RT}={own}; {BROWSER}={thief.cookies[BROWSER]}"
    assert (await call(front.browser(), "/cookie/refresh", {"client_id": APP.id}, cookie=line)).status == 400
    assert (
        await call(front.browser(), "/cookie/refresh", {"client_id": APP.id}, cookie=f"{RT}={own}")
    ).status == 400


@pytest.mark.requirement(69)
async def test_a_browser_without_a_browser_cookie_gets_one_to_bind_to(front: Front) -> None:
    tab = front.browser()
    fresh = form(await code(front, tab))
    del tab.cookies[BROWSER]
    page = await call(tab, "/cookie/token", fresh)
    assert page.status == 200
    assert len(tab.cookies[BROWSER]) == 43
    assert (await call(tab, "/cookie/refresh", {"client_id": APP.id})).status == 200


@pytest.mark.requirement(69)
async def test_the_refresh_cookie_of_the_previous_release_is_read_once_and_replaced(front: Front) -> None:
    tab, _ = await signed_in(front)
    old_at, old_rt = JAR.old_name("at"), JAR.old_name("rt")
    tab.cookies[old_at], tab.cookies[old_rt] = tab.cookies.pop(AT), tab.cookies.pop(RT).rpartition(".")[0]
    assert (await call(tab, f"/cookie/session?client_id={APP.id}")).status == 200
    page = await call(tab, "/cookie/refresh", {"client_id": APP.id})
    assert page.status == 200
    assert {AT, RT} <= tab.cookies.keys()
    assert not {old_at, old_rt} & tab.cookies.keys()
    assert (await call(tab, "/cookie/refresh", {"client_id": APP.id})).status == 200


@pytest.mark.requirement(69)
async def test_old_cookies_of_another_issuer_on_this_host_are_kept(front: Front) -> None:
    tab, heard = await signed_in(front)
    theirs = {JAR.old_name("at"): "a.b.c", JAR.old_name("rt"): "dw_rt_" + "x" * 100}
    tab.cookies.update(theirs)
    await call(tab, "/cookie/refresh", {"client_id": APP.id})
    heard = msgspec.json.decode((await call(tab, f"/cookie/session?client_id={APP.id}")).text)
    page = await call(tab, "/cookie/sign-out", {"client_id": APP.id}, x_csrf_token=heard["csrf_token"])
    assert page.status == 204
    assert theirs.items() <= tab.cookies.items()
    assert not {AT, RT} & tab.cookies.keys()


@pytest.mark.requirement(72, 100)
async def test_signing_out_removes_the_cookies_of_the_previous_release(front: Front) -> None:
    tab, heard = await signed_in(front)
    for kind in ("at", "rt", "session"):
        tab.cookies[JAR.old_name(kind)] = (
            tab.cookies.pop(JAR.name(kind)).rpartition(".")[0]
            if kind == "rt"
            else tab.cookies.pop(JAR.name(kind))
        )
    page = await call(tab, "/cookie/sign-out", {"client_id": APP.id}, x_csrf_token=heard["csrf_token"])
    assert page.status == 204
    assert not {JAR.old_name(kind) for kind in ("at", "rt", "session")} & tab.cookies.keys()
    assert (await tab.get("/account")).status == 303
