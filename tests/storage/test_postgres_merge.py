"""Statements that are sent to PostgreSQL as one, and those kept apart because one could see the changes of the other."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

from doorward.storage import sql
from doorward.storage.postgres.merge import apart, groups, overtaken
from doorward.storage.postgres.text import numbered, schema
from doorward.storage.sql.open import open_store
from doorward.storage.sql.revocations import NEXT as RAISED
from doorward.storage.sql.revocations import NUMBER
from doorward.storage.sql.text import Statement, insert, update
from tests.postgres import Databases

pytestmark = pytest.mark.anyio

PUT = insert("meta", "name, value", "ON CONFLICT (name) DO UPDATE SET value = excluded.value")
PLAIN = insert("meta", "name, value")
COUNT = insert("attempts", "bucket, tries", "ON CONFLICT (bucket) DO UPDATE SET tries = attempts.tries + 1")
CLAIM = insert("attempts", "bucket, tries", "ON CONFLICT (bucket) DO NOTHING")
REDEEM = update("authorization_codes", "redeemed_at = ?", "hash = ? AND redeemed_at IS NULL")
LINE = insert("audit", "id, at, kind")
SESSION = insert("sessions", "id, account_id")
TOUCH = update("sessions", "seen_at = ?", "id = ? AND seen_at < ?")
ACCOUNT = update("accounts", "name = ?", "id = ?")
PERSON = insert("accounts", "id, email", "ON CONFLICT (email) DO NOTHING")
NEXT = RAISED[0]
OTHER = update("counters", "value = value + 1", "name = 'registry'")
NUMBERED = Statement(f"INSERT INTO revocations (seq) VALUES ({NUMBER})", "revocations", "counters")
SPEND = update("refresh_tokens", "hash = ?", "grant_id = ? AND EXISTS (SELECT 1 FROM grants)", "grants")
END = update("grants", "ended_at = ?", "id = ?")
GONE = "DELETE FROM accounts WHERE id = ?"


def sizes(*statements: str) -> list[int]:
    return [group.count for group in groups([(text, None) for text in statements])]


@pytest.mark.parametrize(
    "statements",
    [
        (REDEEM, LINE),
        (LINE, LINE, LINE),
        (PUT, REDEEM, LINE, SESSION),
        (TOUCH, REDEEM),
        (SPEND, LINE),
        # foreign keys are checked when the whole statement is done
        (TOUCH, ACCOUNT),
        (SESSION, ACCOUNT),
        (ACCOUNT, SESSION),
        (PERSON, SESSION),
        (NEXT, LINE),
        # rows of one kind; if they have one key, the database reports it
        (COUNT, COUNT, COUNT),
        (PUT, PUT),
    ],
)
def test_independent_statements_are_joined(statements: tuple[str, ...]) -> None:
    assert sizes(*statements) == [len(statements)]


@pytest.mark.parametrize(
    "statements",
    [
        # the incremented number was read before, or is another one
        (NUMBERED, NEXT),
        (OTHER, NUMBERED),
        (NEXT, NEXT),
        # two changes of one table may affect one row
        (TOUCH, TOUCH),
        (SESSION, TOUCH),
        # the same table, with another conflict clause
        (COUNT, CLAIM),
        (PLAIN, PUT),
        # the guard of one reads what the other changes
        (END, SPEND),
        (SPEND, END),
        # a text that names no tables is sent alone
        (GONE, LINE),
        (LINE, GONE),
        (f"{LINE} ON CONFLICT DO NOTHING", REDEEM),
    ],
)
def test_dependent_statements_are_not_joined(statements: tuple[str, str]) -> None:
    assert sizes(*statements) == [1, 1]


def test_order_is_kept_and_only_adjacent_statements_are_joined() -> None:
    assert sizes(LINE, REDEEM, OTHER, NUMBERED, LINE) == [3, 2]
    assert sizes(*[LINE] * 50) == [24, 24, 2]
    assert sizes(TOUCH, LINE, TOUCH, LINE) == [2, 2]
    assert sizes() == []
    assert [group.count for group in apart([(LINE, None), (REDEEM, 1)])] == [1, 1]


def test_an_incremented_counter_value_is_passed_to_the_next_statement() -> None:
    (group,) = groups([(END, None), (NEXT, None), (NUMBERED, None), (LINE, None)])
    assert f"s1 AS ({NEXT} RETURNING value)" in group.sql
    assert "VALUES ((SELECT value FROM s1)) RETURNING 1" in group.sql
    assert sizes(NEXT, NUMBERED, NEXT, NUMBERED) == [2, 2]


def test_a_joined_statement_numbers_all_values_and_checks_every_guard() -> None:
    (group,) = groups([(REDEEM, 1), (LINE, None), (SESSION, 1)])
    assert group.count == 3
    assert "redeemed_at = $1 WHERE hash = $2" in group.sql
    assert "VALUES ($3, $4, $5) RETURNING 1" in group.sql
    assert "VALUES ($6, $7) RETURNING 1" in group.sql
    assert "n0 = 1 AND n2 = 1" in group.sql
    assert "n1 =" not in group.sql


def test_a_single_guard_needs_no_transaction_if_it_changes_at_most_one_row() -> None:
    for text in (REDEEM, LINE, TOUCH, SPEND, END, PUT):
        assert groups([(text, 1)])[0].whole, text
    assert groups([(GONE, None)])[0].whole
    assert not groups([(GONE, 1)])[0].whole


def every_statement() -> Iterator[tuple[str, Statement]]:
    """Those that name their tables, by module and name."""
    for module in pkgutil.iter_modules(sql.__path__, f"{sql.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            text = value[0] if isinstance(value, tuple) and len(value) == 3 else value
            if isinstance(text, Statement):
                yield f"{module.name.rpartition('.')[2]}.{name}", text


def relations(plan: Any) -> set[str]:
    """The tables in a plan, at any depth."""
    if isinstance(plan, list):
        return {name for one in plan for name in relations(one)}
    if not isinstance(plan, dict):
        return set()
    own = {plan["Relation Name"]} if "Relation Name" in plan else set[str]()
    return own | {name for one in plan.values() for name in relations(one)}


async def test_a_statement_names_all_tables_that_postgresql_reads_or_writes_for_it(
    postgres: Databases, postgres_url: str
) -> None:
    await (await open_store(postgres_url)).close()
    wrong: dict[str, set[str]] = {}
    found = dict(every_statement())
    script = [
        f"SELECT '{name}'; EXPLAIN (GENERIC_PLAN, FORMAT JSON) {numbered(text)}"
        for name, text in found.items()
    ]
    answers = "\n".join(postgres.query("; ".join(script), postgres_url))
    parts = re.split(r"^(\w+\.\w+)$", answers, flags=re.MULTILINE)[1:]
    for name, plan in zip(parts[::2], parts[1::2], strict=True):
        if (tables := relations(json.loads(plan))) != found[name].tables:
            wrong[name] = tables
    assert len(parts) == 2 * len(found) > 60
    assert wrong == {}


async def test_a_statement_changes_at_most_one_row(postgres: Databases, postgres_url: str) -> None:
    await (await open_store(postgres_url)).close()
    keys = set(
        postgres.query(
            "SELECT indrelid::regclass || '.' || attname FROM pg_index JOIN pg_attribute"
            " ON attrelid = indrelid AND attnum = indkey[0] WHERE indisunique AND indnkeyatts = 1 AND indpred IS NULL",
            postgres_url,
        )
    )
    for name, text in every_statement():
        if text.startswith("INSERT"):
            assert re.match(r"INSERT INTO \w+ \([^()]*\) VALUES \(", text), name
            assert "), (" not in text, name
        else:
            row = re.fullmatch(
                r"UPDATE (\w+) SET (?:(?!WHERE).)* WHERE (\w+) = (?:\?|'\w+')(?: AND .*)?", text
            )
            assert row is not None, name
            assert f"{row[1]}.{row[2]}" in keys, name
            assert " OR " not in outside_brackets(text), name


def outside_brackets(text: str) -> str:
    """The text without everything in brackets, however deep."""
    while (less := re.sub(r"\([^()]*\)", "", text)) != text:
        text = less
    return text


def test_a_lost_guard_is_distinguished_from_other_errors() -> None:
    assert overtaken("22P02", 'invalid input syntax: "another request was faster, nothing was changed 0"')
    assert not overtaken("22P02", 'invalid input syntax for type bigint: "x"')
    assert not overtaken(None, "another request was faster, nothing was changed")


def test_placeholders_are_numbered_except_in_quotes() -> None:
    assert numbered("SELECT '?', \"a?\" FROM t WHERE a = ? AND b = ?") == (
        "SELECT '?', \"a?\" FROM t WHERE a = $1 AND b = $2"
    )


def test_a_shared_migration_is_translated_for_postgresql() -> None:
    text = "CREATE TABLE a (id TEXT NOT NULL, b BLOB, c BIGINT); -- a TEXT isn't a BLOB\nINSERT INTO a VALUES ('TEXT')"
    assert schema(text) == (
        "CREATE TABLE a (id TEXT COLLATE \"C\" NOT NULL, b BYTEA, c BIGINT); -- a TEXT isn't a BLOB\nINSERT INTO a VALUES ('TEXT')"
    )
    assert schema("a TEXT, b BLOB", collate=False) == "a TEXT, b BYTEA"
