"""`doorward audit …`: read, verify and export the audit log, sign its heads, and erase what is personal in it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final, Literal

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import show
from doorward.cli.audit_filter import App, Kind, RequestId, Since, Until, User, chosen, when
from doorward.cli.audit_forms import COLUMNS, csv_line, csv_of, document, json_line, row
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.core.amounts import moment
from doorward.features.admin import build as admin

if TYPE_CHECKING:
    from doorward.core.model.audit import AuditEvent
    from doorward.core.model.audit_filter import AuditFilter
    from doorward.features.audit.verification import ChainReport
    from doorward.features.services import Services

app = typer.Typer(no_args_is_help=True, help="The audit log: read, verify, export, erase.")
_SHOWN: Final = ("time", "kind", "", "who", "app", "from", "more")
_PAGE: Final = 1000
_LOOK: Final = 0.5
LATE: Final = 30
"""Seconds for which `follow` looks back: a line that commits late has an earlier id than some that were shown."""


@command(app, "list")
def list_(
    run: CommandRun,
    user: User = None,
    app_name: App = None,
    kind: Kind = None,
    request: RequestId = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many lines.")] = 50,
) -> None:
    """List the newest lines, newest first."""
    first, end = when(since), when(until)

    async def read(services: Services) -> list[AuditEvent]:
        wanted = await chosen(
            services, user=user, app=app_name, kind=kind, request=request, since=first, until=end
        )
        return list(await services.get(admin.audit).newest(actor(), wanted, limit=limit))

    found = run.ask(read)
    run.table(
        [document(event) for event in found], _SHOWN, [row(event) for event in found], empty="No such line."
    )


@command(app)
def follow(
    run: CommandRun, user: User = None, app_name: App = None, kind: Kind = None, request: RequestId = None
) -> None:
    """Print new lines of all nodes as they come. Runs until it is stopped; with --json one object a line."""

    async def read(services: Services) -> None:
        now = services.clock.now()
        wanted = await chosen(services, user=user, app=app_name, kind=kind, request=request, since=now)
        async for event in coming(services, wanted):
            _print(json_line(event) if run.json else "  ".join(filter(None, row(event))) + "\n", sys.stdout)
            sys.stdout.flush()

    with suppress(KeyboardInterrupt):
        run.ask(read)


@command(app)
def export(
    run: CommandRun,
    user: User = None,
    app_name: App = None,
    kind: Kind = None,
    request: RequestId = None,
    since: Since = None,
    until: Until = None,
    form: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="JSON Lines, or CSV.")] = "jsonl",
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new file; without it standard output.")
    ] = None,
) -> None:
    """Write lines, oldest first, as JSON Lines or CSV."""
    first, end = when(since), when(until)
    written = 0

    async def read(services: Services, out: IO[str]) -> None:
        nonlocal written
        wanted = await chosen(
            services, user=user, app=app_name, kind=kind, request=request, since=first, until=end
        )
        if form == "csv":
            _print(csv_line(COLUMNS), out)
        one: Callable[[AuditEvent], str] = csv_of if form == "csv" else json_line
        after = ""
        while page := await services.get(admin.audit).following(actor(), wanted, after=after, limit=_PAGE):
            for event in page:
                _print(one(event), out)
            written += len(page)
            after = page[-1].id

    if to is None:
        run.ask(lambda services: read(services, sys.stdout))
        return
    try:
        # personal data: readable by its owner alone, and never in place of something else
        with open(to, "x", encoding="utf-8", newline="", opener=_private) as out:
            run.ask(lambda services: read(services, out))
    except OSError as problem:
        raise CliError(f"{to} cannot be written: {problem.strerror}.", "Name a new file with --to.") from None
    run.done({"file": str(to), "lines": written}, f"Wrote {written} lines to {to}.")


@command(app)
def verify(
    run: CommandRun,
    head: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Heads that were kept elsewhere, one a line, from doorward audit head."
        ),
    ] = None,
) -> None:
    """Verify that every line is as it was written. Says what is unproven."""
    anchors = [] if head is None else _heads(head)
    report = run.ask(lambda services: services.get(admin.audit).verify(actor(), anchors))
    if report.fault is not None:
        at, line = report.fault.seq, report.fault.line
        named = f" line {line}" if line else ""
        said = f"The audit log is not as it was written:{named}{'' if at is None else f' at place {at}'}: {report.fault.what}."
        raise CliError(
            said,
            f"Lines before it, {report.lines}, are in order. Compare with a backup, or with collected logs.",
        )
    _told(run, report)


@command(app)
def head(run: CommandRun) -> None:
    """Sign a head of the chain, and print it. Keep it where nobody who can write the database can reach it."""
    signed = run.ask(lambda services: services.get(admin.audit).head(actor()))
    run.result(
        {"seq": signed.seq, "at": signed.at, "head": signed.jws},
        lambda console: _print(f"{signed.jws}\n", console.file),
    )


@command(app, yes=True)
def erase(
    run: CommandRun, who: Annotated[str, typer.Argument(metavar="WHO", help="A person, by address or id.")]
) -> None:
    """Erase what is personal from the lines of a person. That is addresses, programs, places and names, up to now."""
    run.confirm(f"Erase what is personal in all lines of {who}?")
    erased = run.ask(lambda services: services.get(admin.audit).erase(actor(), who))
    run.done(
        {"account_id": erased.account_id}, f"Nothing personal is left in the lines of {erased.account_id}."
    )


async def coming(services: Services, wanted: AuditFilter) -> AsyncGenerator[AuditEvent]:
    """Lines as they are committed, each once; never ends."""
    shown: dict[str, int] = {}
    while True:
        now = services.clock.now()
        page = await services.get(admin.audit).since(actor(), wanted, now - LATE)
        for event in page:
            if event.id not in shown:
                shown[event.id] = now
                yield event
        shown = {line: at for line, at in shown.items() if at >= now - 2 * LATE}
        await asyncio.sleep(_LOOK)


def _told(run: CommandRun, report: ChainReport) -> None:
    unproven = report.sealed - report.proven
    proven = (
        "nothing: no head is signed yet"
        if report.proven_at is None
        else f"up to place {report.proven}, by the head of {moment(report.proven_at)}"
    )
    rows = [
        ("signed", proven),
        ("unproven", f"{unproven} lines after that, and {report.unsealed} that are not sealed yet"),
        ("erased", f"{report.erased} lines without their personal fields"),
    ]
    if report.base:
        rows.append(
            ("begins", f"behind place {report.base}: older lines went with their age, as a head says")
        )
    if report.anchored:
        old = (
            " (it is older than the beginning, and proves nothing any more)"
            if report.anchored <= report.base
            else ""
        )
        rows.append(("anchor", f"the newest head kept elsewhere is of place {report.anchored}{old}"))
    if report.untrusted:
        rows.append(("untrusted", f"{report.untrusted} heads, whose key was revoked or is unknown"))
    said = f"{report.lines} lines are as they were written, the last one {report.last_line or '(none)'}"
    run.card(
        {name: getattr(report, name) for name in report.__struct_fields__ if name != "fault"},
        "Audit log",
        rows,
        said=said,
    )


def _heads(file: Path) -> list[str]:
    try:
        found = file.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as problem:
        raise CliError(
            f"{file} cannot be read: {problem}.", "Name a file with what doorward audit head printed."
        ) from None
    if not found:
        raise CliError(f"{file} is empty.", "Name a file with what doorward audit head printed.")
    return found


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _print(text: str, out: IO[str]) -> None:
    try:
        out.write(text)
    except OSError as problem:
        raise show.OutputLost(problem) from None
