"""`doorward directory …`: LDAP directories of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import to_builtins

from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.run import finish
from doorward.settings.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.features.authn.directories.client import Directory

app = typer.Typer(no_args_is_help=True, help="LDAP and Active Directory: list and test them.")


@command(app, "list")
def list_(run: CommandRun) -> None:
    """List the directories of the settings. The list says how many wrong passwords each gets to see of one person."""

    # imported here: help must not wait for it
    from doorward.features.authn.directories.examine import allowed_tries

    found = list(_opened(run).values())
    run.table(
        [
            {
                "name": one.name,
                "label": one.policy.label,
                "urls": list(one.policy.urls),
                "base_dn": one.policy.base_dn,
                "domains": list(one.policy.domains),
                "wrong_passwords": allowed_tries(one),
            }
            for one in found
        ],
        ("name", "label", "servers", "base", "wrong passwords"),
        [
            (one.name, one.policy.label, ", ".join(one.policy.urls), one.policy.base_dn, allowed_tries(one))
            for one in found
        ],
        empty="There is no directory. Add a section [directories.NAME] to the settings.",
    )


@command(app, "test")
def try_(
    run: CommandRun,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of its section in the settings.")],
    login: Annotated[
        str | None,
        typer.Option(
            "--login", metavar="TEXT", help="Show who signs in by this name. No password is asked for."
        ),
    ] = None,
) -> None:
    """Connect, bind as the service account, and count the people. Nobody is signed in, and no person's password is sent."""

    from doorward.features.authn.directories.examine import examine_directory, examine_person

    found = _opened(run)
    if name not in found:
        raise CliError(
            f"There is no directory {name} in the settings.{did_you_mean(name, found)}",
            "See doorward directory list.",
        )
    directory = found[name]
    seen = finish(lambda: examine_directory(directory))
    if seen.problem is not None:
        raise CliError(
            f"{name}: {seen.problem}.", "Correct the section in the settings, or ask who runs the directory."
        )
    if login is None:
        run.card(
            {"name": name, "people": seen.people, "warnings": list(seen.warnings)},
            name,
            [("people", str(seen.people)), *(("warning", warning) for warning in seen.warnings)],
            said=f"{name} answers, and its people can sign in.",
        )
        return
    person = finish(lambda: examine_person(directory, login))
    if person is None:
        raise CliError(
            f"{name} finds nobody, or several, by that name.", "Check name_attributes and domains."
        )
    run.card(
        to_builtins(person),
        person.name or person.dn,
        [
            ("entry", person.dn),
            ("identity", person.uid),
            ("signs in as", ", ".join(person.names)),
            ("address", person.email or "none that counts"),
            ("state", "active" if person.active else "disabled or expired in the directory"),
            ("groups", ", ".join(person.groups)),
            ("roles", ", ".join(person.roles)),
        ],
        said=f"{name} knows this person.",
    )


def _opened(run: CommandRun) -> Mapping[str, Directory]:
    from doorward.ops.doctor.checks.directories import opened

    return opened(run.settings())
