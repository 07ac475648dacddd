"""Forms of a line of the audit log: an object, a row of CSV, and a row for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import to_builtins

from doorward.core.model.audit import AuditEvent
from doorward.core.model.audit_line import text_of

COLUMNS: Final = (
    "id",
    "time",
    "kind",
    "ok",
    "account_id",
    "client_id",
    "session_id",
    "grant_id",
    "request_id",
    "address",
    "network",
    "country",
    "region",
    "city",
    "user_agent",
    "erased",
    "detail",
)
_MEMBERS: Final = (
    *("at", "kind", "ok", "account_id", "client_id", "session_id", "grant_id", "request_id"),
    *("address", "network", "user_agent", "erased", "detail"),
)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Beginnings of a cell that a spreadsheet runs (OWASP, CSV Injection)."""


def time_of(event: AuditEvent) -> str:
    """RFC 3339, in UTC."""
    return datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def document(event: AuditEvent) -> dict[str, Any]:
    """The line as an object, without what it does not have."""
    made: dict[str, Any] = {"id": event.id, "time": time_of(event)}
    for name in _MEMBERS:
        value = getattr(event, name)
        if value not in (None, False, {}) or name == "ok":
            made[name] = value
    if event.place is not None:
        place: dict[str, Any] = to_builtins(event.place)
        made["place"] = {key: value for key, value in place.items() if value is not None}
    return made


def json_line(event: AuditEvent) -> str:
    """One line of JSON Lines."""
    return text_of(document(event)) + "\n"


def csv_line(cells: Sequence[object]) -> str:
    """One row (RFC 4180). A cell that a spreadsheet would run gets an apostrophe: browsers choose their own user agent."""
    out = io.StringIO()
    csv.writer(out).writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def csv_of(event: AuditEvent) -> str:
    """The row of a line, in the order of `COLUMNS`."""
    place = event.place
    values = to_builtins(event) | {
        "time": time_of(event),
        "country": None if place is None else place.country,
        "region": None if place is None else place.region,
        "city": None if place is None else place.city,
        "detail": text_of(event.detail),
        "erased": "yes" if event.erased else "",
    }
    return csv_line([values[name] for name in COLUMNS])


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def row(event: AuditEvent) -> tuple[str, ...]:
    """For people."""
    who = event.account_id or str(event.detail.get("actor", ""))
    place = "" if event.place is None else ", ".join(filter(None, (event.place.city, event.place.country)))
    told = ", ".join(
        f"{key} {_plain(value)}" for key, value in sorted(event.detail.items()) if key not in ("by", "actor")
    )
    where = "erased" if event.erased else " ".join(filter(None, (event.address, place, event.network)))
    return (
        time_of(event),
        event.kind,
        "" if event.ok else "refused",
        who,
        event.client_id or "",
        where,
        told,
    )


def _plain(value: object) -> str:
    return value if isinstance(value, str) else text_of(value)
