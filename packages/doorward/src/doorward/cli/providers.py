"""`doorward provider …`: external providers of the settings."""

from __future__ import annotations

from typing import Annotated

import typer

from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.run import finish
from doorward.settings.problems import did_you_mean

app = typer.Typer(no_args_is_help=True, help="External providers: list and test them.")


@command(app, "list")
def list_(run: CommandRun) -> None:
    """List the providers of the settings. Each with the redirect URI to register at each."""

    # imported here: help must not wait for it
    from doorward.ops.doctor.checks.providers import opened

    providers = list(opened(run.settings()).values())
    run.table(
        [
            {
                "name": one.name,
                "label": one.policy.label,
                "service": one.service.name,
                "issuer": one.policy.issuer,
                "client_id": one.policy.client_id,
                "redirect_uri": one.redirect_uri,
            }
            for one in providers
        ],
        ("name", "label", "service", "issuer", "redirect URI"),
        [
            (one.name, one.policy.label, one.service.name, one.policy.issuer, one.redirect_uri)
            for one in providers
        ],
        empty="There is no provider. Add a section [providers.NAME] to the settings.",
    )


@command(app, "test")
def test(
    run: CommandRun,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of its section in the settings.")],
) -> None:
    """Try a provider. It is asked for its metadata and keys, or whether its endpoints answer; the report says what a sign-in would find. Nobody is signed in, and no secret is sent."""

    from doorward.adapters.clock import SystemClock
    from doorward.ops.doctor.checks.providers import opened

    providers = opened(run.settings())
    if name not in providers:
        raise CliError(
            f"There is no provider {name} in the settings.{did_you_mean(name, providers)}",
            "See doorward provider list.",
        )
    found = finish(lambda: providers[name].examine(SystemClock().now()))
    if found.problem is not None:
        raise CliError(
            f"{name}: {found.problem}.", "Correct the section in the settings, or ask the provider."
        )
    run.card(
        {
            "name": name,
            "service": providers[name].service.name,
            "issuer": found.issuer,
            "authorization_endpoint": found.authorization_endpoint,
            "keys": list(found.algorithms),
            "warnings": list(found.warnings),
        },
        name,
        [
            ("service", providers[name].service.name),
            ("issuer", found.issuer),
            ("authorization endpoint", found.authorization_endpoint),
            *((("keys", ", ".join(found.algorithms)),) if found.algorithms else ()),
            *(("warning", warning) for warning in found.warnings),
        ],
        said=f"{name} answers{', and its keys can be used' if found.algorithms else ''}.",
    )


@command(app, "end-access", yes=True)
def end_access(
    run: CommandRun,
    which: Annotated[
        str,
        typer.Argument(
            metavar="NAME|ISSUER",
            help="The name of its section, its issuer, or directory:NAME; also one that is no longer in the settings.",
        ),
    ],
) -> None:
    """End what people of a provider or directory have open. That is every session, grant and token of theirs. Whoever is still let in there signs in again."""

    from doorward.adapters.os_user import os_actor
    from doorward.features.admin import build as admin

    run.confirm(f"End every session and token of everybody who is connected with {which}?")
    done = run.ask(lambda services: services.get(admin.connections).end_access(os_actor(), which))
    run.card(
        {"issuers": list(done.issuers), "people": done.people},
        which,
        [("issuers", ", ".join(done.issuers))],
        said=f"What {done.people} {'person' if done.people == 1 else 'people'} had open has ended.",
    )
