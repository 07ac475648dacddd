"""`doorward serve|migrate|doctor|export-openapi`: the server itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from doorward.cli.command import CommandRun
from doorward.cli.error import CliError
from doorward.cli.run import finish, read_settings, settings_file
from doorward.features.services import Services
from doorward.ops.doctor.check import Check


def serve(
    run: CommandRun,
    host: Annotated[str | None, typer.Option(help="Listen here instead of server.host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Listen here instead of server.port.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="So many processes share the port, instead of server.workers."),
    ] = None,
) -> None:
    """Run the server."""
    # opened once before it serves, so that a wrong key or database gives one sentence and no traceback in the log
    run.ask(_nothing)
    # imported here: no other command needs it
    from doorward.server.start import become_server, try_port

    path = settings_file(run.config)
    settings = read_settings(path)
    # tried here, so that a port in use gives one sentence and not a log line
    try_port(host or settings.server.host, port or settings.port, settings.issuer)
    become_server(path, host=host, port=port, workers=workers)


def migrate(run: CommandRun) -> None:
    """Bring the database up to date. The server does so too when it starts."""
    # imported here: help must not wait for it
    from doorward.storage.sql.open import open_store

    settings = run.settings()

    async def open_and_close() -> None:
        store = await open_store(settings.database, postgres=settings.postgres)
        await store.close()

    finish(open_and_close)
    # without a password
    path = str(settings.database)
    run.done({"database": path, "migrated": True}, f"{path} is up to date.")


def doctor(
    run: CommandRun,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only ask the server that runs here whether it is ready.")
    ] = False,
    mail_to: Annotated[
        str | None,
        typer.Option(
            "--mail-to",
            metavar="ADDRESS",
            help="Only send a test mail there, and say what the mail server answered.",
        ),
    ] = None,
) -> None:
    """Say what is wrong here, and how to mend it."""
    # imported here: only this command needs an HTTP client
    from doorward.adapters import logs
    from doorward.ops.doctor.doctor import diagnose

    # what a part logs about itself is a line of the table
    logs.configure("critical", "console")
    checks = finish(lambda: diagnose(settings_file(run.config), quick=quick, mail_to=mail_to))
    failed = sum(not check.ok for check in checks)
    run.result({"ok": not failed, "checks": list(checks)}, lambda console: _checks(console, checks))
    if failed:
        raise typer.Exit(1)


def export_openapi(
    run: CommandRun,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there instead of to standard output."),
    ] = None,
) -> None:
    """Print the OpenAPI 3.1 description of every endpoint."""
    document = _described(settings_file(run.config))
    if output is None:
        run.result(document, lambda console: console.out(_pretty(document), highlight=False))
        return
    try:
        output.write_text(_pretty(document) + "\n", encoding="utf-8")
    except OSError as error:
        raise CliError(f"{output} cannot be written ({error.strerror}).", "Choose another place.") from None
    run.done({"written": str(output)}, f"Written to {output}.")


async def _nothing(_services: Services) -> None:
    """Do nothing: opening the container was the check."""


def _described(config: Path | None) -> dict[str, object]:
    """The description of the configured server; without settings, of a placeholder, since it needs no server."""
    from doorward.adapters import logs
    from doorward.app.routes import openapi_document
    from doorward.settings import Settings, SettingsError, load

    try:
        settings = load(config, os.environ)
    except SettingsError:
        if config is not None:
            raise CliError("The settings cannot be read.", "doorward doctor") from None
        settings = Settings(issuer="https://auth.example.com")
    logs.configure("error", "console")
    return finish(lambda: openapi_document(settings))


def _pretty(document: dict[str, object]) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _checks(console: Console, checks: Sequence[Check]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        if not check.ok:
            mark = Text("✗ ", style="red")
        else:
            mark = Text("! ", style="yellow") if check.fix else Text("✓ ", style="green")
        console.print(mark + Text(f"{check.name:<{width}}  ", style="bold") + Text(check.said))
        if check.fix:
            console.print(Text(" " * (width + 4)) + Text(f"Fix: {check.fix}", style="yellow"))
