"""`doorward api …`: APIs and their permissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec import structs

from doorward.adapters.os_user import os_actor as actor
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.show import Rows
from doorward.core.amounts import moment
from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import Api, OpenTo, Permission, TokenType
from doorward.features.admin import build as admin

app = typer.Typer(no_args_is_help=True, help="APIs: identifiers and permissions.")

ApiName = Annotated[str, typer.Argument(metavar="API", help="Identifier, name or id of the API.")]


ApiAlgorithm = Annotated[
    SigningAlgorithm | None, typer.Option("--signing-alg", help="What access tokens for it are signed with.")
]
ApiTokenType = Annotated[
    TokenType | None,
    typer.Option(
        "--token-type", help="at+jwt; or JWT, for verifiers that refuse that (doorward-verify takes no JWT)."
    ),
]


@command(app)
def create(
    run: CommandRun,
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="IDENTIFIER", help="What stands in `aud`: a URI, as in https://api.example.com."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="A short name; without it the identifier.")] = None,
    permission: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=TEXT]",
            help='A permission, with what the consent page says: orders:read="See your orders".',
        ),
    ] = None,
    signing_alg: ApiAlgorithm = None,
    token_type: ApiTokenType = None,
) -> None:
    """Register an API."""
    api = run.ask(
        lambda services: services.get(admin.apis).create(
            actor(),
            identifier,
            name=name,
            permissions=_permissions(permission),
            signing_alg=signing_alg,
            token_type=token_type or "at+jwt",
        )
    )
    run.card(api, api.name, _rows(api), said=f"Registered {api.name}.")


@command(app, "set", yes=True)
def set_(
    run: CommandRun,
    api: ApiName,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    permission: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=TEXT]", help="One more permission, or new words for one that is there."),
    ] = None,
    no_permission: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A permission that goes, from apps and roles too."),
    ] = None,
    signing_alg: ApiAlgorithm = None,
    token_type: ApiTokenType = None,
    open_to: Annotated[
        OpenTo | None,
        typer.Option(
            "--open",
            help="Who may ask without being registered by you: none; documents: apps with a client-ID document; registration: also those that register themselves.",
        ),
    ] = None,
    open_permission: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A permission that such apps may ask for; replaces those named before."
        ),
    ] = None,
) -> None:
    """Change an API. What is not named stays."""
    named = {
        "name": name,
        "signing_alg": signing_alg,
        "token_type": token_type,
        "open_to": open_to,
        "open_permissions": tuple(open_permission) if open_permission else None,
    }
    changes = {key: value for key, value in named.items() if value is not None}
    if not changes and not permission and not no_permission:
        raise CliError("Nothing was named to change.", "See what can be: doorward api set --help")
    if no_permission:
        run.confirm(f"Take {', '.join(no_permission)} away, from every app and role that has it?")
    changed = run.ask(
        lambda services: services.get(admin.apis).update(
            actor(),
            api,
            lambda found: structs.replace(found, **changes),
            permissions=_permissions(permission),
            without=no_permission or (),
        )
    )
    run.card(changed, changed.name, _rows(changed), said=f"Changed {changed.name}.")


@command(app, "list")
def list_(run: CommandRun) -> None:
    """List APIs."""
    apis = run.ask(lambda services: services.get(admin.apis).find(actor()))
    run.table(
        apis,
        ("name", "identifier", "permissions"),
        [(a.name, a.identifier, ", ".join(p.name for p in a.permissions)) for a in apis],
        empty="No API yet. Register one: doorward api create https://api.example.com --permission orders:read",
    )


@command(app, "show")
def show_(run: CommandRun, api: ApiName) -> None:
    """Show one API."""
    found = run.ask(lambda services: services.get(admin.apis).get(actor(), api))
    run.card(found, found.name, _rows(found))


@command(app, "introspect-as")
def introspect_as(
    run: CommandRun,
    api: ApiName,
    app: Annotated[str | None, typer.Argument(metavar="[APP]", help="Name or id of the app.")] = None,
    none: Annotated[bool, typer.Option("--none", help="No app any more.")] = False,
) -> None:
    """Say with which app's credential an API asks /introspect."""
    if (app is None) != none:
        raise CliError("Name an app, or say --none.", "doorward app list")
    changed = run.ask(lambda services: services.get(admin.apis).set_introspecting_app(actor(), api, app))
    said = f"{changed.name} introspects as {app}." if app else f"{changed.name} does not introspect any more."
    run.done(changed, said)


@command(app, yes=True)
def delete(run: CommandRun, api: ApiName) -> None:
    """Delete an API; apps and roles lose their access to it."""
    found = run.ask(lambda services: services.get(admin.apis).get(actor(), api))
    run.confirm(f"Delete the API {found.name}, and every app's and role's access to it?")
    gone = run.ask(lambda services: services.get(admin.apis).delete(actor(), found.identifier))
    run.done(gone, f"{gone.name} is deleted.")


def _permissions(given: Sequence[str] | None) -> list[Permission]:
    halves = [text.partition("=") for text in given or ()]
    return [Permission(name, description) for name, _, description in halves]


def _tokens(api: Api) -> str:
    said = f"{api.signing_alg or 'ES256, unless an app has another from before'}, typ {api.token_type}"
    return f"{said}; doorward-verify refuses this typ" if api.token_type == "JWT" else said


def _rows(api: Api) -> Rows:
    return [
        ("identifier", api.identifier),
        ("id", api.id),
        ("permissions", "\n".join(f"{p.name}  {p.description}".rstrip() for p in api.permissions)),
        ("its access tokens", _tokens(api)),
        ("open to", f"{api.open_to}: {', '.join(api.open_permissions)}" if api.open_permissions else "none"),
        ("introspects as", api.client_id or "nobody"),
        ("created", moment(api.created_at)),
    ]
