"""`doorward passkeys …`: the passkeys of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import documents
from doorward.cli.command import CommandRun, command
from doorward.core.amounts import moment
from doorward.core.model.passkey import Passkey
from doorward.features.admin import build as admin

app = typer.Typer(no_args_is_help=True, help="Passkeys: look which somebody has.")


@command(app, "list")
def list_(
    run: CommandRun,
    who: Annotated[str, typer.Argument(metavar="WHO", help="E-mail address or id.")],
) -> None:
    """List somebody's passkeys, oldest first. `doorward user reset-factors` removes them."""
    account, found = run.ask(lambda services: services.get(admin.passkeys).find(actor(), who))
    run.table(
        [documents.of_passkey(passkey, added_at) for passkey, added_at in found],
        ("name", "where", "added", "last used", "state", "id"),
        [
            (
                passkey.name,
                "backed up" if passkey.backed_up else "one device",
                moment(added_at),
                "" if passkey.last_used_at is None else moment(passkey.last_used_at),
                _state(passkey),
                passkey.factor_id,
            )
            for passkey, added_at in found
        ],
        empty=f"{account.email} has no passkey.",
    )


def _state(passkey: Passkey) -> str:
    if passkey.suspect_at is not None:
        return f"copied, refused since {moment(passkey.suspect_at)}"
    return "" if passkey.attestation != "verified" else "attested"
