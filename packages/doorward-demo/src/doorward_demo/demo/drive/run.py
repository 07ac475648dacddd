"""One drive: every step in order, until the first one that fails."""

from __future__ import annotations

import signal
import time
from types import FrameType

from doorward_demo.demo.drive.failed import NotAsItShouldBe
from doorward_demo.demo.drive.journey import Journey
from doorward_demo.demo.drive.launch import system
from doorward_demo.demo.drive.show import AsJson, ForPeople, Show
from doorward_demo.demo.drive.steps import STEPS
from doorward_demo.dev.state import State


def run(*, as_json: bool, issuer: str | None) -> int:
    """Run the drive. Returns the exit status: 0 when every step passed. Raises `CannotStart`."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    show = AsJson() if as_json else ForPeople()
    with system(issuer) as state:
        return drive(state, show)


def drive(state: State, show: Show) -> int:
    """Run all steps against the running system. Returns 1 at the first that fails."""
    began = time.perf_counter()
    journey = Journey(state=state, note=show.exchange, show_token=show.token, show_mail=show.mail)
    try:
        for number, step in enumerate(STEPS, start=1):
            show.begins(number, step)
            step_began = time.perf_counter()
            try:
                detail = step.work(journey)
            except NotAsItShouldBe as failed:
                show.fails(step, (time.perf_counter() - step_began) * 1000, failed)
                return 1
            show.holds(step, (time.perf_counter() - step_began) * 1000, detail)
    finally:
        journey.close()
    show.ends(len(STEPS), time.perf_counter() - began)
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # as for Ctrl+C: every `finally` runs, so started processes are stopped
    raise KeyboardInterrupt
