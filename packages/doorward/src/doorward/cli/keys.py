"""`doorward keys …`: the signing keys, and the key-encryption keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from doorward.cli import documents, show
from doorward.cli.options import Config, Json, Yes
from doorward.cli.run import confirm, with_tools, workshop
from doorward.cli.tools import Tools
from doorward.cli.trouble import Trouble
from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import SigningKey
from doorward.core.model.wrapped_key import WrappedKey

app = typer.Typer(no_args_is_help=True, help="Signing keys, and the key-encryption keys over them.")


@app.command("list")
def list_(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """List the signing keys."""

    async def work(tools: Tools) -> list[SigningKey]:
        return list(await tools.keys.listed())

    keys = with_tools(context, config, work)

    def human(console: Console) -> None:
        rows = [
            (
                k.id,
                k.alg,
                k.state,
                show.moment(k.created_at),
                show.moment(k.activated_at),
                show.moment(k.retired_at),
            )
            for k in keys
        ]
        show.table(
            console,
            ("key", "algorithm", "state", "made", "signs since", "until"),
            rows,
            empty="No key yet: the first start of the server makes them.",
        )

    show.result([documents.of_key(key) for key in keys], human, as_json=json)


@app.command()
def rotate(
    context: typer.Context,
    alg: Annotated[SigningAlgorithm, typer.Option(help="Which algorithm's key.")] = "ES256",
    force: Annotated[
        bool, typer.Option("--force", help="Also when the next key was published only a short time ago.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Sign with the next key from now on, and publish a new next one."""

    async def work(tools: Tools) -> SigningKey:
        return await tools.keys.rotate(alg, force=force)

    key = with_tools(context, config, work)
    show.result(
        documents.of_key(key),
        lambda console: show.done(console, f"{key.alg} is now signed with {key.id}."),
        as_json=json,
    )


@app.command()
def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Id of the key.")],
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Take a key out at once, and every token that it signed."""

    async def find(tools: Tools) -> SigningKey:
        return await tools.keys.revocable(key)

    found = with_tools(context, config, find)
    confirm(
        f"Revoke {found.id} ({found.alg}, {found.state})? Tokens that it signed stop working.",
        yes=yes,
        as_json=json,
    )

    async def work(tools: Tools) -> SigningKey:
        return await tools.keys.revoke(found.id)

    gone = with_tools(context, config, work)
    show.result(
        documents.of_key(gone), lambda console: show.done(console, f"{gone.id} is revoked."), as_json=json
    )


@app.command()
def wrappings(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """List the key-encryption keys that open the root secret."""

    async def work(tools: Tools) -> tuple[Sequence[WrappedKey], str]:
        return await tools.wrappings.listed(), tools.wrappings.in_use

    _show_wrappings(*with_tools(context, config, work), as_json=json)


@app.command()
def rewrap(
    context: typer.Context,
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
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Wrap the root secret under another key-encryption key.

    Beside the old one, until --drop-old; without a new key under the present one anew.
    """
    if new_config is not None and new_key_file is not None:
        raise Trouble("The new key-encryption key is in one place.", "Name --new-config or --new-key-file.")
    if new_config is not None and not new_config.is_file():
        raise Trouble(f"There is no file {new_config}.", "Name the settings file of the new key.")
    if drop_old:
        question = "Nodes whose settings name another key-encryption key cannot start any more. Go on?"
        confirm(question, yes=yes, as_json=json)

    async def work(tools: Tools) -> tuple[Sequence[WrappedKey], str]:
        new = None
        if new_config is not None or new_key_file is not None:
            new = workshop(context).key_wrapper(config=new_config, key_file=new_key_file)
        left = await tools.wrappings.rewrap(new, drop_old=drop_old)
        return left, tools.wrappings.in_use

    left, in_use = with_tools(context, config, work)
    _show_wrappings(left, in_use, as_json=json)
    if not json and any(one.kek != in_use for one in left):
        show.note(
            "Next: put the new key into the settings of every node. No restart is needed for what runs. "
            "Then, under the new settings: doorward keys rewrap --drop-old"
        )


def _show_wrappings(found: Sequence[WrappedKey], in_use: str, *, as_json: bool) -> None:
    def human(console: Console) -> None:
        rows = [
            (one.kek, show.moment(one.created_at), "these settings" if one.kek == in_use else "")
            for one in found
        ]
        empty = "No root secret yet: the first start of the server makes it."
        show.table(console, ("key-encryption key", "since", "named by"), rows, empty=empty)

    show.result([documents.of_wrapping(one, in_use=in_use) for one in found], human, as_json=as_json)
