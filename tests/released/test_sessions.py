"""Tests of browsers signed in at the released commit, at today's code: pages, cookies, tokens in cookies, and signing out."""

from __future__ import annotations

from tests.engines import BOTH
from tests.flows.apps import good, refused
from tests.released.held import Held

ENGINES = BOTH
ORIGIN = {"origin": "https://counter.example.net", "sec-fetch-site": "same-site"}


def test_a_released_session_shows_the_account_and_gives_tokens(held: Held) -> None:
    person, _, _ = held.browser("signed_in")
    for path in ("/account", "/account/devices", "/account/apps", "/account/activity", "/account/methods"):
        assert person.open(path).path == path
    own = held.app("own")
    attempt = own.begin("openid orders:read", prompt="none")
    tokens = own.redeem(attempt, person.open(attempt.url))
    old = held.tokens("signed_in")
    for claim in ("sub", "sid", "acr", "amr", "auth_time"):
        assert tokens.claims[claim] == old.claims[claim], claim


def test_a_released_page_can_be_submitted(held: Held) -> None:
    person, page, _ = held.browser("signed_in")
    (form,) = [name for name in page.forms if "name" in page.forms[name].fields]
    page = person.press(page, form, name="Ada King")
    assert (page.path, page.problem) == ("/account", None)
    assert "Ada King" in page.text


def test_the_activity_shows_released_events(held: Held) -> None:
    person, _, _ = held.browser("signed_in")
    page = person.open("/account/activity")
    assert "You connected Shop" in page.words, page.words


def test_signing_out_on_a_released_page_ends_session_and_tokens(held: Held) -> None:
    person, page, _ = held.browser("leaving")
    assert person.press(page, "sign-out").path == "/signed-out"
    assert person.open("/account").path == "/sign-in"
    own, old = held.app("own"), held.tokens("leaving")
    refused(own.refresh(old.refresh))
    assert own.userinfo(old.access).status_code == 401


def test_a_released_id_token_signs_out_without_a_question(held: Held) -> None:
    person, _, _ = held.browser("leaving_hint")
    after = "https://shop.example.net/bye"
    hint = held.tokens("leaving_hint").body["id_token"]
    page = person.open(f"/logout?id_token_hint={hint}&post_logout_redirect_uri={after}")
    assert (page.outside, page.url) == (True, after)
    assert person.open("/account").path == "/sign-in"


def test_released_tokens_in_cookies_are_read_renewed_and_ended(held: Held) -> None:
    person, _, _ = held.browser("cookie_delivery")
    mine = {"client_id": held.app("spa").client_id}
    said = person.ask("GET", f"/cookie/session?client_id={mine['client_id']}", None, ORIGIN)
    assert (said.status_code, said.json()["csrf_token"]) == (200, held["cookie_csrf"])
    before = person.cookies[person.named("rt")].value
    renewed = person.ask("POST", "/cookie/refresh", mine, ORIGIN)
    assert renewed.status_code == 200, renewed.text
    after = person.cookies[person.named("rt")].value
    assert after != before
    # a response that was lost: the same successor is sent again
    person.cookies[person.named("rt")].value = before
    renewed = person.ask("POST", "/cookie/refresh", mine, ORIGIN)
    assert renewed.status_code == 200, renewed.text
    assert person.cookies[person.named("rt")].value == after
    csrf = {"x-csrf-token": renewed.json()["csrf_token"]}
    assert person.ask("POST", "/cookie/sign-out", mine, {**ORIGIN, **csrf}).status_code == 204
    assert person.open("/account").path == "/sign-in"


def test_the_account_shows_released_app_grants_and_disconnects_one(held: Held) -> None:
    person, _, _ = held.browser("allowed")
    web, old = held.app("web"), held.tokens("allowed")
    refresh = good(web.refresh(old.refresh)).refresh
    page = person.open("/account/apps")
    assert "Shop" in page.words
    (form,) = [name for name, form in page.forms.items() if form.fields.get("app") == web.client_id]
    page = person.press(page, form)
    assert page.path == "/account/apps", page.words
    refused(web.refresh(refresh))
