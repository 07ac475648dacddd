"""Tests that a stranger cannot fill the disk with sign-ins that are never finished.

docs/incidents/0026-sign-ins-left-lying.md
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest

from doorward.features.oauth.authorize.rules.weight import MOST_KEPT, MOST_OF_STRANGER
from doorward.features.rate_limits.rules.sign_in_starts import PER_GUESS, SESSIONS
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
    """How many sign-ins the database stores."""
    path = server.config.parent / server.settings.database
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        (count,) = database.execute("SELECT count(*) FROM sign_ins").fetchone()
    return count


@pytest.mark.requirement(81, 93)
def test_a_stranger_can_store_only_so_many_sign_ins(server: Running, house: House) -> None:
    url = house.web.begin("openid").url
    with server.http() as client:
        answers = [client.get(url) for _ in range(LIMIT + 10)]
    assert [answer.status_code for answer in answers] == [303] * LIMIT + [429] * 10
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "text/html" in answers[-1].headers["content-type"]
    assert rows(server) == LIMIT


@pytest.mark.requirement(81)
def test_a_signed_in_person_is_counted_by_account_and_not_by_address(server: Running, house: House) -> None:
    ada = server.person()
    attempt = house.own.begin("openid")
    ada.sign_in(ada.open(attempt.url), "ada@example.com", PASSWORD)
    with server.http() as client:
        while client.get(house.web.begin("openid").url).status_code == 303:
            pass
    assert 429 not in ada.open(house.own.begin("openid").url).statuses
    assert 429 in server.person().open(house.own.begin("openid").url).statuses


@pytest.mark.requirement(81)
def test_one_person_fills_neither_disk_nor_audit_record(server: Running, house: House) -> None:
    ada = server.person()
    ada.sign_in(ada.open(house.own.begin("openid").url), "ada@example.com", PASSWORD)
    mine = LIMIT // SESSIONS
    seen = [ada.open(house.own.begin("openid").url).statuses for _ in range(mine + 3)]
    # the accepted password is counted separately
    assert not any(429 in statuses for statuses in seen[:mine])
    assert all(429 in statuses for statuses in seen[mine:])
    # if it was a stolen session, its owner's own goes on
    other = server.person()
    other.sign_in(other.open(house.own.begin("openid").url), "ada@example.com", PASSWORD)
    assert 429 not in other.open(house.own.begin("openid").url).statuses
    # another person at the same address is not affected
    bob = server.person()
    assert 429 not in bob.open(house.own.begin("openid").url).statuses


@pytest.mark.requirement(81)
def test_the_json_sign_in_of_a_public_app_stores_only_so_many_either(server: Running, house: House) -> None:
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


def test_an_app_makes_the_server_store_no_more_than_it_needs(server: Running, house: House) -> None:
    url = house.web.begin("openid").url
    with server.http() as client:
        answer = client.get(f"{url}&login_hint={'h' * MOST_KEPT}")
    assert answer.status_code == 303
    assert "error=invalid_request" in answer.headers["location"]
    assert rows(server) == 0


def largest(server: Running) -> int:
    """Bytes of the largest row."""
    path = server.config.parent / server.settings.database
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        (size,) = database.execute("SELECT max(length(CAST(doc AS BLOB))) FROM sign_ins").fetchone()
    return size or 0


def asking(house: House, **params: str) -> str:
    """A sign-in address of the app, with these parameters in addition."""
    parts = urlsplit(house.web.begin("openid").url)
    return urlunsplit(parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **params})))


@pytest.mark.requirement(93)
def test_a_strangers_request_stores_two_kilobytes_at_most(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        house = seed(server)
        answers: list[int] = []
        with server.http() as client:
            for name in ("state", "nonce", "login_hint", "claims", "acr_values", "ui_locales"):
                for text in ("€" * 800, "€" * 1300, "😀" * 1000, "\\" * 2000, "x" * 900, "x" * 2000):
                    sent = {
                        "claims": json.dumps({"id_token": {text: None}}, ensure_ascii=False),
                        "ui_locales": " ".join(["en" + "-abcdefgh" * (len(text) // 90)] * 10),
                    }.get(name, text)
                    answers.append(client.get(asking(house, **{name: sent})).status_code)
        assert set(answers) == {303}
        assert largest(server) <= 2048
        house.close()


@pytest.mark.requirement(93)
def test_a_long_state_comes_back_to_its_app(server: Running, house: House) -> None:
    state = "bm9uY2U:https://kibana.example.com/app/discover#/?" + "columns=message,host.name&" * 90
    assert len(state) > MOST_OF_STRANGER
    with server.person() as ada:
        page = ada.sign_in(ada.open(asking(house, state=state)), "ada@example.com", PASSWORD)
        page = ada.press(page, "consent", "allow")
        assert page.outside
        assert page.query["state"] == state
        assert largest(server) <= 2048
        # and once more for a person who is signed in now
        page = ada.open(asking(house, state=state + "more"))
        assert page.query["state"] == state + "more"


@pytest.mark.requirement(93)
def test_a_parameter_that_is_too_long_is_an_error_to_the_app(server: Running, house: House) -> None:
    with server.http() as client:
        answer = client.get(asking(house, nonce="n" * (MOST_OF_STRANGER + 1)))
    sent = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert sent["error"] == "invalid_request"
    assert str(MOST_OF_STRANGER) in sent["error_description"]
    assert rows(server) == 0


def test_a_page_whose_sign_in_has_expired_leads_on_to_the_app(server: Running, house: House) -> None:
    with server.person() as ada:
        page = ada.open(asking(house, state="overnight"))
        path = server.config.parent / server.settings.database
        with sqlite3.connect(path) as database:
            database.execute("DELETE FROM sign_ins")
        page = ada.sign_in(page, "ada@example.com", PASSWORD)
        assert "sign-in" in page.forms
        page = ada.press(ada.sign_in(page, "ada@example.com", PASSWORD), "consent", "allow")
        assert page.query["state"] == "overnight"
        # the browser's stored copy was removed with the response
        assert not any("asked" in name for name in ada.cookies)


@pytest.mark.requirement(93)
def test_an_immediate_response_has_its_own_state_and_not_another_tabs(server: Running, house: House) -> None:
    long, other = "x/" * 1000 + "tab", "y/" * 1000 + "frame"
    with server.person() as ada:
        page = ada.open(asking(house, state=long))
        silent = ada.open(asking(house, state=other, prompt="none"))
        assert silent.query["error"] == "login_required"
        assert silent.query["state"] == other
        page = ada.press(ada.sign_in(page, "ada@example.com", PASSWORD), "consent", "allow")
        assert page.query["state"] == long
