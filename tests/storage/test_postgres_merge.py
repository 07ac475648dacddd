"""Which statements travel to PostgreSQL as one, and are those kept apart of which one could see what the other changes?"""

from __future__ import annotations

import pytest

from doorward.storage.postgres.merge import (
    apart,
    groups,
    one_row_at_most,
    overtaken,
    tables_in,
    together,
    touched,
)
from doorward.storage.postgres.text import numbered, schema
from doorward.storage.sql.migrate import known

TABLES = tables_in("\n".join(one.text for one in known("postgres")))

PUT = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
PLAIN = "INSERT INTO meta (name, value) VALUES (?, ?)"
MANY = "INSERT INTO audit (id, at) VALUES (?, ?), (?, ?)"
COUNT = "INSERT INTO attempts (bucket, tries) VALUES (?, ?) ON CONFLICT (bucket) DO UPDATE SET tries = attempts.tries + 1"
CLAIM = "INSERT INTO attempts (bucket, tries) VALUES (?, ?) ON CONFLICT (bucket) DO NOTHING"
REDEEM = "UPDATE authorization_codes SET redeemed_at = ? WHERE hash = ? AND redeemed_at IS NULL"
LINE = "INSERT INTO audit (id, at, kind) VALUES (?, ?, ?)"
SESSION = "INSERT INTO sessions (id, account_id) VALUES (?, ?)"
TOUCH = "UPDATE sessions SET seen_at = ? WHERE id = ? AND seen_at < ?"
ACCOUNT = "UPDATE accounts SET name = ? WHERE id = ?"
PERSON = "INSERT INTO accounts (id, email) VALUES (?, ?) ON CONFLICT (email) DO NOTHING"
GONE = "DELETE FROM accounts WHERE id = ?"
NEXT = "UPDATE counters SET value = value + 1 WHERE name = 'revocations'"
OTHER = "UPDATE counters SET value = value + 1 WHERE name = 'registry'"
NUMBERED = "INSERT INTO revocations (seq) VALUES ((SELECT value FROM counters WHERE name = 'revocations'))"
SPEND = "UPDATE refresh_tokens SET hash = ? WHERE grant_id = ? AND EXISTS (SELECT 1 FROM grants WHERE id = ?)"
END = "UPDATE grants SET ended_at = ? WHERE id = ?"
SWEEP = "DELETE FROM grants WHERE (id) IN (SELECT id FROM grants WHERE expires_at < ? LIMIT ?)"


def sizes(*statements: str) -> list[int]:
    return [group.count for group in groups([(sql, None) for sql in statements], TABLES)]


def test_the_schema_says_which_keys_and_which_rows_hang_on_which() -> None:
    assert TABLES.keys["accounts"] == "id"
    assert TABLES.keys["authorization_codes"] == "hash"
    assert TABLES.keys["counters"] == "name"
    assert "consents" not in TABLES.keys
    assert set(TABLES.parents) >= {"factors", "sessions", "consents", "trusted_devices"}
    assert TABLES.parents["sessions"] == {"accounts"}


@pytest.mark.parametrize(
    "statements",
    [
        (REDEEM, LINE),
        (LINE, LINE, LINE),
        (PUT, REDEEM, LINE, SESSION),
        (TOUCH, REDEEM),
        (SPEND, LINE),
        # inserting asks whether the person is there, and a change leaves them there
        (TOUCH, ACCOUNT),
        (SESSION, ACCOUNT),
        (ACCOUNT, SESSION),
        (NEXT, LINE),
        # rows of one kind; should they have one key, the database says so
        (COUNT, COUNT, COUNT),
        (PUT, PUT),
    ],
)
def test_what_cannot_see_one_another_travels_as_one(statements: tuple[str, ...]) -> None:
    assert sizes(*statements) == [len(statements)]


@pytest.mark.parametrize(
    "statements",
    [
        # a number is raised that was read before, or another one
        (NUMBERED, NEXT),
        (OTHER, NUMBERED),
        (NEXT, f"{NUMBERED} ON CONFLICT (seq) DO UPDATE SET seq = (SELECT 1)"),
        (NEXT, NEXT),
        # two changes of one table may meet in one row
        (TOUCH, TOUCH),
        (SESSION, TOUCH),
        # the same table, and another idea of what a conflict is
        (COUNT, CLAIM),
        (PLAIN, PUT),
        (MANY, MANY),
        # the guard of one asks for what the other changes
        (END, SPEND),
        (SPEND, END),
        # a row hangs on one that comes or goes
        (PERSON, SESSION),
        (GONE, SESSION),
        (SESSION, GONE),
        (GONE, TOUCH),
        (SWEEP, END),
        # what the reader does not understand stays alone
        ("WITH a AS (SELECT 1) UPDATE meta SET value = ''", LINE),
        (f"{LINE} RETURNING id", REDEEM),
        ("DELETE FROM meta USING audit, counters", REDEEM),
        ("DELETE FROM meta; DELETE FROM audit", REDEEM),
    ],
)
def test_what_could_see_the_other_is_kept_apart(statements: tuple[str, str]) -> None:
    assert sizes(*statements) == [1, 1]


def test_order_is_kept_and_only_neighbours_are_joined() -> None:
    assert sizes(LINE, REDEEM, OTHER, NUMBERED, LINE) == [3, 2]
    assert sizes(*[LINE] * 50) == [24, 24, 2]
    assert sizes(TOUCH, LINE, TOUCH, LINE) == [2, 2]
    assert sizes() == []
    assert [group.count for group in apart([(LINE, None), (REDEEM, 1)], TABLES)] == [1, 1]


def test_a_number_that_was_just_raised_is_handed_over() -> None:
    (group,) = groups([(END, None), (NEXT, None), (NUMBERED, None), (LINE, None)], TABLES)
    assert f"s1 AS ({NEXT} RETURNING value)" in group.sql
    assert "VALUES ((SELECT value FROM s1)) RETURNING 1" in group.sql
    assert sizes(NEXT, NUMBERED, NEXT, NUMBERED) == [2, 2]


def test_together_is_the_same_from_both_sides() -> None:
    every = [touched(sql, TABLES) for sql in (PUT, REDEEM, LINE, SESSION, TOUCH, ACCOUNT, PERSON, GONE, NEXT, OTHER)]  # fmt: skip
    for one in every:
        for other in every:
            assert one is not None
            assert other is not None
            assert together(one, other) == together(other, one)


def test_a_joined_statement_numbers_its_values_through_and_asks_every_guard() -> None:
    (group,) = groups([(REDEEM, 1), (LINE, None), (SESSION, 1)], TABLES)
    assert group.joined
    assert "redeemed_at = $1 WHERE hash = $2" in group.sql
    assert "VALUES ($3, $4, $5) RETURNING 1" in group.sql
    assert "VALUES ($6, $7) RETURNING 1" in group.sql
    assert "n0 = 1 AND n2 = 1" in group.sql
    assert "n1 =" not in group.sql


def test_a_guard_alone_needs_no_undoing_when_it_names_one_row() -> None:
    for sql in (REDEEM, LINE, TOUCH, SPEND, END, GONE, PUT):
        assert one_row_at_most(sql, TABLES), sql
        assert not groups([(sql, 1)], TABLES)[0].joined
    for sql in (
        "UPDATE sessions SET seen_at = ? WHERE account_id = ?",
        "UPDATE sessions SET seen_at = ? WHERE id = ? OR id = ?",
        "UPDATE sessions SET seen_at = (SELECT value FROM counters WHERE name = ?) WHERE account_id = ?",
        # a column of that name is the key of another table
        "UPDATE authorization_codes SET redeemed_at = ? WHERE grant_id = ?",
        "INSERT INTO meta (name, value) SELECT id, kind FROM audit",
        "INSERT INTO meta (name, value) VALUES (?, ?), (?, ?)",
        SWEEP,
    ):
        assert not one_row_at_most(sql, TABLES), sql
        assert groups([(sql, 1)], TABLES)[0].joined


def test_an_error_is_told_from_a_lost_guard() -> None:
    assert overtaken("22P02", 'invalid input syntax: "another request was faster, nothing was changed 0"')
    assert not overtaken("22P02", 'invalid input syntax for type bigint: "x"')
    assert not overtaken(None, "another request was faster, nothing was changed")


def test_marks_are_numbered_but_not_in_quotes() -> None:
    assert numbered("SELECT '?', \"a?\" FROM t WHERE a = ? AND b = ?") == (
        "SELECT '?', \"a?\" FROM t WHERE a = $1 AND b = $2"
    )


def test_a_shared_migration_reads_on_postgresql() -> None:
    text = "CREATE TABLE a (id TEXT NOT NULL, b BLOB, c BIGINT); -- a TEXT isn't a BLOB\nINSERT INTO a VALUES ('TEXT')"
    assert schema(text) == (
        "CREATE TABLE a (id TEXT COLLATE \"C\" NOT NULL, b BYTEA, c BIGINT); -- a TEXT isn't a BLOB\nINSERT INTO a VALUES ('TEXT')"
    )
    assert schema("a TEXT, b BLOB", collate=False) == "a TEXT, b BYTEA"
