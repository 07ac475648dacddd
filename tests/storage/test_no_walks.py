"""Query plans: no statement scans a whole table, checked for every statement with each engine's planner."""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
from pathlib import Path

import pytest

from doorward.storage import sql
from doorward.storage.postgres.text import numbered
from doorward.storage.sql import audit
from doorward.storage.sql.noun import SqlNoun
from doorward.storage.sql.open import open_store
from doorward.storage.sql.text import MOST, delete
from tests.postgres import Databases

pytestmark = pytest.mark.anyio

# small tables that are read whole
_WHOLE = {
    "config_objects._CLIENTS",
    "config_objects._APIS",
    "config_objects._ROLES",
    "config_objects._KEYS",
    # a few for each app, all of them asked each time: which kinds of events anybody wants, and how many wait
    "config_objects._WANTED",
    "security_events._COUNTS",
    # an operator makes them one by one, and lists them all
    "registered_apps._TOKENS",
    "migrate.APPLIED",
    # what waits for some seconds; counted when an operator asks
    "audit_chain._COUNT",
    # a row for each process that answers requests
    "nodes._BEHIND",
    "nodes._MARK_SUSPECT",
    "nodes._SUSPECTS",
    "nodes._OLDER",
    "nodes._SPEAKS",
}

_FOUND = {
    "SCAN oldest": {"audit_chain._WAITING", "audit_chain._WHOLE"},
    "SCAN newest": {"audit.of_kinds"},
    "SCAN held": {"revocations._FEW", "sessions._SINCE"},
    "SCAN waiting_apps": {"messages._APPS_TO_NOTIFY"},
    "SCAN CONSTANT ROW": {"messages._APPS_TO_NOTIFY"},
}
"""By step: the statements in which it reads no table, but the few rows found before it."""

_OLDEST = f"LIMIT {MOST}) AS oldest "
"""In each other statement with `SCAN oldest`: the rows that it reads are bounded."""

_NEXT = "statement "

_LINES = """
SET session_replication_role = replica;
INSERT INTO audit (id, at, kind, ok, account_id, detail)
  SELECT doorward_audit_from(date_trunc('month', now() AT TIME ZONE 'UTC')) || lpad(n::text, 20, '0'), n,
    'kind' || n % 20, 1, 'acc_' || n % 1009, '{}'
  FROM generate_series(1, 20000) AS n;
ANALYZE
"""
"""Audit lines of a thousand people."""


def statements() -> dict[str, str]:
    """By module and name; those sent to both engines."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(sql.__path__, f"{sql.__name__}."):
        short = module.name.rsplit(".", 1)[1]
        if short.startswith(("postgres", "sqlite")):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            # a step is a statement with its values
            text = value[0] if isinstance(value, tuple) and len(value) == 3 else value
            if isinstance(text, str) and text.split(" ", 1)[0] in {"SELECT", "UPDATE", "DELETE"}:
                found[f"{short}.{name}"] = text
    for noun in SqlNoun.__subclasses__():
        for number, one in enumerate(noun.expiring):
            found[f"{noun.__name__}.look{number}"] = one.look
            found[f"{noun.__name__}.remove{number}"] = one.remove
        for table in noun.with_account:
            found[f"{noun.__name__}.delete_{table}"] = delete(table, "account_id = ?")
    found["audit.of_kinds"] = audit.of_kinds(20)
    assert len(found) > 60
    return {name: text for name, text in found.items() if name not in _WHOLE}


async def test_no_statement_scans_a_table_on_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "doorward.db"
    await (await open_store(str(path))).close()
    connection = sqlite3.connect(path)
    walks: dict[str, str] = {}
    used: set[tuple[str, str]] = set()
    for name, text in statements().items():
        plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", ["1"] * text.count("?")).fetchall()
        steps = [row[3] for row in plan]
        if any(walk(name, text, step) for step in steps):
            walks[name] = " | ".join(steps)
        used |= {(step, name) for step in steps if name in _FOUND.get(step, ())}
    connection.close()
    assert walks == {}
    assert used == {(step, name) for step, names in _FOUND.items() for name in names}, "no longer needed"


def walk(name: str, text: str, step: str) -> bool:
    """Whether the step of a SQLite plan reads a whole table."""
    if not step.startswith("SCAN") or "INDEX" in step:
        return False
    return name not in _FOUND.get(step, ()) and not (step == "SCAN oldest" and _OLDEST in text)


def test_what_is_found_first_in_one_statement_is_a_table_in_another() -> None:
    assert not walk("messages._APPS_TO_NOTIFY", "", "SCAN waiting_apps")
    assert walk("messages._APPS", "SELECT client_id FROM waiting_apps", "SCAN waiting_apps")
    assert walk("messages._APPS", "SELECT 1", "SCAN CONSTANT ROW")
    assert walk("audit._OLD", "SELECT id FROM oldest LIMIT ?", "SCAN oldest")
    assert not walk("audit._OLD", "SELECT id FROM audit", "SCAN audit USING COVERING INDEX audit_at")


async def test_no_statement_scans_a_table_on_postgresql(postgres: Databases, postgres_url: str) -> None:
    await (await open_store(postgres_url)).close()
    # the tables are empty, where scans are cheapest: with this setting a scan shows only if there is no other plan
    script = ["SET enable_seqscan = off"]
    for name, text in statements().items():
        script += [f"SELECT '{_NEXT}{name}'", f"EXPLAIN (GENERIC_PLAN) {numbered(text)}"]
    walks: dict[str, str] = {}
    name = ""
    for line in postgres.query("; ".join(script), postgres_url):
        if line.startswith(_NEXT):
            name = line.removeprefix(_NEXT)
        elif "Seq Scan" in line:
            walks[name] = line.strip()
    assert name
    assert walks == {}


@pytest.mark.requirement(99)
async def test_audit_lines_not_shown_to_a_person_are_not_read_on_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "doorward.db"
    await (await open_store(str(path))).close()
    connection = sqlite3.connect(path)
    text = audit.of_kinds(3)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", ["1"] * text.count("?")).fetchall()
    connection.close()
    looks = [row[3] for row in plan if row[3].startswith("SEARCH")]
    beside = "SEARCH audit_personal USING INDEX sqlite_autoindex_audit_personal_1 (id=?)"
    assert beside in looks
    looks = [look for look in looks if look != beside]
    assert looks == ["SEARCH audit USING INDEX audit_shown (account_id=? AND kind=? AND id<?)"] * 3


@pytest.mark.requirement(99)
async def test_audit_lines_not_shown_to_a_person_are_not_read_on_postgresql(
    postgres: Databases, postgres_url: str
) -> None:
    await (await open_store(postgres_url)).close()
    # of few lines, or of statistics that another test has left, PostgreSQL makes other plans
    postgres.query(_LINES, postgres_url)
    plan = postgres.query(f"EXPLAIN (GENERIC_PLAN) {numbered(audit.of_kinds(3))}", postgres_url)
    looks = [line.strip() for line in plan if "Index Cond" in line]
    wanted = {
        f"Index Cond: ((account_id = ${n}) AND (kind = ${n + 1}) AND (id < ${n + 2}))" for n in (1, 6, 11)
    }
    assert wanted <= {*looks} <= wanted | {"Index Cond: (id = newest.id)", "Index Cond: (id = audit.id)"}
    # the personal fields of the lines found; no one has any, so PostgreSQL may read that table as it likes
    assert {line.split(" on ")[1].split(" ")[0] for line in plan if "Seq Scan" in line} <= {"audit_personal"}
