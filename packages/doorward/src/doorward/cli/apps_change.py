"""`doorward app set|add-redirect|rotate-secret`: changes of an app."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import structs
from rich.console import Console

from doorward.cli import apps_options, documents, show
from doorward.cli.apps import AppName, app, card, show_secret
from doorward.cli.apps_options import AccessChoice, AuthChoice, UserinfoChoice
from doorward.cli.apps_read import read_jwks
from doorward.cli.options import Config, Json, Yes
from doorward.cli.run import actor, confirm, with_services
from doorward.cli.trouble import Trouble
from doorward.core.model.client import SECRET_METHODS, Client, IdTokenClaims, Pkce, SigningAlgorithm
from doorward.core.model.policy import LONGEST
from doorward.features.admin import build as admin
from doorward.features.admin.apps import NewSecret
from doorward.features.services import Services


@app.command("rotate-secret")
def rotate_secret(
    app: AppName,
    keep_old: Annotated[
        int,
        typer.Option(min=0, max=30 * 86_400, metavar="SECONDS", help="For how long the old one still works."),
    ] = 0,
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Give an app a new secret, shown once, now."""

    async def find(services: Services) -> Client:
        return await services.get(admin.apps).get(actor(), app)

    found = with_services(config, find)
    if not keep_old:
        confirm(f"The old secret of {found.name} stops working at once. Go on?", yes=yes, as_json=json)

    async def work(services: Services) -> NewSecret:
        return await services.get(admin.apps).rotate_secret(actor(), found.id, keep_old=keep_old)

    made = with_services(config, work)
    show_secret(made, f"{made.client.name} has a new secret.", as_json=json)


@app.command("add-redirect")
def add_redirect(
    app: AppName,
    uri: Annotated[
        str, typer.Argument(metavar="URI", help="Where people may come back to; compared exactly.")
    ],
    config: Config = None,
    json: Json = False,
) -> None:
    """Let people come back to one more address."""

    async def work(services: Services) -> Client:
        return await services.get(admin.apps).add_redirect_uri(actor(), app, uri)

    _shown(with_services(config, work), as_json=json)


@app.command("set")
def set_(
    app: AppName,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    redirect: Annotated[list[str] | None, typer.Option(metavar="URI", help="Replace all redirect URIs by these.")] = None,
    post_logout: Annotated[list[str] | None, typer.Option(metavar="URI", help="Replace all addresses for after sign-out.")] = None,
    backchannel_logout: Annotated[str | None, typer.Option(metavar="URI", help='Where log-outs are told; "" for nowhere.')] = None,
    api: Annotated[list[str] | None, typer.Option(metavar="API[:PERM,PERM…]", help="An API that it may call, with which permissions.")] = None,
    no_api: Annotated[list[str] | None, typer.Option(metavar="API", help="An API that it may not call any more.")] = None,
    first_party: Annotated[bool | None, typer.Option("--first-party/--third-party", help="Whether it is yours.")] = None,
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
    pkce: Annotated[Pkce | None, typer.Option(help="required; or_nonce: PKCE, or a nonce with openid; optional: neither, which is weaker.")] = None,
    no_pkce: Annotated[bool, typer.Option("--no-pkce", hidden=True)] = False,
    rotation: Annotated[bool | None, typer.Option("--rotation/--no-rotation", help="Whether its refresh tokens rotate.")] = None,
    access_ttl: Annotated[int | None, typer.Option(min=0, max=86_400, metavar="SECONDS", help="How long access tokens live; 0: as the server's.")] = None,
    refresh_ttl: Annotated[int | None, typer.Option(min=0, max=LONGEST, metavar="SECONDS", help="How long it stays signed in; 0: as the server's.")] = None,
    max_age: Annotated[int | None, typer.Option(min=-1, max=LONGEST, metavar="SECONDS", help="The oldest sign-in that it accepts; -1: any.")] = None,
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Change an app. What is not named stays."""
    changes: dict[str, Any] = {
        "name": name,
        "redirect_uris": None if redirect is None else apps_options.listed(redirect),
        "post_logout_redirect_uris": None if post_logout is None else apps_options.listed(post_logout),
        "origins": None if origin is None else apps_options.origins(origin),
        "first_party": first_party,
        "jwks": None if jwks is None else read_jwks(jwks),
        **apps_options.algorithms(id_token_signed_alg, both=signing_alg),
        "response_modes": None if response_mode is None else apps_options.response_modes(response_mode),
        "id_token_claims": id_token_claims,
        "oidc_scopes": None if scope is None else apps_options.listed(scope),
        "grant_types": None if grant_type is None else apps_options.listed(grant_type),
        "pkce": pkce or apps_options.without_pkce(given=no_pkce),
        "rotation": rotation,
    }
    changes = {key: value for key, value in changes.items() if value is not None}
    if auth_method is not None:
        changes |= apps_options.authentication(auth_method)
    # these can be taken away again
    if access_token_signed_alg is not None:
        changes["access_token_signed_alg"] = (
            None if access_token_signed_alg == "api" else access_token_signed_alg
        )
    if userinfo_signed_alg is not None:
        changes["userinfo_signed_alg"] = None if userinfo_signed_alg == "none" else userinfo_signed_alg
    if backchannel_logout is not None:
        changes["backchannel_logout_uri"] = backchannel_logout or None
    if access_ttl is not None:
        changes["access_token_ttl"] = access_ttl or None
    if refresh_ttl is not None:
        changes["refresh_token_ttl"] = refresh_ttl or None
    if max_age is not None:
        changes["default_max_age"] = None if max_age < 0 else max_age
    if not changes and not api and not no_api:
        raise Trouble("Nothing was named to change.", "See what can be: doorward app set --help")

    if auth_method is not None:
        _confirm_method(config, app, changes["auth_method"], yes=yes, as_json=json)

    async def work(services: Services) -> NewSecret:
        gone = {(await services.get(admin.apis).get(actor(), given)).identifier for given in no_api or ()}

        def change(client: Client) -> Client:
            access = {key: names for key, names in client.access.items() if key not in gone}
            return structs.replace(client, **changes, access=access)

        return await services.get(admin.apps).update(actor(), app, change, access=api or ())

    made = with_services(config, work)
    show_secret(made, f"Changed {made.client.name}.", as_json=json)


def _confirm_method(
    config: Path | None,
    app: str,
    method: str,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Ask before a credential goes that a running app may be using."""

    async def find(services: Services) -> Client:
        return await services.get(admin.apps).get(actor(), app)

    found = with_services(config, find)
    secret = found.secretive and method not in SECRET_METHODS
    keys = found.jwks is not None and method != "private_key_jwt"
    if secret or keys:
        what = "secret" if secret else "keys"
        confirm(
            f"The {what} of {found.name} will not be taken any more, at once. Go on?",
            yes=yes,
            as_json=as_json,
        )


def _shown(client: Client, *, as_json: bool) -> None:
    def human(console: Console) -> None:
        show.done(console, f"Changed {client.name}.")
        card(console, client)

    show.result(documents.of_client(client), human, as_json=as_json)
