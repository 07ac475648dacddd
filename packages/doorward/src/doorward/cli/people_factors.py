"""`doorward user factors|reset-factors|require-factor`: people's second factors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, get_args

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import documents, show
from doorward.cli.command import CommandRun, command
from doorward.cli.people import Who, app, factor_rows
from doorward.core.model.policy import BACKUP_KIND, FACTOR_NAMES, FactorKind
from doorward.features.admin import build as admin
from doorward.features.admin.factors import FactorAdmin, FactorsOf
from doorward.features.services import Services

KINDS: Final = (*get_args(FactorKind), BACKUP_KIND)


def _known(kinds: list[str] | None) -> list[str] | None:
    for kind in kinds or ():
        if kind not in KINDS:
            raise typer.BadParameter(f"{kind!r} is not one of {', '.join(KINDS)}.")
    return kinds


Reason = Annotated[
    str, typer.Option(metavar="TEXT", help="Why; it stands in the audit log, and the person does not see it.")
]
DAY = 86_400


@command(app)
def factors(run: CommandRun, who: Who) -> None:
    """Show somebody's second factors."""
    found = _ask(run, lambda desk: desk.find(actor(), who))
    document = {"id": found.account.id, "email": found.account.email, **documents.of_factors(found)}
    run.card(document, found.account.known_as, factor_rows(found))


@command(app, "reset-factors", yes=True)
def reset_factors(
    run: CommandRun,
    who: Who,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar=f"[{'|'.join(KINDS)}]",
            callback=_known,
            help="Only those of this kind; several times for several.",
        ),
    ] = None,
    factor_id: Annotated[
        str | None, typer.Option("--id", metavar="FACTOR", help="Only this one: doorward user factors WHO")
    ] = None,
    reason: Reason = "",
    forget_password: Annotated[
        bool,
        typer.Option(
            "--forget-password", help="Their password too: they choose a new one with “Forgot password?”."
        ),
    ] = False,
) -> None:
    """Take away the second factors of who lost their phone. Their sessions end."""
    account = _ask(run, lambda desk: desk.find(actor(), who)).account
    whoever = "reads the mail of" if forget_password else "knows the password of"
    run.confirm(
        f"Whoever {whoever} {account.known_as} can sign in afterwards. Are you sure that they asked for it?"
    )
    left = _ask(
        run,
        lambda desk: desk.reset(
            actor(),
            account.id,
            kinds=kind or (),
            factor_id=factor_id,
            reason=reason,
            forget_password=forget_password,
        ),
    )

    def human(console: show.Console) -> None:
        names = [FACTOR_NAMES.get(one.kind, one.kind) for one in left.held]
        has = f"still has {', '.join(names)}" if names else "has no second factor any more"
        show.done(console, f"{account.known_as} {has}; they are signed out everywhere.")
        if forget_password:
            show.note("They choose a new password with “Forgot password?”.")
        elif not left.held and left.account.password_hash is not None:
            show.note(
                "Their password may be as short as one beside a second factor: have them set up a new one."
            )
        if not left.held:
            show.note("Where one is required, the next sign-in asks for a new one at once.")

    run.result({**_with_names(run, left), **documents.of_factors(left)}, human)


@command(app, "forget-devices")
def forget_devices(
    run: CommandRun,
    who: Who,
    device_id: Annotated[
        str | None, typer.Option("--id", metavar="DEVICE", help="Only this one: doorward user factors WHO")
    ] = None,
    reason: Reason = "",
) -> None:
    """Ask for the second step again on remembered devices.

    Nobody is signed out.
    """
    left = _ask(run, lambda desk: desk.forget_devices(actor(), who, device_id=device_id, reason=reason))
    email = left.account.known_as
    said = (
        f"{email} is still not asked for the second step on {len(left.devices)} devices."
        if left.devices
        else f"{email} is asked for the second step on every device."
    )
    run.done({**_with_names(run, left), **documents.of_factors(left)}, said)


@command(app, "require-factor")
def require_factor(
    run: CommandRun,
    who: Who,
    grace: Annotated[
        int, typer.Option(min=0, max=90, metavar="DAYS", help="For how long they may put it off.")
    ] = 0,
    off: Annotated[bool, typer.Option("--off", help="Require it no longer, unless the settings do.")] = False,
    reason: Reason = "",
) -> None:
    """Require a second factor of somebody. Who has none sets one up at the next sign-in."""
    found = _ask(run, lambda desk: desk.require(actor(), who, on=not off, grace=grace * DAY, reason=reason))
    email = found.account.known_as
    if off:
        said = f"No second factor is required of {email} beyond what the settings say."
    elif found.held:
        said = f"{email} shows a second factor at every sign-in."
    else:
        said = f"{email} sets up a second factor at the next sign-in" + (
            f", or within {grace} days." if grace else "."
        )
    run.done({**_with_names(run, found), **documents.of_factors(found)}, said)


def _ask(run: CommandRun, work: Callable[[FactorAdmin], Awaitable[FactorsOf]]) -> FactorsOf:
    return run.ask(lambda services: work(services.get(admin.factors)))


def _with_names(run: CommandRun, found: FactorsOf) -> dict[str, object]:
    """The account with the names of its roles."""

    async def named(services: Services) -> dict[str, object]:
        return documents.of_account(await services.get(admin.people).with_role_names(actor(), found.account))

    return run.ask(named)
