"""Entry point of `doorward`: all commands and their exit statuses: 0 done, 1 refused, 2 wrong usage."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any

import typer
import typer.main
from typer.exceptions import Abort, Exit, TyperException

from doorward import __version__
from doorward.cli import (
    api_keys,
    apis,
    apps_self_registered,
    audit,
    backup,
    dev,
    directories,
    keys,
    move,
    outputs,
    passkeys,
    people_import,
    places,
    providers,
    registration_tokens,
    risk,
    roles,
    server,
    show,
    streams,
    token_exchange,
    trusted_issuers_change,
)
from doorward.cli.command import Config, Json, command
from doorward.cli.error import CliError
from doorward.cli.outputs import OutputLost
from doorward.core.errors import OperatorError

app = typer.Typer(
    name="doorward",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Doorward, an authentication server of your own.",
    epilog="Settings come from doorward.toml in this folder (or --config FILE) and from DOORWARD_* variables.",
)
command(app)(server.serve)
app.command()(dev.dev)
app.command()(dev.demo)
command(app)(server.doctor)
app.add_typer(people_import.app, name="user")
app.add_typer(passkeys.app, name="passkeys")
app.add_typer(providers.app, name="provider")
app.add_typer(directories.app, name="directory")
app.add_typer(token_exchange.app, name="app")
token_exchange.app.add_typer(apps_self_registered.app)
app.add_typer(registration_tokens.app, name="registration-token")
app.add_typer(apis.app, name="api")
app.add_typer(trusted_issuers_change.app, name="issuer")
app.add_typer(api_keys.app, name="api-key")
app.add_typer(streams.app, name="stream")
app.add_typer(roles.app, name="role")
app.add_typer(places.app, name="place")
app.add_typer(risk.app, name="risk")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
command(app)(server.migrate)
command(app)(backup.backup)
command(app, yes=True)(backup.restore)
command(app, yes=True)(move.move)
command(app, "export-openapi")(server.export_openapi)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"doorward {__version__}\n")
        raise Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Doorward, an authentication server of your own."""
    # the callback has used these values, and `arranged` has moved the shared options behind the command
    del version, config, json


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status. With `--json`, errors too are one JSON document."""
    outputs.prepare()
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        status = _run(given, as_json=as_json)
        outputs.finish()
    except OutputLost as lost:
        outputs.give_up(sys.stdout)
        if not lost.closed:
            with suppress(OSError):
                show.trouble(
                    CliError(f"What the command printed is lost: {lost.reason}.", _LOST), as_json=False
                )
        return 1
    finally:
        outputs.settle_errors()
    return status


_LOST = "What it does was done. Look with its list or show command; a secret that was to be shown once has to be made anew."


@cache
def _command() -> Any:
    return typer.main.get_command(app)


def _run(given: list[str], *, as_json: bool) -> int:
    command = _command()
    try:
        for argument in given:
            _refuse_undecoded(argument)
        given = arranged(given)
        status = command.main(args=given, prog_name="doorward", standalone_mode=False)
    except OperatorError as trouble:
        show.trouble(trouble, as_json=as_json)
        return trouble.code if isinstance(trouble, CliError) else 1
    except TyperException as error:
        said = _said(error)
        if type(error).__name__ == "NoArgsIsHelpError":
            # no command was given: the message is the help
            sys.stdout.write(said + "\n")
            return 0
        show.trouble(CliError(said, _hint(error, command)), as_json=as_json)
        return 2
    except Abort:
        show.trouble(CliError("Stopped; nothing was changed."), as_json=as_json)
        return 130
    except OSError as problem:
        # the parser prints its own help; commands report trouble with files and the network themselves
        if problem.filename is None and problem.errno in {errno.EPIPE, errno.ENOSPC, errno.EIO}:
            raise OutputLost(problem) from None
        show.trouble(
            CliError(
                f"{problem.filename or 'The system'}: {problem.strerror or type(problem).__name__}.", _RIGHTS
            ),
            as_json=as_json,
        )
        return 1
    return status if isinstance(status, int) else 0


_RIGHTS = "Run the command as the server's user, or look at the rights of that file and its folder."


def _refuse_undecoded(argument: str) -> None:
    """Text in another encoding than the terminal's settings say would be stored as different text. Raises `CliError`."""
    try:
        argument.encode("utf-8")
    except UnicodeEncodeError:
        if not os.path.exists(argument):  # noqa: PTH110 - the name of a file may be any bytes
            shown = argument.encode("utf-8", "backslashreplace").decode()
            raise CliError(
                f"{shown} is no text in the encoding that this terminal is set to.",
                "Set LC_ALL=C.UTF-8, or type it there.",
            ) from None


def arranged(given: Sequence[str]) -> list[str]:
    """The arguments with `--config FILE` and `--json` moved behind the command. Raises `CliError`."""
    ahead: list[str] = []
    rest = list(given)
    while rest:
        if rest[0] == "--json" or rest[0].startswith("--config="):
            ahead.append(rest.pop(0))
        elif rest[0] == "--config" and len(rest) > 1:
            ahead += [rest.pop(0), rest.pop(0)]
        else:
            break
    if not ahead or not rest or rest[0].startswith("-"):
        return list(given)
    end = rest.index("--") if "--" in rest else len(rest)
    if any(word.startswith("--config") for word in ahead) and any(
        word == "--config" or word.startswith("--config=") for word in rest[:end]
    ):
        raise CliError("--config is given twice.", "Name one settings file.", code=2)
    return [*rest[:end], *ahead, *rest[end:]]


_NOISE = re.compile(r" \(Possible options: [^)]*\)|(?<=: )Value error, ")


def _said(error: TyperException) -> str:
    """The parser's sentence, without what the hint says and without its internal terms."""
    return _NOISE.sub("", error.format_message())


def _hint(error: TyperException, command: Any) -> str:
    """Where to look for help: for a misspelt word the nearest one, for a stray value the option it may belong to."""
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "doorward"
    wrong: str | None = getattr(error, "option_name", None)
    where = context.command if context is not None else command
    if wrong and "Did you mean" not in error.format_message():
        known = [flag for parameter in where.params for flag in parameter.opts if flag.startswith("--")]
        near = get_close_matches(wrong, known, n=2)
        if near:
            return f"Did you mean {' or '.join(near)}? See {path} --help"
    said = error.format_message()
    if "unexpected extra argument" in said:
        return f'Put what holds spaces in quotes, as in "My app". See {path} --help'
    if said.startswith("No such command") and "Did you mean" not in said:
        return f"There are {', '.join(where.commands)}. See {path} --help"
    choice = _CHOICE.search(said)
    if choice is not None:
        near = get_close_matches(choice[1], re.findall(r"'([^']*)'", choice[2]), n=1)
        if near:
            return f"Did you mean {near[0]}? See {path} --help"
    return f"See {path} --help"


_CHOICE = re.compile(r"'([^']*)' is not one of (.*)")
