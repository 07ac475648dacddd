"""Options of `doorward audit` that choose lines."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from doorward.adapters.clock import SystemClock
from doorward.adapters.os_user import os_actor as actor
from doorward.core.model.audit_filter import AuditFilter
from doorward.features.admin import build as admin

if TYPE_CHECKING:
    from doorward.features.services import Services

_AGE: Final = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def when(text: str | None) -> int | None:
    """Seconds since the epoch of a day (`2026-11-01`), a time (`2026-11-01T09:30`, with an offset or in UTC) or an age (`90m`, `24h`, `7d`).
    Raises `typer.BadParameter`."""
    if text is None:
        return None
    if (age := _AGE.fullmatch(text)) is not None:
        return SystemClock().now() - int(age[1]) * _UNITS[age[2]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time. Write a day (2026-11-01), a time (2026-11-01T09:30), or an age (90m, 24h, 7d)."
        ) from None
    return int((found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp())


User = Annotated[
    str | None, typer.Option("--user", metavar="WHO", help="Only lines of this person, by address or id.")
]
App = Annotated[
    str | None, typer.Option("--app", metavar="APP", help="Only lines of this app, by name or id.")
]
Kind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Only this kind; sign_in.* is all that begin so.")
]
RequestId = Annotated[str | None, typer.Option("--request", metavar="ID", help="Only lines of this request.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="From then on: 2026-11-01, 2026-11-01T09:30 or 24h."),
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before then.")]


async def chosen(
    services: Services,
    *,
    user: str | None,
    app: str | None,
    kind: str | None,
    request: str | None,
    since: int | None,
    until: int | None = None,
) -> AuditFilter:
    """The filter of these options. Raises `AdminError` for an unknown person or app."""
    service = services.get(admin.audit)
    return AuditFilter(
        account_id=None if user is None else await service.account_of(actor(), user),
        client_id=None if app is None else await service.client_of(actor(), app),
        kind=kind,
        request_id=request,
        since=since,
        until=until,
    )
