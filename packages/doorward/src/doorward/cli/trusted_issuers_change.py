"""`doorward issuer add` and `doorward issuer set`: the members of a trusted issuer."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import apps_options
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.trusted_issuers import IssuerName, app, of_issuer, rows
from doorward.core.model.trusted_issuer import TrustedIssuer
from doorward.features.admin import build as admin
from doorward.features.oauth.grants.jwt_bearer.rules.presets import PRESETS, PresetName
from doorward.features.oauth.grants.jwt_bearer.rules.registration import (
    ALGORITHMS,
    MAX_LIFETIME,
    TOKEN_TTL,
    TOLERANCE,
)

__all__ = ["app"]

JwksUri = Annotated[
    str | None, typer.Option(metavar="URL", help="Where its keys are; without it, its metadata say so.")
]
Jwks = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Its public keys (a JWK Set), which are then not fetched.")
]
Algorithm = Annotated[
    list[str] | None,
    typer.Option(metavar="ALG", help=f"A signature that it may use: {', '.join(ALGORITHMS)}."),
]
Audience = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="The aud of its assertions, instead of this server's issuer; an empty one: this server's issuer again.",
    ),
]
Tolerance = Annotated[
    int | None,
    typer.Option(
        min=TOLERANCE[0],
        max=TOLERANCE[1],
        metavar="SECONDS",
        help="How far its clock may be ahead of ours (10).",
    ),
]
MaxLifetime = Annotated[
    int | None,
    typer.Option(
        min=MAX_LIFETIME[0], max=MAX_LIFETIME[1], metavar="SECONDS", help="How long its assertions may live."
    ),
]
TokenTtl = Annotated[
    int | None,
    typer.Option(
        min=TOKEN_TTL[0],
        max=TOKEN_TTL[1],
        metavar="SECONDS",
        help="How long the access tokens live at most (300).",
    ),
]
SingleUse = Annotated[
    bool | None, typer.Option("--single-use/--many-uses", help="Whether an assertion is accepted once.")
]
Within = Annotated[
    bool | None,
    typer.Option(
        "--within-assertion/--beyond-assertion", help="Whether no access token outlives its assertion."
    ),
]
IdJag = Annotated[bool | None, typer.Option("--id-jag/--no-id-jag", help="Whether it may speak for people who are connected with it (ID-JAG).")]  # fmt: skip


@command(app)
def add(
    run: CommandRun,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for it.")],
    preset: Annotated[PresetName, typer.Option(help="What it is; sets the defaults, and what a rule must name.")] = "custom",
    issuer: Annotated[str | None, typer.Option("--issuer", metavar="URL", help="Its iss, exactly.")] = None,
    jwks_uri: JwksUri = None,
    jwks: Jwks = None,
    algorithm: Algorithm = None,
    audience: Audience = None,
    tolerance: Tolerance = None,
    max_lifetime: MaxLifetime = None,
    token_ttl: TokenTtl = None,
    single_use: SingleUse = None,
    within_assertion: Within = None,
    id_jag: IdJag = None,
) -> None:  # fmt: skip
    """Trust an issuer. Nothing is accepted of it until a rule allows a workload."""
    known = PRESETS[preset]
    url = issuer or known.issuer
    if not url:
        raise CliError(f"An issuer of the preset {preset} has its own address.", "Name it: --issuer URL")
    defaults: dict[str, Any] = {
        "algorithms": known.algorithms,
        "single_use": known.single_use,
        "max_lifetime": known.max_lifetime,
    }
    given = _given(
        issuer=None,
        jwks_uri=jwks_uri,
        jwks=jwks,
        algorithm=algorithm,
        audience=audience,
        tolerance=tolerance,
        max_lifetime=max_lifetime,
        token_ttl=token_ttl,
        single_use=single_use,
        within_assertion=within_assertion,
        id_jag=id_jag,
    )
    draft = TrustedIssuer(
        id="", name=name, issuer=url, grant_id="", created_at=0, preset=preset, **(defaults | given)
    )
    made = run.ask(lambda services: services.get(admin.issuers).create(actor(), draft))
    said = f"{made.name} is trusted. Next: doorward issuer allow {quote(made.name)} RULE --app APP --claim NAME=VALUE"
    run.card(of_issuer(made), made.name, rows(made), said=said)


@command(app, "set")
def set_(
    run: CommandRun,
    issuer: IssuerName,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    url: Annotated[str | None, typer.Option("--issuer", metavar="URL", help="Its iss, exactly.")] = None,
    jwks_uri: JwksUri = None,
    jwks: Jwks = None,
    discover: Annotated[bool, typer.Option("--discover", help="Find its keys by its metadata again.")] = False,
    algorithm: Algorithm = None,
    audience: Audience = None,
    tolerance: Tolerance = None,
    max_lifetime: MaxLifetime = None,
    token_ttl: TokenTtl = None,
    single_use: SingleUse = None,
    within_assertion: Within = None,
    id_jag: IdJag = None,
) -> None:  # fmt: skip
    """Change an issuer. What is not named stays; tokens that rest on what was changed end."""
    changes = _given(
        issuer=url,
        jwks_uri=jwks_uri,
        jwks=jwks,
        algorithm=algorithm,
        audience=audience,
        tolerance=tolerance,
        max_lifetime=max_lifetime,
        token_ttl=token_ttl,
        single_use=single_use,
        within_assertion=within_assertion,
        id_jag=id_jag,
    )
    if name is not None:
        changes["name"] = name
    if discover:
        changes |= {"jwks": None, "jwks_uri": None}
    elif jwks is not None or jwks_uri is not None:
        # one takes the place of the other
        changes = {"jwks": None, "jwks_uri": None} | changes
    if not changes:
        raise CliError("Nothing was named to change.", "See what can be: doorward issuer set --help")
    changed = run.ask(lambda services: services.get(admin.issuers).update(actor(), issuer, changes))
    run.card(of_issuer(changed), changed.name, rows(changed), said=f"Changed {changed.name}.")


def _given(**options: Any) -> dict[str, Any]:
    """The members that the options name; those that were not given are left out."""
    jwks, algorithm, audience = (options.pop(name) for name in ("jwks", "algorithm", "audience"))
    found = {name: value for name, value in options.items() if value is not None}
    if jwks is not None:
        found["jwks"] = apps_options.read_jwks(jwks)
    if algorithm is not None:
        found["algorithms"] = apps_options.listed(algorithm)
    if audience is not None:
        found["audiences"] = apps_options.listed(audience)
    return found
