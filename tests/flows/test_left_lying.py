"""Can a stranger fill the disk with sign-ins that nobody will ever finish?

docs/incidents/2026-11-22-sign-ins-left-lying.md
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from pathlib import Path

import pytest

from doorward.rules.permit.authorize import MOST_KEPT
from doorward.rules.prove.begun import PER_GUESS
from tests.flows.running import Running, running
from tests.flows.seeds import PASSWORD, House, seed

LIMIT = PER_GUESS  # of one wrong password that an address may try


@pytest.fixture
def server(tmp_path: Path) -> Generator[Running]:
    with running(tmp_path, sections={"throttle": {"per_address": 1}}) as one:
        yield one


@pytest.fixture
def house(server: Running) -> House:
    return seed(server)


def rows(server: Running) -> int:
    """How many sign-ins lie in the database."""
    path = server.config.parent / server.settings.database
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        (count,) = database.execute("SELECT count(*) FROM sign_ins").fetchone()
    return count


@pytest.mark.requirement(81)
def test_a_stranger_leaves_so_many_sign_ins_and_no_more(server: Running, house: House) -> None:
    url = house.web.begin("openid").url
    with server.http() as client:
        answers = [client.get(url) for _ in range(LIMIT + 10)]
    assert [answer.status_code for answer in answers] == [303] * LIMIT + [429] * 10
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "text/html" in answers[-1].headers["content-type"]
    assert rows(server) == LIMIT


@pytest.mark.requirement(81)
def test_whoever_is_signed_in_is_counted_as_a_person_and_not_by_address(
    server: Running, house: House
) -> None:
    ada = server.person()
    attempt = house.own.begin("openid")
    ada.sign_in(ada.open(attempt.url), "ada@example.com", PASSWORD)
    with server.http() as client:
        while client.get(house.web.begin("openid").url).status_code == 303:
            pass
    assert 429 not in ada.open(house.own.begin("openid").url).statuses
    assert 429 in server.person().open(house.own.begin("openid").url).statuses


@pytest.mark.requirement(81)
def test_one_person_fills_neither_disk_nor_record(server: Running, house: House) -> None:
    ada = server.person()
    ada.sign_in(ada.open(house.own.begin("openid").url), "ada@example.com", PASSWORD)
    seen = [ada.open(house.own.begin("openid").url).statuses for _ in range(LIMIT + 3)]
    assert not any(429 in statuses for statuses in seen[:LIMIT])
    assert all(429 in statuses for statuses in seen[LIMIT:])
    # somebody else at the same address goes on
    bob = server.person()
    assert 429 not in bob.open(house.own.begin("openid").url).statuses


@pytest.mark.requirement(81)
def test_nor_does_the_json_sign_in_of_a_public_app(server: Running, house: House) -> None:
    form = {
        "client_id": house.spa.client_id,
        "scope": "openid",
        "code_challenge": "a" * 43,
        "code_challenge_method": "S256",
    }
    with server.http() as client:
        answers = [client.post("/authorize-challenge", data=form) for _ in range(LIMIT + 3)]
    assert [answer.status_code for answer in answers] == [403] * LIMIT + [429] * 3
    assert answers[-1].json()["error"] == "too_many_attempts"
    assert int(answers[-1].headers["retry-after"]) > 0
    assert rows(server) == LIMIT


def test_an_app_has_us_keep_no_more_than_it_needs(server: Running, house: House) -> None:
    url = house.web.begin("openid").url
    with server.http() as client:
        answer = client.get(f"{url}&login_hint={'h' * MOST_KEPT}")
    assert answer.status_code == 303
    assert "error=invalid_request" in answer.headers["location"]
    assert rows(server) == 0
