"""`doorward keys …`: the signing keys."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from doorward.cli import documents, show
from doorward.cli.options import Config, Json, Yes
from doorward.cli.run import confirm, with_tools
from doorward.cli.tools import Tools
from doorward.model.catalog import SigningKey
from doorward.model.client import SigningAlgorithm

app = typer.Typer(no_args_is_help=True, help="Signing keys: list, rotate, revoke.")


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
    """Take a key out at once; no token that it signed is accepted any more."""
    confirm(f"Revoke {key}? Tokens that it signed stop working.", yes=yes, as_json=json)

    async def work(tools: Tools) -> SigningKey:
        return await tools.keys.revoke(key)

    gone = with_tools(context, config, work)
    show.result(
        documents.of_key(gone), lambda console: show.done(console, f"{gone.id} is revoked."), as_json=json
    )
