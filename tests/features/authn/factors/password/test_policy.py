"""Bounds on the cost of password strength estimates that strangers can cause.

docs/incidents/0016-a-sign-up-form-that-stopped-the-server.md
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator

import pytest
from msgspec import structs

from doorward.core.errors import HashingBusy
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.core.model.policy import PasswordPolicy, ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.features.accounts.sign_up import Amiss
from doorward.features.authn.factors.password.build import password_policy
from doorward.features.authn.factors.password.policy import MOST_WAITING
from doorward.features.authn.factors.password.rules import password as rule
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.factors.password.service import GUESSED
from doorward.features.authn.flow.rules.routing import RoutedDomain
from doorward.features.rate_limits.rules.attempts import Wait
from tests.people import CALLER, PASSWORD, House, caller_of, open_house

pytestmark = pytest.mark.anyio
WEAK = "aaaaaaaaaaaaaaaaaaaa"


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    async with open_house(throttle=ThrottlePolicy(per_address=3)) as opened:
        yield opened


class Estimates:
    """A slow stand-in for the estimate that counts its calls."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.made = self.at_once = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, typed: str, *_: object, **__: object) -> Weak | None:
        with self._lock:
            self.made += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(self.seconds)
        with self._lock:
            self.at_once -= 1
        return Weak("guessable") if typed == WEAK else None


def counted(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.0) -> Estimates:
    estimates = Estimates(seconds)
    monkeypatch.setattr(rule, "judge", estimates)
    return estimates


async def sign_up(
    house: House, email: str = "new@example.com", password: str = PASSWORD, caller: Caller = CALLER
) -> EmailChallenge | Amiss | Wait | RoutedDomain:
    return await house.sign_up.begin(
        email=email, password=Secret(password), name="", locale="en",
        sign_in_id=None, caller=caller_of(digest("b"), caller=caller), now=house.now,
    )  # fmt: skip


@pytest.mark.requirement(79)
async def test_estimates_run_one_at_a_time_and_excess_requests_are_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimates = counted(monkeypatch, 0.005)
    judge = house.sign_up.judge
    asked = [
        judge.judge(Secret(PASSWORD), email="ada@example.com", name=None, second_factor=False)
        for _ in range(MOST_WAITING + 20)
    ]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(outcome, HashingBusy) for outcome in outcomes) == 20
    assert outcomes.count(None) == MOST_WAITING
    assert estimates.most == 1
    assert (
        await judge.judge(Secret(PASSWORD), email="ada@example.com", name=None, second_factor=False) is None
    )


async def test_a_cancelled_waiter_frees_its_place(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    counted(monkeypatch, 0.05)
    judge = house.sign_up.judge
    for _ in range(3):
        waiting = [
            asyncio.create_task(
                judge.judge(Secret(PASSWORD), email="ada@example.com", name=None, second_factor=False)
            )
            for _ in range(MOST_WAITING)
        ]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert (
        await judge.judge(Secret(PASSWORD), email="ada@example.com", name=None, second_factor=False) is None
    )


async def test_a_form_that_is_refused_anyway_costs_no_estimate(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimates = counted(monkeypatch)
    for _ in range(10):
        assert await sign_up(house, "nonsense") == Amiss(email=True)
    assert estimates.made == 0


@pytest.mark.requirement(81)
async def test_estimates_are_limited_for_each_stranger(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    estimates = counted(monkeypatch)
    for number in range(3):
        assert await sign_up(house, f"p{number}@example.com", WEAK) == Amiss(password=Weak("guessable"))
    assert isinstance(await sign_up(house, "p4@example.com", WEAK), Wait)
    assert estimates.made == 3
    elsewhere = structs.replace(CALLER, address="198.51.100.7")
    assert isinstance(await sign_up(house, "p5@example.com", caller=elsewhere), EmailChallenge)
    # failed sign-ups do not use up the attempts at signing in
    policy, ada = house.throttle.policy, "ada@example.com"
    guess = await house.throttle.guess(GUESSED, ada, account_id=None, caller=CALLER, now=house.now)
    assert not isinstance(guess, Wait)
    assert guess.networks[0].limit == policy.per_address


@pytest.mark.requirement(78)
async def test_the_words_of_the_settings_count_for_every_new_password() -> None:
    async with open_house(passwords=PasswordPolicy(words=("Blue Harbour",))) as house:
        policy = house.services.get(password_policy)
        asked = {"email": "ada@example.com", "name": None, "second_factor": False}
        assert await policy.judge(Secret("BlueHarbour2026!"), **asked) == Weak("context")
        assert await policy.judge(Secret("paper boats in april"), **asked) is None
