"""`doorward user set`: what apps are told of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from doorward.cli.options import Config, Json
from doorward.cli.people import Who, app, changed
from doorward.cli.run import actor
from doorward.cli.trouble import Trouble
from doorward.core.model.account import Account
from doorward.features.admin import build as admin
from doorward.features.services import Services


@app.command("set")
def set_(
    who: Who,
    name: Annotated[str | None, typer.Option(help="What they are called; empty: nothing is known.")] = None,
    given_name: Annotated[str | None, typer.Option(help="Their given names; empty for none.")] = None,
    family_name: Annotated[str | None, typer.Option(help="Their family names; empty for none.")] = None,
    zoneinfo: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Their time zone, as in Europe/Berlin; empty for none.")
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Say what apps are told of somebody. What is not named stays."""
    said = {"name": name, "given_name": given_name, "family_name": family_name, "zoneinfo": zoneinfo}
    changes = {key: value for key, value in said.items() if value is not None}
    if not changes:
        raise Trouble("Nothing was named to change.", "See what can be: doorward user set --help")

    async def work(services: Services) -> Account:
        return await services.get(admin.people).update(actor(), who, changes)

    changed(config, json, work, "Apps are told something new of {}.")
