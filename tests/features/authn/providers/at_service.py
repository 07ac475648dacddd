"""A server with one service that speaks OAuth 2.0, and the way of a browser there and back."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from doorward.core.model.account import Account
from doorward.core.model.secret import Secret
from doorward.features.authn.providers.settings import ProviderPolicies, ProviderPolicy
from tests.browsing import Page
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.manual_clock import ManualClock
from tests.stand_ins.discord import DiscordStandIn
from tests.stand_ins.facebook import FacebookStandIn
from tests.stand_ins.github import GitHubStandIn
from tests.stand_ins.oauth2 import OAuth2StandIn
from tests.stand_ins.openid import Returned
from tests.stand_ins.serving import served
from tests.tabs import Tab, sent_to

CLIENT_ID, SECRET = "doorward", "s3cret + with % signs"
S = TypeVar("S", bound=OAuth2StandIn)


@dataclass
class AtService(Generic[S]):
    """The server, and the service under the name of its section."""

    front: Front
    service: S
    name: str

    async def leave(self, tab: Tab, start: str = "/sign-in") -> str:
        """The service's address, from the button on the sign-in page."""
        left = await tab.submit(await tab.on(await tab.get(start)), f"provider-{self.name}")
        assert left.status == 200, (left.status, left.words[:300])
        return sent_to(left)

    async def back(self, tab: Tab, returned: Returned) -> Page:
        """The page where the browser ends after this answer."""
        return await tab.on(await tab.get(returned.target))

    async def sign_in(self, tab: Tab, start: str = "/sign-in", **person: Any) -> Page:
        """There and back as this person; the page where it ends."""
        return await self.back(tab, self.service.approved(await self.leave(tab, start), **person))

    async def account(self, email: str) -> Account | None:
        return await self.front.store.accounts.by_email(email)

    async def reasons(self) -> list[Any]:
        """Why sign-ins were refused, newest first."""
        return [line.detail["reason"] for line in await self.front.audited("provider.refused")]


def endpoints(service: OAuth2StandIn) -> dict[str, str]:
    """The settings that lead to the stand-in instead of the service; paths as those of the table."""
    at = service.origin
    match service:
        case GitHubStandIn():
            paths = ("/login/oauth", "/login/oauth/authorize", "/login/oauth/access_token", "/user")
        case FacebookStandIn():
            v = "/{api_version}"
            paths = ("", f"{v}/dialog/oauth", f"{v}/oauth/access_token", f"{v}/me")
        case DiscordStandIn():
            paths = ("", "/oauth2/authorize", "/api/oauth2/token", "/api/users/@me")
        case _:
            raise TypeError(service)
    names = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
    return dict(zip(names, (f"{at}{path}" for path in paths), strict=True))


@asynccontextmanager
async def at_service(
    kind: type[S], name: str, folder: Path, *, more: dict[str, Any] | None = None, **changes: Any
) -> AsyncGenerator[AtService[S]]:
    """`changes` of the section; `more` settings of the server."""
    clock = ManualClock()
    back = f"{made.ISSUER}/sign-in/provider/{name}/callback"
    service = kind(clock=clock, client_id=CLIENT_ID, secret=SECRET, redirect_uris=(back,))
    async with served(service, folder) as ca_file:
        values: dict[str, Any] = {
            "client_id": CLIENT_ID,
            "client_secret": Secret(SECRET),
            "email_domains": ("*",),
            **endpoints(service),
            **changes,
        }
        providers = ProviderPolicies(by_name={name: ProviderPolicy.named(name, values)})
        async with front_channel(ca_file=ca_file, providers=providers, **(more or {})) as front:
            service.clock = front.clock
            yield AtService(front, service, name)
