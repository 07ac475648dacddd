"""Passphrase of a backup, from the terminal or a file; never from the arguments, which every user of the machine can read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from doorward.cli.run import typed
from doorward.cli.trouble import Trouble
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


def read_passphrase(*, ask: bool, file: Path | None, twice: bool) -> Secret | None:
    """The passphrase, if one was requested. Raises `Trouble`."""
    if file is not None:
        try:
            lines = decoded(file.read_bytes()).splitlines()
        except OSError as error:
            raise Trouble(
                f"The passphrase file {file} cannot be read: {error.strerror}.", "Name another one."
            ) from None
        except NotText as error:
            raise Trouble(f"The passphrase file {file} {error}.", "Write it anew as UTF-8 text.") from None
        if not lines or not lines[0]:
            raise Trouble(f"The first line of {file} is empty.", "Put the passphrase there.")
        return Secret(lines[0])
    if not ask:
        return None
    if not sys.stdin.isatty():
        raise Trouble("Nobody can be asked for a passphrase here.", "Use --passphrase-file FILE.")
    return typed(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True))
