"""Test of fill, backup, move and restore through a PgBouncer that gives each transaction another connection."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Ended
from tests.moving.crowd import crowd, fill
from tests.pgbouncer import pgbouncer
from tests.postgres import Databases

Run = Callable[..., Ended]


def test_a_database_behind_pgbouncer_is_moved_and_backed_up(
    stocked: Run, house: Path, postgres: Databases, pgbouncer_program: Path
) -> None:
    fill(house / "doorward.db", crowd(), 3000)
    url = postgres.create()
    with pgbouncer(pgbouncer_program, postgres) as bouncer:
        pooled = bouncer.through(url)
        (house / "doorward.toml").write_text(
            'issuer = "http://127.0.0.1:9000"\ndevelopment = true\n'
            f"database = {json.dumps(pooled)}\n[postgres]\nprepared_statements = false\n"
            '[keys]\nsecret_key_file = "doorward.key"\n'
        )
        moved = stocked("move", "doorward.db", pooled, "--json")
        assert moved.status == 0, moved.out
        assert stocked("role", "create", "there").status == 0
        made = stocked("backup", "a.bak", "--json")
        assert made.status == 0, made.out
        assert {t["table"]: t["rows"] for t in made.document["tables"]}["accounts"] == 3001
        back = stocked("move", pooled, "back.db", "--json")
        assert back.status == 0, back.out
        refused = stocked("role", "create", "late")
        assert "has moved to" in refused.err
    postgres.drop(url)
