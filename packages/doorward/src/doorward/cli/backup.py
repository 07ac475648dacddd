"""`doorward backup`: one encrypted file, made while the server runs; or checked, without any database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from doorward.cli import show
from doorward.cli.options import Config, Json
from doorward.cli.passphrase import Passphrase, PassphraseFile, read_passphrase
from doorward.cli.progress import Bar
from doorward.cli.run import finish, read_settings, settings_file
from doorward.cli.trouble import Trouble
from doorward.core.amounts import moment, size
from doorward.core.model.copied import BackedUp


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; - is standard output.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Only read FILE to its end and check everything.")
    ] = False,
    passphrase: Passphrase = False,
    passphrase_file: PassphraseFile = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Back the database up while it runs, or check a backup.

    The file is encrypted under the server's key, and with --passphrase opens without it.
    """
    if verify:
        must_be_there(file)
    secret = read_passphrase(ask=passphrase, file=passphrase_file, twice=not verify)
    path = settings_file(config)
    place = None if str(file) == "-" else file
    if place is None and (verify or sys.stdout.isatty()):
        raise Trouble("A backup is no text for a terminal.", "Name a file, or pipe the output on.")
    # imported here: no other command needs it
    from doorward.ops.backup.backup import run_backup, run_verify

    with Bar(quiet=json) as bar:
        if verify:
            # with a passphrase a backup is read without any settings
            known = read_settings(path) if secret is None else None
            done = finish(lambda: run_verify(known, file, secret, bar))
        else:
            settings = read_settings(path)
            done = finish(lambda: run_backup(settings, place, secret, bar))
    if place is None:
        return
    said = "is whole" if verify else "is written"
    show.result(done, lambda console: told(console, done, f"{done.place} {said}"), as_json=json)


def must_be_there(file: Path) -> None:
    """Said before anybody is asked anything. Raises `Trouble`."""
    if not file.exists():
        raise Trouble(f"There is no file {file}.", "Name a file that doorward backup has written.")


def told(console: Console, done: BackedUp, said: str) -> None:
    """What a backup holds."""
    rows = [(one.table, str(one.rows), one.checksum[:16]) for one in done.tables if one.rows]
    show.table(console, ("table", "rows", "checksum (SHA-256)"), rows, empty="")
    show.done(
        console,
        f"{said}: {done.rows:,} rows of {done.facts.issuer}, {moment(done.facts.made_at)},"
        f" {size(done.size)}; opens with {' or '.join(done.facts.opens_with)}.",
    )
