"""A server with one named service, whose stand-in is as strict as the service, and the way of a browser there and back."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorward.core.model.account import Account
from doorward.core.model.secret import Secret
from doorward.features.authn.providers.settings import ProviderPolicies, ProviderPolicy
from tests.browsing import ISSUER, Page
from tests.front_channel import Front, front_channel
from tests.manual_clock import ManualClock
from tests.stand_ins.openid import OpenIdStandIn, Returned
from tests.stand_ins.serving import served
from tests.tabs import Tab, sent_to


@dataclass
class NamedJourney:
    """The server, and the service in the section of its name."""

    front: Front
    there: OpenIdStandIn
    name: str

    async def leave(self, tab: Tab, start: str = "/sign-in") -> str:
        """The address at the service, from its button."""
        page = await tab.on(await tab.get(start))
        left = await tab.submit(page, f"provider-{self.name}")
        assert left.status == 200, (left.status, left.words[:300], left.header("location"))
        return sent_to(left)

    async def arrive(self, tab: Tab, back: Returned) -> Page:
        """The browser brings the answer. A form comes from the service's page, so that no cookie of ours comes with it."""
        if back.method == "GET":
            return await tab.on(await tab.get(back.target))
        posted = await tab.foreign_post(back.target, back.fields)
        assert posted.header("set-cookie") is None
        return await tab.on(posted)

    async def sign_in(self, tab: Tab, start: str = "/sign-in", **person: Any) -> Page:
        """There and back, as this person; the page where it ends."""
        return await self.arrive(tab, self.there.approved(await self.leave(tab, start), **person))

    async def account(self, email: str) -> Account | None:
        return await self.front.store.accounts.by_email(email)

    async def reasons(self) -> list[Any]:
        """Why sign-ins were refused, newest first."""
        return [line.detail["reason"] for line in await self.front.audited("provider.refused")]


@asynccontextmanager
async def named_journey(
    folder: Path, name: str, there: OpenIdStandIn, *, more: dict[str, Any] | None = None, **section: Any
) -> AsyncGenerator[NamedJourney]:
    """`section` of the settings, besides the client and the issuer."""
    there.redirect_uris = (f"{ISSUER}/sign-in/provider/{name}/callback",)
    async with served(there, folder) as ca_file:
        values = {"client_id": there.client_id, "issuer": there.issuer, **section}
        if there.secret:
            values["client_secret"] = Secret(there.secret)
        policy = ProviderPolicy.named(name, values)
        settings = {"ca_file": ca_file, "providers": ProviderPolicies(by_name={name: policy}), **(more or {})}
        async with front_channel(**settings) as front:
            there.clock = front.clock
            yield NamedJourney(front, there, name)


def clock() -> ManualClock:
    """A clock for a stand-in until the server has its own."""
    return ManualClock()
