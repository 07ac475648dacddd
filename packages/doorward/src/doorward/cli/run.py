"""How does a command run its action? Open the tools, call it, put what it refuses into words."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, cast

import typer

from doorward.cli.tools import Tools, Workshop
from doorward.cli.trouble import Trouble
from doorward.core.model.decoded import NotText, decoded
from doorward.core.model.secret import Secret
from doorward.core.ports.passwords import HashingBusy
from doorward.core.ports.store import StoreUnavailable
from doorward.features.admin.refused import ManageRefused

T = TypeVar("T")
_LONGEST = 65_536


def workshop(context: typer.Context) -> Workshop:
    """What `main` was given."""
    return cast("Workshop", context.obj)


def with_tools(context: typer.Context, config: Path | None, work: Callable[[Tools], Awaitable[T]]) -> T:
    """Open the tools, do the work, close them. Raises `Trouble`."""

    async def run() -> T:
        async with workshop(context).open(settings_file(config)) as tools:
            return await work(tools)

    return finish(run)


def finish(work: Callable[[], Awaitable[T]]) -> T:
    """Run to the end. Raises `Trouble` for whatever an action or the store refuses."""

    async def run() -> T:
        return await work()

    try:
        return asyncio.run(run())
    except ManageRefused as refused:
        raise Trouble(refused.error, refused.fix) from None
    except HashingBusy:
        raise Trouble("Too many passwords are being hashed.", "Try again in a moment.") from None
    except StoreUnavailable as problem:
        # what knows a better remedy than to look at everything says so
        error: str = getattr(problem, "error", "") or str(problem) or "The database does not answer."
        raise Trouble(error, getattr(problem, "fix", "") or "doorward doctor") from None


def settings_file(config: Path | None) -> Path | None:
    """`--config`, else doorward.toml of this folder where there is one."""
    if config is not None:
        if not config.is_file():
            raise Trouble(f"There is no file {config}.", "Name the settings file with --config FILE.")
        return config
    here = Path("doorward.toml")
    return here if here.is_file() else None


def confirm(question: str, *, yes: bool, as_json: bool) -> None:
    """Ask before what cannot be undone. Raises `Trouble` when the answer is no, or nobody can be asked."""
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise Trouble("This cannot be undone, and nobody can be asked here.", "Add --yes.")
    if not typer.confirm(question, err=True):
        raise Trouble("Nothing was changed.")


def read_password(*, from_stdin: bool) -> Secret | None:
    """A password from standard input or, twice, from the terminal; None when there is neither. Never from the arguments, which
    every process on the machine can read."""
    if from_stdin:
        # exactly one line: what `printf '%s'` and `echo` both send
        try:
            text = decoded(sys.stdin.buffer.readline(_LONGEST)).rstrip("\r\n")
        except NotText as problem:
            raise Trouble(
                f"Standard input {problem}.", "Pipe the password in as UTF-8 text of one line."
            ) from None
        if not text:
            raise Trouble(
                "Standard input was empty.", "Pipe the password in, as in: pass show ada | doorward …"
            )
        return Secret(text)
    if not sys.stdin.isatty():
        return None
    return typed(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def typed(secret: str) -> Secret:
    """What was typed at a prompt. Raises `Trouble` where the terminal's settings make no text of it: another one would be stored."""
    try:
        secret.encode("utf-8")
    except UnicodeEncodeError:
        raise Trouble(
            "What was typed is no text in the encoding that this terminal is set to.",
            "Set LC_ALL=C.UTF-8 and type it again.",
        ) from None
    return Secret(secret)
