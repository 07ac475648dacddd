"""`doorward registration-token …`: initial access tokens, with which apps register themselves."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import to_builtins

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import show
from doorward.cli.command import CommandRun, command
from doorward.core.amounts import moment
from doorward.core.model.self_registered import InitialAccessToken
from doorward.features.admin import build as admin

app = typer.Typer(no_args_is_help=True, help="Initial access tokens: an app registers with one.")
_DAY = 86_400


@command(app)
def create(
    run: CommandRun,
    name: Annotated[str, typer.Argument(metavar="NAME", help="For whom or what it is.")],
    uses: Annotated[int, typer.Option(min=1, metavar="N", help="How many apps may register with it.")] = 1,
    days: Annotated[int, typer.Option(min=1, metavar="N", help="For how many days.")] = 30,
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A host of permitted redirect URIs (all, unless named)."),
    ] = None,
    grant_type: Annotated[
        list[str] | None,
        typer.Option(metavar="GRANT", help="What its apps may use (sign-in and refresh, unless named)."),
    ] = None,
    api: Annotated[
        list[str] | None,
        typer.Option(metavar="API[:PERM,PERM…]", help="An API that its apps may call, beside open ones."),
    ] = None,
) -> None:
    """Make an initial access token. It is shown once, now."""
    made = run.ask(
        lambda services: services.get(admin.self_registered).create_token(
            actor(),
            name,
            most=uses,
            lasts=days * _DAY,
            redirect_hosts=host or (),
            grant_types=grant_type or (),
            access=api or (),
        )
    )
    document = {**_document(made.token), "token": made.secret.reveal()}

    def human(console: show.Console) -> None:
        show.done(console, f"Made {made.token.name}.")
        show.card(console, made.token.name, _rows(made.token))
        show.card(console, "Shown once, now", [("token", made.secret.reveal())])

    run.result(document, human)


@command(app, "list")
def list_(run: CommandRun) -> None:
    """List initial access tokens."""
    tokens = run.ask(lambda services: services.get(admin.self_registered).find_tokens(actor()))
    run.table(
        [_document(token) for token in tokens],
        ("name", "used", "until", "id"),
        [(one.name, f"{one.used} of {one.most}", moment(one.expires_at), one.id) for one in tokens],
        empty="No initial access token. Make one: doorward registration-token create NAME",
    )


@command(app)
def revoke(
    run: CommandRun,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Name or id of the token.")],
) -> None:
    """End an initial access token. Apps that registered with it stay."""
    gone = run.ask(lambda services: services.get(admin.self_registered).revoke_token(actor(), token))
    run.done(_document(gone), f"{gone.name} is revoked.")


def _document(token: InitialAccessToken) -> dict[str, Any]:
    document: dict[str, Any] = to_builtins(token)
    del document["token_hash"]
    return document


def _rows(token: InitialAccessToken) -> show.Rows:
    access = [f"{identifier}: {', '.join(names)}" for identifier, names in token.access.items()]
    return [
        ("id", token.id),
        ("used", f"{token.used} of {token.most}"),
        ("until", moment(token.expires_at)),
        ("redirect hosts", ", ".join(token.redirect_hosts)),
        ("grants", ", ".join(token.grant_types)),
        ("APIs", "\n".join(access) or "those that are open"),
    ]
