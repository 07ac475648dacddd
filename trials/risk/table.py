"""The table of generated sign-ins, in order of time, as values and as text."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from typing import Final

DAY: Final = 86_400
START: Final = 1_767_600_000
"""5 January 2026, a Monday, 8:00 UTC."""
DAYS: Final = 91
"""Days that are counted, from START on."""
BEFORE: Final = 60
"""Days before them: the audit log that a server has when its operator turns to these rules."""


@dataclass(frozen=True, slots=True)
class Line:
    """`what`: `created` (the account, by a person who is signed in with that), `changed` (the person adds a factor), or `tried` (a password, which is `right` or not).

    `device` names the browser's store of cookies: two lines with one name come from one browser, and a browser that forgets its
    cookies has a new name each time. `group` is that of the account; `attack` is empty for honest people.
    """

    at: int
    what: str
    account: str
    group: str
    address: str = ""
    agent: str = ""
    device: str = ""
    right: bool = True
    attack: str = ""


def as_text(lines: list[Line]) -> str:
    """A line of text for each, with tabs between the fields."""
    return "".join("\t".join(str(field) for field in astuple(line)) + "\n" for line in lines)


def fingerprint(lines: list[Line]) -> str:
    """The first 16 hex digits of the SHA-256 of the text."""
    return hashlib.sha256(as_text(lines).encode()).hexdigest()[:16]
