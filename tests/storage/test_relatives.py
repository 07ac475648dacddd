"""SQL sent to PostgreSQL-compatible engines: uses only features that all of them have.

None of these engines is available in tests. Features that they are known to lack must not be used, and PostgreSQL is
made to imitate their differences (the store "relative"): every transaction serializable, plain tables, no triggers, no
notifications.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import doorward.storage
from doorward.storage.sql.migrate import known
from tests.storage.stores import RELATIVE

ROOM = Path(doorward.storage.__file__).parent
LACKING = re.compile(
    r"\b(?:SMALL|BIG)?SERIAL\b|\bIDENTITY\b|\b(?:next|curr|last|set)val\b|\bCREATE SEQUENCE\b"  # sequences
    r"|\bpg_(?:try_)?advisory|\bLISTEN [a-z]|\bNOTIFY [a-z]|\bpg_notify\b"  # locks and notifications of one server
    r"|\bCREATE (?:OR REPLACE )?(?:TRIGGER|FUNCTION|RULE|EXTENSION)\b|\bLANGUAGE plpgsql\b|\bPARTITION\b"
    # session state
    r"|\bCREATE TEMP|\bPREPARE\b|\bDECLARE\b|\bSET (?:SESSION|TIME ZONE|search_path)\b|\bctid\b|\bxmin\b"
)
# used only with PostgreSQL itself: notifications, its own commands, and startup, which takes the lock where one exists
ITS_OWN = {
    "postgres/change_notifier.py",
    "postgres/schema.py",
    "postgres/gate.py",
    "postgres/remedy.py",
    "postgres/history.py",
}
NOUNS = sorted(
    path
    for room in ("sql", "postgres", "sqlite")
    for path in (ROOM / room).glob("*.py")
    if f"{room}/{path.name}" not in ITS_OWN
)


@pytest.mark.parametrize("path", NOUNS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_statement_uses_features_that_compatible_engines_lack(path: Path) -> None:
    strings = re.findall(r'"(?:[^"\\\n]|\\.)*"', path.read_text("utf-8"))
    assert [found for one in strings if (found := LACKING.search(one))] == []


def test_the_schema_for_compatible_engines_is_plain() -> None:
    for one in known(RELATIVE):
        assert LACKING.search(re.sub(r"--.*", "", one.text)) is None, one.name


@pytest.mark.parametrize(
    "text", ["id BIGSERIAL", "SELECT pg_advisory_lock(1)", "LISTEN doorward", "CREATE TEMP TABLE a"]
)
def test_unsupported_features_are_detected(text: str) -> None:
    assert LACKING.search(text)
