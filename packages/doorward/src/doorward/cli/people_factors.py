"""`doorward user factors|reset-factors`: the second factors of somebody who lost their phone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from doorward.cli import documents, show
from doorward.cli.options import Config, Json, Yes
from doorward.cli.people import Who, factors_said
from doorward.cli.people_profile import app
from doorward.cli.run import actor, confirm, with_services
from doorward.core.model.account import Account, Factor
from doorward.features.admin import build as admin
from doorward.features.services import Services


@app.command()
def factors(who: Who, config: Config = None, json: Json = False) -> None:
    """Show somebody's second factors."""

    async def work(services: Services) -> tuple[Account, Sequence[Factor]]:
        return await services.get(admin.factors).find(actor(), who)

    account, held = with_services(config, work)
    document = {"id": account.id, "email": account.email, **documents.of_factors(held)}
    show.result(
        document,
        lambda console: show.card(console, account.email, factors_said(held)),
        as_json=json,
    )


@app.command("reset-factors")
def reset_factors(
    who: Who,
    forget_password: Annotated[
        bool,
        typer.Option(
            "--forget-password", help="Their password too: they choose a new one with “Forgot password?”."
        ),
    ] = False,
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Take away the second factors of who lost their phone. Their sessions end."""

    async def find(services: Services) -> Account:
        account, _ = await services.get(admin.factors).find(actor(), who)
        return account

    account = with_services(config, find)
    confirm(
        f"Whoever knows the password of {account.email} can sign in afterwards. Are you sure that they asked for it?"
        if not forget_password
        else f"Whoever reads the mail of {account.email} can sign in afterwards. Are you sure that they asked for it?",
        yes=yes,
        as_json=json,
    )

    async def work(services: Services) -> Account:
        return await services.get(admin.people).with_role_names(
            actor(),
            await services.get(admin.factors).reset(actor(), account.id, forget_password=forget_password),
        )

    changed = with_services(config, work)

    def human(console: Console) -> None:
        show.done(console, f"{changed.email} has no second factor any more; they are signed out everywhere.")
        if forget_password:
            show.note("They choose a new password with “Forgot password?”.")
        else:
            show.note(
                "Their password may be as short as one beside a second factor: have them set up a new one."
            )

    show.result({**documents.of_account(changed), **documents.of_factors(())}, human, as_json=json)
