"""Rules for migrations: a migration only adds, so that older nodes keep working, unless a released version has stopped using what
it removes.

The rules are in docs/guides/upgrade.md. A migration declares its compatibility in comment lines at its beginning: `-- readable
by: N` and `-- unused since: X.Y.Z`.
"""

from __future__ import annotations

import re

import pytest

from tests.repository import tree

FOLDER = tree.SERVER / "storage" / "migrations"
# No database dates from before the first release: every database begins with these.
BEFORE_ANY_RELEASE = {1, 2, 3, 4}
# Statements after which an older program reads what is missing, or writes what is refused.
CONTRACTS = {
    "takes something away": r"\bDROP\s+(TABLE|COLUMN|VIEW|FUNCTION|TYPE|SCHEMA)\b",
    "renames": r"\bRENAME\b",
    "changes a column": r"\bALTER\s+COLUMN\b|\bSET\s+NOT\s+NULL\b",
    "wants a value that older programs do not write": r"\bADD\s+COLUMN\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b",
    "refuses rows that were allowed": r"\bCREATE\s+UNIQUE\s+INDEX\b|\bADD\s+(CONSTRAINT|CHECK|UNIQUE|FOREIGN)\b",
    "removes rows": r"\bDELETE\s+FROM\b|\bTRUNCATE\b",
}
_CREATED = re.compile(r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", re.IGNORECASE)
_DELETED_FROM = re.compile(r"\bDELETE\s+FROM\s+(\w+)", re.IGNORECASE)
_UNIQUE_ON = re.compile(r"\bCREATE\s+UNIQUE\s+INDEX\s+\w+\s+ON\s+(\w+)", re.IGNORECASE)


def contracting(sql: str) -> list[str]:
    """What in a migration breaks an older program. A unique index on a table of the same migration does not,
    nor a trigger that removes rows from one."""
    bare = re.sub(r"--[^\n]*", "", sql)
    own = {name.lower() for name in _CREATED.findall(bare)}
    bare = _DELETED_FROM.sub(lambda found: "" if found[1].lower() in own else found[0], bare)
    bare = _UNIQUE_ON.sub(lambda found: "" if found[1].lower() in own else found[0], bare)
    return [what for what, pattern in CONTRACTS.items() if re.search(pattern, bare, re.IGNORECASE)]


def problems(number: int, sql: str, releases: str) -> list[str]:
    """The faults of a migration."""
    found = contracting(sql)
    readable = re.search(r"^-- readable by: (\d+)$", sql, re.MULTILINE)
    unused = re.search(r"^-- unused since: (\S+)$", sql, re.MULTILINE)
    if not found:
        return [] if readable else ["only adds, and does not say `-- readable by: N`"]
    if unused is None:
        return [f"{what}: say `-- unused since: X.Y.Z`, the release that stopped using it" for what in found]
    if not re.search(rf"^## .*\b{re.escape(unused[1])}\b", releases, re.MULTILINE):
        return [f"names {unused[1]}, which was never released"]
    if readable and int(readable[1]) < number - 1:
        return ["takes something away, and is readable by more than the version before it"]
    return []


def test_every_migration_follows_the_rules() -> None:
    releases = (tree.ROOT / "CHANGELOG.md").read_text("utf-8")
    paths = sorted(FOLDER.glob("*.sql"))
    assert paths
    found = {
        path.name: wrong
        for path in paths
        if path.name.count(".") == 1 and int(path.name[:4]) not in BEFORE_ANY_RELEASE
        if (wrong := problems(int(path.name[:4]), _whole(path.name), releases))
    }
    assert not found, found


def _whole(name: str) -> str:
    return "\n".join(
        path.read_text("utf-8") for path in sorted(FOLDER.glob(f"{name.removesuffix('.sql')}*.sql"))
    )


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE people;",
        "ALTER TABLE people RENAME COLUMN name TO called;",
        "ALTER TABLE people ADD COLUMN shoe BIGINT NOT NULL;",
        "ALTER TABLE people ALTER COLUMN name SET NOT NULL;",
        "alter table people drop column name;",
        "CREATE UNIQUE INDEX one ON people (name);",
        "DELETE FROM people;",
    ],
)
def test_a_statement_that_breaks_an_older_program_is_found(sql: str) -> None:
    assert contracting(sql)
    assert problems(9, sql, "## 1.0.0\n")
    assert problems(9, f"-- unused since: 2.0.0\n{sql}", "## 1.0.0\n")
    assert problems(9, f"-- unused since: 1.0.0\n{sql}", "## 1.0.0 (2027-01-01)\n") == []


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE shoes (id TEXT NOT NULL PRIMARY KEY);\nCREATE UNIQUE INDEX shoes_id ON shoes (id);",
        "ALTER TABLE people ADD COLUMN shoe BIGINT NOT NULL DEFAULT 0;",
        "ALTER TABLE people ADD COLUMN shoe BIGINT;",
        "CREATE INDEX people_name ON people (name); -- DROP TABLE is only spoken of",
    ],
)
def test_a_migration_that_only_adds_must_declare_its_readers(sql: str) -> None:
    assert not contracting(sql)
    assert problems(9, sql, "")
    assert problems(9, f"-- readable by: 8\n{sql}", "") == []
