"""Tests of request parameters that control the sign-in: prompt, max_age, hints, claims, ui_locales, form_post."""

from __future__ import annotations

import json

import pytest

from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import Tokens
from tests.flows.browsing import Person
from tests.flows.running import Running
from tests.flows.seeds import PASSWORD, House

ENGINES = POSTGRES_IN_SOAK
ADA, BOB = "ada@example.com", "bob@example.com"
pytestmark = pytest.mark.requirement(13)


def again(person: Person, house: House, **params: str) -> Tokens:
    """Tokens for a request that this browser completes without a page."""
    attempt = house.own.begin(**params)
    return house.own.redeem(attempt, person.open(attempt.url))


def test_prompt_none_answers_without_any_page(ada: Person, server: Running, house: House) -> None:
    assert again(ada, house, prompt="none").identity["amr"] == ["pwd"]
    attempt = house.web.begin("openid email profile", prompt="none")
    assert house.web.error(attempt, ada.open(attempt.url)) == "consent_required"
    stranger = server.person()
    attempt = house.own.begin(prompt="none")
    assert house.own.error(attempt, stranger.open(attempt.url)) == "login_required"


def test_prompt_login_asks_for_the_password_again(ada: Person, server: Running, house: House) -> None:
    before = again(ada, house).identity["auth_time"]
    server.clock.ahead += 5
    attempt = house.own.begin(prompt="login")
    page = ada.open(attempt.url)
    assert page.path == "/sign-in"
    tokens = house.own.redeem(attempt, ada.sign_in(page, ADA, PASSWORD))
    assert tokens.identity["auth_time"] >= before + 5


def test_prompt_consent_asks_even_for_a_first_party_app(ada: Person, house: House) -> None:
    attempt = house.own.begin(prompt="consent")
    page = ada.open(attempt.url)
    assert page.path == "/consent"
    house.own.redeem(attempt, ada.press(page, "consent", "allow"))


def test_prompt_select_account_lets_another_person_sign_in(ada: Person, house: House) -> None:
    attempt = house.own.begin(prompt="select_account")
    page = ada.open(attempt.url)
    assert page.path == "/sign-in"
    tokens = house.own.redeem(attempt, ada.sign_in(page, BOB, PASSWORD))
    assert "clerk" in tokens.claims["roles"]
    subject = tokens.identity["sub"]
    assert again(ada, house).identity["sub"] == subject, "the browser is Bob's now"


def test_prompt_create_opens_the_sign_up_page(server: Running, house: House) -> None:
    person = server.person()
    attempt = house.own.begin(prompt="create", login_hint="new@example.com")
    page = person.open(attempt.url)
    assert page.path == "/sign-up"
    assert page.forms["sign-up"].fields["email"] == "new@example.com"
    tokens = house.own.redeem(attempt, person.sign_up(page, "new@example.com", "violin harbour maple eleven"))
    assert house.own.userinfo(tokens.access).json()["sub"] == tokens.claims["sub"]


def test_max_age_asks_again_when_the_sign_in_is_older(ada: Person, server: Running, house: House) -> None:
    assert "auth_time" in again(ada, house, max_age="600").identity
    server.clock.ahead += 120
    attempt = house.own.begin(max_age="60")
    page = ada.open(attempt.url)
    assert page.path == "/sign-in"
    tokens = house.own.redeem(attempt, ada.sign_in(page, ADA, PASSWORD))
    assert server.clock.now() - tokens.identity["auth_time"] <= 60
    attempt = house.own.begin(max_age="0")
    assert ada.open(attempt.url).path == "/sign-in"
    attempt = house.own.begin(max_age="soon")
    assert house.own.error(attempt, ada.open(attempt.url)) == "invalid_request"


def test_login_hint_fills_in_the_address(server: Running, house: House) -> None:
    page = server.person().open(house.own.begin(login_hint=ADA).url)
    assert page.forms["sign-in"].fields["identifier"] == ADA


def test_an_id_token_hint_of_another_person_never_signs_the_wrong_one_in(
    ada: Person, server: Running, house: House
) -> None:
    mine = again(ada, house)
    assert again(ada, house, id_token_hint=mine.body["id_token"]).identity["sub"] == mine.identity["sub"]
    other = server.person()
    attempt = house.own.begin()
    bobs = house.own.redeem(attempt, other.sign_in(other.open(attempt.url), BOB, PASSWORD))
    attempt = house.own.begin(id_token_hint=bobs.body["id_token"], prompt="none")
    assert house.own.error(attempt, ada.open(attempt.url)) == "login_required"
    attempt = house.own.begin(id_token_hint=bobs.body["id_token"])
    page = ada.open(attempt.url)
    assert page.path == "/sign-in"
    assert house.own.error(attempt, ada.sign_in(page, ADA, PASSWORD)) == "login_required"
    for wrong in ("not.a.token", mine.access):
        attempt = house.own.begin(id_token_hint=wrong)
        assert house.own.error(attempt, ada.open(attempt.url)) == "invalid_request"
    # the hint of another app's sign-in is ignored for this one
    attempt = house.web.begin(id_token_hint=mine.body["id_token"])
    assert house.web.error(attempt, ada.open(attempt.url)) == "invalid_request"


def test_claims_add_what_no_scope_requested(ada: Person, house: House) -> None:
    wanted = {"id_token": {"email": None, "auth_time": {"essential": True}}, "userinfo": {"name": None}}
    tokens = again(ada, house, claims=json.dumps(wanted))
    assert tokens.identity["email"] == ADA
    said = house.own.userinfo(tokens.access).json()
    assert said["name"] == "Ada Lovelace"
    assert "email" not in said
    attempt = house.own.begin(claims="{not json")
    assert house.own.error(attempt, ada.open(attempt.url)) == "invalid_request"


def test_ui_locales_chooses_the_language_of_the_pages(server: Running, house: House) -> None:
    page = server.person(language="en").open(house.own.begin(ui_locales="xx fr-CA de").url)
    assert '<html lang="fr"' in page.text
    assert '<html lang="ar" dir="rtl"' in server.person().open(house.own.begin(ui_locales="ar").url).text


@pytest.mark.requirement(14)
def test_form_post_sends_the_response_in_a_form_and_nothing_in_the_address(
    ada: Person, server: Running, house: House
) -> None:
    attempt = house.own.begin(response_mode="form_post")
    page = ada.open(attempt.url)
    assert page.status == 200
    assert page.forms["form-post"].action == house.own.redirect_uri
    assert "form-action 'self' https:;" in page.headers["content-security-policy"]
    sent = ada.press(page, "form-post", "continue")
    assert sent.url == house.own.redirect_uri
    house.own.redeem(attempt, sent)
    attempt = house.own.begin(response_mode="form_post", prompt="none")
    page = server.person().open(attempt.url)
    assert page.forms["form-post"].fields["error"] == "login_required"
    attempt = house.own.begin(response_mode="fragment")
    assert house.own.error(attempt, ada.open(attempt.url)) == "invalid_request"
