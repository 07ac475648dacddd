"""Tests of lifetimes. The server's clock is turned; nothing waits."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import good, refused
from tests.flows.browsing import Cookie, Person
from tests.flows.running import Running, running
from tests.flows.second_factor import set_up
from tests.flows.seeds import API, PASSWORD, House
from tests.flows.signing_in import challenge, tokens_by_challenge

ENGINES = POSTGRES_IN_SOAK
ADA = "ada@example.com"
DAY = 86_400


@pytest.fixture(autouse=True)
def back(server: Running) -> Generator[None]:
    """The clock stands still; everything from an earlier test has expired long ago."""
    server.clock.hold()
    yield
    server.clock.ahead += 400 * DAY


def signed_in(server: Running) -> Person:
    """Ada, on her account page."""
    person = server.person()
    assert person.sign_in(person.open("/sign-in"), ADA, PASSWORD).path == "/account"
    return person


@pytest.mark.requirement(16)
def test_a_code_lives_for_a_minute_and_is_bound_to_app_address_and_verifier(
    server: Running, house: House
) -> None:
    person = signed_in(server)

    attempt = house.own.begin()
    code = house.own.code(attempt, person.open(attempt.url))
    fields = {"grant_type": "authorization_code", "code": code}
    refused(house.own.token(**fields, redirect_uri=attempt.redirect_uri, code_verifier="x" * 43))
    sent = {"grant_type": "authorization_code", "code": code, "code_verifier": attempt.verifier}
    refused(house.own.token(**sent, redirect_uri="https://shop.example.net/other"))
    # a refused redemption does not spend the code; and with PKCE the address may be omitted (OAuth 2.1 §10.2)
    good(house.own.token(**sent))
    attempt = house.own.begin()
    code = house.own.code(attempt, person.open(attempt.url))
    refused(house.web.redemption(attempt, code))
    attempt = house.own.begin()
    code = house.own.code(attempt, person.open(attempt.url))
    server.clock.ahead += server.settings.tokens.code_ttl
    refused(house.own.redemption(attempt, code))


@pytest.mark.requirement(20)
def test_rotation_never_moves_the_end_of_a_family(server: Running, house: House) -> None:
    tokens = tokens_by_challenge(house.own, ADA, "openid orders:read offline_access")
    newest = tokens.refresh
    life = server.settings.tokens.refresh_ttl
    for _ in range(4):
        server.clock.ahead += life // 5
        newest = good(house.own.refresh(newest)).refresh
    server.clock.ahead += life // 5
    refused(house.own.refresh(newest))


@pytest.mark.requirement(18)
def test_a_response_that_was_lost_long_ago_signs_nobody_out(server: Running, house: House) -> None:
    tokens = tokens_by_challenge(house.own, ADA, "openid orders:read offline_access")
    lost = good(house.own.refresh(tokens.refresh)).refresh
    server.clock.ahead += 7 * DAY
    again = good(house.own.refresh(tokens.refresh)).refresh
    assert again == lost, "however late, while the successor was never used"
    good(house.own.refresh(again))
    server.clock.ahead += server.settings.tokens.refresh_leeway - 1
    assert good(house.own.refresh(tokens.refresh)).refresh == lost, "within the leeway"
    server.clock.ahead += 1
    refused(house.own.refresh(tokens.refresh))


@pytest.mark.requirement(18)
def test_a_public_app_may_repeat_a_lost_response_overnight_and_repeated_reuse_ends_the_family(
    server: Running, house: House
) -> None:
    tokens = tokens_by_challenge(house.spa, ADA, "openid orders:read offline_access")
    lost = good(house.spa.refresh(tokens.refresh)).refresh
    server.clock.ahead += DAY // 2
    assert good(house.spa.refresh(tokens.refresh)).refresh == lost
    server.clock.ahead += server.settings.tokens.refresh_leeway - 1
    assert good(house.spa.refresh(tokens.refresh)).refresh == lost, "the window of the late repeat"
    server.clock.ahead += 1
    refused(house.spa.refresh(tokens.refresh))
    refused(house.spa.refresh(lost))


@pytest.mark.requirement(71)
def test_a_session_ends_when_idle_and_at_its_absolute_end(server: Running, house: House) -> None:
    policy = server.settings.sessions
    person = signed_in(server)
    server.clock.ahead += policy.idle - 60
    assert person.open("/account").path == "/account"
    server.clock.ahead += policy.idle - 60
    assert person.open("/account").path == "/account", "it was used in between"
    server.clock.ahead += policy.idle
    assert person.open("/account").path == "/sign-in", "idle for too long"
    person = signed_in(server)
    attempt = house.own.begin("openid orders:read")
    tokens = house.own.redeem(attempt, person.open(attempt.url))
    newest = tokens.refresh
    for _ in range(4):
        server.clock.ahead += policy.absolute // 5
        assert person.open("/account").path == "/account"
        newest = good(house.own.refresh(newest)).refresh
    server.clock.ahead += policy.absolute // 5
    assert person.open("/account").path == "/sign-in", "the absolute end"
    refused(house.own.refresh(newest))


@pytest.mark.requirement(71)
def test_a_session_of_two_factors_is_short_if_the_operator_sets_it(
    tmp_path: Path, own_database: str | None
) -> None:
    sections = {"sessions": {"aal2_limits": True}}
    with running(tmp_path, sections=sections, database=own_database) as server:
        server.clock.hold()
        policy = server.settings.sessions
        person = server.person()
        email = "short@example.com"
        assert person.sign_up(person.open("/sign-up"), email, PASSWORD).path == "/account"
        phone, _ = set_up(person, server)
        other = server.person()
        page = other.sign_in(other.open("/sign-in"), email, PASSWORD)
        assert other.press(page, "second-factor", code=phone.code()).path == "/account"
        server.clock.ahead += policy.aal2_idle - 60
        assert other.open("/account").path == "/account"
        server.clock.ahead += policy.aal2_idle
        assert other.open("/account").path == "/sign-in"
        page = other.sign_in(other.open("/sign-in"), email, PASSWORD)
        assert other.press(page, "second-factor", code=phone.code()).path == "/account"
        for _ in range(policy.aal2_absolute // policy.aal2_idle + 1):
            server.clock.ahead += policy.aal2_idle - 60
            other.open("/account")
        assert other.open("/account").path == "/sign-in", "used all the time, and ended after a day"


@pytest.mark.requirement(83)
def test_a_mailed_code_lives_for_ten_minutes_in_the_requesting_browser(server: Running, house: House) -> None:
    del house
    person, stranger = server.person(), server.person()
    page = person.press(person.open("/sign-up"), "sign-up", email="late@example.com", password=PASSWORD)
    code = person.mailed_code("late@example.com")
    stranger.open("/sign-up")
    theirs = {**page.forms["check"].fields, "csrf": stranger.open("/sign-up").forms["sign-up"].fields["csrf"]}
    answer = stranger.post(page.forms["check"].action, {**theirs, "code": code})
    assert answer.problem == "That code didn't work. Check it, or use the newest one."
    server.clock.ahead += server.settings.tickets.ttl
    late = person.press(page, "check", code=code)
    assert (late.status, late.problem) == (400, answer.problem)


@pytest.mark.requirement(68)
def test_a_planted_session_cookie_is_never_adopted(server: Running, house: House) -> None:
    del house
    person = server.person()
    planted = "A" * 43
    person.cookies[person.named("session")] = Cookie(planted, {}, "")
    page = person.open("/sign-in")
    assert person.sign_in(page, ADA, PASSWORD).path == "/account"
    assert person.cookies[person.named("session")].value != planted
    victim = server.person()
    victim.cookies[victim.named("session")] = Cookie(planted, {}, "")
    assert victim.open("/account").path == "/sign-in"


def test_a_sign_in_page_left_open_for_a_day_restarts_and_keeps_its_destination(
    server: Running, house: House
) -> None:
    person = server.person()
    attempt = house.own.begin("openid")
    page = person.open(attempt.url)
    server.clock.ahead += DAY
    page = person.sign_in(page, ADA, PASSWORD)
    if not page.outside:
        page = person.sign_in(page, ADA, PASSWORD)
    house.own.redeem(attempt, page)


def test_a_json_sign_in_left_open_expires(server: Running, house: House) -> None:
    first = challenge(house.own, scope="openid", code_challenge="x" * 43, code_challenge_method="S256")
    server.clock.ahead += server.settings.sessions.sign_in_ttl
    answer = challenge(house.own, auth_session=first.json()["auth_session"], username=ADA, password=PASSWORD)
    assert answer.json()["error"] == "invalid_session"


@pytest.mark.requirement(47)
def test_an_access_token_expires_by_itself_at_an_api(server: Running, house: House) -> None:
    with server.api(API) as api:
        tokens = tokens_by_challenge(house.own, ADA, "openid orders:read")
        assert api.refusal(tokens.access) is None
        server.clock.ahead += server.settings.tokens.access_ttl + 11
        assert api.refusal(tokens.access) == "expired"
        assert house.own.userinfo(tokens.access).status_code == 401
