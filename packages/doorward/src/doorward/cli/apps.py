"""`doorward app …`: commands that create, show and delete apps. `apps_change.py` has those that change one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import apps_options, apps_self_registered, documents, show
from doorward.cli.apps_options import AuthChoice
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.show import Rows
from doorward.core.amounts import moment
from doorward.core.model.client import Client, IdTokenClaims, Pkce, SigningAlgorithm, self_registered
from doorward.core.model.message import Undelivered
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.admin.self_registered import SelfRegistered
from doorward.features.oauth.clients.rules import kinds
from doorward.features.oauth.clients.rules.kinds import AppKind
from doorward.features.oauth.clients.rules.registration import ACCESS_TTL, MAX_AGE, REFRESH_TTL
from doorward.features.services import Services

app = typer.Typer(no_args_is_help=True, help="Apps: register, change, secrets, delete.")

_NOT_THEIRS = frozenset({"client_id", "APIs", "cookie origins", "first-party", "created"})
AppName = Annotated[str, typer.Argument(metavar="APP", help="Name or id of the app.")]


@command(app)
def create(
    run: CommandRun,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people see on the sign-in and consent page.")],
    kind: Annotated[AppKind, typer.Option(help="web: has a server. spa: runs in the browser. native: on a person's device. device: no browser there, such as a command line. service: acts for itself.")] = "web",
    redirect: Annotated[list[str] | None, typer.Option(metavar="URI", help="Where people come back to; exact; several times for several.")] = None,
    post_logout: Annotated[list[str] | None, typer.Option(metavar="URI", help="Where they may go after signing out.")] = None,
    backchannel_logout: Annotated[str | None, typer.Option(metavar="URI", help="Where this server tells the app that a session has ended.")] = None,
    api: Annotated[list[str] | None, typer.Option(metavar="API[:PERM,PERM…]", help="An API that it may call, with which permissions (none named: all).")] = None,
    first_party: Annotated[bool, typer.Option("--first-party", help="Yours: no consent page; JSON sign-in and cookies allowed.")] = False,
    origin: Annotated[list[str] | None, typer.Option(metavar="ORIGIN", help="A web origin that may use cookie delivery.")] = None,
    public: Annotated[bool, typer.Option("--public", help="It can keep no secret.")] = False,
    auth_method: Annotated[AuthChoice | None, typer.Option(help="How it authenticates: client_secret is by Basic or in the body.")] = None,
    jwks: Annotated[Path | None, typer.Option(metavar="FILE", help="Its public keys (a JWK Set), for private_key_jwt.")] = None,
    id_token_signed_alg: Annotated[SigningAlgorithm | None, typer.Option(help="What its ID tokens and log-out tokens are signed with (RS256, unless named).")] = None,
    signing_alg: Annotated[SigningAlgorithm | None, typer.Option(hidden=True)] = None,
    userinfo_signed_alg: Annotated[SigningAlgorithm | None, typer.Option(help="Sign userinfo answers with this.")] = None,
    scope: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help="An OpenID Connect scope that it may ask for (all, unless named).")] = None,
    grant_type: Annotated[list[str] | None, typer.Option(metavar="GRANT", help="How it may get tokens, instead of the kind's ways.")] = None,
    response_mode: Annotated[list[str] | None, typer.Option(metavar="MODE", help="query or form_post: how the answer may reach it (both, unless named).")] = None,
    id_token_claims: Annotated[IdTokenClaims, typer.Option(help="all: ID tokens carry the claims of scopes. asked: only what the claims parameter names.")] = "all",
    pkce: Annotated[Pkce | None, typer.Option(help="required; or_nonce: PKCE, or a nonce with openid (web apps, unless named); optional: neither, which is weaker.")] = None,
    no_pkce: Annotated[bool, typer.Option("--no-pkce", hidden=True)] = False,
    no_rotation: Annotated[bool, typer.Option("--no-rotation", help="Its refresh token stays the same (private_key_jwt only).")] = False,
    access_ttl: Annotated[int | None, typer.Option(min=ACCESS_TTL[0], max=ACCESS_TTL[1], metavar="SECONDS", help="How long its access tokens live.")] = None,
    refresh_ttl: Annotated[int | None, typer.Option(min=REFRESH_TTL[0], max=REFRESH_TTL[1], metavar="SECONDS", help="How long it stays signed in at most.")] = None,
    max_age: Annotated[int | None, typer.Option(min=MAX_AGE[0], max=MAX_AGE[1], metavar="SECONDS", help="The oldest sign-in that it accepts.")] = None,
) -> None:  # fmt: skip
    """Register an app. Its secret is shown once, now."""
    if public and auth_method not in {None, "none"}:
        raise CliError("--public and --auth-method contradict each other.", "Keep one of them.")
    method = kinds.auth_method(kind, public=public, has_keys=jwks is not None)
    authentication: dict[str, Any] = (
        apps_options.authentication(auth_method) if auth_method else {"auth_method": method}
    )
    draft = Client(
        id="",
        name=name,
        **authentication,
        created_at=0,
        jwks=apps_options.read_jwks(jwks) if jwks else None,
        redirect_uris=tuple(dict.fromkeys(redirect or ())),
        post_logout_redirect_uris=tuple(dict.fromkeys(post_logout or ())),
        backchannel_logout_uri=backchannel_logout,
        origins=apps_options.origins(origin or ()),
        grant_types=kinds.KINDS[kind].grant_types if grant_type is None else apps_options.listed(grant_type),
        response_modes=apps_options.response_modes(response_mode or ("query", "form_post")),
        oidc_scopes=kinds.oidc_scopes(kind) if scope is None else apps_options.listed(scope),
        first_party=first_party,
        pkce=pkce
        or apps_options.without_pkce(given=no_pkce)
        or kinds.pkce(kind, authentication["auth_method"]),
        rotation=not no_rotation,
        access_token_ttl=access_ttl,
        refresh_token_ttl=refresh_ttl,
        default_max_age=max_age,
        **apps_options.algorithms(id_token_signed_alg or signing_alg or "RS256", both=signing_alg),
        userinfo_signed_alg=userinfo_signed_alg,
        id_token_claims=id_token_claims,
    )

    made = run.ask(
        lambda services: services.get(admin.apps).create(actor(), draft, kind=kind, access=api or ())
    )
    show_changed(run, made.client, f"Registered {made.client.name}.", made.secret)
    if kind == "service" and not api and not run.json:
        show.note(f"It may call no API yet: doorward app set {quote(name)} --api API")


@command(app, "list")
def list_(run: CommandRun) -> None:
    """List apps, also those that came by themselves."""

    async def work(services: Services) -> tuple[Sequence[Client], Sequence[SelfRegistered]]:
        own = await services.get(admin.apps).find(actor())
        return own, await services.get(admin.self_registered).find(actor())

    clients, others = run.ask(work)
    run.table(
        [
            *(documents.of_client(client) for client in clients),
            *(apps_self_registered.document_of(one) for one in others),
        ],
        ("name", "authenticates with", "", "client_id"),
        [
            *(
                (c.name, apps_options.authentication_words(c), "first-party" if c.first_party else "", c.id)
                for c in clients
            ),
            *(
                (
                    one.name,
                    apps_options.authentication_words(one.client) if one.client is not None else "",
                    apps_self_registered.state_of(one),
                    one.id,
                )
                for one in others
            ),
        ],
        empty="No app yet. Register one: doorward app create web --redirect https://app.example.com/callback",
    )


@command(app, "show")
def show_(run: CommandRun, app: AppName) -> None:
    """Show one app."""
    if self_registered(app):
        found = run.ask(lambda services: services.get(admin.self_registered).get(actor(), app))
        more = [row for row in _rows(found.client) if row[0] not in _NOT_THEIRS] if found.client else []
        run.card(
            apps_self_registered.document_of(found),
            found.name,
            [*apps_self_registered.rows_of(found), *more],
        )
        return

    async def work(services: Services) -> tuple[Client, Undelivered | None]:
        client = await services.get(admin.apps).get(actor(), app)
        return client, await services.get(admin.apps).get_undelivered(actor(), client.id)

    client, undelivered = run.ask(work)
    document = documents.of_client(client)
    if undelivered is not None:
        document["undelivered_logouts"] = documents.of_undelivered(undelivered)
    run.card(document, client.name, _rows(client, undelivered))


@command(app, "end-access", yes=True)
def end_access(run: CommandRun, app: AppName) -> None:
    """End all grants, API keys and tokens of an app. The app stays."""
    client = run.ask(lambda services: services.get(admin.apps).get(actor(), app))
    run.confirm(f"End everything that is signed in through {client.name}?")
    run.ask(lambda services: services.get(admin.apps).end_access(actor(), client.id))
    run.done(
        documents.of_client(client),
        f"All access of {client.name} has ended. Tokens that it gets in the next five seconds are refused too.",
    )


@command(app, yes=True)
def delete(run: CommandRun, app: AppName) -> None:
    """Delete an app. Everything that was signed in through it ends now."""
    if self_registered(app):
        one = run.ask(lambda services: services.get(admin.self_registered).get(actor(), app))
        run.confirm(f"Delete {one.name} and end everything signed in through it?")
        run.ask(lambda services: services.get(admin.self_registered).delete(actor(), one.id))
        run.done(apps_self_registered.document_of(one), f"{one.name} is deleted.")
        return
    client = run.ask(lambda services: services.get(admin.apps).get(actor(), app))
    run.confirm(f"Delete {client.name} and end everything signed in through it?")
    gone = run.ask(lambda services: services.get(admin.apps).delete(actor(), client.id))
    run.done(documents.of_client(gone), f"{gone.name} is deleted.")


def show_changed(run: CommandRun, client: Client, said: str, secret: Secret | None = None) -> None:
    """Show an app, and its new secret if it got one: the only time that the secret is printed."""
    document = documents.of_client(client)
    if secret is not None:
        document["client_secret"] = secret.reveal()

    def human(console: show.Console) -> None:
        show.done(console, said)
        show.card(console, client.name, _rows(client))
        if secret is not None:
            show.card(console, "Shown once, now", [("client_secret", secret.reveal())])

    run.result(document, human)


def _rows(client: Client, undelivered: Undelivered | None = None) -> Rows:
    access = [f"{identifier}: {', '.join(names) or 'nothing'}" for identifier, names in client.access.items()]
    interactive = "authorization_code" in client.grant_types
    algorithm = client.access_token_signed_alg
    # a fact that is None is left out
    rows = [
        ("client_id", client.id),
        ("authenticates with", apps_options.authentication_words(client)),
        ("may use", ", ".join(client.grant_types)),
        ("comes back to", "\n".join(client.redirect_uris)),
        ("after sign-out", "\n".join(client.post_logout_redirect_uris)),
        ("told of log-out at", client.backchannel_logout_uri or None),
        ("not told of log-outs", _undelivered_words(client, undelivered)),
        ("APIs", "\n".join(access)),
        ("scopes", " ".join(client.oidc_scopes)),
        ("cookie origins", "\n".join(client.origins) or None),
        ("first-party", "yes" if client.first_party else "no"),
        ("ID tokens", client.id_token_signed_alg),
        ("created", moment(client.created_at)),
        ("PKCE", apps_options.pkce_words(client) if interactive else None),
        ("answers by", ", ".join(client.response_modes) if interactive else None),
        ("access tokens", algorithm and f"{algorithm}, for APIs that have not chosen"),
        (
            "ID tokens carry",
            "only the claims that are asked for" if client.id_token_claims == "asked" else None,
        ),
        ("refresh token", None if client.rotation else "stays the same"),
        ("second factor", "required" if client.second_factor == "required" else None),
    ]
    return [(name, value) for name, value in rows if value is not None]


def _undelivered_words(client: Client, undelivered: Undelivered | None) -> str | None:
    if undelivered is None or not client.backchannel_logout_uri:
        return None
    counts = f"{undelivered.waiting} tried again, {undelivered.failed} given up"
    return f"{counts}; the last of {moment(undelivered.last_at)}\n{undelivered.problem}"
