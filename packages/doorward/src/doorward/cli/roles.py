"""`doorward role …`: roles."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from doorward.cli import documents, show
from doorward.cli.options import Config, Json, Yes
from doorward.cli.run import actor, confirm, with_services
from doorward.cli.trouble import Trouble
from doorward.core.amounts import moment
from doorward.core.model.config_snapshot import Role
from doorward.features.admin import build as admin
from doorward.features.services import Services

app = typer.Typer(no_args_is_help=True, help="Roles: named sets of permissions.")

RoleName = Annotated[str, typer.Argument(metavar="ROLE", help="Name or id of the role.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The role's name, as it stands in tokens.")],
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="API[:PERM,PERM…]", help="An API and the permissions there (none named: all)."),
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Everybody who signs up from now on gets it.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Create a role."""

    async def work(services: Services) -> Role:
        return await services.get(admin.roles).create(actor(), name, permissions=allow or (), default=default)

    role = with_services(config, work)

    def human(console: Console) -> None:
        show.done(console, f"Created the role {role.name}.")
        _card(console, role)

    show.result(documents.of_role(role), human, as_json=json)


@app.command("list")
def list_(config: Config = None, json: Json = False) -> None:
    """List roles."""

    async def work(services: Services) -> list[Role]:
        return list(await services.get(admin.roles).find(actor()))

    roles = with_services(config, work)

    def human(console: Console) -> None:
        rows = [
            (
                role.name,
                "; ".join(f"{api}: {', '.join(names)}" for api, names in role.permissions.items()),
                "default" if role.default else "",
            )
            for role in roles
        ]
        show.table(
            console,
            ("role", "permissions", ""),
            rows,
            empty="No role yet. Create one: doorward role create customer --allow https://api.example.com:orders:read",
        )

    show.result([documents.of_role(role) for role in roles], human, as_json=json)


@app.command("show")
def show_(role: RoleName, config: Config = None, json: Json = False) -> None:
    """Show one role."""

    async def work(services: Services) -> Role:
        return await services.get(admin.roles).get(actor(), role)

    found = with_services(config, work)
    show.result(documents.of_role(found), lambda console: _card(console, found), as_json=json)


@app.command("set")
def set_(
    role: RoleName,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="API[:PERM,PERM…]", help="An API that it reaches, or what it may there from now on."
        ),
    ] = None,
    no_allow: Annotated[
        list[str] | None, typer.Option(metavar="API", help="An API that it does not reach any more.")
    ] = None,
    default: Annotated[
        bool | None, typer.Option("--default/--no-default", help="Whether everybody who signs up gets it.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="A new name; who holds it goes on holding it.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Change a role. What is not named stays."""
    if allow is None and no_allow is None and default is None and name is None:
        raise Trouble("Nothing was named to change.", "See what can be: doorward role set --help")

    async def work(services: Services) -> Role:
        return await services.get(admin.roles).update(
            actor(), role, name=name, allow=allow or (), disallow=no_allow or (), default=default
        )

    changed = with_services(config, work)

    def human(console: Console) -> None:
        show.done(console, f"Changed {changed.name}; who holds it has it so with the next token.")
        _card(console, changed)

    show.result(documents.of_role(changed), human, as_json=json)


@app.command()
def delete(
    role: RoleName,
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Delete a role; nobody gets its permissions with their next token."""

    async def find(services: Services) -> Role:
        return await services.get(admin.roles).get(actor(), role)

    found = with_services(config, find)
    confirm(f"Delete the role {found.name}?", yes=yes, as_json=json)

    async def work(services: Services) -> Role:
        return await services.get(admin.roles).delete(actor(), found.name)

    gone = with_services(config, work)
    show.result(
        documents.of_role(gone), lambda console: show.done(console, f"{gone.name} is deleted."), as_json=json
    )


def _card(console: Console, role: Role) -> None:
    rows = [(api, ", ".join(names)) for api, names in role.permissions.items()]
    show.card(
        console,
        role.name,
        [
            ("id", role.id),
            *(rows or [("permissions", "none")]),
            ("given at sign-up", "yes" if role.default else "no"),
            ("created", moment(role.created_at)),
        ],
    )
