"""Tests of the JSON sign-in of first-party apps: the same steps as the pages, in the same order."""

from __future__ import annotations

import time

import pytest

from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import good, pkce, refused
from tests.flows.running import Running
from tests.flows.second_factor import set_up
from tests.flows.seeds import API, PASSWORD, House
from tests.flows.signing_in import challenge, tokens_by_challenge

ENGINES = POSTGRES_IN_SOAK
pytestmark = pytest.mark.requirement(85)


def asked(**more: str) -> tuple[str, dict[str, str]]:
    """A verifier, and the parameters of a first request."""
    verifier, hashed = pkce()
    return verifier, {
        "scope": "openid orders:read",
        "code_challenge": hashed,
        "code_challenge_method": "S256",
        **more,
    }


def test_credentials_give_a_code_that_only_its_verifier_redeems(server: Running, house: House) -> None:
    tokens = tokens_by_challenge(house.own, "ada@example.com", "openid orders:read offline_access")
    assert tokens.claims["amr"] == ["pwd"]
    assert good(house.own.refresh(tokens.refresh)).claims["sub"] == tokens.claims["sub"]
    with server.api(API) as api:
        assert api.verify(tokens.access).permissions == {"orders:read"}
    _, begun = asked()
    answer = challenge(house.own, username="ada@example.com", password=PASSWORD, **begun)
    code = answer.json()["authorization_code"]
    refused(house.own.token(grant_type="authorization_code", code=code, code_verifier=pkce()[0]))


def test_a_public_first_party_app_may_use_it_too(house: House) -> None:
    assert (
        tokens_by_challenge(house.spa, "ada@example.com", "openid").claims["client_id"] == house.spa.client_id
    )


def test_sign_in_step_by_step_with_a_wrong_try_in_between(house: House) -> None:
    verifier, begun = asked()
    first = challenge(house.own, **begun)
    assert (first.status_code, first.json()["error"]) == (403, "insufficient_authorization")
    assert first.json()["next"] == "password"
    session = first.json()["auth_session"]
    wrong = challenge(
        house.own, auth_session=session, username="ada@example.com", password="not this one at all"
    )
    unknown = challenge(
        house.own, auth_session=session, username="nobody@example.com", password="not this one at all"
    )
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.json() == unknown.json()
    done = challenge(house.own, auth_session=session, username="ada@example.com", password=PASSWORD)
    assert done.status_code == 200
    good(
        house.own.token(
            grant_type="authorization_code", code=done.json()["authorization_code"], code_verifier=verifier
        )
    )
    over = challenge(house.own, auth_session=session, username="ada@example.com", password=PASSWORD)
    assert over.json()["error"] == "invalid_session"


def test_a_second_factor_is_required_and_cannot_be_skipped(server: Running, house: House) -> None:
    person = server.person()
    page = person.sign_up(person.open("/sign-up"), "json@example.com", PASSWORD)
    assert page.path == "/account"
    phone, recovery = set_up(person, server)
    verifier, begun = asked()
    first = challenge(house.own, username="json@example.com", password=PASSWORD, **begun)
    assert (first.status_code, first.json()["next"]) == (403, "second_factor")
    session = first.json()["auth_session"]
    for more in ({}, {"code": "000000"}, {"username": "json@example.com", "password": PASSWORD}):
        again = challenge(house.own, auth_session=session, **more)
        assert again.status_code == 403
        assert again.json()["next"] == "second_factor"
        assert "authorization_code" not in again.json()
    # the handle works for this app only
    stolen = challenge(house.spa, auth_session=session, code=phone.code())
    assert stolen.json()["error"] == "invalid_session"
    done = challenge(house.own, auth_session=session, code=phone.code())
    assert done.status_code == 200, done.text
    tokens = good(
        house.own.token(
            grant_type="authorization_code", code=done.json()["authorization_code"], code_verifier=verifier
        )
    )
    assert tokens.claims["acr"] == "urn:doorward:aal2"
    verifier, begun = asked()
    everything = {"username": "json@example.com", "password": PASSWORD, "code": recovery[0], **begun}
    assert challenge(house.own, **everything).status_code == 200
    assert challenge(house.own, **everything).status_code == 403, "a recovery code works once"


def test_third_party_apps_are_sent_to_the_pages(house: House) -> None:
    _, begun = asked()
    answer = challenge(house.web, username="ada@example.com", password=PASSWORD, **begun)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    nobody = house.own.http.post(f"{house.issuer}/authorize-challenge", json={"client_id": "app_none"})
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")


@pytest.mark.requirement(81)
def test_guessing_is_stopped_for_unknown_people_alike_and_does_not_lock_the_owner_out(
    server: Running, house: House
) -> None:
    owner = server.person()
    page = owner.sign_up(owner.open("/sign-up"), "guessed@example.com", PASSWORD)
    assert page.path == "/account"
    seen: list[list[int]] = []
    for email in ("guessed@example.com", "nobody-at-all@example.com"):
        statuses: list[int] = []
        for _ in range(server.settings.throttle.per_account + 1):
            _, begun = asked()
            answer = challenge(house.own, username=email, password="a wrong guess of many", **begun)
            statuses.append(answer.status_code)
            if answer.status_code == 429:
                assert answer.json()["retry_at"] > time.time()
        assert statuses[-1] == 429
        seen.append(statuses)
    assert seen[0] == seen[1]
    # in the browser of the owner's earlier sign-in, sign-in still works
    owner.press(owner.open("/logout"), "sign-out")
    assert owner.sign_in(owner.open("/sign-in"), "guessed@example.com", PASSWORD).path == "/account"
