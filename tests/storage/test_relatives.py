"""Does anything that is sent to a relative of PostgreSQL ask for what not all of them have?

None of them can be had for a test. What they are known to lack is not asked for, and what they do otherwise PostgreSQL is made to do
(the store "relative" of the contract): every transaction serializable, plain tables, no triggers, no bells.
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
    r"\b(?:SMALL|BIG)?SERIAL\b|\bIDENTITY\b|\b(?:next|curr|last|set)val\b|\bCREATE SEQUENCE\b"  # numbers in a row
    r"|\bpg_(?:try_)?advisory|\bLISTEN [a-z]|\bNOTIFY [a-z]|\bpg_notify\b"  # locks and bells of one server
    r"|\bCREATE (?:OR REPLACE )?(?:TRIGGER|FUNCTION|RULE|EXTENSION)\b|\bLANGUAGE plpgsql\b|\bPARTITION\b"
    r"|\bCREATE TEMP|\bPREPARE\b|\bDECLARE\b|\bSET (?:SESSION|TIME ZONE|search_path)\b|\bctid\b|\bxmin\b"  # state of a session
)
# what speaks to PostgreSQL alone: its bell, its own commands, and a start, which takes the lock where there is one
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
def test_no_statement_asks_for_what_relatives_lack(path: Path) -> None:
    strings = re.findall(r'"(?:[^"\\\n]|\\.)*"', path.read_text("utf-8"))
    assert [found for one in strings if (found := LACKING.search(one))] == []


def test_their_schema_is_plain() -> None:
    for one in known(RELATIVE):
        assert LACKING.search(re.sub(r"--.*", "", one.text)) is None, one.name


@pytest.mark.parametrize(
    "text", ["id BIGSERIAL", "SELECT pg_advisory_lock(1)", "LISTEN doorward", "CREATE TEMP TABLE a"]
)
def test_what_they_lack_would_be_found(text: str) -> None:
    assert LACKING.search(text)
