"""`doorward place …`: what the server knows about an IP address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import to_builtins

from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError

if TYPE_CHECKING:
    from doorward.core.model.place import Place

app = typer.Typer(no_args_is_help=True, help="Places and networks of IP addresses: look one up.")


@command(app, "lookup")
def lookup(
    run: CommandRun, address: Annotated[str, typer.Argument(metavar="ADDRESS", help="An IP address.")]
) -> None:
    """Show where an IP address is, and whose network. It names the files of [places] that say so. No database is opened."""

    # imported here: help must not wait for it
    from ipaddress import ip_address

    from doorward.adapters import logs
    from doorward.features.places.explain import explained

    try:
        ip_address(address.partition("%")[0])
    except ValueError:
        raise CliError(f"{address} is no IP address.", "Write it as in 81.2.69.142 or 2a02:6b8::1.") from None
    # what is wrong with a file is part of the answer
    logs.configure("error", "console")
    known = explained(run.settings().sections, address)
    rows = [
        ("place", _shown(known.place)),
        ("network", known.network or "in no list"),
        *((kind, f"listed in {name}") for kind, name in known.lists),
        ("why", known.why),
        *(("problem", problem) for problem in known.problems),
    ]
    run.card(to_builtins(known), address, [row for row in rows if row[1]])


def _shown(place: Place | None) -> str:
    if place is None:
        return "not known"
    shown = ", ".join(name for name in (place.city, place.region, place.country) if name)
    if place.latitude is None or place.longitude is None:
        return shown
    radius = "" if place.radius is None else f", give or take {place.radius} km"
    return f"{shown} ({place.latitude:.2f}, {place.longitude:.2f}{radius})"
