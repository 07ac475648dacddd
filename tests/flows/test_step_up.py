"""Tests that an app that requests two factors gets two, and that no path gives less."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import refused
from tests.flows.running import Running
from tests.flows.second_factor import set_up
from tests.flows.seeds import API, PASSWORD, House
from tests.flows.signing_in import challenge
from tests.waiting import keeps

ENGINES = POSTGRES_IN_SOAK
AAL1, AAL2 = "urn:doorward:aal1", "urn:doorward:aal2"


def newcomer(server: Running, house: House, email: str):
    """A person who just signed up, and their browser."""
    person = server.person()
    attempt = house.own.begin("openid orders:read", prompt="create")
    page = person.sign_up(person.open(attempt.url), email, PASSWORD)
    return person, house.own.redeem(attempt, page)


@pytest.mark.requirement(38, 68, 85)
def test_a_session_of_one_factor_steps_up_to_two_under_a_new_cookie(server: Running, house: House) -> None:
    person, before = newcomer(server, house, "step@example.com")
    assert before.claims["acr"] == AAL1
    # the factor is set up in another browser: a session in which it is set up has both (decision 0093)
    owner = server.person()
    assert owner.sign_in(owner.open("/sign-in"), "step@example.com", PASSWORD).path == "/account"
    single = owner.cookies[owner.named("session")].value
    phone, _ = set_up(owner, server)
    assert owner.cookies[owner.named("session")].value != single, "a new cookie value at setup"
    attempt = house.own.begin("openid orders:read", acr_values=AAL2)
    shown = house.own.redeem(attempt, owner.open(attempt.url))
    assert (shown.claims["acr"], sorted(shown.claims["amr"])) == (AAL2, ["mfa", "otp", "pwd"])
    earlier = person.cookies[person.named("session")].value
    # with a second factor registered, a one-factor session is not enough for any app
    attempt = house.own.begin("openid orders:read", acr_values=AAL2)
    page = person.open(attempt.url)
    assert page.path == "/sign-in/code"
    wrong = person.press(page, "second-factor", code="000000")
    assert (wrong.status, wrong.path) == (400, "/sign-in/code")
    page = person.press(wrong, "second-factor", code=phone.code())
    after = house.own.redeem(attempt, page)
    assert after.claims["acr"] == AAL2
    assert after.identity["acr"] == AAL2
    assert sorted(after.claims["amr"]) == ["mfa", "otp", "pwd"]
    assert after.claims["auth_time"] > before.claims["auth_time"]
    assert person.cookies[person.named("session")].value != earlier, "a new cookie value at step-up"
    assert after.claims["sid"] == before.claims["sid"]
    stolen = server.person()
    stolen.cookies = {person.named("session"): person.cookies[person.named("session")]}
    stolen.cookies[stolen.named("session")].value, person_value = (
        earlier,
        stolen.cookies[stolen.named("session")].value,
    )
    assert stolen.open("/account").path == "/sign-in", "the old value is worth nothing"
    person.cookies[person.named("session")].value = person_value
    with server.api(API) as api:
        principal = api.verify(after.access)
        assert principal.acr == AAL2


@pytest.mark.requirement(13, 38)
def test_an_unreachable_essential_level_is_an_error_and_a_voluntary_one_is_not(
    server: Running, house: House
) -> None:
    person, _ = newcomer(server, house, "single@example.com")
    essential = json.dumps({"id_token": {"acr": {"essential": True, "value": AAL2}}})
    attempt = house.own.begin(claims=essential)
    assert house.own.error(attempt, person.open(attempt.url)) == "unmet_authentication_requirements"
    attempt = house.own.begin(acr_values=AAL2)
    assert house.own.redeem(attempt, person.open(attempt.url)).identity["acr"] == AAL1


@pytest.mark.requirement(82, 84, 85)
def test_with_an_authenticator_no_path_skips_it(server: Running, house: House) -> None:
    person, _ = newcomer(server, house, "both@example.com")
    phone, recovery = set_up(person, server)
    assert len(recovery) == 10
    # the pages
    other = server.person()
    page = other.sign_in(other.open("/sign-in"), "both@example.com", PASSWORD)
    assert page.path == "/sign-in/code"
    assert other.open("/account").path == "/sign-in", "half a sign-in gives no access"
    code = phone.code()
    page = other.press(other.open(page.url), "second-factor", code=code)
    assert page.path == "/account"
    # a code is accepted once
    third = server.person()
    page = third.sign_in(third.open("/sign-in"), "both@example.com", PASSWORD)
    assert third.press(page, "second-factor", code=code).status == 400
    # a recovery code instead of the phone, once
    page = third.click(page, "other-method")
    page = third.press(page, "second-factor", code=recovery[0])
    assert page.path == "/account"
    fourth = server.person()
    page = fourth.sign_in(fourth.open("/sign-in"), "both@example.com", PASSWORD)
    page = fourth.click(page, "other-method")
    assert fourth.press(page, "second-factor", code=recovery[0]).status == 400
    # the JSON endpoint
    first = challenge(house.own, username="both@example.com", password=PASSWORD, scope="openid", **_pkce())
    assert first.status_code == 403
    assert first.json()["next"] == "second_factor"
    # a password reset: the second factor is still required
    fifth = server.person()
    page = fifth.press(fifth.open("/reset"), "reset", email="both@example.com")
    page = fifth.press(page, "check", code=fifth.mailed_code("both@example.com"))
    page = fifth.press(page, "new-password", password="mountain pepper tulip forty")
    page = fifth.sign_in(fifth.open("/sign-in"), "both@example.com", "mountain pepper tulip forty")
    assert page.path == "/sign-in/code"


def _pkce() -> dict[str, str]:
    return {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}


@pytest.mark.requirement(72, 73)
def test_a_changed_password_ends_every_other_session_and_all_grants(server: Running, house: House) -> None:
    people = itertools.count(1)
    keeps(1, lambda: changed(server, house, f"change{next(people)}@example.com"))


def changed(server: Running, house: House, email: str) -> float:
    """For a new person. Returns for how many seconds an API still accepted the earlier tokens."""
    person, _ = newcomer(server, house, email)
    other = server.person()
    attempt = house.own.begin("openid orders:read offline_access")
    elsewhere = house.own.redeem(attempt, other.sign_in(other.open(attempt.url), email, PASSWORD))
    with server.api(API) as api:
        assert api.refusal(elsewhere.access) is None
        page = person.press(
            person.open("/account/methods"),
            "password-change",
            current=PASSWORD,
            new="glacier button sonata eight",
        )
        assert page.path == "/account/methods"
        assert page.problem is None
        took, why = api.refused_after(elsewhere.access)
        assert why == "revoked"
    refused(house.own.refresh(elsewhere.refresh))
    assert other.open("/account").path == "/sign-in"
    assert person.open("/account").path == "/account"
    return took
