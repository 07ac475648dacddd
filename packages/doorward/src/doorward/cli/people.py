"""`doorward user …`: people, their passwords and roles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import documents, show
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.run import read_password
from doorward.cli.show import Rows
from doorward.core.amounts import moment
from doorward.core.model.account import Account
from doorward.core.model.policy import FACTOR_NAMES
from doorward.features.admin import build as admin
from doorward.features.admin.factors import AdminDevice, FactorsOf
from doorward.features.admin.people import PeopleAdmin
from doorward.features.authn.flow.held import HeldFactor
from doorward.features.services import Services

app = typer.Typer(no_args_is_help=True, help="People: create, disable, delete, passwords, roles.")

Who = Annotated[str, typer.Argument(metavar="WHO", help="E-mail address or id.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
RoleName = Annotated[str, typer.Argument(metavar="ROLE", help="Name or id of the role.")]


@command(app)
def create(
    run: CommandRun,
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
) -> None:
    """Create a person. Asks for a password on a terminal."""
    if password_stdin and no_password:
        raise CliError("--password-stdin and --no-password contradict each other.", "Keep one of them.")
    password = None if no_password else read_password(from_stdin=password_stdin)
    account = _change(
        run,
        lambda people: people.create(actor(), email, name=name, locale=locale, password=password, roles=role),
    )

    def human(console: show.Console) -> None:
        show.done(console, f"Created {account.known_as}.")
        show.card(console, account.known_as, _rows(account))
        if password is None:
            show.done(console, "Without a password: they choose one with “Forgot password?”.")

    run.result(documents.of_account(account), human)


@command(app, "list")
def list_(
    run: CommandRun,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    everybody: Annotated[bool, typer.Option("--all", help="All of them, however many there are.")] = False,
    after: Annotated[
        str | None, typer.Option(metavar="ID", help="Begin after this id (the next page).")
    ] = None,
) -> None:
    """List people, oldest first."""

    async def work(services: Services) -> tuple[list[Account], int]:
        people = services.get(admin.people)
        found = list(await people.find(actor(), after=after, limit=limit))
        while everybody and (
            page := await people.find(actor(), after=found[-1].id if found else after, limit=10_000)
        ):
            found += page
        more = await people.count(actor(), after=found[-1].id) if found else 0
        return [await people.with_role_names(actor(), account) for account in found], more

    accounts, more = run.ask(work)
    run.table(
        [documents.of_account(account) for account in accounts],
        ("e-mail", "name", "roles", "state", "id"),
        [
            (a.email or "", a.name or "", ", ".join(a.role_names), "disabled" if a.disabled_at else "", a.id)
            for a in accounts
        ],
        empty="Nobody yet. Create somebody: doorward user create ada@example.com",
    )
    if more:
        show.note(f"{more} more: --after {accounts[-1].id}, --limit N, or --all")


@command(app, "show")
def show_(run: CommandRun, who: Who) -> None:
    """Show one person."""

    async def work(services: Services) -> tuple[Account, FactorsOf]:
        found = await services.get(admin.factors).find(actor(), who)
        return await services.get(admin.people).with_role_names(actor(), found.account), found

    account, found = run.ask(work)
    document = {**documents.of_account(account), "factors": documents.of_factors(found)}
    run.card(document, account.known_as, _rows(account, found))


@command(app)
def disable(run: CommandRun, who: Who) -> None:
    """Keep somebody out. Sign-in is refused, every session and token ends now."""
    _done(run, lambda people: people.disable(actor(), who), "is disabled; what they had open has ended.")


@command(app)
def enable(run: CommandRun, who: Who) -> None:
    """Let somebody in again."""
    _done(run, lambda people: people.enable(actor(), who), "may sign in again.")


@command(app, yes=True)
def delete(run: CommandRun, who: Who) -> None:
    """Delete a person and all that is theirs. The audit log stays."""
    found = run.ask(lambda services: services.get(admin.people).get(actor(), who))
    run.confirm(f"Delete {found.known_as} for good?")
    _done(run, lambda people: people.delete(actor(), found.id), "is deleted.")


@command(app, "set-password")
def set_password(run: CommandRun, who: Who, password_stdin: PasswordStdin = False) -> None:
    """Set a new password; all their sessions end."""
    found = run.ask(lambda services: services.get(admin.people).get(actor(), who))
    password = read_password(from_stdin=password_stdin)
    if password is None:
        raise CliError("There is no terminal to ask for the password.", "Pipe it in with --password-stdin.")
    _done(
        run,
        lambda people: people.set_password(actor(), found.id, password),
        "has a new password; their sessions have ended.",
    )


@command(app, "grant-role")
def grant_role(run: CommandRun, who: Who, role: RoleName) -> None:
    """Give somebody a role. Their apps see it with the next token."""
    _done(run, lambda people: people.grant_role(actor(), who, role), f"has the role {role}.")


@command(app, "revoke-role")
def revoke_role(run: CommandRun, who: Who, role: RoleName) -> None:
    """Take a role away; the next token is without it."""
    _done(run, lambda people: people.revoke_role(actor(), who, role), f"lost the role {role}.")


@command(app, "set")
def set_(
    run: CommandRun,
    who: Who,
    name: Annotated[str | None, typer.Option(help="What they are called; empty: nothing is known.")] = None,
    given_name: Annotated[str | None, typer.Option(help="Their given names; empty for none.")] = None,
    family_name: Annotated[str | None, typer.Option(help="Their family names; empty for none.")] = None,
    zoneinfo: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Their time zone, as in Europe/Berlin; empty for none.")
    ] = None,
) -> None:
    """Say what apps are told of somebody. What is not named stays."""
    said = {"name": name, "given_name": given_name, "family_name": family_name, "zoneinfo": zoneinfo}
    changes = {key: value for key, value in said.items() if value is not None}
    if not changes:
        raise CliError("Nothing was named to change.", "See what can be: doorward user set --help")
    account = _change(run, lambda people: people.update(actor(), who, changes))
    run.done(documents.of_account(account), f"Apps are told something new of {account.known_as}.")


def _change(run: CommandRun, work: Callable[[PeopleAdmin], Awaitable[Account]]) -> Account:
    """Run `work` on a person, and return the result with the names of the roles."""

    async def named(services: Services) -> Account:
        people = services.get(admin.people)
        return await people.with_role_names(actor(), await work(people))

    return run.ask(named)


def _done(run: CommandRun, work: Callable[[PeopleAdmin], Awaitable[Account]], said: str) -> None:
    """Run `work` on a person, and show what it did: `said` follows their address."""
    account = _change(run, work)
    run.done(documents.of_account(account), f"{account.known_as} {said}")


def factor_rows(found: FactorsOf) -> Rows:
    """Second factors as lines of a card, each with its id, which `reset-factors` takes."""
    required = documents.of_factors(found)["required"]
    rows = [(FACTOR_NAMES.get(one.kind, one.kind), _factor(one)) for one in found.held]
    rows += [line for one in found.summaries for line in one.lines]
    if not rows:
        rows.append(("second factors", "none"))
    rows += [("no second step", _device(one)) for one in found.devices]
    if required is not None:
        until = required["grace_until"]
        grace = "" if until is None else f", may be put off until {moment(until)}"
        rows.append(("required", f"since {moment(required['since'])}{grace}"))
    return rows


def _factor(one: HeldFactor) -> str:
    said = [one.name or "", one.to or "", f"set up {moment(one.added_at)}"]
    if one.last_used_at is not None:
        said.append(f"used {moment(one.last_used_at)}")
    if one.suspect_at is not None:
        said.append(f"copied, refused since {moment(one.suspect_at)}")
    return ", ".join([*filter(None, said), one.id])


def _device(one: AdminDevice) -> str:
    on = one.browser or one.address
    return ", ".join([*filter(None, (one.name or "", on)), f"until {moment(one.expires_at)}", one.id])


def _rows(account: Account, found: FactorsOf | None = None) -> Rows:
    more = {
        "given name": account.given_name,
        "family name": account.family_name,
        "time zone": account.zoneinfo,
    }
    return [
        ("id", account.id),
        ("name", account.name or ""),
        *((label, value) for label, value in more.items() if value),
        ("roles", ", ".join(account.role_names)),
        ("password", f"set {moment(account.password_changed_at)}" if account.password_hash else "none"),
        *(() if found is None else factor_rows(found)),
        ("created", moment(account.created_at)),
        ("state", f"disabled {moment(account.disabled_at)}" if account.disabled_at else "active"),
    ]
