"""Tests of a server whose clock goes back by five minutes: no session is lost, and nothing refused becomes valid.

`SystemClock` prevents that in a running process (tests/adapters/test_clock.py). It can happen to a process that starts while the
machine's clock is still behind, or beside one whose clock is ahead: so these tests set the clock itself back.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from doorward.core.model.policy import ThrottlePolicy
from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import good, pkce, refused
from tests.flows.running import Running
from tests.flows.second_factor import set_up
from tests.flows.seeds import API, PASSWORD, House
from tests.flows.signing_in import challenge, tokens_by_challenge

ENGINES = POSTGRES_IN_SOAK
ADA, BOB = "ada@example.com", "bob@example.com"
BACK = 300
SCOPE = "openid orders:read offline_access"


@pytest.fixture(autouse=True)
def afterwards(server: Running) -> Generator[None]:
    server.clock.hold()
    yield
    server.clock.ahead += 7200


def test_sessions_and_tokens_stay_valid(server: Running, house: House) -> None:
    person = server.person()
    assert person.sign_in(person.open("/sign-in"), ADA, PASSWORD).path == "/account"
    tokens = tokens_by_challenge(house.own, ADA, SCOPE)
    attempt = house.own.begin()
    code = house.own.code(attempt, person.open(attempt.url))
    server.clock.ahead -= BACK
    assert person.open("/account").path == "/account"
    good(house.own.redemption(attempt, code))
    newest = tokens.refresh
    for _ in range(3):
        newest = good(house.own.refresh(newest)).refresh
    assert house.reader.introspect(tokens.access)["active"]
    # new sign-ins work, and their tokens are valid
    again = tokens_by_challenge(house.own, BOB, SCOPE)
    assert house.reader.introspect(again.access)["active"]
    with server.api(API) as api:
        assert api.refusal(again.access) is None
    server.clock.ahead += BACK
    good(house.own.refresh(newest))
    assert person.open("/account").path == "/account"


@pytest.mark.requirement(55)
def test_a_revocation_holds_even_where_its_entry_had_already_expired(server: Running, house: House) -> None:
    tokens = tokens_by_challenge(house.own, ADA, SCOPE)
    assert house.own.post("/revoke", token=tokens.refresh).status_code == 200
    server.clock.ahead += server.settings.tokens.access_ttl + 60
    assert not house.reader.introspect(tokens.access)["active"]
    server.clock.ahead -= BACK
    assert not house.reader.introspect(tokens.access)["active"]
    refused(house.own.refresh(tokens.refresh))


@pytest.mark.requirement(81)
def test_a_full_counter_stays_full_and_empties_in_the_end(server: Running, house: House) -> None:
    def guess(password: str) -> int:
        _, hashed = pkce()
        return challenge(
            house.own,
            username="eve@example.com",
            password=password,
            scope="openid",
            code_challenge=hashed,
            code_challenge_method="S256",
        ).status_code

    policy = ThrottlePolicy()
    answers = [guess("a wrong guess of many") for _ in range(policy.per_account + 2)]
    assert answers[-2:] == [429, 429]
    assert 429 not in answers[:-2]
    server.clock.ahead -= BACK
    assert guess("a wrong guess of many") == 429
    server.clock.ahead += policy.window + BACK + 1
    assert guess("a wrong guess of many") != 429


@pytest.mark.requirement(82)
def test_a_used_one_time_code_is_not_accepted_again(server: Running, house: House) -> None:
    person = server.person()
    assert person.sign_in(person.open("/sign-in"), BOB, PASSWORD).path == "/account"
    phone, _ = set_up(person, server)
    code = phone.code()
    asked: dict[str, str] = {"username": BOB, "password": PASSWORD, "scope": "openid", "code": code}
    asked["code_challenge_method"] = "S256"
    assert challenge(house.own, code_challenge=pkce()[1], **asked).status_code == 200
    server.clock.ahead -= BACK
    assert challenge(house.own, code_challenge=pkce()[1], **asked).status_code == 403
