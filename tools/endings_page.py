"""Page docs/reference/ending-access.md: what each action ends, from the table of endings and the kinds that the storage declares.

`python -m tools.endings_page` writes the page; tests/repository compares it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import anyio

from doorward.features.sessions.rules.endings import ENDINGS, AccessEnd, Kind
from doorward.storage.sql.noun import Credential
from doorward.storage.sql.open import open_store

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "ending-access.md"
_HEAD = """# Ending access

What each action ends, of all that lets somebody in or acts for them. `make pages` writes this page from the table from which the server builds its
writes (`features/sessions/rules/endings.py`) and from what each noun of `storage/sql/` declares. Each action is one transaction; its cells are tested
one by one on both databases (`tests/features/sessions/endings/`). APIs learn of the end within a second.

`ends`: ended by the action. `itself`: the action replaces, refuses or removes it. `–`: kept, for the reason below.

"""
_ORDER: tuple[Kind, ...] = get_args(Kind)


def _cell(row: AccessEnd, kind: Kind) -> str:
    if kind in row.ends:
        return "ends"
    return "itself" if kind in row.itself else "–"


def _label(kind: str) -> str:
    return kind.replace("_", " ")


def page(rows: Sequence[AccessEnd], kinds: Sequence[Credential]) -> str:
    """The page. Raises KeyError for a kind that no noun declares."""
    by_kind = {one.kind: one for one in kinds}
    lines = [_HEAD, f"| | {' | '.join(str(n) for n in range(1, len(rows) + 1))} |\n"]
    lines.append(f"|---|{'---|' * len(rows)}\n")
    lines += [f"| {_label(kind)} | {' | '.join(_cell(row, kind) for row in rows)} |\n" for kind in _ORDER]
    lines.append("\n## The kinds\n\n| Kind | What it is | Ends with |\n|---|---|---|\n")
    for kind in (*_ORDER, *(one.kind for one in kinds if one.rests_on)):
        one = by_kind[kind]
        rests = ", ".join(_label(other) for other in one.rests_on) or "its own column"
        lines.append(f"| {_label(kind)} | {one.what} | {rests} |\n")
    lines.append("\n## The actions\n")
    for number, row in enumerate(rows, 1):
        lines.append(f"\n### {number}. {row.action}\n\n")
        if row.reasons:
            lines.append(f"Reason in the audit log: {', '.join(f'`{one}`' for one in row.reasons)}.\n")
        if row.but:
            lines.append(f"Stays all the same: {row.but}.\n")
        reasons = dict.fromkeys(row.kept[kind] for kind in _ORDER if kind in row.kept)
        lines.append("\n")
        for why in reasons:
            kept = ", ".join(_label(kind) for kind in _ORDER if row.kept.get(kind) == why)
            lines.append(f"- {kept}: {why}\n")
    return "".join(lines)


async def declared() -> tuple[Credential, ...]:
    """The kinds of credentials that the nouns of this program declare."""
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(str(Path(folder) / "doorward.db"))
        await store.close()
    return store.credentials


async def made() -> str:
    """The page of this program."""
    return page(ENDINGS, await declared())


def main() -> int:
    """Write the page."""
    PAGE.write_text(anyio.run(made), "utf-8")
    sys.stderr.write(f"pages: wrote {PAGE.relative_to(PAGE.parents[2])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
