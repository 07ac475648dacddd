"""A server with one external provider, and the way of a browser there and back."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorward.core.model.account import Account
from tests.browsing import Page
from tests.front_channel import Front, front_channel
from tests.manual_clock import ManualClock
from tests.tabs import Tab, sent_to
from tests.upstream import Upstream, upstream

ADA: dict[str, Any] = {
    "sub": "ada-there",
    "email": "ada@example.com",
    "email_verified": True,
    "name": "Ada L.",
}
BOB: dict[str, Any] = {"sub": "bob-there", "email": "bob@example.net", "email_verified": True}


@dataclass
class Journey:
    """The server, and the provider."""

    front: Front
    provider: Upstream

    async def leave(self, tab: Tab, start: str = "/sign-in") -> str:
        """The provider's address, from the button on the sign-in page."""
        page = await tab.on(await tab.get(start))
        left = await tab.submit(page, f"provider-{self.provider.name}")
        assert left.status == 200, (left.status, left.words[:300], left.header("location"))
        return sent_to(left)

    async def sign_in(self, tab: Tab, start: str = "/sign-in", **claims: Any) -> Page:
        """There and back, as the person with these claims; the page where it ends."""
        return await tab.on(await tab.get(self.provider.approved(await self.leave(tab, start), **claims)))

    async def account(self, email: str) -> Account | None:
        return await self.front.store.accounts.by_email(email)

    async def mails(self, kind: str) -> list[str]:
        """The addresses of the queued mails of this kind."""
        return [one.to for one in await self.front.store.messages.recent_mail(100) if one.kind == kind]

    async def reasons(self) -> list[Any]:
        """Why sign-ins were refused, newest first."""
        return [line.detail["reason"] for line in await self.front.audited("provider.refused")]


@asynccontextmanager
async def journey(
    folder: Path, *, more: dict[str, Any] | None = None, **changes: Any
) -> AsyncGenerator[Journey]:
    """`changes` of the provider's section; `more` settings of the server."""
    clock = ManualClock()
    async with upstream(folder, clock) as provider:
        settings = {"ca_file": provider.ca_file, "providers": provider.settings(**changes), **(more or {})}
        async with front_channel(**settings) as front:
            provider.clock = front.clock
            yield Journey(front, provider)
