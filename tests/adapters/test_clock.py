"""Clock that never goes back, for any change of the machine's clock."""

from __future__ import annotations

import io
import json
import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.adapters import logs
from doorward.adapters.clock import CATCHING_UP, SystemClock
from doorward.adapters.monotonic import monotonic_boottime
from doorward.adapters.random import SystemRandom

START = 1_800_000_000.0


@pytest.fixture
def log() -> io.StringIO:
    """The log output, whatever configuration another test has left."""
    out = io.StringIO()
    logs.configure("info", "json", out=out)
    return out


@dataclass
class Machine:
    """A wall clock that can be set, and elapsed time."""

    wall: float = START
    passed: float = 1000.0

    def later(self, seconds: float) -> None:
        self.wall += seconds
        self.passed += seconds

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall, lambda: self.passed)


def test_the_clock_returns_the_machines_time() -> None:
    machine = Machine()
    clock = machine.clock()
    for _ in range(100):
        machine.later(0.7)
        assert clock.exact() == machine.wall
    assert abs(SystemClock().now() - time.time()) <= 1


def test_after_being_set_back_five_minutes_the_clock_slows_until_the_machine_catches_up(
    log: io.StringIO,
) -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.now()
    machine.wall -= 300
    assert clock.now() == before
    machine.later(10)
    assert clock.exact() == pytest.approx(START + 10 * CATCHING_UP)
    seen = [clock.exact()]
    while clock.exact() > machine.wall:
        machine.later(10)
        seen.append(clock.exact())
    assert seen == sorted(set(seen))
    assert machine.passed - 1000 == pytest.approx(300 / (1 - CATCHING_UP), abs=20)
    machine.later(5)
    assert clock.exact() == machine.wall
    said = log.getvalue()
    assert said.count("clock.set_back") == 1
    assert said.count("clock.caught_up") == 1


def test_the_clock_follows_at_once_when_set_forward(log: io.StringIO) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 86_400
    assert clock.exact() == machine.wall
    assert "clock.set_forward" in log.getvalue()


def test_being_set_back_again_is_logged_again(
    log: io.StringIO,
) -> None:
    machine = Machine()
    clock = machine.clock()
    for _ in range(2):
        machine.wall -= 60
        for _ in range(20):
            machine.later(1)
            clock.now()
    assert log.getvalue().count("clock.set_back") == 2


def test_small_corrections_are_not_logged(log: io.StringIO) -> None:
    machine = Machine()
    clock = machine.clock()
    for _ in range(50):
        machine.wall -= 0.01
        machine.later(1)
        clock.now()
    assert abs(clock.exact() - machine.wall) < 0.1
    assert log.getvalue() == ""


def test_a_clock_a_day_ahead_is_logged_repeatedly(log: io.StringIO) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 86_400
    clock.now()
    machine.wall -= 86_400
    assert clock.ahead() == pytest.approx(86_400)
    for _ in range(3602):
        machine.later(1)
        clock.now()
    assert clock.ahead() == pytest.approx(86_400 - 3602 * (1 - CATCHING_UP), abs=1)
    told = [json.loads(line) for line in log.getvalue().splitlines()]
    first, *again = [one for one in told if one["event"] in {"clock.set_back", "clock.ahead"}]
    assert first["event"] == "clock.set_back"
    assert first["caught_up_in"] == pytest.approx(864_000, rel=0.01)
    assert [one["event"] for one in again] == ["clock.ahead"] * 6
    assert again[-1]["seconds"] == pytest.approx(86_400 - 360, abs=2)
    # a nearly corrected difference is not logged again
    machine.wall += 86_400 - 360 - 50
    said = log.getvalue()
    for _ in range(1200):
        machine.later(1)
        clock.now()
    assert log.getvalue().removeprefix(said).count("clock.ahead") == 0
    assert clock.ahead() == 0
    # a new process begins with the machine's time
    assert machine.clock().ahead() == 0


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(-10_000, 10_000)), max_size=30))
def test_the_clock_never_goes_back_and_never_stops_for_long(steps: list[tuple[float, float]]) -> None:
    machine = Machine()
    clock = machine.clock()
    last, newest = clock.exact(), machine.wall
    for passed, moved in steps:
        machine.later(passed)
        machine.wall += moved
        newest = max(newest, machine.wall)
        now = clock.exact()
        assert now >= last + passed * CATCHING_UP - 1e-3
        assert now >= machine.wall
        last = now


def test_ids_sort_in_order_of_creation_while_the_clock_is_set_back() -> None:
    machine = Machine()
    random = SystemRandom(machine.clock().exact)
    names: list[str] = []
    for step in range(100):
        machine.later(0.01)
        if step == 50:
            machine.wall -= 300
        names.append(random.new_id("aud"))
    assert names == sorted(names)


def test_ticks_increase() -> None:
    before = monotonic_boottime()
    time.sleep(0.01)
    assert 0.009 < monotonic_boottime() - before < 5
