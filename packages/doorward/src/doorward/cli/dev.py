"""`doorward dev` and `doorward demo`: a trial of everything on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli.error import CliError
from doorward.cli.run import with_services


def dev(
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="The server's port; the demo app and API take the next two.")
    ] = 8000,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget everything in .doorward-dev/ first.")
    ] = False,
) -> None:
    """Start a server with people, a demo app and a demo API."""
    _require_demo()
    # imported here: no other command needs it
    from doorward_demo.dev.run import run

    raise typer.Exit(
        run(port=port, browser=not no_browser, reset=reset, actor=actor(), seeding=with_services)
    )


def demo(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document a step.")] = False,
    issuer: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Only drive the `doorward dev` that runs here as this issuer; start none."
        ),
    ] = None,
) -> None:
    """Drive the whole flow, and check each step."""
    _require_demo()
    from doorward_demo.demo.drive.run import run

    raise typer.Exit(run(as_json=json, issuer=issuer))


def _require_demo() -> None:
    """Raises `CliError` where the demo package is not installed: a server does not need it."""
    if find_spec("doorward_demo") is None:
        raise CliError(
            "The demo is not installed with the server.", "Install it: python -m pip install 'doorward[demo]'"
        )
