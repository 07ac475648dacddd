"""Report of the trial: a row for each step, with its result and whether it keeps the promise."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.server.crowd import Crowd


@dataclass(frozen=True, slots=True)
class Row:
    """One step."""

    what: str
    found: str
    kept: bool


@dataclass
class Report:
    """All rows, printed as they arrive."""

    say: Callable[[str], None]
    rows: list[Row] = field(default_factory=list)

    def hold(self, what: str, found: object, *, kept: bool) -> None:
        """Add one row."""
        self.rows.append(Row(what, str(found), kept))
        self.say(f"{'✓' if kept else '✗'} {what}: {found}")

    def under_load(self, what: str, crowd: Crowd, work: Callable[[], str]) -> None:
        """Run `work` while `crowd` sends requests. No client may get a broken connection or an invalid answer."""
        with crowd:
            time.sleep(0.5)
            did = work()
            time.sleep(0.5)
        asked = sum(crowd.answers.values())
        lost = f"{len(crowd.failures)} lost" + "".join(f"; {one}" for one in crowd.failures[:3])
        found = f"{did}; {asked:,} requests, {lost}, the slowest took {crowd.slowest:.2f} s"
        self.hold(what, found, kept=not crowd.failures and asked > 20)

    def markdown(self) -> str:
        """The rows as the table of docs/explain/deploy-trial.md."""
        lines = ["| What | Came of it |", "|---|---|"]
        lines += [f"| {row.what} | {'' if row.kept else '**not kept** '}{row.found} |" for row in self.rows]
        return "\n".join(lines) + "\n"


def until(seconds: float, holds: Callable[[], bool]) -> float:
    """Wait for a condition. Returns the seconds that it took. Raises TimeoutError."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(0.05)
    return time.monotonic() - began
