"""`doorward app set|add-redirect|rotate-secret`: changes of an app."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import structs

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import apps_options
from doorward.cli.apps import AppName, app, show_changed
from doorward.cli.apps_options import AccessChoice, AuthChoice, UserinfoChoice
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.core.model.client import (
    SECRET_METHODS,
    AppSecondFactor,
    Client,
    IdTokenClaims,
    Pkce,
    SigningAlgorithm,
)
from doorward.core.model.policy import LONGEST
from doorward.features.admin import build as admin
from doorward.features.admin.apps import NewSecret
from doorward.features.services import Services


@command(app, "rotate-secret", yes=True)
def rotate_secret(
    run: CommandRun,
    app: AppName,
    keep_old: Annotated[
        int,
        typer.Option(min=0, max=30 * 86_400, metavar="SECONDS", help="For how long the old one still works."),
    ] = 0,
) -> None:
    """Give an app a new secret, shown once, now."""
    found = run.ask(lambda services: services.get(admin.apps).get(actor(), app))
    if not keep_old:
        run.confirm(f"The old secret of {found.name} stops working at once. Go on?")
    made = run.ask(
        lambda services: services.get(admin.apps).rotate_secret(actor(), found.id, keep_old=keep_old)
    )
    show_changed(run, made.client, f"{made.client.name} has a new secret.", made.secret)


@command(app, "add-redirect")
def add_redirect(
    run: CommandRun,
    app: AppName,
    uri: Annotated[
        str, typer.Argument(metavar="URI", help="Where people may come back to; compared exactly.")
    ],
) -> None:
    """Let people come back to one more address."""
    client = run.ask(lambda services: services.get(admin.apps).add_redirect_uri(actor(), app, uri))
    show_changed(run, client, f"Changed {client.name}.")


@command(app, "set", yes=True)
def set_(
    run: CommandRun,
    app: AppName,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    redirect: Annotated[list[str] | None, typer.Option(metavar="URI", help="Replace all redirect URIs by these.")] = None,
    post_logout: Annotated[list[str] | None, typer.Option(metavar="URI", help="Replace all addresses for after sign-out.")] = None,
    backchannel_logout: Annotated[str | None, typer.Option(metavar="URI", help='Where log-outs are told; "" for nowhere.')] = None,
    api: Annotated[list[str] | None, typer.Option(metavar="API[:PERM,PERM…]", help="An API that it may call, with which permissions.")] = None,
    no_api: Annotated[list[str] | None, typer.Option(metavar="API", help="An API that it may not call any more.")] = None,
    first_party: Annotated[bool | None, typer.Option("--first-party/--third-party", help="Whether it is yours.")] = None,
    native: Annotated[bool | None, typer.Option("--native/--not-native", help="Whether it runs on people's devices: then the port of its http://localhost is free.")] = None,
    origin: Annotated[list[str] | None, typer.Option(metavar="ORIGIN", help="Replace all cookie origins by these.")] = None,
    auth_method: Annotated[AuthChoice | None, typer.Option(help="How it authenticates from now on; a new secret is shown once, now.")] = None,
    jwks: Annotated[Path | None, typer.Option(metavar="FILE", help="New public keys, for private_key_jwt.")] = None,
    id_token_signed_alg: Annotated[SigningAlgorithm | None, typer.Option(help="What its ID tokens and log-out tokens are signed with.")] = None,
    access_token_signed_alg: Annotated[AccessChoice | None, typer.Option(help="What its access tokens are signed with for APIs that have not chosen; api: no algorithm of its own.")] = None,
    signing_alg: Annotated[SigningAlgorithm | None, typer.Option(hidden=True)] = None,
    userinfo_signed_alg: Annotated[UserinfoChoice | None, typer.Option(help="Sign userinfo answers with this; none: plain JSON.")] = None,
    scope: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help='Replace the OpenID Connect scopes that it may ask for by these; "" for none.')] = None,
    grant_type: Annotated[list[str] | None, typer.Option(metavar="GRANT", help="Replace the ways in which it may get tokens.")] = None,
    response_mode: Annotated[list[str] | None, typer.Option(metavar="MODE", help="Replace the ways in which the answer may reach it.")] = None,
    id_token_claims: Annotated[IdTokenClaims | None, typer.Option(help="Whether ID tokens carry the claims of scopes (all) or only what the claims parameter names (asked).")] = None,
    second_factor: Annotated[AppSecondFactor | None, typer.Option(help="required: everybody who signs in to it needs one; default: as the settings, roles and operators say.")] = None,
    pkce: Annotated[Pkce | None, typer.Option(help="required; or_nonce: PKCE, or a nonce with openid; optional: neither, which is weaker.")] = None,
    no_pkce: Annotated[bool, typer.Option("--no-pkce", hidden=True)] = False,
    rotation: Annotated[bool | None, typer.Option("--rotation/--no-rotation", help="Whether its refresh tokens rotate.")] = None,
    access_ttl: Annotated[int | None, typer.Option(min=0, max=86_400, metavar="SECONDS", help="How long access tokens live; 0: as the server's.")] = None,
    refresh_ttl: Annotated[int | None, typer.Option(min=0, max=LONGEST, metavar="SECONDS", help="How long it stays signed in; 0: as the server's.")] = None,
    max_age: Annotated[int | None, typer.Option(min=-1, max=LONGEST, metavar="SECONDS", help="The oldest sign-in that it accepts; -1: any.")] = None,
) -> None:  # fmt: skip
    """Change an app. What is not named stays."""
    named: dict[str, Any] = {
        "name": name,
        "redirect_uris": redirect and apps_options.listed(redirect),
        "post_logout_redirect_uris": post_logout and apps_options.listed(post_logout),
        "origins": origin and apps_options.origins(origin),
        "first_party": first_party,
        "native": native,
        "jwks": jwks and apps_options.read_jwks(jwks),
        **apps_options.algorithms(id_token_signed_alg, both=signing_alg),
        "response_modes": response_mode and apps_options.response_modes(response_mode),
        "id_token_claims": id_token_claims,
        "oidc_scopes": scope and apps_options.listed(scope),
        "grant_types": grant_type and apps_options.listed(grant_type),
        "pkce": pkce or apps_options.without_pkce(given=no_pkce),
        "rotation": rotation,
        "second_factor": second_factor,
    }
    changes = {key: value for key, value in named.items() if value is not None}
    if auth_method is not None:
        changes |= apps_options.authentication(auth_method)
    # options that can also be unset, each with the value that unsets it
    for key, value, taken_away in (
        ("access_token_signed_alg", access_token_signed_alg, "api"),
        ("userinfo_signed_alg", userinfo_signed_alg, "none"),
        ("backchannel_logout_uri", backchannel_logout, ""),
        ("access_token_ttl", access_ttl, 0),
        ("refresh_token_ttl", refresh_ttl, 0),
        ("default_max_age", max_age, -1),
    ):
        if value is not None:
            changes[key] = None if value == taken_away else value
    if not changes and not api and not no_api:
        raise CliError("Nothing was named to change.", "See what can be: doorward app set --help")

    if auth_method is not None:
        found = run.ask(lambda services: services.get(admin.apps).get(actor(), app))
        _confirm_method(run, found, changes["auth_method"])

    async def work(services: Services) -> NewSecret:
        gone = {(await services.get(admin.apis).get(actor(), given)).identifier for given in no_api or ()}

        def change(client: Client) -> Client:
            access = {key: names for key, names in client.access.items() if key not in gone}
            return structs.replace(client, **changes, access=access)

        return await services.get(admin.apps).update(actor(), app, change, access=api or ())

    made = run.ask(work)
    show_changed(run, made.client, f"Changed {made.client.name}.", made.secret)


def _confirm_method(run: CommandRun, found: Client, method: str) -> None:
    """Ask before replacing a credential that a running app may be using."""
    secret = found.secretive and method not in SECRET_METHODS
    if secret or (found.jwks is not None and method != "private_key_jwt"):
        what = "secret" if secret else "keys"
        run.confirm(f"The {what} of {found.name} will not be taken any more, at once. Go on?")
