"""`doorward backup` and `doorward restore`: a database as one encrypted file, and a restore that is complete or changes
nothing."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from doorward.cli import show
from doorward.cli.command import CommandRun
from doorward.cli.error import CliError
from doorward.cli.progress import Bar
from doorward.cli.run import finish, read_settings, settings_file, typed
from doorward.core.amounts import moment, size
from doorward.core.model.copied import BackedUp
from doorward.core.model.decoded import NotText, decoded
from doorward.core.model.secret import Secret

Passphrase = Annotated[
    bool,
    typer.Option(
        "--passphrase", help="Ask for a passphrase, which opens the backup without the server's key."
    ),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help="The same, from the first line of a file."),
]


def backup(
    run: CommandRun,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; - is standard output.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Only read FILE to its end and check everything.")
    ] = False,
    passphrase: Passphrase = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Back the database up while it runs, or check a backup.

    The file is encrypted under the server's key, and with --passphrase opens without it.
    """
    if verify:
        _must_be_there(file)
    secret = _read_passphrase(ask=passphrase, file=passphrase_file, twice=not verify)
    path = settings_file(run.config)
    place = None if str(file) == "-" else file
    if place is None and (verify or sys.stdout.isatty()):
        raise CliError("A backup is no text for a terminal.", "Name a file, or pipe the output on.")
    # imported here: no other command needs it
    from doorward.ops.backup.backup import run_backup, run_verify

    # with a passphrase a backup can be read without settings
    settings = None if verify and secret is not None else read_settings(path)
    with Bar(quiet=run.json) as bar:
        if settings is None or verify:
            done = finish(lambda: run_verify(settings, file, secret, bar))
        else:
            done = finish(lambda: run_backup(settings, place, secret, bar))
    if place is None:
        return
    said = "is whole" if verify else "is written"
    run.result(done, lambda console: _told(console, done, f"{done.place} {said}"))


def restore(
    run: CommandRun,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that doorward backup wrote.")],
    into: Annotated[
        str | None,
        typer.Option(metavar="DATABASE", help="Restore there instead of into `database` of the settings."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a database that is not empty.")
    ] = False,
    end_everything: Annotated[
        bool,
        typer.Option("--end-everything", help="End all sessions, refresh tokens and signing keys as well."),
    ] = False,
    passphrase: Passphrase = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Fill an empty database from a backup. The server must not run meanwhile."""
    _must_be_there(file)
    secret = _read_passphrase(ask=passphrase, file=passphrase_file, twice=False)
    if replace:
        run.confirm(f"Replace what is in {into or 'the database of the settings'}?")
    # imported here: no other command needs it
    from doorward.ops.backup.restore import run_restore

    settings = run.settings()
    with Bar(quiet=run.json) as bar:
        done = finish(
            lambda: run_restore(
                settings,
                file,
                into=into,
                replace=replace,
                end=end_everything,
                passphrase=secret,
                progress=bar,
            )
        )

    def human(console: show.Console) -> None:
        _told(console, done, f"{done.place} is restored")
        if not end_everything:
            again = shlex.join(
                ["doorward", "restore", str(file), *(["--into", into] if into else []), "--replace"]
            )
            show.note(
                "What ended after the backup was made is not known here: revoked tokens live on until they expire. "
                f"If that matters: {again} --end-everything"
            )
        if into:
            show.note(f"To serve it, set `database` to {done.place} and start the server.")

    run.result(done, human)


def _must_be_there(file: Path) -> None:
    """Check that the file exists before any question is asked. Raises `CliError`."""
    if not file.exists():
        raise CliError(f"There is no file {file}.", "Name a file that doorward backup has written.")


def _read_passphrase(*, ask: bool, file: Path | None, twice: bool) -> Secret | None:
    """The passphrase, if one was requested: from the terminal or a file, never from the arguments, which every user of the machine
    can read. Raises `CliError`."""
    if file is not None:
        try:
            lines = decoded(file.read_bytes()).splitlines()
        except OSError as error:
            raise CliError(
                f"The passphrase file {file} cannot be read: {error.strerror}.", "Name another one."
            ) from None
        except NotText as error:
            raise CliError(f"The passphrase file {file} {error}.", "Write it anew as UTF-8 text.") from None
        if not lines or not lines[0]:
            raise CliError(f"The first line of {file} is empty.", "Put the passphrase there.")
        return Secret(lines[0])
    if not ask:
        return None
    if not sys.stdin.isatty():
        raise CliError("Nobody can be asked for a passphrase here.", "Use --passphrase-file FILE.")
    return typed(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True))


def _told(console: show.Console, done: BackedUp, said: str) -> None:
    """Description of what a backup holds."""
    rows = [(one.table, str(one.rows), one.checksum[:16]) for one in done.tables if one.rows]
    show.table(console, ("table", "rows", "checksum (SHA-256)"), rows, empty="")
    show.done(
        console,
        f"{said}: {done.rows:,} rows of {done.facts.issuer}, {moment(done.facts.made_at)},"
        f" {size(done.size)}; opens with {' or '.join(done.facts.opens_with)}.",
    )
