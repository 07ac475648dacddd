"""Pace of polls: a client that waits the interval is never told to slow down, and one that does not is."""

from __future__ import annotations

import random

import pytest

from doorward.features.oauth.grants.device_code.rules.polling import (
    INTERVAL,
    LEEWAY,
    MOST_REMEMBERED,
    SLOWEST,
    PollTimes,
    pace,
    slower,
)


class Server:
    """The stored interval, and any number of processes that do not know of one another."""

    def __init__(self, processes: int = 1) -> None:
        self.processes = [PollTimes() for _ in range(processes)]
        self.interval = INTERVAL
        self.slowed_at: int | None = None

    def poll(self, at: float, process: int = 0) -> bool:
        now = int(at)
        times = self.processes[process % len(self.processes)]
        if times.poll("dva_1", interval=self.interval, slowed_at=self.slowed_at, now=now):
            return True
        self.interval, self.slowed_at = slower(self.interval), now
        return False


@pytest.mark.requirement(35)
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("processes", [1, 3])
def test_five_seconds_with_jitter_are_never_too_fast(seed: int, processes: int) -> None:
    """H2CK/oidc#716: a client that keeps the interval heard slow_down."""
    draw = random.Random(seed)
    server, start = Server(processes), draw.random()
    for number in range(120):
        # each request is under way for up to a second, and the client's clock ticks every 5.0 s
        assert server.poll(start + number * 5.0 + draw.random(), draw.randrange(processes)), number


@pytest.mark.requirement(35)
def test_a_second_poll_at_once_is_too_fast_and_a_slower_client_recovers() -> None:
    """H2CK/oidc#716: after one slow_down every further poll was refused."""
    server, at, wait = Server(), 1000.4, 5.0
    assert server.poll(at)
    assert not server.poll(at + 0.3)
    at, wait = at + 0.3, wait + 5
    for _ in range(50):
        at += wait
        assert server.poll(at)
    assert server.interval == INTERVAL + 5


@pytest.mark.requirement(35)
def test_the_raised_interval_is_enforced_by_a_process_that_did_not_raise_it() -> None:
    """better-auth#10135: the raised interval was not stored, so the next poll after five seconds was in time."""
    server = Server(2)
    assert server.poll(1000, 0)
    assert not server.poll(1001, 0)
    assert not server.poll(1006, 1)
    assert server.interval == INTERVAL + 10
    assert server.poll(1006 + server.interval, 1)


def test_who_never_slows_down_stays_refused_and_the_interval_has_an_end() -> None:
    server = Server()
    assert server.poll(1000)
    assert not any(server.poll(1000 + number) for number in range(1, 600))
    assert server.interval == SLOWEST == slower(SLOWEST)


def test_the_mean_is_enforced_although_single_polls_may_be_early() -> None:
    server = Server()
    answers = [server.poll(1000 + 3 * number) for number in range(8)]
    assert answers[0]
    assert False in answers
    assert pace(1000, INTERVAL, 1000 - LEEWAY).in_time
    assert not pace(1000, INTERVAL, 1000 - LEEWAY - 1).in_time


def test_a_process_remembers_a_bounded_number_of_devices() -> None:
    times = PollTimes()
    for number in range(MOST_REMEMBERED + 5):
        times.poll(f"dva_{number}", interval=INTERVAL, slowed_at=None, now=1000)
    assert len(times) == MOST_REMEMBERED
    times.forget(f"dva_{MOST_REMEMBERED}")
    times.forget("dva_0")
    assert len(times) == MOST_REMEMBERED - 1
