"""`doorward restore`: a backup becomes the database, whole or not at all."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from doorward.cli import show
from doorward.cli.backup import must_be_there, told
from doorward.cli.options import Config, Json, Yes
from doorward.cli.passphrase import Passphrase, PassphraseFile, read_passphrase
from doorward.cli.progress import Bar
from doorward.cli.run import confirm, finish, read_settings, settings_file


def restore(
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
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Fill an empty database from a backup. The server must not run meanwhile."""
    must_be_there(file)
    secret = read_passphrase(ask=passphrase, file=passphrase_file, twice=False)
    if replace:
        confirm(f"Replace what is in {into or 'the database of the settings'}?", yes=yes, as_json=json)
    # imported here: no other command needs it
    from doorward.ops.backup.restore import run_restore

    settings = read_settings(settings_file(config))
    with Bar(quiet=json) as bar:
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

    def human(console: Console) -> None:
        told(console, done, f"{done.place} is restored")
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

    show.result(done, human, as_json=json)
