"""Exchange of approximate counts between processes, without a write for each failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.adapters.counters.write_behind import WriteBehindCounter
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.core.errors import StoreUnavailable
from doorward.features.rate_limits.rules.failures import BATCH, WINDOW, ClientAuthRateLimiter
from doorward.features.rate_limits.sync import CounterSync
from doorward.storage.sql.store import Store, Write
from doorward.storage.sqlite.database import open_sqlite
from tests.manual_clock import ManualClock
from tests.people import NOW

pytestmark = pytest.mark.anyio
SEALER = KeyedSealer(b"k" * 32)
CLOCK = ManualClock()


def sharing(store: Store, failures: ClientAuthRateLimiter) -> CounterSync:
    uncommitted = WriteBehindCounter(store=store, clock=CLOCK)
    failure_counters = {"failures": failures.counter}
    return CounterSync(
        store=store, sealer=SEALER, clock=CLOCK, uncommitted=uncommitted, counters=failure_counters
    )


async def test_failures_in_one_process_are_known_in_the_other_a_second_later(tmp_path: Path) -> None:
    stores = [await open_sqlite(tmp_path / "a.db") for _ in range(2)]
    failures = [ClientAuthRateLimiter(per_address=20) for _ in range(2)]
    shares = [sharing(store, one) for store, one in zip(stores, failures, strict=True)]
    for _ in range(3 * BATCH):
        failures[0].note("192.0.2.1", NOW)
    assert failures[1].note("192.0.2.1", NOW).retry_at is None
    for share in shares:
        await share.exchange()
    noted = failures[1].note("192.0.2.1", NOW)
    assert (noted.count, noted.retry_at) == (3 * BATCH + 2, NOW + WINDOW)
    # another address costs no write until it has failed a batch of times
    failures[0].note("192.0.2.2", NOW)
    before = [await stores[0].attempts.counts([SEALER.tag("tally", f"failures:192.0.2.{n}")]) for n in (1, 2)]
    await shares[0].exchange()
    after = [await stores[0].attempts.counts([SEALER.tag("tally", f"failures:192.0.2.{n}")]) for n in (1, 2)]
    assert before == after
    assert not after[1]
    for store in stores:
        await store.close()


async def test_counting_continues_during_a_database_outage_and_is_reported_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = await open_sqlite(":memory:")
    failures = ClientAuthRateLimiter(per_address=20)
    share = sharing(store, failures)
    for _ in range(BATCH):
        failures.note("192.0.2.1", NOW)

    async def away(*_: Write) -> bool:
        raise StoreUnavailable

    with monkeypatch.context() as cut:
        cut.setattr(store, "commit", away)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await share.exchange()
    assert failures.note("192.0.2.1", NOW).count == BATCH + 1
    await share.exchange()
    tag = SEALER.tag("tally", "failures:192.0.2.1")
    assert (await store.attempts.counts([tag]))[tag] == (BATCH, NOW + WINDOW)
    for _ in range(BATCH):
        failures.note("192.0.2.1", NOW)
    for _ in range(2):
        await share.exchange()
    assert (await store.attempts.counts([tag]))[tag] == (2 * BATCH + 1, NOW + WINDOW)
    assert failures.note("192.0.2.1", NOW).count == 2 * BATCH + 2
    await store.close()
