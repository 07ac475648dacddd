"""Self-test of the cluster trial: it detects retries, failed retries, and a token with two successors."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest

from trials.cluster import ledger as ledgers
from trials.cluster.asking import Answer, Broken, NotSent
from trials.cluster.figures import PROMISES, entries
from trials.cluster.ledger import CliError, GaveUp, Ledger, Patient
from trials.cluster.people import RotationLog
from trials.cluster.report import missed, recoveries
from trials.cluster.storm import Storm

pytestmark = pytest.mark.anyio
GOOD = Answer(200, {}, b"{}")
AWAY = Answer(503, {"retry-after": "0", "x-answered-by": "proxy"}, b"")
BUSY = Answer(503, {"retry-after": "0"}, b"")


def asked(*outcomes: Answer | Exception) -> Callable[[], Awaitable[Answer]]:
    """A request that gives these outcomes one after the other."""
    left = iter(outcomes)

    async def ask() -> Answer:
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return ask


async def test_a_503_is_retried_and_counted_by_its_sender() -> None:
    ledger = Ledger()
    answer, unheard = await Patient(ledger, random.Random(1))("refresh", asked(AWAY, BUSY, GOOD))
    assert (answer, unheard) == (GOOD, True)
    assert ledger.errors == {"503 from the proxy": 1, "503 from a node": 1}
    (trouble,) = ledger.troubles
    assert trouble.healed is not None
    assert trouble.causes == ("503 from the proxy", "503 from a node")
    assert ledger.asked["refresh"] == 1
    assert ledger.without_retry_after == 0


async def test_a_503_without_retry_after_and_a_broken_connection_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledgers, "_PAUSE", 0.0)
    ledger = Ledger()
    bare = Answer(503, {}, b"")
    await Patient(ledger, random.Random(1))("refresh", asked(bare, Broken(), NotSent(), GOOD))
    assert ledger.without_retry_after == 1
    assert ledger.errors["connection broken"] == 1
    assert ledger.errors["connection refused"] == 1


async def test_a_client_that_gets_only_errors_gives_up_and_is_not_healed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledgers, "PATIENCE", -1.0)
    ledger = Ledger()
    with pytest.raises(GaveUp):
        await Patient(ledger, random.Random(1))("refresh", asked(BUSY))
    assert [trouble.healed for trouble in ledger.troubles] == [None]


async def test_any_other_answer_is_returned_at_once() -> None:
    ledger = Ledger()
    refused = Answer(400, {}, b'{"error":"invalid_grant"}')
    assert await Patient(ledger, random.Random(1))("refresh", asked(refused)) == (refused, False)
    assert ledger.troubles == []


def test_a_token_with_two_successors_is_found() -> None:
    record = RotationLog()
    record.gave("a", "b")
    record.gave("a", "b")
    record.gave("b", "c")
    assert (record.spent, record.doubly_spent) == (2, 0)
    record.gave("a", "x")
    assert record.doubly_spent == 1


def test_recovery_is_measured_from_the_kill_of_the_primary_for_affected_requests() -> None:
    storm = Storm(primary_killed=100.0, promoted=102.0)
    troubles = [
        CliError("refresh", 80.0, ("503 from the proxy",), 82.0),  # finished before the kill
        CliError("refresh", 99.0, ("503 from a node",), 103.0),
        CliError("refresh", 101.5, ("503 from a node",), 104.5),
        CliError("refresh", 110.0, ("503 from the proxy",), 112.0),  # another kill, long after
    ]
    assert recoveries(storm, troubles) == [3.0, 4.5]
    assert recoveries(Storm(), troubles) == []


def test_a_promise_is_missed_when_it_is_not_kept_or_not_measured() -> None:
    said = {one.name: one.aim for one in PROMISES}
    assert missed(said, small=False) == []
    assert missed({**said, "logged_out": 1}, small=False) == ["logged_out"]
    assert missed({**said, "node_kills": 19}, small=False) == ["node_kills"]
    assert missed({**said, "app_deletion_holds_max_s": 1.01}, small=False) == ["app_deletion_holds_max_s"]
    del said["doubly_spent"], said["failovers"]
    assert missed(said, small=False) == ["failovers", "doubly_spent"]
    assert missed(said, small=True) == ["doubly_spent"]
    (entry,) = [one for one in entries(said) if one.name == "doubly_spent"]
    assert (entry.value, entry.floor, entry.aim) == (None, 0, 0)
