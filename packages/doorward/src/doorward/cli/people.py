"""`doorward user …`: people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from doorward.cli import documents, show
from doorward.cli.options import Config, Json, Yes
from doorward.cli.run import actor, confirm, read_password, with_services
from doorward.cli.trouble import Trouble
from doorward.core.amounts import moment
from doorward.core.model.account import Account, Factor
from doorward.features.admin import build as admin
from doorward.features.services import Services

app = typer.Typer(no_args_is_help=True, help="People: create, disable, delete, passwords, roles.")

Who = Annotated[str, typer.Argument(metavar="WHO", help="E-mail address or id.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@app.command()
def create(
    email: Annotated[
        str, typer.Argument(metavar="EMAIL", help="Their e-mail address; it counts as verified.")
    ],
    name: Annotated[str | None, typer.Option(help="What they are called.")] = None,
    locale: Annotated[
        str | None, typer.Option(help="The language of their pages and mail, as in de.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(metavar="ROLE", help="A role; several times for several.")
    ] = None,
    password_stdin: PasswordStdin = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They choose one with “Forgot password?”.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Create a person. Asks for a password on a terminal."""
    if password_stdin and no_password:
        raise Trouble("--password-stdin and --no-password contradict each other.", "Keep one of them.")
    password = None if no_password else read_password(from_stdin=password_stdin)

    async def work(services: Services) -> Account:
        made = await services.get(admin.people).create(
            actor(), email, name=name, locale=locale, password=password, roles=role
        )
        return await services.get(admin.people).with_role_names(actor(), made)

    account = with_services(config, work)

    def human(console: Console) -> None:
        show.done(console, f"Created {account.email}.")
        _card(console, account)
        if password is None:
            show.done(console, "Without a password: they choose one with “Forgot password?”.")

    show.result(documents.of_account(account), human, as_json=json)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    everybody: Annotated[bool, typer.Option("--all", help="All of them, however many there are.")] = False,
    after: Annotated[
        str | None, typer.Option(metavar="ID", help="Begin after this id (the next page).")
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """List people, oldest first."""

    async def work(services: Services) -> tuple[list[Account], int]:
        found = list(await services.get(admin.people).find(actor(), after=after, limit=limit))
        while everybody and (
            page := await services.get(admin.people).find(
                actor(), after=found[-1].id if found else after, limit=10_000
            )
        ):
            found += page
        more = await services.get(admin.people).count(actor(), after=found[-1].id) if found else 0
        return [await services.get(admin.people).with_role_names(actor(), account) for account in found], more

    accounts, more = with_services(config, work)

    def human(console: Console) -> None:
        rows = [
            (a.email, a.name or "", ", ".join(a.role_names), "disabled" if a.disabled_at else "", a.id)
            for a in accounts
        ]
        show.table(
            console,
            ("e-mail", "name", "roles", "state", "id"),
            rows,
            empty="Nobody yet. Create somebody: doorward user create ada@example.com",
        )

    show.result([documents.of_account(account) for account in accounts], human, as_json=json)
    if more:
        show.note(f"{more} more: --after {accounts[-1].id}, --limit N, or --all")


@app.command("show")
def show_(who: Who, config: Config = None, json: Json = False) -> None:
    """Show one person."""

    async def work(services: Services) -> tuple[Account, Sequence[Factor]]:
        account, held = await services.get(admin.factors).find(actor(), who)
        return await services.get(admin.people).with_role_names(actor(), account), held

    account, factors = with_services(config, work)
    document = {**documents.of_account(account), "factors": documents.of_factors(factors)}
    show.result(document, lambda console: _card(console, account, factors), as_json=json)


@app.command()
def disable(who: Who, config: Config = None, json: Json = False) -> None:
    """Keep somebody out. Sign-in is refused, every session and token ends now."""
    changed(
        config,
        json,
        lambda services: services.get(admin.people).disable(actor(), who),
        "{} is disabled; what they had open has ended.",
    )


@app.command()
def enable(who: Who, config: Config = None, json: Json = False) -> None:
    """Let somebody in again."""
    changed(
        config,
        json,
        lambda services: services.get(admin.people).enable(actor(), who),
        "{} may sign in again.",
    )


@app.command()
def delete(
    context: typer.Context, who: Who, yes: Yes = False, config: Config = None, json: Json = False
) -> None:
    """Delete a person and all that is theirs. The audit record stays."""

    async def find(services: Services) -> Account:
        return await services.get(admin.people).get(actor(), who)

    account = with_services(config, find)
    confirm(f"Delete {account.email} for good?", yes=yes, as_json=json)
    changed(
        config,
        json,
        lambda services: services.get(admin.people).delete(actor(), account.id),
        "{} is deleted.",
    )


@app.command("set-password")
def set_password(
    who: Who,
    password_stdin: PasswordStdin = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Set a new password; all their sessions end."""

    async def find(services: Services) -> Account:
        return await services.get(admin.people).get(actor(), who)

    account = with_services(config, find)
    password = read_password(from_stdin=password_stdin)
    if password is None:
        raise Trouble("There is no terminal to ask for the password.", "Pipe it in with --password-stdin.")
    changed(
        config,
        json,
        lambda services: services.get(admin.people).set_password(actor(), account.id, password),
        "{} has a new password; their sessions have ended.",
    )


RoleName = Annotated[str, typer.Argument(metavar="ROLE", help="Name or id of the role.")]


@app.command("grant-role")
def grant_role(
    context: typer.Context, who: Who, role: RoleName, config: Config = None, json: Json = False
) -> None:
    """Give somebody a role. Their apps see it with the next token."""
    changed(
        config,
        json,
        lambda services: services.get(admin.people).grant_role(actor(), who, role),
        f"{{}} has the role {role}.",
    )


@app.command("revoke-role")
def revoke_role(
    context: typer.Context, who: Who, role: RoleName, config: Config = None, json: Json = False
) -> None:
    """Take a role away; the next token is without it."""
    changed(
        config,
        json,
        lambda services: services.get(admin.people).revoke_role(actor(), who, role),
        f"{{}} lost the role {role}.",
    )


def changed(
    config: Path | None,
    as_json: bool,
    work: Callable[[Services], Awaitable[Account]],
    said: str,
) -> None:
    """Do `work` on one person and say so; `{}` in `said` is their address."""

    async def named(services: Services) -> Account:
        return await services.get(admin.people).with_role_names(actor(), await work(services))

    account = with_services(config, named)
    show.result(
        documents.of_account(account),
        lambda console: show.done(console, said.replace("{}", account.email)),
        as_json=as_json,
    )


def factors_said(factors: Sequence[Factor]) -> list[tuple[str, str]]:
    """Second factors as lines of a card."""
    said = documents.of_factors(factors)
    app, codes = said["authenticator"], said["recovery_codes"]
    used = "" if app is None or app["last_used_at"] is None else f", used {moment(app['last_used_at'])}"
    return [
        ("authenticator app", "none" if app is None else f"set up {moment(app['added_at'])}{used}"),
        (
            "recovery codes",
            "none"
            if codes["made_at"] is None
            else f"{codes['left']} left of {codes['left'] + codes['used']}, made {moment(codes['made_at'])}",
        ),
    ]


def _card(console: Console, account: Account, factors: Sequence[Factor] = ()) -> None:
    show.card(
        console,
        account.email,
        [
            ("id", account.id),
            ("name", account.name or ""),
            *((label, value) for label, value in _more(account) if value),
            ("roles", ", ".join(account.role_names)),
            (
                "password",
                f"set {moment(account.password_changed_at)}" if account.password_hash else "none",
            ),
            *factors_said(factors),
            ("created", moment(account.created_at)),
            ("state", f"disabled {moment(account.disabled_at)}" if account.disabled_at else "active"),
        ],
    )


def _more(account: Account) -> list[tuple[str, str | None]]:
    return [
        ("given name", account.given_name),
        ("family name", account.family_name),
        ("time zone", account.zoneinfo),
    ]
