"""`doorward stream …`: streams of security events for apps."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from msgspec import to_builtins

from doorward.adapters.os_user import os_actor as actor
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.show import Rows
from doorward.core.amounts import moment
from doorward.core.model.decoded import NotText, decoded
from doorward.core.model.security_event import EventKind, EventStream, SubjectFormat
from doorward.features.admin import build as admin

app = typer.Typer(no_args_is_help=True, help="Streams of security events, for apps.")

StreamId = Annotated[
    str, typer.Argument(metavar="STREAM", help="The id of the stream (doorward stream list).")
]
_PEOPLE = ("session-revoked", "credential-change", "account-disabled", "account-enabled", "account-purged")


@command(app)
def allow(
    run: CommandRun, name: Annotated[str, typer.Argument(metavar="APP", help="Name or id of the app.")]
) -> None:
    """Let an app manage its streams by HTTP. It gets access tokens for that with its own credential."""
    client = run.ask(lambda services: services.get(admin.streams).allow(actor(), name))
    run.done({"app": client.id, "access": client.access}, f"{client.name} may manage its streams.")


@command(app)
def add(
    run: CommandRun,
    name: Annotated[str, typer.Argument(metavar="APP", help="Name or id of the app.")],
    push: Annotated[str | None, typer.Option(metavar="URL", help="Where events are posted; without it the app polls.")] = None,
    authorization: Annotated[bool, typer.Option("--authorization-stdin", help="Read the Authorization header of these posts from standard input.")] = False,
    event: Annotated[list[str] | None, typer.Option(metavar="NAME", help=f"Only these: {', '.join(_PEOPLE)}.")] = None,
    subject: Annotated[str, typer.Option(metavar="FORMAT", help="How people are named: iss_sub, email, opaque, or complex, with the session.")] = "iss_sub",
    subject_in_event: Annotated[bool, typer.Option("--subject-in-event", help="Repeat the subject inside the event, for receivers written to a draft.")] = False,
    audience: Annotated[str | None, typer.Option(metavar="TEXT", help="Another aud than the id of the app.")] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
) -> None:  # fmt: skip
    """Make a stream for an app. It tells of what happens from now on."""
    kinds, formats = _kinds(event or ()), _format(subject)
    header = _header() if authorization else None
    made = run.ask(
        lambda services: services.get(admin.streams).create(
            actor(),
            name,
            push_to=push,
            authorization=header,
            events=kinds,
            subject=formats,
            subject_in_event=subject_in_event,
            audience=audience,
            description=description,
        )
    )
    run.card(_document(made), made.id, _rows(made), said=f"{made.id} tells of what happens from now on.")


@command(app, "list")
def list_(run: CommandRun) -> None:
    """List all streams, with what waits in them."""
    found = run.ask(lambda services: services.get(admin.streams).find(actor()))
    run.table(
        [{**_document(one.stream), "waiting": one.waiting, "oldest_at": one.oldest_at} for one in found],
        ("stream", "app", "delivery", "status", "waiting"),
        [(one.stream.id, one.app, one.stream.delivery, one.stream.status, str(one.waiting)) for one in found],
        empty="No app has a stream. Let one manage its own: doorward stream allow APP",
    )


@command(app, "show")
def show_(run: CommandRun, stream: StreamId) -> None:
    """Show a stream, and what its receiver last answered."""
    one = run.ask(lambda services: services.get(admin.streams).get(actor(), stream))
    waits = str(one.waiting) if one.oldest_at is None else f"{one.waiting}, since {moment(one.oldest_at)}"
    document = {**_document(one.stream), "waiting": one.waiting, "oldest_at": one.oldest_at}
    run.card(document, one.stream.id, [("app", one.app), *_rows(one.stream), ("waiting", waits)])


@command(app)
def pause(
    run: CommandRun,
    stream: StreamId,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="What its receiver reads.")] = None,
) -> None:
    """Hold the events of a stream back until it is resumed."""
    changed = run.ask(
        lambda services: services.get(admin.streams).set_status(actor(), stream, "paused", reason)
    )
    run.done(_document(changed), f"{changed.id} is paused; its events wait.")


@command(app)
def resume(run: CommandRun, stream: StreamId) -> None:
    """Enable a stream again. What waits is sent at once."""
    changed = run.ask(
        lambda services: services.get(admin.streams).set_status(actor(), stream, "enabled", None)
    )
    run.done(_document(changed), f"{changed.id} is enabled.")


@command(app)
def verify(run: CommandRun, stream: StreamId) -> None:
    """Send a verification event. `stream show` says afterwards whether it was accepted."""
    asked = run.ask(lambda services: services.get(admin.streams).verify(actor(), stream))
    run.done(_document(asked), f"A verification event is on its way: doorward stream show {asked.id}")


@command(app, yes=True)
def remove(run: CommandRun, stream: StreamId) -> None:
    """Remove a stream, with the events that wait in it."""
    run.confirm(f"Remove {stream}? Its app hears nothing more by it, and what waits in it is lost.")
    gone = run.ask(lambda services: services.get(admin.streams).delete(actor(), stream))
    run.done(_document(gone), f"{gone.id} is removed.")


def _document(stream: EventStream) -> dict[str, Any]:
    """The stream without the header of its receiver and the database's own numbers."""
    document: dict[str, Any] = to_builtins(stream)
    del document["sealed"], document["revision"], document["next_try_at"]
    return {**document, "authorization": stream.sealed is not None}


def _rows(stream: EventStream) -> Rows:
    failing = stream.failing_since
    rows = [
        ("id", stream.id),
        ("audience", stream.audience),
        ("description", stream.description),
        (
            "delivery",
            f"pushed to {stream.endpoint_url}" if stream.delivery == "push" else "polled by the app",
        ),
        ("authorization", "" if stream.sealed is None else "with a header of its own"),
        ("events", ", ".join(stream.events)),
        ("people named by", stream.subject + (", inside the event too" if stream.subject_in_event else "")),
        ("status", stream.status + (f": {stream.reason}" if stream.reason else "")),
        ("accepted", "nothing yet" if stream.accepted_at is None else moment(stream.accepted_at)),
        ("failing", "" if failing is None else f"since {moment(failing)}: {stream.problem}"),
        ("created", moment(stream.created_at)),
    ]
    return [row for row in rows if row[1]]


def _kinds(names: list[str] | tuple[()]) -> list[EventKind]:
    known: dict[str, EventKind] = {one: one for one in _PEOPLE}
    for name in names:
        if name not in known:
            raise CliError(f"--event {name} is unknown.", f"It can be {', '.join(_PEOPLE)}.")
    return [known[name] for name in names]


def _format(name: str) -> SubjectFormat:
    match name:
        case "iss_sub" | "email" | "opaque" | "complex":
            return name
        case _:
            raise CliError(f"--subject {name} is unknown.", "It can be iss_sub, email, opaque or complex.")


def _header() -> str:
    try:
        return decoded(sys.stdin.buffer.read(65_536)).strip()
    except NotText as problem:
        raise CliError(
            f"Standard input {problem}.", "Pipe in the whole header, as in Bearer TOKEN."
        ) from None
