"""Which statements of one commit can travel as one? Those of which none can see what another one changes.

PostgreSQL runs data-modifying WITH clauses side by side on the snapshot of the whole statement. So statements that run one after
another in a transaction may be joined only where that makes no difference; what is not plainly so is left apart. Names of tables
decide, and where a table's rows hang on another's, both do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import final

from msgspec import Struct

from doorward.storage.postgres.text import numbered, numbered_from
from doorward.storage.sql.text import select

_VERB = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) ([a-z_]+)\b")
_NAMED = re.compile(r"\b(?:FROM|JOIN|USING) ([a-z_]+)\b")
# what this reader would get wrong: another statement in front, rows asked for, a list of tables, a nested change
_STRANGE = re.compile(
    r"^\s*WITH\b|\bRETURNING\b|\b(?:FROM|USING) [a-z_]+(?: (?:AS )?[a-z_]+)?,|\bFROM (?:ONLY|LATERAL)\b|;"
)
_SHAPE = re.compile(
    r"CREATE TABLE ([a-z_]+)\b|\bREFERENCES ([a-z_]+)\b|^\s*([a-z_]+) [A-Z]+ NOT NULL PRIMARY KEY\b",
    re.MULTILINE,
)
_BY_VALUE = re.compile(r"INSERT INTO [a-z_]+ \([^()]*\) VALUES \(")
_BY_KEY = re.compile(
    r"(?:UPDATE|DELETE FROM) ([a-z_]+)(?: SET (?:(?!SELECT|WHERE).)*)? WHERE ([a-z_]+) = \?(?= AND |$)"
)

# the number that a counter has when it was raised, and who asks for it
_RAISES = re.compile(r"UPDATE counters SET value = value \+ 1 WHERE name = ('[a-z_]+')")
_ASKS = re.compile(r"\(SELECT value FROM counters WHERE name = ('[a-z_]+')\)")
# Beyond that a statement is no more worth planning than a transaction.
_MOST = 24

_OVERTAKEN = "another request was faster, nothing was changed"


@final
class Touched(Struct, frozen=True):
    """What one statement has to do with tables. `adds`: how it inserts a row that is given by value, if it does: the same for all
    that mind no conflict, else its own text. `hangs_on`: where the rows that it inserts must find a row. `moves`: where rows come or
    go by it. `raises`: the counter that it raises by one, and `asks`: the only thing that it reads, a counter's number."""

    writes: frozenset[str]
    reads: frozenset[str]
    hangs_on: frozenset[str] = frozenset()
    moves: frozenset[str] = frozenset()
    adds: str = ""
    raises: str = ""
    asks: str = ""


@final
class Group(Struct, frozen=True):
    """Statements that are sent as one. `joined`: it answers a row with the number of changed rows, and fails where a guard loses;
    else it is the statement itself, and its command tag has the number. `must` is then what it must be."""

    sql: str
    count: int
    joined: bool
    must: int | None = None


@final
class Tables(Struct, frozen=True):
    """What the reader has to know of the schema: the key of each table that has one of a single column, and on which tables the
    rows of a table hang."""

    keys: Mapping[str, str]
    parents: Mapping[str, frozenset[str]]


def tables_in(text: str) -> Tables:
    """The tables that the migrations `text` make."""
    keys: dict[str, str] = {}
    parents: dict[str, set[str]] = {}
    table = ""
    for match in _SHAPE.finditer(text):
        made, parent, key = match.groups()
        if made:
            table = made
        elif parent:
            parents.setdefault(table, set()).add(parent)
        else:
            keys[table] = key
    return Tables(keys, {child: frozenset(of) for child, of in parents.items()})


def touched(sql: str, tables: Tables) -> Touched | None:
    """What `sql` reads and writes; None when this reader cannot say, and then the statement stays alone."""
    verb = _VERB.match(sql)
    if verb is None or _STRANGE.search(sql):
        return None
    table = verb[2]
    # the FROM of DELETE FROM is the table that is written
    reads = frozenset(_NAMED.findall(sql[verb.end() :]))
    here = frozenset({table})
    match verb[1]:
        case "INSERT INTO":
            adds = "" if not _adds_one(sql) else sql if "ON CONFLICT" in sql else "plainly"
            parents = tables.parents.get(table, frozenset())
            asks = _ASKS.search(sql) if sql.count("SELECT") == 1 else None
            return Touched(here, reads, hangs_on=parents, moves=here, adds=adds, asks=asks[1] if asks else "")
        case "DELETE FROM":
            # what hangs on the row goes with it
            gone = here | {child for child, of in tables.parents.items() if table in of}
            return Touched(gone, reads, moves=gone)
        case _:
            raises = _RAISES.fullmatch(sql)
            return Touched(here, reads, raises=raises[1] if raises else "")


def together(one: Touched, other: Touched) -> bool:
    """Whether it makes no difference that neither sees what the other one changes. `one` comes first."""
    if one.raises and one.raises == other.asks:
        # handed over by name: what the first one returns is what the second one would have read
        return True
    if one.writes & other.reads or one.reads & other.writes:
        return False
    if one.hangs_on & other.moves or one.moves & other.hangs_on:
        return False
    # Two rows are two rows. Should they have one key, the database refuses the second, and the statements then go one by one.
    return not one.writes & other.writes or (one.adds != "" and one.adds == other.adds)


def groups(steps: Sequence[tuple[str, int | None]], tables: Tables) -> tuple[Group, ...]:
    """Statements, each with the number of rows that it must change, in as few groups as possible, in order."""
    found: list[list[tuple[str, int | None]]] = []
    known: list[Touched] = []
    for sql, must in steps:
        this = touched(sql, tables)
        if this is not None and 0 < len(known) < _MOST and all(together(one, this) for one in known):
            found[-1].append((sql, must))
            known.append(this)
        else:
            found.append([(sql, must)])
            known = [] if this is None else [this]
    return tuple(_group(members, tables) for members in found)


def apart(steps: Sequence[tuple[str, int | None]], tables: Tables) -> tuple[Group, ...]:
    """The same, each statement alone: where one that loses must be seen to lose before the next one begins."""
    return tuple(_group([step], tables) for step in steps)


def _group(members: Sequence[tuple[str, int | None]], tables: Tables) -> Group:
    (sql, must) = members[0]
    if len(members) > 1:
        return _joined(members)
    # alone, a guard that finds no row has changed nothing; only where it could change too many must the statement undo itself
    if must is None or (must == 1 and one_row_at_most(sql, tables)):
        return Group(numbered(sql), 1, joined=False, must=must)
    return _joined(members)


def one_row_at_most(sql: str, tables: Tables) -> bool:
    """Whether a statement changes one row or none: rows given by value, or the row of one whole key."""
    if sql.startswith("INSERT INTO"):
        return _adds_one(sql)
    found = _BY_KEY.match(sql)
    return found is not None and " OR " not in sql and tables.keys.get(found[1]) == found[2]


def _adds_one(sql: str) -> bool:
    return _BY_VALUE.match(sql) is not None and "), (" not in sql


def _joined(members: Sequence[tuple[str, int | None]]) -> Group:
    clauses: list[str] = []
    guards: list[str] = []
    raised: dict[str, str] = {}
    number = 1
    for place, (sql, must) in enumerate(members):
        text, number = numbered_from(_ASKS.sub(lambda asked: raised.get(asked[1], asked[0]), sql), number)
        returning = "1"
        if raises := _RAISES.fullmatch(sql):
            returning = "value"
            raised[raises[1]] = f"({select('value', f's{place}')})"
        clauses.append(f"s{place} AS ({text} RETURNING {returning})")
        if must is not None:
            guards.append(f"n{place} = {must}")
    counts = ", ".join(f"({select('count(*)', f's{place}')}) AS n{place}" for place in range(len(members)))
    total = " + ".join(f"n{place}" for place in range(len(members)))
    answer = total
    if guards:
        # A text that is no number: the statement fails, undoes itself, and the database's log says why in words. It asks for no
        # other count: an insert that has not run yet is not made to meet the winner's row.
        lost = guards[0].partition(" ")[0]
        answer = f"CASE WHEN {' AND '.join(guards)} THEN {total} ELSE CAST('{_OVERTAKEN} ' || {lost} AS bigint) END"
    return Group(
        f"WITH {', '.join(clauses)} SELECT {answer} FROM (SELECT {counts}) AS n",  # noqa: S608 - constants of this package
        len(members),
        joined=True,
    )


def overtaken(state: str | None, message: str) -> bool:
    """Whether an error is the one that a joined statement makes when a guard loses."""
    return state == "22P02" and _OVERTAKEN in message
