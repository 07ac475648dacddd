"""Apps, APIs and people of the token exchange tests, on the real services.

Ada signs in to the web app and calls the orders API. The app of that API exchanges her token for one for the billing API, whose app may
exchange that one for the ledger API.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Permission, Role
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.oauth.grants.token_exchange.rules.request import ACCESS_TOKEN, REFRESH_TOKEN
from doorward.features.oauth.token.rules import TokenResponse
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel, basic

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
BILLING: Final = "https://billing.example.com"
LEDGER: Final = "https://ledger.example.com"
ALL: Final = ("orders:read", "orders:write")


def orders(**changes: Any) -> Client:
    """The app of the orders API, which calls the billing API."""
    values: dict[str, Any] = {
        "id": "app_orders",
        "name": "orders",
        "redirect_uris": (),
        "grant_types": ("client_credentials", EXCHANGE),
        "access": {BILLING: ALL},
        "exchange": ExchangePolicy(apis=(BILLING,)),
    }
    return made.client(**{**values, **changes})


def billing(**changes: Any) -> Client:
    """The app of the billing API, which calls the ledger API."""
    values: dict[str, Any] = {
        "id": "app_billing",
        "name": "billing",
        "access": {LEDGER: ALL, BILLING: ALL},
        "exchange": ExchangePolicy(apis=(LEDGER,)),
    }
    return orders(**{**values, **changes})


def web(**changes: Any) -> Client:
    """The web app, which may exchange its own tokens for the billing API."""
    values: dict[str, Any] = {
        "grant_types": ("authorization_code", "refresh_token", "client_credentials", EXCHANGE),
        "access": {made.API: ALL, BILLING: ALL},
        "exchange": ExchangePolicy(apis=(BILLING,)),
    }
    return made.client(**{**values, **changes})


def api(identifier: str, name: str) -> Api:
    return Api(
        id=f"api_{name}",
        identifier=identifier,
        name=name,
        permissions=tuple(Permission(one) for one in ALL),
        created_at=made.NOW - 1000,
        client_id=f"app_{name}",
    )


READER: Final = Role(
    id="rol_reader",
    name="reader",
    permissions={made.API: ("orders:read",), BILLING: ("orders:read",), LEDGER: ("orders:read",)},
    created_at=made.NOW - 1000,
)


async def furnish(channel: BackChannel) -> None:
    """Register the apps and APIs, and Ada with the role that reaches all three APIs."""
    registry = channel.store.registry
    assert await channel.store.commit(
        registry.put_api(api(BILLING, "billing")),
        registry.put_api(api(LEDGER, "ledger")),
        registry.put_role(READER),
    )
    await channel.put(orders(), billing(), web())
    await channel.person()


async def token_of(channel: BackChannel, client: Client | None = None, **grant: Any) -> str:
    """An access token of Ada's for the orders API."""
    values = {"nonce": None, "session_id": None, **grant}
    raw, _ = await channel.family(**values)
    answer = await channel.refresh(raw, client or web())
    assert isinstance(answer, TokenResponse), answer
    return answer.access_token


async def own_token(channel: BackChannel, client: Client, resource: str) -> str:
    """An access token that an app got for itself."""
    answer = await channel.ask({"grant_type": "client_credentials", "resource": resource}, client)
    assert isinstance(answer, TokenResponse), answer
    return answer.access_token


async def exchange(
    channel: BackChannel, token: str, client: Client | None = None, **form: str | None
) -> TokenResponse | OAuthError:
    """One exchange by `client`, by default the app of the orders API."""
    given: dict[str, str | None] = {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": REFRESH_TOKEN if token.startswith("dw_rt_") else ACCESS_TOKEN,
        **form,
    }
    if given.get("actor_token") and "actor_token_type" not in form:
        given["actor_token_type"] = ACCESS_TOKEN
    sent = {name: value for name, value in given.items() if value is not None}
    asking = client or orders()
    if asking.confidential:
        return await channel.exchange(sent, authorization=basic(asking))
    return await channel.exchange({**sent, "client_id": asking.id})


async def exchanged(
    channel: BackChannel, token: str, client: Client | None = None, **form: str | None
) -> dict[str, Any]:
    """The claims of the new token; fails if there is none."""
    answer = await exchange(channel, token, client, **form)
    assert isinstance(answer, TokenResponse), answer
    return channel.claims(answer.access_token)


async def refused(
    channel: BackChannel, code: str, token: str, client: Client | None = None, **form: str | None
) -> OAuthError:
    """The refusal; fails if it is another."""
    answer = await exchange(channel, token, client, **form)
    assert isinstance(answer, OAuthError), answer
    assert answer.code == code, answer
    return answer


async def lives(channel: BackChannel, claims: dict[str, Any]) -> bool:
    """Whether the token with these claims is still accepted."""
    return (await channel.view.fresh(channel.clock.time)).revoked(claims) is None


async def change(channel: BackChannel, client: Client, **changes: Any) -> Client:
    """Register the app anew with these changes."""
    new = structs.replace(client, **changes)
    await channel.put(new)
    return new
