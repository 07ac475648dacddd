"""Tests that the metrics page shows an outage of the cache or of change notifications, its count, and its end."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.engines import POSTGRES_IN_SOAK
from tests.flows.processes import Fleet, processes
from tests.postgres import Databases
from tests.valkey import valkey_server
from tests.waiting import PATIENCE

ENGINES = POSTGRES_IN_SOAK
TOKEN = "scrape-me-if-you-know-me"
METRICS = {"metrics": {"token": TOKEN}}
# a lost connection is retried after five seconds at most, and waits a moment before it counts
SECONDS = 20


class Link(NamedTuple):
    """The page's values of one connection."""

    up: bool
    lost: int


def links(fleet: Fleet) -> dict[str, Link]:
    base = fleet.servers[0].base
    headers = {"authorization": f"Bearer {TOKEN}"}
    page = httpx2.get(f"{base}/metrics", headers=headers, trust_env=False, timeout=PATIENCE).text
    up = re.findall(r'^doorward_link_up\{kind="(\w+)"\} ([01])\.0$', page, re.MULTILINE)
    lost = dict(re.findall(r'^doorward_links_lost_total\{kind="(\w+)"\} (\d+)\.0$', page, re.MULTILINE))
    return {kind: Link(value == "1", int(lost.pop(kind))) for kind, value in up} | {
        kind: Link(False, -1) for kind in lost
    }


def becomes(fleet: Fleet, kinds: set[str], *, up: bool, lost: int) -> None:
    """Wait for a value while nobody signs in: the server detects it by itself."""
    until = time.monotonic() + SECONDS
    while True:
        found = links(fleet)
        if all(found[kind] == Link(up, lost) for kind in kinds):
            return
        assert time.monotonic() < until, found
        time.sleep(0.1)


def test_a_cache_outage_is_shown_counted_and_shown_to_be_over(
    tmp_path: Path, own_database: str | None
) -> None:
    both = {"cache", "cache_bell"}
    with (
        valkey_server() as cache,
        processes(tmp_path, 1, sections=METRICS, database=own_database, cache=cache.url) as fleet,
    ):
        becomes(fleet, both, up=True, lost=0)
        assert set(links(fleet)) == both | ({"database_bell"} if own_database else set())
        cache.kill()
        becomes(fleet, both, up=False, lost=1)
        # the server is as ready as before
        assert httpx2.get(f"{fleet.servers[0].base}/readyz", trust_env=False).status_code == 200
        cache.start()
        becomes(fleet, both, up=True, lost=1)
        cache.freeze()
        becomes(fleet, {"cache"}, up=False, lost=2)
        becomes(fleet, {"cache_bell"}, up=False, lost=2)
        cache.thaw()
        becomes(fleet, both, up=True, lost=2)
        log = fleet.servers[0].log.read_text()
        assert (
            log.count('"cache.away"') == log.count('"cache.back"') == log.count('"change_notifier.lost"') == 2
        )
        fleet.servers[0].stop()
        assert fleet.servers[0].troubles() == []


def test_a_cache_that_never_answered_is_down_and_not_counted_as_lost(
    tmp_path: Path, own_database: str | None
) -> None:
    with valkey_server() as cache:
        cache.kill()
        with processes(tmp_path, 1, sections=METRICS, database=own_database, cache=cache.url) as fleet:
            time.sleep(2)
            becomes(fleet, {"cache", "cache_bell"}, up=False, lost=0)
            cache.start()
            becomes(fleet, {"cache", "cache_bell"}, up=True, lost=0)


def test_database_notifications_are_shown_and_without_a_cache_nothing_else_is(
    tmp_path: Path, own_database: str | None, request: pytest.FixtureRequest
) -> None:
    with processes(tmp_path, 1, sections=METRICS, database=own_database) as fleet:
        if own_database is None:
            assert links(fleet) == {}
            return
        postgres: Databases = request.getfixturevalue("postgres")
        becomes(fleet, {"database_bell"}, up=True, lost=0)
        assert set(links(fleet)) == {"database_bell"}
        name = urlsplit(own_database).path[1:]
        # every connection of the server; those of requests are replaced silently
        postgres.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        becomes(fleet, {"database_bell"}, up=True, lost=1)
