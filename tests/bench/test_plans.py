"""Which way does PostgreSQL take where the tables are large? What it plans for tables without rows says nothing about it
(docs/incidents/0019-a-sweep-that-read-every-row.md).

Statements are planned without their values, as it does for those that it sees often.
"""

from __future__ import annotations

import re

import pytest

from bench.scale import fill
from bench.scale.content import World
from doorward.storage.postgres.text import numbered
from doorward.storage.sql.open import open_store
from tests.postgres import Databases
from tests.storage.test_no_walks import statements

pytestmark = pytest.mark.anyio

GRANTS = 150_000
# large enough that walking through them is never the better way
LARGE = ("accounts", "factors", "grants", "refresh_tokens")
_WALK = re.compile(rf"Seq Scan on ({'|'.join(LARGE)})\b")


async def test_no_statement_walks_through_a_large_table(postgres: Databases, postgres_url: str) -> None:
    await (await open_store(postgres_url)).close()
    world = World(begins_ms=1_760_000_000_000, client_id="app_1")
    for piece in fill.chunks(0, GRANTS):
        await fill.into_postgres(postgres_url, fill.batches(world, *piece))
    (count,) = postgres.query("SELECT count(*) FROM refresh_tokens", postgres_url)
    assert int(count) == GRANTS
    about = {name: text for name, text in statements().items() if any(table in text for table in LARGE)}
    assert len(about) > 25
    walks: dict[str, str] = {}
    for name, text in about.items():
        plan = postgres.query(f"EXPLAIN (GENERIC_PLAN) {numbered(text)}", postgres_url)
        found = [line.strip() for line in plan if _WALK.search(line)]
        if found:
            walks[name] = found[0]
    assert walks == {}
