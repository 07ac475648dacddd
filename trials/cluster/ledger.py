"""Record of the trial: requests, errors, and whether a retry succeeded."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from trials.cluster.asking import Answer, Broken, NotSent

PATIENCE = 60.0
"""Seconds after which a client that got only errors gives up: the request counts as not healed."""
_PAUSE = 0.5

Cause = Literal["503 from the proxy", "503 from a node", "connection refused", "connection broken"]


@dataclass(frozen=True, slots=True)
class CliError:
    """One request that was not answered at once. `at` and `healed` are on the monotonic clock."""

    what: str
    at: float
    causes: tuple[Cause, ...]
    healed: float | None


@dataclass(slots=True)
class Ledger:
    """Counts by kind of request. `wrong` are answers that no client should ever get: each one is a failure of
    the trial."""

    asked: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[Cause] = field(default_factory=Counter["Cause"])
    troubles: list[CliError] = field(default_factory=list[CliError])
    wrong: list[str] = field(default_factory=list[str])
    without_retry_after: int = 0
    begun_anew: int = 0
    """Codes whose redemption was cut off after it had happened: a new code was fetched, without a password."""

    def say(self, what: str, answer: Answer) -> None:
        """Record an answer that is neither the expected one nor a 503."""
        self.wrong.append(f"{what}: {answer.status} {answer.body[:300].decode('utf-8', 'replace')}")


class GaveUp(Exception):
    """Only errors for `PATIENCE` seconds; recorded in the ledger."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A client with plain retries: it waits as long as Retry-After says, and repeats the same request."""

    ledger: Ledger
    rng: random.Random

    async def __call__(self, what: str, ask: Callable[[], Awaitable[Answer]]) -> tuple[Answer, bool]:
        """Return the first answer that is no 503, and whether an earlier attempt may have succeeded without
        an answer. Raises `GaveUp`."""
        ledger = self.ledger
        ledger.asked[what] += 1
        began = time.monotonic()
        causes: list[Cause] = []
        while True:
            failed = time.monotonic()
            try:
                answer = await ask()
            except NotSent:
                cause, pause = "connection refused", _PAUSE
            except Broken:
                cause, pause = "connection broken", _PAUSE
            else:
                if answer.status != 503:
                    if causes:
                        ledger.troubles.append(CliError(what, began, tuple(causes), time.monotonic()))
                    return answer, bool(causes)
                cause = "503 from the proxy" if "x-answered-by" in answer.headers else "503 from a node"
                told = answer.headers.get("retry-after", "")
                ledger.without_retry_after += not told.isdigit()
                pause = float(told) if told.isdigit() else _PAUSE
            causes.append(cause)
            ledger.errors[cause] += 1
            if failed - began > PATIENCE:
                ledger.troubles.append(CliError(what, began, tuple(causes), None))
                raise GaveUp(what)
            # with jitter, so that clients that got the same answer do not return at the same moment
            await asyncio.sleep(pause * self.rng.uniform(1.0, 1.3))
