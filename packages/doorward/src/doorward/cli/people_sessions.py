"""`doorward user sessions|end-session|end-access`: where people are signed in, and the end of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import to_builtins

from doorward.adapters.os_user import os_actor as actor
from doorward.cli.command import CommandRun, command
from doorward.cli.people import Who
from doorward.cli.people_factors import app
from doorward.core.amounts import moment
from doorward.core.model.device import describe
from doorward.features.admin import build as admin
from doorward.features.sessions.details import SessionDetails


@command(app)
def sessions(run: CommandRun, who: Who) -> None:
    """Show where somebody is signed in."""
    account, found = run.ask(lambda services: services.get(admin.sessions).find(actor(), who))
    run.table(
        [_document(one) for one in found],
        ("device", "place", "address", "first used", "last used", "apps", "id"),
        [_row(one) for one in found],
        empty=f"{account.known_as} is not signed in anywhere.",
    )


@command(app, "end-session")
def end_session(
    run: CommandRun,
    who: Who,
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Its id: doorward user sessions WHO")],
    device: Annotated[
        bool,
        typer.Option(
            "--device", help="The whole browser: its other sessions, apps with offline access, trust."
        ),
    ] = False,
) -> None:
    """End a session of somebody, or a whole device."""
    account = run.ask(lambda services: services.get(admin.sessions).end(actor(), who, session, device=device))
    what = "The device" if device else "The session"
    run.done({"id": account.id, "session": session}, f"{what} of {account.known_as} has ended.")


@command(app, "end-access", yes=True)
def end_access(run: CommandRun, who: Who) -> None:
    """End everything that lets somebody in or acts for them now. They may sign in again."""
    found = run.ask(lambda services: services.get(admin.people).get(actor(), who))
    run.confirm(f"End all sessions, apps, API keys and remembered devices of {found.known_as}?")
    account, count = run.ask(lambda services: services.get(admin.sessions).end_access(actor(), found.id))
    run.done(
        {"id": account.id, "email": account.email, "sessions_ended": count},
        f"All access of {account.known_as} has ended; they may sign in again.",
    )


def _document(one: SessionDetails) -> dict[str, Any]:
    session = one.session
    return {
        "id": session.id,
        "name": session.name,
        "browser": describe(session.user_agent),
        "place": None if one.place is None else to_builtins(one.place),
        "address": session.address,
        "created_at": session.created_at,
        "last_used_at": session.seen_at,
        "authenticated_at": session.auth_time,
        "expires_at": session.expires_at,
        "factors": list(one.factors),
        "apps": list(one.apps),
    }


def _row(one: SessionDetails) -> tuple[str, ...]:
    session, place = one.session, one.place
    known = describe(session.user_agent) or "unknown"
    where = "unknown" if place is None else ", ".join(filter(None, (place.city, place.country)))
    return (
        f"{session.name} ({known})" if session.name else known,
        where,
        session.address,
        moment(session.created_at),
        moment(session.seen_at),
        ", ".join(one.apps),
        session.id,
    )
