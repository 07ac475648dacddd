"""Tests of sign-out: whose session ends, where the browser goes, and which apps are notified."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import BOTH, Engine
from tests.flows.apps import App, Tokens, refused
from tests.flows.browsing import Person
from tests.flows.listening_app import LogoutListener, listening_app
from tests.flows.running import Running
from tests.flows.seeds import API, CALLBACK, PASSWORD, House, draft

ENGINES = BOTH
AFTER = "https://shop.example.net/bye"
ELSEWHERE = {"origin": "https://evil.example.net", "sec-fetch-site": "cross-site"}


def signed_in(server: Running, app: App, scope: str = "openid orders:read") -> tuple[Person, Tokens]:
    """Ada in a separate browser, in this app."""
    person = server.person()
    attempt = app.begin(scope)
    page = person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD)
    if "consent" in page.forms:
        page = person.press(page, "consent", "allow")
    return person, app.redeem(attempt, page)


@pytest.mark.requirement(75)
def test_with_its_own_hint_sign_out_is_immediate_and_returns_to_the_registered_address(
    server: Running, house: House
) -> None:
    person, tokens = signed_in(server, house.own)
    page = person.open(
        f"/logout?id_token_hint={tokens.body['id_token']}&post_logout_redirect_uri={AFTER}&state=a%20b"
    )
    assert (page.outside, page.url) == (True, f"{AFTER}?state=a+b")
    assert person.open("/account").path == "/sign-in"
    refused(house.own.refresh(tokens.refresh))


@pytest.mark.requirement(75)
def test_without_a_hint_or_with_another_persons_the_person_is_asked(server: Running, house: House) -> None:
    person, _ = signed_in(server, house.own)
    bob = server.person()
    attempt = house.own.begin()
    hers = house.own.redeem(attempt, bob.sign_in(bob.open(attempt.url), "bob@example.com", PASSWORD))
    for query in (
        "",
        f"?client_id={house.own.client_id}",
        f"?id_token_hint={hers.body['id_token']}",
        "?id_token_hint=garbage",
    ):
        page = person.open(f"/logout{query}")
        assert "sign-out" in page.forms, query
        assert "ada@example.com" in page.words
        assert person.open("/account").path == "/account", "nothing has happened yet"
    # a POST from another site decides no more than a GET
    asked = person.ask("POST", "/logout", {"confirm": "yes"}, ELSEWHERE)
    assert asked.status_code == 200
    assert person.open("/account").path == "/account"
    page = person.press(
        person.open(f"/logout?client_id={house.own.client_id}&post_logout_redirect_uri={AFTER}"), "sign-out"
    )
    assert (page.outside, page.url) == (True, AFTER)
    assert person.open("/account").path == "/sign-in"
    assert person.press(signed_in(server, house.own)[0].open("/logout"), "sign-out").path == "/signed-out"


@pytest.mark.requirement(75)
@pytest.mark.parametrize(
    "target", [f"{AFTER}/", "https://evil.example.net/", "javascript:alert(1)", "//evil"]
)
def test_the_browser_is_never_sent_to_an_unregistered_address(
    target: str, server: Running, house: House
) -> None:
    person, tokens = signed_in(server, house.own)
    page = person.open(f"/logout?id_token_hint={tokens.body['id_token']}&post_logout_redirect_uri={target}")
    assert (page.outside, page.status) == (False, 400)
    assert target not in page.links.values()
    assert person.open("/account").path == "/account", "a wrong request ends nothing"


@pytest.fixture(scope="module")
def listener(engine: Engine) -> Generator[LogoutListener]:
    """Unavailable at first, for each engine again."""
    assert engine
    with listening_app([503]) as app:
        yield app


@pytest.fixture(scope="module")
def hearing(server: Running, house: House, listener: LogoutListener) -> App:
    """An app that receives log-out notifications."""
    del house

    async def work(services: Services) -> App:
        wanted = draft("Hearing", "web", first_party=True, backchannel_logout_uri=listener.url)
        made = await services.get(admin.apps).create(os_actor(), wanted, kind="web", access=[API])
        assert made.secret is not None
        return App(server.issuer, made.client.id, made.secret.reveal(), CALLBACK)

    return server.operate(work)


@pytest.mark.requirement(76)
def test_a_listening_app_gets_a_logout_token_even_if_it_is_unavailable_at_first(
    server: Running, house: House, hearing: App, listener: LogoutListener
) -> None:
    person, tokens = signed_in(server, hearing)
    attempt = house.own.begin()
    house.own.redeem(attempt, person.open(attempt.url))
    person.press(person.open("/logout"), "sign-out")
    keys = KeySet.import_key_set(hearing.http.get(f"{server.issuer}/jwks").json())
    first = listener.token()
    # it answered 503, so the notification is repeated, with a new token
    second = listener.token()
    seen: list[str] = []
    for token in (first, second):
        read = jwt.decode(token, keys, algorithms=["RS256"])
        assert read.header["typ"] == "logout+jwt"
        claims = read.claims
        assert claims["iss"] == server.issuer
        assert claims["aud"] == hearing.client_id
        assert claims["sub"] == tokens.claims["sub"]
        assert claims["sid"] == tokens.claims["sid"]
        assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
        assert "nonce" not in claims
        assert 0 < claims["exp"] - claims["iat"] <= 120
        seen.append(claims["jti"])
    assert len(set(seen)) == 2
    with server.api(API) as api:
        assert api.refusal(second) == "type", "a logout token is no access token"


@pytest.mark.requirement(76)
def test_a_disabled_person_and_an_ended_device_are_notified_too(
    server: Running, house: House, hearing: App, listener: LogoutListener
) -> None:
    person, tokens = signed_in(server, hearing)
    other, elsewhere = signed_in(server, hearing)
    page = other.open("/account/devices")
    # Ada ends her first browser from her second one
    page = other.press(page, "end-others", "end-others-submit")
    told = jwt.decode(
        listener.token(), KeySet.import_key_set(hearing.http.get(f"{server.issuer}/jwks").json())
    ).claims
    assert told["sid"] == tokens.claims["sid"]
    assert person.open("/account").path == "/sign-in"
    assert other.open("/account").path == "/account"
    server.operate(lambda services: services.get(admin.people).disable(os_actor(), "ada@example.com"))
    told = jwt.decode(
        listener.token(), KeySet.import_key_set(hearing.http.get(f"{server.issuer}/jwks").json())
    ).claims
    # all sessions of the person, in one notice
    assert told["sub"] == elsewhere.claims["sub"]
    assert "sid" not in told
    server.operate(lambda services: services.get(admin.people).enable(os_actor(), "ada@example.com"))
    assert listener.waiting == 0
