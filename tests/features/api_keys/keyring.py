"""Keys of Ada and of an app on the token services, and requests with them."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.features.api_keys.build import maker, own_keys
from doorward.features.api_keys.making import NewApiKey
from doorward.features.api_keys.rules.draft import Draft
from doorward.features.oauth.grants.api_key.build import NAME
from doorward.features.oauth.token.rules import TokenResponse
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel

DAY = 86_400


def draft(**changes: Any) -> Draft:
    """A key that reads orders for 90 days."""
    values: dict[str, Any] = {
        "name": "Nightly report",
        "audience": made.API,
        "scopes": ("orders:read",),
        "life": 90 * DAY,
    }
    return Draft(**{**values, **changes})


async def key_of(channel: BackChannel, account: Account, **changes: Any) -> NewApiKey:
    """A new key of a person."""
    keys = channel.services.get(own_keys)
    new = await keys.create(account, draft(**changes), caller=CALLER, now=channel.clock.time)
    assert isinstance(new, NewApiKey)
    return new


async def key_of_app(channel: BackChannel, client_id: str = "app_web", **changes: Any) -> NewApiKey:
    """A new key of an app."""
    new = channel.services.get(maker).new(
        draft(**changes), account_id=None, client_id=client_id, now=channel.clock.time
    )
    assert await channel.store.commit(channel.store.api_keys.insert(new.key, most=20, now=channel.clock.time))
    return new


async def exchange(
    channel: BackChannel,
    text: str,
    *,
    authorization: str | None = None,
    caller: Caller = CALLER,
    **more: str,
) -> TokenResponse | OAuthError:
    """One POST to the token endpoint with the key alone."""
    form = {"grant_type": NAME, "api_key": text, **more}
    return await channel.exchange(form, authorization=authorization, caller=caller)


async def role(channel: BackChannel, *permissions: str) -> None:
    """Change what the role of Ada allows."""
    found = channel.config.current().roles["reader"]
    changed = structs.replace(found, permissions={made.API: permissions} if permissions else {})
    assert await channel.store.commit(channel.store.registry.put_role(changed))
    await channel.config.refresh()
