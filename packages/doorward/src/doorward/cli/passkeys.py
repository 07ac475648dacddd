"""`doorward passkeys …`: the passkeys of a person."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli.command import CommandRun, command
from doorward.core.amounts import moment
from doorward.core.model.passkey import Passkey
from doorward.features.admin.passkeys import passkeys
from doorward.features.authn.factors.passkeys.rules.provider import provider

app = typer.Typer(no_args_is_help=True, help="Passkeys: look which somebody has.")


@command(app, "list")
def list_(
    run: CommandRun,
    who: Annotated[str, typer.Argument(metavar="WHO", help="E-mail address or id.")],
) -> None:
    """List somebody's passkeys, oldest first. `doorward user reset-factors` removes them."""
    account, found = run.ask(lambda services: services.get(passkeys).find(actor(), who))
    run.table(
        [_document(passkey, added_at) for passkey, added_at in found],
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
        empty=f"{account.known_as} has no passkey.",
    )


def _document(passkey: Passkey, added_at: int) -> dict[str, Any]:
    """A passkey, without its credential id and its key."""
    return {
        "id": passkey.factor_id,
        "name": passkey.name,
        "aaguid": passkey.aaguid,
        "provider": provider(passkey.aaguid),
        "attestation": passkey.attestation,
        "backed_up": passkey.backed_up,
        "discoverable": passkey.discoverable,
        "made_silently": passkey.made_silently,
        "transports": list(passkey.transports),
        "added_at": added_at,
        "last_used_at": passkey.last_used_at,
        "suspect_at": passkey.suspect_at,
    }


def _state(passkey: Passkey) -> str:
    if passkey.suspect_at is not None:
        return f"copied, refused since {moment(passkey.suspect_at)}"
    return "" if passkey.attestation != "verified" else "attested"
