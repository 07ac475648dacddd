"""Tests that each step of a sign-in happens once, and each limit holds, under simultaneous requests."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx2
import pytest
from pyotp.totp import TOTP

from tests.engines import BOTH
from tests.flows.apps import payload
from tests.flows.browsing import Person
from tests.flows.processes import Fleet
from tests.flows.seeds import PASSWORD
from tests.races.stampede import at_once, form_of

ENGINES = BOTH
pytestmark = pytest.mark.anyio
MANY = 32
FEW = 4
"""Below the limit on tries: with more at once from several processes all may be refused, and never more checked than it
allows."""


def newcomer(fleet: Fleet, email: str) -> Person:
    """A person who just signed up."""
    person = Person(fleet.issuer)
    page = person.sign_up(person.open("/sign-up"), email, PASSWORD)
    assert page.path == "/account", page.words
    return person


def with_authenticator(fleet: Fleet, email: str) -> tuple[TOTP, list[str]]:
    """A person with an authenticator app and recovery codes."""
    person = newcomer(fleet, email)
    page = person.click(person.open("/account/methods"), "authenticator-add")
    phone = TOTP(page.inside("key").replace(" ", ""))
    page = person.press(page, "authenticator", code=phone.now())
    assert page.problem is None
    return phone, [line for line in page.words.split() if line.count("-") >= 2]


@pytest.mark.requirement(83)
async def test_a_mailed_code_sent_many_times_at_once_makes_one_account_and_one_session(fleet: Fleet) -> None:
    person = Person(fleet.issuer)
    page = person.press(person.open("/sign-up"), "sign-up", email="once@example.com", password=PASSWORD)
    code = person.mailed_code("once@example.com")
    answers = await at_once(fleet, person, [form_of(page, "check", code=code)] * FEW)
    assert max(answer.status_code for answer in answers) < 500
    # a later request gets the first one's response, including the cookie
    sessions = {
        line
        for answer in answers
        for line in answer.headers.get_list("set-cookie")
        if person.named("session") in line
    }
    assert len(sessions) == 1
    again = Person(fleet.issuer)
    assert again.sign_in(again.open("/sign-in"), "once@example.com", PASSWORD).path == "/account"


@pytest.mark.requirement(82)
async def test_an_authenticator_code_sent_many_times_at_once_counts_once(fleet: Fleet) -> None:
    phone, recovery = with_authenticator(fleet, "totp-once@example.com")
    # the code of the setup is spent: the one of the next period is already in the window
    following = phone.at(int(time.time()) + 30)
    for code in (following, recovery[0]):
        pages = []
        people = [Person(fleet.issuer) for _ in range(FEW)]
        for person in people:
            page = person.sign_in(person.open("/sign-in"), "totp-once@example.com", PASSWORD)
            if code != following:
                page = person.click(page, "other-method")
            pages.append(page)
        # each from a different browser, all with the same code
        answers = await asyncio.gather(
            *(
                at_once(fleet, person, [form_of(page, "second-factor", code=code)])
                for person, page in zip(people, pages, strict=True)
            )
        )
        statuses = Counter(answer.status_code for (answer,) in answers)
        assert statuses[303] == 1, statuses
        for person in people:
            person.close()


@pytest.mark.requirement(81, 82)
async def test_simultaneous_guesses_do_not_exceed_the_limit(fleet: Fleet) -> None:
    with_authenticator(fleet, "guessed-at-once@example.com")
    person = Person(fleet.issuer)
    page = person.sign_in(person.open("/sign-in"), "guessed-at-once@example.com", PASSWORD)
    guesses = [form_of(page, "second-factor", code=f"{number:06d}") for number in range(100, 100 + MANY)]
    answers = await at_once(fleet, person, guesses)
    looked_at = Counter(answer.status_code for answer in answers)
    assert looked_at[429] >= MANY - 10, looked_at
    stranger = Person(fleet.issuer)
    page = stranger.open("/sign-in")
    guesses = [
        form_of(page, "sign-in", identifier="bob@example.com", password=f"a wrong guess {number}")
        for number in range(MANY)
    ]
    looked_at = Counter(answer.status_code for answer in await at_once(fleet, stranger, guesses))
    assert looked_at[400] <= 12, looked_at


@pytest.mark.requirement(58, 72)
async def test_a_grant_made_during_sign_out_does_not_outlive_the_session(fleet: Fleet) -> None:
    app = fleet.house.own
    lived = 0
    for number in range(25):
        person = Person(fleet.issuer)
        attempt = app.begin("openid orders:read")
        app.redeem(attempt, person.sign_in(person.open(attempt.url), "ada@example.com", PASSWORD))
        ask = person.open("/logout")
        silent = [app.begin("openid orders:read") for _ in range(6)]
        targets = [f"{urlsplit(one.url).path}?{urlsplit(one.url).query}" for one in silent]
        leave = form_of(ask, "sign-out", confirm="yes")
        wanted = [("GET", target, None) for target in targets]
        answers = await at_once(fleet, person, [*wanted[:3], leave, *wanted[3:]])
        left = answers.pop(3)
        assert left.status_code == 303, number
        for one, answer in zip(silent, answers, strict=True):
            back = httpx2.URL(answer.headers.get("location", ""))
            code = back.params.get("code")
            if code is None:
                continue
            redeemed = app.redemption(one, code)
            if redeemed.status_code == 200:
                given = redeemed.json()
                sid = payload(given["access_token"])["sid"]
                refreshed = app.refresh(given["refresh_token"])
                active = app.introspect(given["access_token"])["active"]
                lived += int(active or refreshed.status_code == 200)
                assert sid
        person.close()
    assert lived == 0, f"{lived} grants outlived their session"
