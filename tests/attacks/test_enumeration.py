"""Enumeration: neither time nor size of an answer to a wrong password tells whether an account exists, and which factors it has (R80)."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import AsyncGenerator, Sequence

import pytest

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.secret import Secret
from tests.all_factors import all_factors
from tests.features.authn.factors.passkeys.served import enrol
from tests.features.oauth.first_party.test_challenge_routes import APP, BEGIN, call
from tests.front_channel import Front
from tests.work_done import recorded

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(80)]
KINDS = ("unknown", "password", "totp", "passkey", "sms", "email_code")
NO_LIMIT = 1_000_000
ROUNDS = 200
SURE = 0.001
"""Below this probability a difference of times is no chance."""
NOTICEABLE = 0.003
"""Seconds: a smaller difference of the medians drowns in the network."""


def address(kind: str) -> str:
    """All of one length, so that a page that repeats it is of one size."""
    return f"{kind:x<10}@example.com"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    limits = ThrottlePolicy(per_account=NO_LIMIT, per_device=NO_LIMIT, per_address=NO_LIMIT)
    async with all_factors(throttle=limits) as opened:
        await opened.register(APP)
        # the same cost as of the decoy that an unknown address is compared with
        hashed = await opened.services.hasher.hash(Secret("walrus canyon velvet twelve"))
        for kind in KINDS[1:]:
            account = await opened.person(id=f"usr_{kind}", email=address(kind), password_hash=hashed)
            if kind == "passkey":
                await enrol(opened, account, second=True)
            elif kind != "password":
                factor = EnrolledFactor(f"fac_{kind}", account.id, kind, opened.now, sealed=b"sealed")
                assert await opened.store.commit(opened.store.accounts.add_factor(factor))
        yield opened


async def tried(front: Front, kind: str) -> float:
    """Seconds for one wrong password."""
    began = time.perf_counter()
    answer = await call(front, {**BEGIN, "username": address(kind), "password": "wrong"})
    took = time.perf_counter() - began
    assert answer["error"] == "access_denied"
    return took


def by_chance(some: Sequence[float], others: Sequence[float]) -> float:
    """The probability of a difference as large as this one if there is none (Mann and Whitney's test, normal approximation)."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted([*some, *others]), start=1):
        places.setdefault(value, []).append(place)
    ranks = sum(statistics.mean(places[value]) for value in some)
    one, two = len(some), len(others)
    u = ranks - one * (one + 1) / 2
    spread = math.sqrt(one * two * (one + two + 1) / 12)
    return math.erfc(abs(u - one * two / 2) / spread / math.sqrt(2))


def test_the_statistic_tells_a_difference_from_none() -> None:
    same = [0.02 + number % 7 / 1000 for number in range(200)]
    assert by_chance(same, list(reversed(same))) > 0.9
    assert by_chance(same, [value + 0.004 for value in same]) < SURE


async def test_a_wrong_password_takes_the_same_work_for_everybody(front: Front) -> None:
    took: list[list[str]] = []
    for kind in KINDS:
        with recorded() as steps:
            await tried(front, kind)
        took.append(steps)
    assert all(steps == took[0] for steps in took)


@pytest.mark.soak
async def test_a_wrong_password_takes_the_same_time_for_everybody(front: Front) -> None:
    for kind in KINDS:
        await tried(front, kind)
    told: dict[str, str] = {}
    for _ in range(3):
        times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for number in range(ROUNDS):
            # interleaved, and each time in another order, so that a busy machine affects all alike
            for kind in KINDS[number % len(KINDS) :] + KINDS[: number % len(KINDS)]:
                times[kind].append(await tried(front, kind))
        told = {}
        for kind in KINDS[1:]:
            apart = statistics.median(times[kind]) - statistics.median(times["unknown"])
            chance = by_chance(times[kind], times["unknown"])
            if abs(apart) >= NOTICEABLE and chance <= SURE:
                told[kind] = f"{apart * 1000:+.1f} ms, p = {chance:.5f}"
        if not told:
            return
    pytest.fail(f"the time tells of {told}")


async def test_the_answer_has_the_same_size_and_words_for_everybody(front: Front) -> None:
    answers: list[object] = []
    pages: list[tuple[int, int, str]] = []
    for kind in KINDS:
        answer = await call(front, {**BEGIN, "username": address(kind), "password": "wrong"})
        answer.pop("auth_session")
        for entry in answer["acceptable"]:
            entry.get("options", {}).pop("challenge", None)
        answers.append(answer)
        tab = front.browser()
        page = await tab.submit(
            await tab.get("/sign-in"), "sign-in", identifier=address(kind), password="wrong"
        )
        pages.append((page.status, len(page.text), page.words.replace(address(kind), "")))
    assert all(answer == answers[0] for answer in answers)
    assert all(page == pages[0] for page in pages)
