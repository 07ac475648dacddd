"""`doorward api …`: APIs and their permissions."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec import structs
from rich.console import Console

from doorward.cli import documents, show
from doorward.cli.options import Config, Json, Yes
from doorward.cli.run import actor, confirm, with_services
from doorward.cli.trouble import Trouble
from doorward.core.amounts import moment
from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import Api, Permission, TokenType
from doorward.features.admin import build as admin
from doorward.features.services import Services

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


@app.command()
def create(
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
    config: Config = None,
    json: Json = False,
) -> None:
    """Register an API."""
    permissions = [Permission(*_halves(text)) for text in permission or ()]

    async def work(services: Services) -> Api:
        return await services.get(admin.apis).create(
            actor(),
            identifier,
            name=name,
            permissions=permissions,
            signing_alg=signing_alg,
            token_type=token_type or "at+jwt",
        )

    api = with_services(config, work)

    def human(console: Console) -> None:
        show.done(console, f"Registered {api.name}.")
        _card(console, api)

    show.result(documents.of_api(api), human, as_json=json)


@app.command("set")
def set_(
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
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Change an API. What is not named stays."""
    named = {"name": name, "signing_alg": signing_alg, "token_type": token_type}
    changes = {key: value for key, value in named.items() if value is not None}
    if not changes and not permission and not no_permission:
        raise Trouble("Nothing was named to change.", "See what can be: doorward api set --help")
    added = [Permission(*_halves(text)) for text in permission or ()]
    if no_permission:
        gone = ", ".join(no_permission)
        confirm(f"Take {gone} away, from every app and role that has it?", yes=yes, as_json=json)

    async def work(services: Services) -> Api:
        return await services.get(admin.apis).update(
            actor(),
            api,
            lambda found: structs.replace(found, **changes),
            permissions=added,
            without=no_permission or (),
        )

    changed = with_services(config, work)

    def human(console: Console) -> None:
        show.done(console, f"Changed {changed.name}.")
        _card(console, changed)

    show.result(documents.of_api(changed), human, as_json=json)


@app.command("list")
def list_(config: Config = None, json: Json = False) -> None:
    """List APIs."""

    async def work(services: Services) -> list[Api]:
        return list(await services.get(admin.apis).find(actor()))

    apis = with_services(config, work)

    def human(console: Console) -> None:
        rows = [(a.name, a.identifier, ", ".join(p.name for p in a.permissions)) for a in apis]
        show.table(
            console,
            ("name", "identifier", "permissions"),
            rows,
            empty="No API yet. Register one: doorward api create https://api.example.com --permission orders:read",
        )

    show.result([documents.of_api(api) for api in apis], human, as_json=json)


@app.command("show")
def show_(api: ApiName, config: Config = None, json: Json = False) -> None:
    """Show one API."""

    async def work(services: Services) -> Api:
        return await services.get(admin.apis).get(actor(), api)

    found = with_services(config, work)
    show.result(documents.of_api(found), lambda console: _card(console, found), as_json=json)


@app.command("introspect-as")
def introspect_as(
    api: ApiName,
    app: Annotated[str | None, typer.Argument(metavar="[APP]", help="Name or id of the app.")] = None,
    none: Annotated[bool, typer.Option("--none", help="No app any more.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Say with which app's credential an API asks /introspect."""
    if (app is None) != none:
        raise Trouble("Name an app, or say --none.", "doorward app list")

    async def work(services: Services) -> Api:
        return await services.get(admin.apis).set_introspecting_app(actor(), api, app)

    changed = with_services(config, work)
    said = f"{changed.name} introspects as {app}." if app else f"{changed.name} does not introspect any more."
    show.result(documents.of_api(changed), lambda console: show.done(console, said), as_json=json)


@app.command()
def delete(
    context: typer.Context, api: ApiName, yes: Yes = False, config: Config = None, json: Json = False
) -> None:
    """Delete an API; apps and roles lose their access to it."""

    async def find(services: Services) -> Api:
        return await services.get(admin.apis).get(actor(), api)

    found = with_services(config, find)
    confirm(f"Delete the API {found.name}, and every app's and role's access to it?", yes=yes, as_json=json)

    async def work(services: Services) -> Api:
        return await services.get(admin.apis).delete(actor(), found.identifier)

    gone = with_services(config, work)
    show.result(
        documents.of_api(gone), lambda console: show.done(console, f"{gone.name} is deleted."), as_json=json
    )


def _halves(text: str) -> tuple[str, str]:
    name, _, description = text.partition("=")
    return name, description


def _tokens(api: Api) -> str:
    said = f"{api.signing_alg or 'ES256, unless an app has another from before'}, typ {api.token_type}"
    return f"{said}; doorward-verify refuses this typ" if api.token_type == "JWT" else said


def _card(console: Console, api: Api) -> None:
    permissions = "\n".join(f"{p.name}  {p.description}".rstrip() for p in api.permissions)
    show.card(
        console,
        api.name,
        [
            ("identifier", api.identifier),
            ("id", api.id),
            ("permissions", permissions),
            ("its access tokens", _tokens(api)),
            ("introspects as", api.client_id or "nobody"),
            ("created", moment(api.created_at)),
        ],
    )
