"""`doorward role …`: roles."""

from __future__ import annotations

from typing import Annotated

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import documents
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.show import Rows
from doorward.core.amounts import moment
from doorward.core.model.config_snapshot import Role
from doorward.features.admin import build as admin

app = typer.Typer(no_args_is_help=True, help="Roles: named sets of permissions.")

RoleName = Annotated[str, typer.Argument(metavar="ROLE", help="Name or id of the role.")]


@command(app)
def create(
    run: CommandRun,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The role's name, as it stands in tokens.")],
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="API[:PERM,PERM…]", help="An API and the permissions there (none named: all)."),
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Everybody who signs up from now on gets it.")
    ] = False,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Who holds it needs a second factor.")
    ] = False,
) -> None:
    """Create a role."""
    role = run.ask(
        lambda services: services.get(admin.roles).create(
            actor(), name, permissions=allow or (), default=default, second_factor=second_factor
        )
    )
    run.card(documents.of_role(role), role.name, _rows(role), said=f"Created the role {role.name}.")


@command(app, "list")
def list_(run: CommandRun) -> None:
    """List roles."""
    roles = run.ask(lambda services: services.get(admin.roles).find(actor()))
    run.table(
        [documents.of_role(role) for role in roles],
        ("role", "permissions", ""),
        [
            (
                role.name,
                "; ".join(f"{api}: {', '.join(names)}" for api, names in role.permissions.items()),
                "default" if role.default else "",
            )
            for role in roles
        ],
        empty="No role yet. Create one: doorward role create customer --allow https://api.example.com:orders:read",
    )


@command(app, "show")
def show_(run: CommandRun, role: RoleName) -> None:
    """Show one role."""
    found = run.ask(lambda services: services.get(admin.roles).get(actor(), role))
    run.card(documents.of_role(found), found.name, _rows(found))


@command(app, "set")
def set_(
    run: CommandRun,
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
    second_factor: Annotated[
        bool | None,
        typer.Option(
            "--second-factor/--no-second-factor", help="Whether who holds it needs a second factor."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="A new name; who holds it goes on holding it.")] = None,
) -> None:
    """Change a role. What is not named stays."""
    if all(given is None for given in (allow, no_allow, default, second_factor, name)):
        raise CliError("Nothing was named to change.", "See what can be: doorward role set --help")
    changed = run.ask(
        lambda services: services.get(admin.roles).update(
            actor(),
            role,
            name=name,
            allow=allow or (),
            disallow=no_allow or (),
            default=default,
            second_factor=second_factor,
        )
    )
    said = f"Changed {changed.name}; who holds it has it so with the next token."
    run.card(documents.of_role(changed), changed.name, _rows(changed), said=said)


@command(app, yes=True)
def delete(run: CommandRun, role: RoleName) -> None:
    """Delete a role; nobody gets its permissions with their next token."""
    found = run.ask(lambda services: services.get(admin.roles).get(actor(), role))
    run.confirm(f"Delete the role {found.name}?")
    gone = run.ask(lambda services: services.get(admin.roles).delete(actor(), found.name))
    run.done(documents.of_role(gone), f"{gone.name} is deleted.")


def _rows(role: Role) -> Rows:
    permissions = [(api, ", ".join(names)) for api, names in role.permissions.items()]
    return [
        ("id", role.id),
        *(permissions or [("permissions", "none")]),
        ("given at sign-up", "yes" if role.default else "no"),
        *([("second factor", "required")] if role.second_factor else []),
        ("created", moment(role.created_at)),
    ]
