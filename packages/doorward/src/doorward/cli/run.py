"""Run of one command: the container, the event loop, and the messages for refusals."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from doorward.cli.error import CliError
from doorward.cli.problems import trouble
from doorward.core.errors import HashingBusy, StoreUnavailable
from doorward.core.model.decoded import NotText, decoded
from doorward.core.model.secret import Secret
from doorward.features.admin.error import AdminError
from doorward.storage.postgres.options import PostgresOptions

if TYPE_CHECKING:
    from doorward.app.container import Container
    from doorward.features.services import Services
    from doorward.settings import Settings

T = TypeVar("T")
_LONGEST = 65_536


def with_services(config: Path | None, work: Callable[[Services], Awaitable[T]]) -> T:
    """Open the container, run the work with its services, close it. Raises `OperatorError`."""
    return with_container(config, lambda container: work(container.services))


def with_container(config: Path | None, work: Callable[[Container], Awaitable[T]]) -> T:
    """The same with the container itself."""

    async def run() -> T:
        async with opened(settings_file(config)) as container:
            return await work(container)

    return finish(run)


@asynccontextmanager
async def opened(config: Path | None) -> AsyncGenerator[Container]:
    """The container of a command; running servers see its changes within 200 ms. Raises `OperatorError`."""
    # imported here: help and usage errors must not wait for it
    from doorward.adapters import logs
    from doorward.adapters.hashing.breached_list import BadBreachList
    from doorward.app.container import open_container

    settings = read_settings(config)
    logs.configure("error", "console")
    try:
        container = await open_container(settings=settings)
    except BadBreachList as problem:
        raise CliError(str(problem), "See passwords.breached_list in the settings.") from None
    async with aclosing(container):
        try:
            await container.services.config.refresh()
        except ValueError:
            raise CliError(
                "The signing keys in this database are sealed under another root secret.",
                "They came from another database. Restore a whole backup of this one.",
            ) from None
        yield container


def finish(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to the end. Every refusal of a service or the store becomes an `OperatorError`. Raises `OperatorError`."""
    try:
        return asyncio.run(work())
    except AdminError as failure:
        raise trouble(failure.problem) from None
    except HashingBusy:
        raise CliError("Too many passwords are being hashed.", "Try again in a moment.") from None
    except StoreUnavailable as problem:
        # a problem with a better fix than `doorward doctor` names it
        error: str = getattr(problem, "error", "") or str(problem) or "The database does not answer."
        raise CliError(error, getattr(problem, "fix", "") or "doorward doctor") from None


def read_settings(config: Path | None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings. Raises `CliError` with every problem, one per line."""
    from doorward.settings import SettingsError, load

    try:
        return load(config, environ)
    except SettingsError as error:
        # each problem says what it should be; a user of an installed package cannot see where the documentation is
        fix = "Correct that, then look again: doorward doctor"
        raise CliError("\n  ".join(error.problems), fix) from None


def connect_options(config: Path | None) -> PostgresOptions:
    """Connection options for commands that name their databases themselves: from the settings, if there are any."""
    from doorward.settings import SettingsError, load

    try:
        return load(config, os.environ).postgres
    except SettingsError:
        return read_settings(config).postgres if config is not None else PostgresOptions()


def settings_file(config: Path | None) -> Path | None:
    """`--config`, else doorward.toml of this folder if it exists."""
    if config is not None:
        if not config.is_file():
            raise CliError(f"There is no file {config}.", "Name the settings file with --config FILE.")
        return config
    here = Path("doorward.toml")
    return here if here.is_file() else None


def read_password(*, from_stdin: bool) -> Secret | None:
    """A password from standard input or, twice, from the terminal; None when there is neither. Never from the arguments, which
    every process on the machine can read."""
    if from_stdin:
        # exactly one line: what `printf '%s'` and `echo` both send
        try:
            text = decoded(sys.stdin.buffer.readline(_LONGEST)).rstrip("\r\n")
        except NotText as problem:
            raise CliError(
                f"Standard input {problem}.", "Pipe the password in as UTF-8 text of one line."
            ) from None
        if not text:
            raise CliError(
                "Standard input was empty.", "Pipe the password in, as in: pass show ada | doorward …"
            )
        return Secret(text)
    if not sys.stdin.isatty():
        return None
    return typed(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def typed(secret: str) -> Secret:
    """Text typed at a prompt. Raises `CliError` where the terminal's settings cannot decode it: different text would be stored."""
    try:
        secret.encode("utf-8")
    except UnicodeEncodeError:
        raise CliError(
            "What was typed is no text in the encoding that this terminal is set to.",
            "Set LC_ALL=C.UTF-8 and type it again.",
        ) from None
    return Secret(secret)
