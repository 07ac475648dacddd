"""`doorward app disable|enable|pin|unpin`: apps that no operator registered."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import to_builtins

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import documents
from doorward.cli.command import CommandRun, command
from doorward.cli.show import Rows
from doorward.core.amounts import moment
from doorward.features.admin import build as admin
from doorward.features.admin.self_registered import SelfRegistered

app = typer.Typer()

ThisApp = Annotated[
    str, typer.Argument(metavar="APP", help="Its client_id: dcr_… or the address of its document.")
]
Document = Annotated[str, typer.Argument(metavar="URL", help="The address of the document.")]


@command(app, yes=True)
def disable(run: CommandRun, app: ThisApp) -> None:
    """Refuse an app that no operator registered. All that it holds ends now."""
    found = run.ask(lambda services: services.get(admin.self_registered).get(actor(), app))
    run.confirm(f"Disable {found.name} and end everything signed in through it?")
    changed = run.ask(lambda services: services.get(admin.self_registered).disable(actor(), app))
    run.done(document_of(changed), f"{changed.name} is disabled.")


@command(app)
def enable(run: CommandRun, app: ThisApp) -> None:
    """Accept a disabled app again."""
    changed = run.ask(lambda services: services.get(admin.self_registered).enable(actor(), app))
    run.done(document_of(changed), f"{changed.name} is enabled.")


@command(app)
def pin(
    run: CommandRun,
    url: Document,
    as_kept: Annotated[
        bool, typer.Option("--as-kept", help="The copy that is kept here, and not what its host says now.")
    ] = False,
) -> None:
    """Keep the document of an app as it is now."""
    pinned = run.ask(
        lambda services: services.get(admin.self_registered).pin(actor(), url, fetch=not as_kept)
    )
    run.card(document_of(pinned), pinned.name, rows_of(pinned), said=f"{pinned.name} is pinned.")


@command(app)
def unpin(run: CommandRun, url: Document) -> None:
    """Fetch the document of an app again from now on."""
    changed = run.ask(lambda services: services.get(admin.self_registered).unpin(actor(), url))
    run.done(document_of(changed), f"{changed.name} is not pinned any more.")


def document_of(found: SelfRegistered) -> dict[str, Any]:
    """The JSON document of one of them."""
    about: dict[str, Any] = {
        name: value for name, value in to_builtins(found).items() if name not in {"id", "client"}
    }
    app = documents.of_client(found.client) if found.client is not None else {}
    return {**app, **about, "id": found.id, "client_id": found.id}


def state_of(found: SelfRegistered) -> str:
    """How it came, and what an operator decided."""
    marks = [
        word for word, at in (("disabled", found.disabled_at), ("pinned", found.pinned_at)) if at is not None
    ]
    return ", ".join((found.kind, *marks))


def rows_of(found: SelfRegistered) -> Rows:
    """The facts about one of them, beside those of every app."""
    times = (
        ("first seen", found.created_at),
        ("last sign-in", found.used_at),
        ("document of", found.fetched_at),
        ("pinned", found.pinned_at),
        ("disabled", found.disabled_at),
    )
    kept = found.pinned_at is not None or (found.kind == "document" and found.disabled_at is not None)
    return [
        ("client_id", found.id),
        ("kind", state_of(found)),
        *((name, moment(at)) for name, at in times if at is not None),
        *((("last attempt", found.problem),) if found.problem is not None else ()),
        *((("initial token", found.initial_token_id),) if found.initial_token_id is not None else ()),
        *(() if kept else (("kept until", moment(found.expires_at)),)),
    ]
