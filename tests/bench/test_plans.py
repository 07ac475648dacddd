"""Query plans of PostgreSQL for large tables. Plans for empty tables do not show them
(docs/incidents/0019-a-sweep-that-read-every-row.md).

Statements are planned without their values, as PostgreSQL does for frequent statements.
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
# large enough that a sequential scan is never the better plan
LARGE = ("accounts", "factors", "grants", "refresh_tokens")
# It ends every grant of one app, and all grants of this world are of one app: the table is what it must read.
WHOLE = "grants._END_ALL_OF_CLIENT"
_WALK = re.compile(rf"Seq Scan on ({'|'.join(LARGE)})\b")


async def test_no_statement_scans_a_large_table(postgres: Databases, postgres_url: str) -> None:
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
    assert set(walks) <= {WHOLE}, walks
