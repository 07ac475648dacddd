"""Soak tests of revocation: three servers on PostgreSQL, four APIs with together at most a core, a thousand tokens revoked at random.

Run with `-s` to see the figures; docs/explain/performance.md has those of one run.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest

from doorward_verify import ResourceServer
from doorward_verify.fetch import Fetcher
from doorward_verify.revocation import parse_feed
from tests.engines import POSTGRES
from tests.flows.accepting import verdict
from tests.flows.apps import payload
from tests.flows.revoking import Figures, Ground, ground, trial
from tests.flows.seeds import API
from tests.waiting import until

ENGINES = POSTGRES
pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
REVOKED = 1000
VALID = 100
LIVE = 1_000_000


@pytest.fixture
def there(tmp_path: Path, own_database: str | None) -> Generator[Ground]:
    with ground(tmp_path, 3, own_database) as made:
        made.issue(REVOKED + VALID)
        yield made


def run(there: Ground, name: str, **changes: object) -> Figures:
    usual = {"revoked": REVOKED, "seconds": 20.0, "apis": 4, "pause": 0.05, "seed": 1}
    found = trial(there, **{**usual, **changes})
    print(f"{name}: {found}")
    assert found.accepted_after == 0
    assert found.valid_refused == 0
    assert found.never_refused == 0
    return found


@pytest.mark.requirement(58)
def test_a_thousand_revocations_at_random(there: Ground) -> None:
    assert run(there, "usual").refusals == {}


@pytest.mark.requirement(58)
def test_with_apis_at_full_speed(there: Ground) -> None:
    run(there, "full speed", pause=0.0)


@pytest.mark.requirement(58)
def test_with_an_api_that_starts_meanwhile(there: Ground) -> None:
    assert run(there, "started late", late_at=10.0).refusals == {}


@pytest.mark.requirement(58)
def test_with_a_node_that_is_killed(there: Ground) -> None:
    killed = there.fleet.servers[0]
    assert run(there, "node killed", events=[(8.0, killed.kill), (14.0, killed.begin)]).refusals == {}


@pytest.mark.requirement(58)
def test_with_a_feed_that_is_cut_and_healed(there: Ground) -> None:
    """Revocations go on at a node that is reached otherwise. Those of the cut count from its end."""
    line = there.balancer
    found = run(
        there, "cut and healed", events=[(8.0, line.cut), (12.0, line.heal)], healed=lambda: line.healed_at
    )
    assert found.refusals == {}


@pytest.mark.requirement(58)
def test_fail_closed_refuses_everything_some_seconds_after_the_cut(there: Ground) -> None:
    line = there.balancer
    events = [(4.0, line.cut), (16.0, line.heal)]
    found = run(there, "fail_closed", events=events, healed=lambda: line.healed_at, revocation_outage=5)
    assert set(found.refusals) == {"revocation_unavailable"}
    # five seconds after the last answer, which came at most a poll before the cut
    assert min(found.unavailable) > 4.0


@pytest.mark.requirement(58)
def test_fail_open_accepts_during_the_cut_and_refuses_after_it(there: Ground) -> None:
    line = there.balancer
    events = [(4.0, line.cut), (16.0, line.heal)]
    found = run(
        there,
        "fail_open",
        events=events,
        healed=lambda: line.healed_at,
        revocation_outage=5,
        lost_feed="fail_open",
    )
    assert found.refusals == {}


@pytest.mark.requirement(58)
def test_introspect_asks_during_the_cut(there: Ground) -> None:
    """The balancer refuses long polls alone: introspection goes through, and its answers are used for five seconds."""
    reader = there.fleet.house.reader
    credential = {"client_id": reader.client_id, "client_secret": reader.secret}
    line = there.balancer
    events = [(4.0, lambda: line.refuse(b"GET /revocations")), (16.0, line.heal)]
    found = run(
        there, "introspect", events=events, lost_feed="introspect", introspection=credential, pause=0.25
    )
    assert found.refusals == {}


def fill(database: str, count: int) -> None:
    """`count` live revocations of sessions and grants that nobody has."""

    async def work() -> None:
        connection = await asyncpg.connect(database)
        now = int(time.time())
        await connection.execute(
            "INSERT INTO revocations (kind, ref, at, expires_at, audience, seq)"
            " SELECT CASE WHEN n % 2 = 0 THEN 'sid' ELSE 'grant' END, 'x_' || md5(n::text), $1::bigint, $1::bigint + 7200,"
            " CASE WHEN n % 4 = 1 THEN $3::text END, (SELECT value FROM counters WHERE name = 'revocations') + n"
            " FROM generate_series(1, $2::int) AS n",
            now,
            count,
            API,
        )
        await connection.execute(
            "UPDATE counters SET value = (SELECT MAX(seq) FROM revocations) WHERE name = 'revocations'"
        )
        await connection.execute("ANALYZE revocations")
        await connection.close()

    asyncio.run(work())


def processor_time(there: Ground) -> float:
    """Seconds of processor time that the servers have used."""
    total = 0
    for server in there.fleet.servers:
        fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / 100


def ready(there: Ground) -> float:
    """Seconds until a fresh API accepts its first token."""
    auth = ResourceServer(there.fleet.issuer, API, wait=300)
    began = time.monotonic()
    try:
        assert verdict(auth, there.tokens[-1][1]) == "good"
        return time.monotonic() - began
    finally:
        auth.close()


def begin_like_an_api(there: Ground) -> int:
    """Read what an API reads that starts; returns the bytes."""
    fetcher, total = Fetcher(), 0
    base = f"{there.fleet.issuer}/revocations?v=2&audience={API}&snapshots=1"
    address: str | None = base
    while address is not None:
        document = fetcher.fetch(address, accept="application/json", max_bytes=1 << 26, deadline=300)
        total += len(document)
        feed = parse_feed(document)
        for file in feed.snapshots:
            total += len(
                fetcher.fetch_big(file, accept="application/octet-stream", max_bytes=1 << 28, deadline=300)
            )
        address = f"{base}&after={feed.cursor}" if feed.more else None
    return total


@pytest.mark.requirement(58)
def test_with_a_million_live_revocations(there: Ground, own_database: str | None) -> None:
    assert own_database is not None
    assert urlsplit(own_database).scheme.startswith("postgres")
    fill(own_database, LIVE)
    before = processor_time(there)
    # each process reads the entries once, and makes its first snapshot
    loading = time.monotonic()
    for server in there.fleet.servers:
        until(
            lambda server=server: (
                httpx2.get(
                    f"{server.base}/revocations?v=2&snapshots=1", trust_env=False, timeout=300
                ).status_code
                == 200
            )
        )
    print(
        f"three processes read {LIVE} entries and made snapshots: {processor_time(there) - before:.1f} s of processor time,"
        f" {time.monotonic() - loading:.1f} s"
    )
    carried = there.balancer.carried
    print(
        f"a fresh API is ready after {ready(there):.2f} s and {(there.balancer.carried - carried) / 1e6:.1f} MB"
    )
    before, began = processor_time(there), time.monotonic()
    sizes: list[int] = []
    threads = [threading.Thread(target=lambda: sizes.append(begin_like_an_api(there))) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sizes) == 100
    print(
        f"100 APIs start at once: {processor_time(there) - before:.1f} s of processor time of the servers,"
        f" {time.monotonic() - began:.1f} s, {sum(sizes) / 1e6:.0f} MB"
    )
    found = run(there, "a million others", late_at=10.0)
    assert found.refusals == {}
    assert found.entries > LIVE * 0.9
    assert found.bytes < 64 * 2**20
    assert payload(there.tokens[-1][1])["aud"] == API
