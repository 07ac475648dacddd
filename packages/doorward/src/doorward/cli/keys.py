"""`doorward keys …`: the signing keys, and the key-encryption keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import documents, show
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.run import read_settings
from doorward.core.amounts import moment
from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.wrapped_key import WrappedKey
from doorward.features.admin import build as admin

if TYPE_CHECKING:
    from doorward.app.container import Container
    from doorward.core.ports.key_wrapper import KeyWrapper

app = typer.Typer(no_args_is_help=True, help="Signing keys, and the key-encryption keys over them.")


@command(app, "list")
def list_(run: CommandRun) -> None:
    """List the signing keys."""
    keys = run.ask(lambda services: services.get(admin.keys).find(actor()))
    run.table(
        [documents.of_key(key) for key in keys],
        ("key", "algorithm", "state", "made", "signs since", "until"),
        [
            (k.id, k.alg, k.state, moment(k.created_at), moment(k.activated_at), moment(k.retired_at))
            for k in keys
        ],
        empty="No key yet: the first start of the server makes them.",
    )


@command(app)
def rotate(
    run: CommandRun,
    alg: Annotated[SigningAlgorithm, typer.Option(help="Which algorithm's key.")] = "ES256",
    force: Annotated[
        bool, typer.Option("--force", help="Also when the next key was published only a short time ago.")
    ] = False,
) -> None:
    """Sign with the next key from now on, and publish a new next one."""
    key = run.ask(lambda services: services.get(admin.keys).rotate(actor(), alg, force=force))
    run.done(documents.of_key(key), f"{key.alg} is now signed with {key.id}.")


@command(app, yes=True)
def revoke(
    run: CommandRun, key: Annotated[str, typer.Argument(metavar="KEY", help="Id of the key.")]
) -> None:
    """Take a key out at once, and every token that it signed."""
    found = run.ask(lambda services: services.get(admin.keys).get_revocable(actor(), key))
    run.confirm(f"Revoke {found.id} ({found.alg}, {found.state})? Tokens that it signed stop working.")
    gone = run.ask(lambda services: services.get(admin.keys).revoke(actor(), found.id))
    run.done(documents.of_key(gone), f"{gone.id} is revoked.")


@command(app)
def wrappings(run: CommandRun) -> None:
    """List the key-encryption keys that open the root secret."""

    async def work(container: Container) -> tuple[Sequence[WrappedKey], str]:
        wrappings = container.root_wrappings()
        return await wrappings.find(actor()), await wrappings.get_in_use(actor())

    _show_wrappings(run, *run.ask_container(work))


@command(app, yes=True)
def rewrap(
    run: CommandRun,
    new_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A settings file whose [keys] name the new key-encryption key."),
    ] = None,
    new_key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file of a new secret key, made where there is none."),
    ] = None,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="No other key-encryption key opens the root secret afterwards.")
    ] = False,
) -> None:
    """Wrap the root secret under another key-encryption key.

    Beside the old one, until --drop-old; without a new key under the present one anew.
    """
    if new_config is not None and new_key_file is not None:
        raise CliError("The new key-encryption key is in one place.", "Name --new-config or --new-key-file.")
    if new_config is not None and not new_config.is_file():
        raise CliError(f"There is no file {new_config}.", "Name the settings file of the new key.")
    if drop_old:
        run.confirm("Nodes whose settings name another key-encryption key cannot start any more. Go on?")

    async def work(container: Container) -> tuple[Sequence[WrappedKey], str]:
        new = _other_wrapper(new_config, new_key_file)
        wrappings = container.root_wrappings()
        left = await wrappings.rewrap(actor(), new, drop_old=drop_old)
        return left, await wrappings.get_in_use(actor())

    left, in_use = run.ask_container(work)
    _show_wrappings(run, left, in_use)
    if not run.json and any(one.kek != in_use for one in left):
        show.note(
            "Next: put the new key into the settings of every node. No restart is needed for what runs. "
            "Then, under the new settings: doorward keys rewrap --drop-old"
        )


def _other_wrapper(config: Path | None, key_file: Path | None) -> KeyWrapper | None:
    """The key-encryption key that another settings file names, or that a file holds (created if missing). Raises `KeyProblem`.

    Environment variables of the `[keys]` section describe the key in use, so they are ignored here.
    """
    from doorward.app.key_wrapper import key_of_file, key_wrapper

    if key_file is not None:
        return key_of_file(key_file)
    if config is None:
        return None
    environ = {name: text for name, text in os.environ.items() if not name.startswith("DOORWARD_KEYS_")}
    return key_wrapper(read_settings(config, environ))


def _show_wrappings(run: CommandRun, found: Sequence[WrappedKey], in_use: str) -> None:
    run.table(
        [documents.of_wrapping(one, in_use=in_use) for one in found],
        ("key-encryption key", "since", "named by"),
        [(one.kek, moment(one.created_at), "these settings" if one.kek == in_use else "") for one in found],
        empty="No root secret yet: the first start of the server makes it.",
    )
