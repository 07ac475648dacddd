"""Tests of sign-in to third-party apps: the pages, their texts, and the delivery of the response."""

from __future__ import annotations

import pytest

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import BOTH
from tests.flows.apps import App
from tests.flows.browsing import Page
from tests.flows.running import Running
from tests.flows.seeds import API, PASSWORD, House, draft

ENGINES = BOTH
ADA = "ada@example.com"


@pytest.mark.requirement(12)
def test_consent_names_app_host_scopes_and_duration_and_is_asked_once(server: Running, house: House) -> None:
    person = server.person()
    attempt = house.web.begin("openid profile orders:read")
    page = person.sign_in(person.open(attempt.url), ADA, PASSWORD)
    assert page.path == "/consent"
    for said in ("Connect Shop to your account?", ADA, "Ada Lovelace", "See your orders"):
        assert said in page.words
    assert page.inside("host") == "shop.example.net"
    assert "30 days, while you are signed in" in page.inside("lasts")
    house.web.redeem(attempt, person.press(page, "consent", "allow"))
    again = house.web.begin("openid orders:read")
    assert person.open(again.url).outside, "an allowed scope is not requested again"
    more = house.web.begin("openid orders:read offline_access")
    assert person.open(more.url).path == "/consent", "a new scope is requested"


def test_cancel_returns_an_error_to_the_app_and_shares_nothing(server: Running, house: House) -> None:
    person = server.person()
    attempt = house.web.begin("openid email orders:read")
    page = person.sign_in(person.open(attempt.url), ADA, PASSWORD)
    page = person.press(page, "consent", "deny")
    assert house.web.error(attempt, page) == "access_denied"
    assert person.open("/account").path == "/sign-in", "a refused consent signs nobody in"
    page = person.sign_in(person.open(attempt.url), ADA, PASSWORD)
    assert page.path == "/consent", "a refusal is not stored as consent"
    # a person who was signed in before stays signed in
    at_home = server.person()
    assert at_home.sign_in(at_home.open("/sign-in"), ADA, PASSWORD).path == "/account"
    again = house.web.begin("openid email orders:read")
    assert (
        house.web.error(again, at_home.press(at_home.open(again.url), "consent", "deny")) == "access_denied"
    )
    assert at_home.open("/account").path == "/account"


@pytest.mark.requirement(12)
def test_a_public_app_on_loopback_needs_consent_every_time(server: Running, house: House) -> None:
    async def work(services: Services) -> str:
        wanted = draft("Command line", "native", redirect_uris=("http://127.0.0.1/back",))
        return (
            await services.get(admin.apps).create(os_actor(), wanted, kind="native", access=[API])
        ).client.id

    native = App(server.issuer, server.operate(work), None, "http://127.0.0.1:41234/back")
    person = server.person()
    for number in range(2):
        attempt = native.begin("openid orders:read")
        page = person.open(attempt.url)
        if not number:
            page = person.sign_in(page, ADA, PASSWORD)
        assert page.path == "/consent"
        native.redeem(attempt, person.press(page, "consent", "allow"))
    native.close()


def test_a_first_party_app_needs_no_consent(server: Running, house: House) -> None:
    person = server.person()
    attempt = house.own.begin("openid orders:read")
    tokens = house.own.redeem(attempt, person.sign_in(person.open(attempt.url), ADA, PASSWORD))
    assert tokens.claims["roles"] == ["customer"]
    assert tokens.claims["permissions"] == ["orders:read"]


@pytest.mark.requirement(10)
def test_a_post_leads_to_own_pages_by_303_and_to_the_app_by_a_refreshing_page(
    server: Running, house: House
) -> None:
    person = server.person()
    attempt = house.web.begin("openid email")
    page = person.sign_in(person.open(attempt.url), ADA, PASSWORD)
    assert [(a.method, a.status) for a in page.trail] == [("POST", 303), ("GET", 200)]
    page = person.press(page, "consent", "allow")
    assert page.outside
    # no redirect, which form-action 'self' would forbid: a 200 page with <meta http-equiv=refresh>
    assert [(a.method, a.status) for a in page.trail] == [("POST", 200)]
    silent = person.open(house.web.begin("openid email").url)
    assert [(a.method, a.status) for a in silent.trail] == [("GET", 303)]


@pytest.mark.requirement(80)
def test_a_wrong_password_and_an_unknown_person_get_the_same_page(server: Running, house: House) -> None:
    pages: list[Page] = []
    for email in (ADA, "nobody@example.com", "not an address"):
        person = server.person()
        page = person.open(house.own.begin().url)
        pages.append(person.sign_in(page, email, "wrong password entirely"))
    assert {page.status for page in pages} == {400}
    assert {page.problem for page in pages} == {"That email and password don't match."}


@pytest.mark.requirement(2)
@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "app_unknown"},
        {"redirect_uri": "https://shop.example.net/callback/"},
        {"redirect_uri": "https://evil.example.net/callback"},
        {"redirect_uri": ""},
    ],
    ids=["unknown app", "trailing slash", "elsewhere", "none"],
)
def test_an_unknown_app_or_address_gets_a_page_and_never_a_redirect(
    changed: dict[str, str], server: Running, house: House
) -> None:
    page = server.person().open(house.web.begin(**changed).url)
    assert not page.outside
    assert page.status == 400
    assert page.statuses == [400]


@pytest.mark.requirement(8)
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "orders:delete"}, "invalid_scope"),
        ({"resource": "https://unknown.example.com"}, "invalid_target"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_errors_sent_to_the_app_carry_state_and_iss(
    changed: dict[str, str], error: str, server: Running, house: House
) -> None:
    attempt = house.web.begin(**{"scope": "openid", **changed})
    assert house.web.error(attempt, server.person().open(attempt.url)) == error


@pytest.mark.requirement(9)
def test_a_parameter_given_twice_is_refused(server: Running, house: House) -> None:
    person = server.person()
    for doubled in ("state=2", "client_id=app_x", "redirect_uri=https://evil.example.net", "scope=openid"):
        page = person.open(f"{house.web.begin().url}&{doubled}")
        assert page.status == 400, doubled
        assert not page.outside


@pytest.mark.requirement(11)
def test_every_page_of_the_flow_forbids_frames_and_leaks_no_address(server: Running, house: House) -> None:
    person = server.person()
    page = person.open(house.web.begin("openid orders:read offline_access").url)
    pages = [page, person.sign_in(page, ADA, PASSWORD)]
    pages += [
        person.open(path) for path in ("/", "/sign-up", "/reset", "/account", "/nothing-here", "/signed-out")
    ]
    for one in pages:
        assert "frame-ancestors 'none'" in one.headers["content-security-policy"], one.url
        assert one.headers["referrer-policy"] == "same-origin"
        assert one.headers["cache-control"] == "no-store"
        assert one.headers["x-content-type-options"] == "nosniff"


@pytest.mark.requirement(70)
def test_a_sign_in_form_from_another_site_signs_nobody_in(server: Running, house: House) -> None:
    del house
    person = server.person()
    page = person.open("/sign-in")
    fields = {**page.forms["sign-in"].fields, "identifier": ADA, "password": PASSWORD}
    for headers in (
        {"origin": "https://evil.example.net", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
    ):
        answer = person.ask("POST", "/sign-in", fields, headers)
        assert answer.status_code == 403
        assert person.named("session") not in person.cookies
    answer = person.ask("POST", "/sign-in", {**fields, "csrf": "wrong"})
    assert answer.status_code == 403
    stranger = server.person()
    stranger.open("/sign-in")
    assert stranger.ask("POST", "/sign-in", fields).status_code == 403, "another browser's token"
    assert person.ask("POST", "/sign-in", fields).status_code == 303
