"""Filter of lines of the audit log."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class AuditFilter(Struct, frozen=True, kw_only=True):
    """Lines must meet every member that is set. `kind` may end in `*`: all kinds that begin so. `since` (included) and `until` (excluded)
    are seconds since the epoch, compared with the time in a line's id."""

    account_id: str | None = None
    client_id: str | None = None
    kind: str | None = None
    request_id: str | None = None
    since: int | None = None
    until: int | None = None


EVERYTHING: Final = AuditFilter()
