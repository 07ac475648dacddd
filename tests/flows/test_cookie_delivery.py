"""Tests of tokens in HTTP-only cookies for a first-party browser app: who gets them, who may use them, and how they end."""

from __future__ import annotations

import base64
import hashlib

import httpx2
import pytest

from doorward_verify import AuthError, ResourceServer
from doorward_verify.cookie import RequestCredentials
from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import payload, refused
from tests.flows.browsing import Person
from tests.flows.running import Running
from tests.flows.seeds import API, PASSWORD, House
from tests.waiting import keeps

ENGINES = POSTGRES_IN_SOAK
# the cookies' names and attributes are those of production
HTTPS = True
ORIGIN = {"origin": "https://counter.example.net", "sec-fetch-site": "same-site"}


def signed_in(server: Running, house: House) -> tuple[Person, httpx2.Response]:
    """Ada's browser after the app has exchanged its code for cookies."""
    person = server.person()
    attempt = house.spa.begin("openid orders:read")
    page = person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD)
    fields = {
        "client_id": house.spa.client_id,
        "code": house.spa.code(attempt, page),
        "code_verifier": attempt.verifier,
        "redirect_uri": attempt.redirect_uri,
    }
    answer = person.ask("POST", "/cookie/token", fields, ORIGIN)
    assert answer.status_code == 200, answer.text
    return person, answer


@pytest.mark.requirement(69)
def test_the_tokens_come_as_host_cookies_that_no_script_can_read(server: Running, house: House) -> None:
    person, answer = signed_in(server, house)
    assert set(answer.json()) == {"expires_in", "scope", "csrf_token"}
    for kind in ("at", "rt", "session", "browser", "device"):
        cookie = person.cookies[person.named(kind)]
        assert cookie.attributes["path"] == ("/cookie" if kind == "rt" else "/")
        assert cookie.attributes["samesite"] == "Lax"
        assert {"secure", "httponly"} <= set(cookie.attributes)
        assert "domain" not in cookie.attributes
        assert cookie.value not in answer.text
    assert answer.headers["access-control-allow-origin"] == ORIGIN["origin"]
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["strict-transport-security"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.requirement(69)
def test_no_api_of_the_host_gets_the_refresh_token(server: Running, house: House) -> None:
    person, _ = signed_in(server, house)
    sent = dict(person.sent_to("/api/orders"))
    assert person.named("at") in sent
    assert person.named("rt") not in sent
    assert person.named("rt") in dict(person.sent_to("/cookie/refresh"))


@pytest.mark.requirement(70)
def test_an_api_accepts_the_cookie_and_for_unsafe_methods_requires_the_csrf_token(
    server: Running, house: House
) -> None:
    person, answer = signed_in(server, house)
    csrf: str = answer.json()["csrf_token"]
    token = person.cookies[person.named("at")].value
    hashed = hashlib.sha256(f"doorward-csrf:{token}".encode()).digest()
    assert csrf == base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
    auth = ResourceServer(
        server.issuer,
        API,
        cookie=True,
        origins=(ORIGIN["origin"],),
        tls=server.tls,
        clock=server.clock.exactly,
    )

    def asked(method: str, origin: str | None = None, csrf_token: str | None = None) -> str:
        carried = (f"theme=dark; {person.named('at')}={token}",)
        own = "https://api.example.net"
        return auth.token_of(
            RequestCredentials(
                method=method, own_origin=own, cookies=carried, origin=origin, csrf_token=csrf_token
            )
        )

    with auth:
        assert auth.verify(asked("GET")).client_id == house.spa.client_id
        for origin, given in ((None, None), (None, "no"), ("https://evil.example.net", csrf)):
            with pytest.raises(AuthError, match="csrf"):
                asked("POST", origin, given)
        assert asked("POST", ORIGIN["origin"], csrf) == token


def test_the_page_learns_who_is_signed_in_and_renews_silently(server: Running, house: House) -> None:
    person, answer = signed_in(server, house)
    before = {name: person.cookies[name].value for name in (person.named("at"), person.named("rt"))}
    said = person.ask("GET", f"/cookie/session?client_id={house.spa.client_id}", None, ORIGIN)
    assert said.status_code == 200
    assert said.json()["sub"] == payload(before[person.named("at")])["sub"]
    assert said.json()["csrf_token"] == answer.json()["csrf_token"]
    assert before[person.named("at")] not in said.text
    renewed = person.ask("POST", "/cookie/refresh", {"client_id": house.spa.client_id}, ORIGIN)
    assert renewed.status_code == 200, renewed.text
    assert person.cookies[person.named("at")].value != before[person.named("at")]
    assert person.cookies[person.named("rt")].value != before[person.named("rt")]
    # a response that was lost: the same successor is sent again
    after = person.cookies[person.named("rt")].value
    person.cookies[person.named("rt")].value = before[person.named("rt")]
    assert (
        person.ask("POST", "/cookie/refresh", {"client_id": house.spa.client_id}, ORIGIN).status_code == 200
    )
    assert person.cookies[person.named("rt")].value == after


@pytest.mark.requirement(70)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example.net", "sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {"origin": ORIGIN["origin"], "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN["origin"] + ".evil.example.net"},
    ],
)
def test_a_page_of_another_origin_cannot_renew_sign_out_or_read(
    headers: dict[str, str], server: Running, house: House
) -> None:
    person, answer = signed_in(server, house)
    mine = {"client_id": house.spa.client_id}
    for path, fields, more in (
        ("/cookie/refresh", mine, {}),
        ("/cookie/sign-out", mine, {"x-csrf-token": answer.json()["csrf_token"]}),
    ):
        said = person.ask("POST", path, fields, {**headers, **more})
        assert said.status_code == 403, (path, said.text)
        assert "set-cookie" not in said.headers
    said = person.ask("GET", f"/cookie/session?client_id={house.spa.client_id}", None, headers)
    assert said.status_code == 403
    assert person.ask("POST", "/cookie/refresh", mine, ORIGIN).status_code == 200, "nothing was ended"


@pytest.mark.requirement(58, 70)
def test_signing_out_needs_the_csrf_token_and_ends_everything(server: Running, house: House) -> None:
    keeps(1, lambda: left(server, house))


def left(server: Running, house: House) -> float:
    """Ada in a new browser, signed out again. Returns for how many seconds an API still accepted her token."""
    person, _ = signed_in(server, house)
    mine = {"client_id": house.spa.client_id}
    renewed = person.ask("POST", "/cookie/refresh", mine, ORIGIN).json()
    token, refresh = person.cookies[person.named("at")].value, person.cookies[person.named("rt")].value
    with server.api(API) as api:
        for csrf in ({}, {"x-csrf-token": "wrong"}):
            assert person.ask("POST", "/cookie/sign-out", mine, {**ORIGIN, **csrf}).status_code == 403
        assert api.refusal(token) is None
        done = person.ask("POST", "/cookie/sign-out", mine, {**ORIGIN, "x-csrf-token": renewed["csrf_token"]})
        assert done.status_code == 204
        assert person.named("at") not in person.cookies
        assert person.named("rt") not in person.cookies
        took, why = api.refused_after(token)
        assert why == "revoked"
    refused(house.spa.refresh(refresh))
    assert person.open("/account").path == "/sign-in"
    again = person.ask("POST", "/cookie/sign-out", mine, ORIGIN)
    assert again.status_code == 204, "signing out twice is no error"
    return took


def test_only_public_first_party_apps_get_cookies(server: Running, house: House) -> None:
    person = server.person()
    for app in (house.web, house.own):
        answer = person.ask(
            "POST",
            "/cookie/token",
            {"client_id": app.client_id, "code": "dw_ac_x", "code_verifier": "x" * 43},
            ORIGIN,
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_a_cors_preflight_lists_the_allowed_origins_and_headers(server: Running, house: House) -> None:
    person = server.person()
    said = person.ask(
        "OPTIONS", "/cookie/sign-out", None, {**ORIGIN, "access-control-request-method": "POST"}
    )
    assert said.status_code == 204
    assert said.headers["access-control-allow-origin"] == ORIGIN["origin"]
    assert "x-csrf-token" in said.headers["access-control-allow-headers"]
    said = person.ask("OPTIONS", "/cookie/sign-out", None, {"origin": "https://evil.example.net"})
    assert "access-control-allow-origin" not in said.headers
