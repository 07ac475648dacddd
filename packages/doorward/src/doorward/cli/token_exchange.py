"""`doorward app exchange`: what an app may exchange tokens for, and who may exchange its own (RFC 8693)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec import structs

from doorward.adapters.os_user import os_actor as actor
from doorward.cli import documents
from doorward.cli.apps import AppName
from doorward.cli.apps_change import app
from doorward.cli.command import CommandRun, command
from doorward.cli.error import CliError
from doorward.cli.show import Rows
from doorward.core.model.client import Client
from doorward.core.model.token_exchange import ExchangePolicy, IdJagTarget
from doorward.features.admin import build as admin
from doorward.features.oauth.grants.token_exchange.build import TOKEN_EXCHANGE
from doorward.features.services import Services

__all__ = ["app"]


@command(app, "exchange")
def exchange(
    run: CommandRun,
    app: AppName,
    api: Annotated[list[str] | None, typer.Option(metavar="API", help="An API for which it may exchange tokens.")] = None,
    no_api: Annotated[list[str] | None, typer.Option(metavar="API", help="An API for which it may not any more.")] = None,
    impersonate: Annotated[bool | None, typer.Option("--impersonate/--delegate", help="Whether its exchanged tokens hide that it acts for somebody.")] = None,
    may_act: Annotated[str | None, typer.Option(metavar="APP", help='The app that alone may exchange the access tokens of this one; "" for every app that is allowed to.')] = None,
    id_jag: Annotated[list[str] | None, typer.Option(metavar="ISSUER=CLIENT_ID", help="Another authorization server that it gets ID-JAGs for, and its name there.")] = None,
    id_jag_scope: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help="What it may ask for there: of the servers named by --id-jag.")] = None,
    no_id_jag: Annotated[list[str] | None, typer.Option(metavar="ISSUER", help="A server that it gets no ID-JAGs for any more.")] = None,
    none: Annotated[bool, typer.Option("--none", help="It may exchange nothing any more.")] = False,
) -> None:  # fmt: skip
    """Say what an app may exchange tokens for, or see it. What is not named stays."""
    named = api or no_api or impersonate is not None or id_jag or no_id_jag
    if none and named:
        raise CliError("--none and what it may exchange contradict each other.", "Keep one of them.", code=2)
    if id_jag_scope and not id_jag:
        raise CliError("--id-jag-scope belongs to --id-jag ISSUER=CLIENT_ID.", "Name the server.", code=2)
    servers = _servers(id_jag or (), tuple(dict.fromkeys(id_jag_scope or ())))
    if not named and not none and may_act is None:
        found = run.ask(lambda services: services.get(admin.apps).get(actor(), app))
        run.card(documents.of_client(found), found.name, _rows(found))
        return

    async def work(services: Services) -> Client:
        apis, apps = services.get(admin.apis), services.get(admin.apps)
        more = [(await apis.get(actor(), given)).identifier for given in api or ()]
        fewer = {(await apis.get(actor(), given)).identifier for given in no_api or ()}
        acting = (await apps.get(actor(), may_act)).id if may_act else None
        now = services.clock.now()

        def change(client: Client) -> Client:
            old = client.exchange
            policy = old or ExchangePolicy(since=now)
            policy = structs.replace(
                policy,
                apis=()
                if none
                else tuple(one for one in dict.fromkeys((*policy.apis, *more)) if one not in fewer),
                impersonate=not none and (policy.impersonate if impersonate is None else impersonate),
                id_jag={}
                if none
                else {
                    issuer: there
                    for issuer, there in (policy.id_jag | servers).items()
                    if issuer not in (no_id_jag or ())
                },
            )
            ways = [way for way in client.grant_types if way != TOKEN_EXCHANGE.name]
            if policy.apis or policy.id_jag:
                ways.append(TOKEN_EXCHANGE.name)
            return structs.replace(
                client,
                exchange=policy if named or old is not None else None,
                # an app has one way at least
                grant_types=tuple(ways) or client.grant_types,
                may_act=client.may_act if may_act is None else acting,
            )

        return (await apps.update(actor(), app, change)).client

    changed = run.ask(work)
    run.card(documents.of_client(changed), changed.name, _rows(changed), said=f"Changed {changed.name}.")


def _servers(given: Sequence[str], scopes: tuple[str, ...]) -> dict[str, IdJagTarget]:
    servers: dict[str, IdJagTarget] = {}
    for one in given:
        issuer, equals, client_id = one.partition("=")
        if not (issuer and equals and client_id):
            raise CliError(
                f"--id-jag is {one!r}.",
                "Name the server's issuer and the app's client_id there: --id-jag https://auth.example.com=CLIENT_ID",
                code=2,
            )
        servers[issuer] = IdJagTarget(client_id=client_id, scopes=scopes)
    return servers


def _rows(client: Client) -> Rows:
    policy = client.exchange or ExchangePolicy()
    servers = [
        f"{issuer} as {there.client_id}: {' '.join(there.scopes) or 'no scope'}"
        for issuer, there in policy.id_jag.items()
    ]
    as_whom = "nobody: the tokens hide that it acts" if policy.impersonate else "itself"
    return [
        ("client_id", client.id),
        ("exchanges tokens for", "\n".join(policy.apis) or "no API"),
        *([("then acts as", as_whom)] if policy.apis else []),
        *([("gets ID-JAGs for", "\n".join(servers))] if servers else []),
        ("its own tokens are exchanged by", client.may_act or "apps that are allowed to"),
    ]
