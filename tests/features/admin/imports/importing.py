"""Imports in a test: records as a file, and the report."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

from doorward.core.model.account import Account
from doorward.core.model.actor import Actor
from doorward.features.admin import build
from doorward.features.admin.imports.hashes import HashConfig
from doorward.features.admin.imports.report import ImportChoices, ImportReport
from tests.features.admin.managing import OPERATOR, Desk

BCRYPT = "$2b$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"
"""bcrypt of the password `x`."""


class NoProgress:
    """Reports of progress that nobody reads."""

    def begin(self, what: str, rows: int) -> None:
        """Ignored."""

    def step(self, table: str, rows: int) -> None:
        """Ignored."""


def lines(records: Sequence[object]) -> bytes:
    """The records as JSON Lines."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def stream(records: Sequence[object]) -> io.BytesIO:
    """The same as an open file."""
    return io.BytesIO(lines(records))


async def imported(
    desk: Desk,
    records: Sequence[object] | bytes,
    *,
    reader: str = "doorward",
    table: bool = False,
    hash_config: HashConfig | None = None,
    actor: Actor = OPERATOR,
    **choices: Any,
) -> ImportReport:
    """The report of an import of these records."""
    data = records if isinstance(records, bytes) else lines(records)
    return await desk.services.get(build.people_import).run(
        actor,
        io.BytesIO(data),
        progress=NoProgress(),
        reader=reader,
        table=table,
        choices=ImportChoices(**choices),
        hash_config=hash_config,
    )


async def account(desk: Desk, email: str) -> Account:
    """The account with this address."""
    found = await desk.store.accounts.by_email(email)
    assert found is not None
    return found


def codes(report: ImportReport) -> list[tuple[int, str]]:
    """Line and code of every entry."""
    return [(entry.line, entry.problem.code) for entry in report.entries]
