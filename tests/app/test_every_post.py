"""Tests of every POST route by kind: without our form's token, from a foreign page, and without cookies.

The routes are read from the server itself, so that new routes are tested too.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from doorward.core.model.secret import Secret
from doorward.features.authn.providers.settings import ProviderPolicies, ProviderPolicy
from doorward.web.route import CSRF, ORIGIN, Route, RouteKind
from tests.browsing import AT, BROWSER, ISSUER, JAR, PASSWORD, RT, SESSION, Page, flow_of
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.logged import captured
from tests.tabs import Tab, said

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(70)]
NEW = "walrus canyon velvet twelve"
APP_PAGE = "https://app.example.com"
OWN = made.public(id="app_own", name="own", first_party=True, origins=(APP_PAGE,))
EVIL = "https://evil.example"
# a provider that answers by a form of its own page; nothing is fetched from it
POSTING = ProviderPolicy(
    issuer="https://id.example",
    label="Example",
    client_id="c",
    client_secret=Secret("s"),
    response_mode="form_post",
)
# a resumable sign-in without any proof decides nothing; sign-ins with a proof are checked separately
_NOT_LOOKED_AT = {"sign_ins"}


@dataclass
class Scene:
    """Ada in her browser, just signed in: by cookie here, and at an app that keeps its tokens in cookies; another app waits for
    her consent. The form has the fields that would change something on any page."""

    front: Front
    tab: Tab
    form: dict[str, str]

    def fresh(self) -> Tab:
        """The same browser, with its initial cookies."""
        tab = Tab(self.tab.app, self.tab.address)
        tab.cookies = dict(self.tab.cookies)
        return tab


@pytest.fixture
async def scene() -> AsyncGenerator[Scene]:
    async with front_channel(providers=ProviderPolicies(by_name={"posting": POSTING})) as front:
        ada = await front.person()
        other = await front.session(ada, "o" * 43, seen_at=front.now)
        await front.register(OWN)
        tab = front.browser()
        answer = await tab.sign_in_at(await tab.get(front.asking(OWN)))
        code = said(answer)["code"]
        delivered = await tab.ask(
            "POST",
            "/cookie/token",
            form={
                "client_id": OWN.id,
                "code": code,
                "code_verifier": made.VERIFIER,
                "redirect_uri": made.REDIRECT,
            },
            origin=APP_PAGE,
            sec_fetch_site="same-site",
        )
        assert delivered.status == 200, delivered.text
        assert {AT, RT, SESSION, BROWSER} <= tab.cookies.keys()
        again = said(await tab.get(front.asking(OWN, state="two")))["code"]
        flow = flow_of(await tab.get(front.asking(made.client())))
        assert flow is not None
        page = await tab.get("/account")
        event = (await front.store.audit.page(limit=1))[0].id
        form = {
            "csrf": page.forms["profile"].fields["csrf"],
            "flow": flow,
            "identifier": "ada@example.com",
            "email": "ada@example.com",
            "password": PASSWORD,
            "current": PASSWORD,
            "new": NEW,
            "name": "Eve",
            "locale": "de",
            "decision": "allow",
            "confirm": "yes",
            "session": other.id,
            "app": made.client().id,
            "event": event,
            "code": again,
            "token": "dw_rt_" + 43 * "x",
            "client_id": OWN.id,
            "code_verifier": made.VERIFIER,
            "redirect_uri": made.REDIRECT,
            "grant_type": "authorization_code",
        }
        yield Scene(front, tab, form)


async def stored(front: Front) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that decides something."""
    database = front.store._db
    names = await database.all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", ())
    found = {
        str(name): sorted(await database.all(f"SELECT * FROM {name}", ()), key=repr)
        for (name,) in names
        if name not in _NOT_LOOKED_AT and not str(name).startswith("sqlite_")
    }
    assert found["sessions"], "this test would check nothing"
    return found


async def proven(front: Front) -> list[tuple[object, ...]]:
    """The sign-ins in which something was proven."""
    database = front.store._db
    return sorted(await database.all("SELECT id FROM sign_ins WHERE account_id IS NOT NULL", ()), key=repr)


def posts(front: Front, kind: RouteKind) -> list[Route]:
    """The POST routes of this kind, of the running server."""
    found = [route for route in front.app.routes if route.kind is kind and "POST" in route.methods]
    assert found, f"no route has the kind {kind}"
    return found


def address(route: Route) -> str:
    """The path with an unknown ticket, for the pages that need one."""
    return f"{route.path}?ticket=tkt_{'0' * 32}"


def takes_nothing(page: Page) -> None:
    """Assert that the response gives the browser no session or tokens, and removes none."""
    guarded = tuple(f"{JAR.name(kind)}=" for kind in ("session", "at", "rt", "device"))
    assert not [value for name, value in page.headers if name == "set-cookie" and value.startswith(guarded)]


async def test_every_post_route_has_exactly_one_kind(scene: Scene) -> None:
    found = [route for route in scene.front.app.routes if "POST" in route.methods]
    assert sorted(route.path for route in found) == sorted(
        route.path for kind in RouteKind for route in posts(scene.front, kind)
    )
    pages = posts(scene.front, RouteKind.PAGE)
    assert all(route.checks[:2] == (ORIGIN, CSRF) for route in pages)
    assert {route.path for route in pages if route.path.startswith("/account")} | {"/device"} == {
        route.path for route in pages if "sign-in" in route.checks
    }
    assert {route.path for route in posts(scene.front, RouteKind.APP_REQUEST)} == {"/authorize", "/logout"}
    # the one exception: a form without our token, whose handler gets no more than its fields (decision 0100)
    foreign = {route.path for route in posts(scene.front, RouteKind.FOREIGN_FORM)}
    assert foreign == {"/sign-in/provider/posting/callback"}


async def test_no_page_acts_on_a_form_without_its_token(scene: Scene) -> None:
    before, known = await stored(scene.front), await proven(scene.front)
    stranger = (await scene.front.browser().get("/sign-in")).forms["sign-in"].fields["csrf"]
    for route in posts(scene.front, RouteKind.PAGE):
        for token in (None, "", stranger):
            form = {name: value for name, value in scene.form.items() if name != "csrf"}
            form |= {} if token is None else {"csrf": token}
            with captured() as lines:
                page = await scene.fresh().post(address(route), form)
            assert [each["reason"] for each in lines if each["event"] == "form.refused"] == ["token"], (
                route.path
            )
            takes_nothing(page)
            assert await stored(scene.front) == before, route.path
            assert await proven(scene.front) == known, route.path


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        (EVIL, "cross-site"),
        (EVIL, "same-site"),
        (EVIL, ""),
        ("null", "cross-site"),
        (None, "cross-site"),
        (None, "same-site"),
    ],
)
async def test_no_page_acts_on_a_form_from_elsewhere(scene: Scene, origin: str | None, site: str) -> None:
    """With this browser's own token and cookies: the case of a leaked token, or of a browser that sends its cookies
    everywhere."""
    before, known = await stored(scene.front), await proven(scene.front)
    for route in posts(scene.front, RouteKind.PAGE):
        with captured() as lines:
            page = await scene.fresh().post(address(route), scene.form, origin=origin, site=site)
        assert [each["reason"] for each in lines if each["event"] == "form.refused"] == ["origin"], route.path
        takes_nothing(page)
        assert await stored(scene.front) == before, route.path
        assert await proven(scene.front) == known, route.path


async def test_no_page_acts_under_another_host_name_of_this_server(scene: Scene) -> None:
    before = await stored(scene.front)
    for route in posts(scene.front, RouteKind.PAGE):
        page = await scene.fresh().post(address(route), scene.form, origin=EVIL, site="same-origin")
        assert page.status == 421, route.path
        takes_nothing(page)
        assert await stored(scene.front) == before, route.path


async def test_no_page_acts_without_cookies(scene: Scene) -> None:
    before, known = await stored(scene.front), await proven(scene.front)
    for route in posts(scene.front, RouteKind.PAGE):
        for origin, site in ((ISSUER, "same-origin"), (EVIL, "cross-site")):
            with captured() as lines:
                page = await scene.front.browser().post(address(route), scene.form, origin=origin, site=site)
            assert "form.refused" in {each["event"] for each in lines}, route.path
            takes_nothing(page)
            assert await stored(scene.front) == before, route.path
            assert await proven(scene.front) == known, route.path


async def test_a_page_acts_on_its_own_form(scene: Scene) -> None:
    """The counterpart of the tests above: with the token, from our page, the same form passes the checks of every page."""
    for route in posts(scene.front, RouteKind.PAGE):
        with captured() as lines:
            await scene.fresh().post(address(route), scene.form)
        assert "form.refused" not in {each["event"] for each in lines}, route.path
    assert await scene.front.audited("password.changed")


@pytest.mark.requirement(75)
async def test_an_apps_request_does_no_more_by_post_than_by_get(scene: Scene) -> None:
    asked = {
        "/authorize": scene.front.params(made.client()),
        "/logout": {
            "client_id": made.client().id,
            "confirm": "yes",
            "about": "x",
            "csrf": scene.form["csrf"],
        },
    }
    for route in posts(scene.front, RouteKind.APP_REQUEST):
        assert route.path in asked, f"add what an app sends to {route.path}"
        params = asked[route.path]
        before = await stored(scene.front)
        looked = await scene.fresh().ask("GET", f"{route.path}?{urlencode(params)}")
        assert await stored(scene.front) == before
        for form, origin, site in (
            ({**params, "csrf": "no"}, ISSUER, "same-origin"),
            (params, EVIL, "cross-site"),
            (params, None, "cross-site"),
        ):
            page = await scene.fresh().post(route.path, form, origin=origin, site=site)
            assert (page.status, _place(page), sorted(page.forms)) == (
                looked.status,
                _place(looked),
                sorted(looked.forms),
            )
            takes_nothing(page)
            assert await stored(scene.front) == before, route.path
        bare = await scene.front.browser().post(route.path, params, origin=EVIL, site="cross-site")
        assert bare.header("set-cookie") is None
        assert await stored(scene.front) == before, route.path


async def test_a_cookie_has_no_authority_at_a_route_for_machines(scene: Scene) -> None:
    """So a foreign page cannot make a browser do anything there."""
    before = await stored(scene.front)
    form = {name: value for name, value in scene.form.items() if name not in {"code", "password"}}
    for route in posts(scene.front, RouteKind.MACHINE):
        for origin, site in ((EVIL, "cross-site"), (ISSUER, "same-origin")):
            page = await scene.fresh().post(route.path, form, origin=origin, site=site)
            bare = await scene.front.browser().post(route.path, form, origin=origin, site=site)
            assert (page.status, page.text) == (bare.status, bare.text), route.path
            assert page.header("set-cookie") is None, route.path
            assert page.header("access-control-allow-credentials") is None, route.path
            assert await stored(scene.front) == before, route.path


async def test_a_form_of_another_service_acts_only_in_the_get_that_follows(scene: Scene) -> None:
    before, known = await stored(scene.front), await proven(scene.front)
    for route in posts(scene.front, RouteKind.FOREIGN_FORM):
        for origin, site in (
            (EVIL, "cross-site"),
            (ISSUER, "same-origin"),
            ("null", "cross-site"),
            (None, ""),
        ):
            for tab in (scene.fresh(), scene.front.browser()):
                page = await tab.post(route.path, scene.form, origin=origin, site=site)
                assert (page.status, page.text) == (303, ""), route.path
                place = page.header("location") or ""
                # a page of this server, and nothing that was posted
                assert place.startswith("/sign-in/provider/posting/callback?answer=")
                assert not [value for value in scene.form.values() if len(value) > 5 and value in place]
                assert page.header("set-cookie") is None
                takes_nothing(await tab.on(page))
                assert await stored(scene.front) == before, route.path
                assert await proven(scene.front) == known, route.path


async def test_a_script_of_another_origin_gets_and_ends_nothing(scene: Scene) -> None:
    before = await stored(scene.front)
    for route in posts(scene.front, RouteKind.APP_SCRIPT):
        for origin, site in ((EVIL, "cross-site"), (EVIL, "same-site"), ("null", "cross-site"), (None, "")):
            page = await scene.fresh().post(route.path, scene.form, origin=origin, site=site)
            assert page.status in {400, 403}, route.path
            assert page.header("access-control-allow-origin") is None, route.path
            takes_nothing(page)
            assert await stored(scene.front) == before, route.path
        # the app's own page, which the browser reports as another site: SameSite alone would not prevent it
        page = await scene.fresh().post(route.path, scene.form, origin=APP_PAGE, site="cross-site")
        assert page.status == 403, route.path
        assert await stored(scene.front) == before, route.path


async def test_a_script_without_token_or_cookies_ends_nothing(scene: Scene) -> None:
    before = await stored(scene.front)
    page = await scene.fresh().post("/cookie/sign-out", scene.form, origin=APP_PAGE, site="same-site")
    assert page.status == 403, "X-CSRF-Token is missing"
    assert await stored(scene.front) == before
    form = {name: value for name, value in scene.form.items() if name != "code"}
    for route in posts(scene.front, RouteKind.APP_SCRIPT):
        await scene.front.browser().post(route.path, form, origin=APP_PAGE, site="same-site")
        assert await stored(scene.front) == before, route.path


def _place(page: Page) -> str:
    return (page.header("location") or "").partition("flow=")[0]
