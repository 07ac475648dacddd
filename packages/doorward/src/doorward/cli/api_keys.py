"""`doorward api-key …`: keys for scripts and programs, each for one API."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import show
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.core.amounts import moment
from doorward.core.model.api_key import ApiKey
from doorward.features.admin import build as admin
from doorward.features.api_keys.making import NewApiKey
from doorward.features.api_keys.rules.key_format import PATTERN

app = typer.Typer(no_args_is_help=True, help="API keys: for scripts and programs, each for one API.")
_DAY = 86_400
_ALL = 10_000
_KeyId = Annotated[str, typer.Argument(metavar="KEY", help="Id of the key, key_…")]


@command(app)
def create(
    run: CommandRun,
    app_name: Annotated[str, typer.Argument(metavar="APP", help="Name or id of the app that owns it.")],
    name: Annotated[str, typer.Option(help="What the key is for, or where it is used.")],
    api: Annotated[str, typer.Option(metavar="API", help="Name or identifier of the API that it is for.")],
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="PERMISSION", help="What it allows there; without any all that the app may do."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="For how long it works; without it api_keys.life.")
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(metavar="CIDR", help="From where it works; without any from everywhere."),
    ] = None,
) -> None:
    """Make a key of an app, shown once, now."""
    made = run.ask(
        lambda services: services.get(admin.api_keys).create(
            actor(),
            app_name,
            name=name,
            api=api,
            permissions=allow or (),
            life=None if days is None else days * _DAY,
            networks=network or (),
        )
    )
    _show(run, made, "Made a key. It is shown only now.")


@command(app, "list")
def list_(
    run: CommandRun,
    user: Annotated[str | None, typer.Option(metavar="WHO", help="Only those of this person.")] = None,
    app_name: Annotated[
        str | None, typer.Option("--app", metavar="APP", help="Only those of this app.")
    ] = None,
) -> None:
    """List keys, without their secrets."""
    if user is not None and app_name is not None:
        raise CliError("A key has one owner.", "Name --user or --app.", code=2)
    found = run.ask(
        lambda services: services.get(admin.api_keys).find(actor(), who=user, app=app_name, limit=_ALL)
    )
    run.table(
        [_document(key) for key in found],
        ("id", "name", "owner", "API", "allows", "last used", "until", "state"),
        [
            (
                key.id,
                key.name,
                key.account_id or key.client_id or "",
                key.audience,
                " ".join(key.scopes),
                "never" if key.used_at is None else moment(key.used_at),
                moment(key.expires_at),
                "" if key.ended_at is None else f"ended {moment(key.ended_at)}",
            )
            for key in found
        ],
        empty="No API key. Make one of an app: doorward api-key create APP --name NAME --api API",
    )


@command(app)
def rotate(
    run: CommandRun,
    key: _KeyId,
    keep_old: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="For how long the old secret still works.")
    ] = 0,
) -> None:
    """Give the key of an app a new secret, shown once, now. Without --keep-old the old one and its tokens end at once."""
    made = run.ask(lambda services: services.get(admin.api_keys).rotate(actor(), key, keep_old=keep_old))
    _show(run, made, "The key has a new secret. It is shown only now.")


@command(app, yes=True)
def revoke(run: CommandRun, key: _KeyId) -> None:
    """End a key, and all tokens made from it, at once."""
    found = run.ask(lambda services: services.get(admin.api_keys).get(actor(), key))
    run.confirm(
        f"End {found.id} ({found.name}) of {found.account_id or found.client_id}? It stops working at once."
    )
    gone = run.ask(lambda services: services.get(admin.api_keys).revoke(actor(), found.id))
    run.done(_document(gone), f"{gone.id} has ended.")


@command(app)
def pattern(run: CommandRun) -> None:
    """Print the regular expression by which secret scanners find keys."""

    def human(_: show.Console) -> None:
        # the console could break the line
        sys.stdout.write(f"{PATTERN}\n")

    run.result({"pattern": PATTERN}, human)


def _document(key: ApiKey) -> dict[str, Any]:
    """A key, without its secrets."""
    return {
        "id": key.id,
        "name": key.name,
        "account_id": key.account_id,
        "client_id": key.client_id,
        "audience": key.audience,
        "scopes": list(key.scopes),
        "networks": list(key.networks),
        "created_at": key.created_at,
        "rotated_at": key.rotated_at,
        "expires_at": key.expires_at,
        "previous_until": key.previous_until,
        "used_at": key.used_at,
        "ended_at": key.ended_at,
        "end_reason": key.end_reason,
    }


def _show(run: CommandRun, made: NewApiKey, said: str) -> None:
    key, text = made.key, made.text.reveal()
    rows = [
        ("key", text),
        ("id", key.id),
        ("name", key.name),
        ("API", key.audience),
        ("allows", " ".join(key.scopes)),
        ("networks", " ".join(key.networks) or "all"),
        ("until", moment(key.expires_at)),
    ]
    if key.previous_until is not None:
        rows.append(("old secret until", moment(key.previous_until)))
    run.card({**_document(key), "key": text}, key.name, rows, said=said)
