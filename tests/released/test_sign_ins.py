"""Tests of sign-ins, sign-ups and resets that the released commit began and today's code finishes."""

from __future__ import annotations

import pytest

from tests.engines import BOTH
from tests.flows.apps import App, good, pkce, refused
from tests.flows.browsing import Page, Person
from tests.flows.signing_in import challenge, tokens_by_challenge
from tests.released.held import Held

ENGINES = BOTH
AAL1, AAL2 = "urn:doorward:aal1", "urn:doorward:aal2"
NEW = "walrus canyon velvet twelve"


def test_a_released_page_accepts_the_password(held: Held) -> None:
    person, page, attempt = held.browser("password")
    tokens = held.app("own").redeem(attempt, person.sign_in(page, "ada@example.com", held["password"]))
    assert (tokens.claims["acr"], tokens.claims["amr"]) == (AAL1, ["pwd"])


def test_a_released_page_accepts_the_code_of_the_phone(held: Held) -> None:
    person, page, attempt = held.browser("second_factor")
    wrong = person.press(page, "second-factor", code="000000")
    assert (wrong.status, wrong.path) == (400, "/sign-in/code"), "the password alone is not enough"
    tokens = held.app("own").redeem(attempt, person.press(wrong, "second-factor", code=held.phone("kit")))
    assert tokens.claims["acr"] == AAL2
    assert sorted(tokens.claims["amr"]) == ["mfa", "otp", "pwd"]


def test_a_released_recovery_code_is_accepted_once(held: Held) -> None:
    person, page, attempt = held.browser("recovery_code")
    page = person.click(page, "other-method")
    code = held["recovery"]["kit"][0]
    tokens = held.app("own").redeem(attempt, person.press(page, "second-factor", code=code))
    assert tokens.claims["acr"] == AAL2
    other = held.person()
    page = other.sign_in(other.open("/sign-in"), "kit@example.com", held["password"])
    page = other.press(other.click(page, "other-method"), "second-factor", code=code)
    assert page.status == 400


def test_consent_is_given_on_a_released_page(held: Held) -> None:
    person, page, attempt = held.browser("consent_allow")
    tokens = held.app("web").redeem(attempt, person.press(page, "consent", "allow"))
    assert "orders:read" in tokens.claims["scope"].split()
    assert person.open("/account").path == "/account"


def test_consent_is_refused_on_a_released_page(held: Held) -> None:
    person, page, attempt = held.browser("consent_deny")
    assert held.app("web").error(attempt, person.press(page, "consent", "deny")) == "access_denied"


def test_released_consent_is_not_asked_again(held: Held) -> None:
    person, _, _ = held.browser("allowed")
    attempt = held.app("web").begin("openid profile orders:read")
    held.app("web").redeem(attempt, person.open(attempt.url))


def test_a_session_of_one_factor_finishes_its_step_up(held: Held) -> None:
    person, page, attempt = held.browser("step_up")
    before = person.cookies[person.named("session")].value
    assert person.press(page, "second-factor", code="000000").status == 400
    tokens = held.app("own").redeem(attempt, person.press(page, "second-factor", code=held.phone("mia")))
    assert tokens.claims["acr"] == AAL2
    assert sorted(tokens.claims["amr"]) == ["mfa", "otp", "pwd"]
    assert person.cookies[person.named("session")].value != before, "a new cookie value at step-up"


def test_the_password_is_confirmed_on_a_released_page(held: Held) -> None:
    person, page, attempt = held.browser("password_again")
    again = person.open(attempt.url)
    assert "sign-in" in again.forms, "the session alone is not enough"
    page = person.sign_in(page, "sue@example.com", held["password"])
    assert held.app("own").redeem(attempt, page).claims["amr"] == ["pwd"]


def test_an_authenticator_app_whose_key_was_shown_before_can_be_set_up(held: Held) -> None:
    person, page, _ = held.browser("authenticator")
    held["phones"]["ned"] = held["ned_key"]
    page = person.press(page, "authenticator", code=held.phone("ned"))
    assert page.problem is None, page.problem
    assert len([line for line in page.words.split() if line.count("-") >= 2]) == 10
    other = held.person()
    assert other.sign_in(other.open("/sign-in"), "ned@example.com", held["password"]).path == "/sign-in/code"


def test_the_code_of_a_released_sign_up_creates_the_account(held: Held) -> None:
    person, page, attempt = held.browser("sign_up_code")
    page = person.press(page, "check", code=held["codes"]["sign_up_code"])
    assert held.app("own").redeem(attempt, page).claims["acr"] == AAL1


def test_the_link_of_a_released_sign_up_creates_the_account(held: Held) -> None:
    person, _, attempt = held.browser("sign_up_link")
    page = _pressed(person, held["links"]["sign_up_link"])
    assert held.app("own").redeem(attempt, page).claims["acr"] == AAL1


def test_released_mails_can_be_read(held: Held) -> None:
    person = held.person()
    assert person.mailed_code("olga@example.com") == held["codes"]["reset_code"]


def test_the_code_of_a_released_reset_leads_to_a_new_password(held: Held) -> None:
    person, page, _ = held.browser("reset_code")
    page = person.press(page, "check", code=held["codes"]["reset_code"])
    _new_password(held, person, page, "olga@example.com")


def test_the_link_of_a_released_reset_leads_to_a_new_password(held: Held) -> None:
    person, _, _ = held.browser("reset_link")
    _new_password(held, person, _pressed(person, held["links"]["reset_link"]), "pat@example.com")


def test_a_new_password_is_set_on_a_released_page(held: Held) -> None:
    person, page, _ = held.browser("reset_new")
    _new_password(held, person, page, "uma@example.com")


def test_a_password_is_changed_on_a_released_page(held: Held) -> None:
    person, page, _ = held.browser("changing")
    page = person.press(page, "password-change", current=held["password"], new=NEW)
    assert (page.path, page.problem) == ("/account/methods", None)
    other = held.person()
    assert other.sign_in(other.open("/sign-in"), "tom@example.com", NEW).path == "/account"
    refused(held.app("own").refresh(held.tokens("changing").refresh))


def test_a_released_json_sign_in_accepts_the_password(held: Held) -> None:
    answer = _json(held, "json_password", username="ada@example.com", password=held["password"])
    assert answer.claims["amr"] == ["pwd"]


def test_a_released_json_sign_in_accepts_the_second_factor(held: Held) -> None:
    own, kept = held.app("own"), held["json_second_factor"]
    again = challenge(own, auth_session=kept["auth_session"])
    assert (again.status_code, again.json()["next"]) == (403, "second_factor")
    assert _json(held, "json_second_factor", code=held.phone("lee")).claims["acr"] == AAL2


def test_a_guessed_account_stays_closed_and_its_owner_signs_in_from_a_known_device(held: Held) -> None:
    _, hashed = pkce()
    answer = challenge(
        held.app("own"),
        username="rex@example.com",
        password=held["password"],
        scope="openid",
        code_challenge=hashed,
        code_challenge_method="S256",
    )
    assert answer.status_code == 429, answer.text
    person, _, _ = held.browser("known_device")
    assert person.sign_in(person.open("/sign-in"), "rex@example.com", held["password"]).path == "/account"


def test_a_released_password_signs_in_again(held: Held) -> None:
    tokens = tokens_by_challenge(held.app("spa"), "bob@example.com", "openid orders:read orders:write")
    assert "orders:write" in tokens.claims["scope"].split()


@pytest.mark.parametrize("second", [False, True], ids=["once", "twice"])
def test_the_second_click_on_a_released_button_gets_the_first_ones_response(
    held: Held, *, second: bool
) -> None:
    del second
    person, _, _ = held.browser("double_click")
    kept = held["double_click"]
    answer = person.ask("POST", kept["action"], kept["fields"])
    assert (answer.status_code, answer.headers["location"]) == (303, kept["location"])
    assert person.cookies[person.named("session")].value == kept["session"]
    assert person.open("/account").path == "/account"


def _json(held: Held, name: str, **members: str):
    own: App = held.app("own")
    done = challenge(own, auth_session=held[name]["auth_session"], **members)
    assert done.status_code == 200, done.text
    return good(
        own.token(
            grant_type="authorization_code",
            code=done.json()["authorization_code"],
            code_verifier=held[name]["verifier"],
        )
    )


def _pressed(person: Person, link: str) -> Page:
    page = person.open(link)
    if page.outside or "new-password" in page.forms:
        return page
    (form,) = page.forms
    return person.press(page, form)


def _new_password(held: Held, person: Person, page: Page, email: str) -> None:
    page = person.press(page, "new-password", password=NEW)
    assert page.problem is None, page.problem
    other = held.person()
    page = other.sign_in(other.open("/sign-in"), email, held["password"])
    assert page.path == "/sign-in", "the old password is worth nothing"
    assert other.sign_in(page, email, NEW).path == "/account"
