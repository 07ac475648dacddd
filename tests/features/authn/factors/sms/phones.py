"""A server with a real SMS gateway stand-in, for tests of the pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.factors.sms.build import phones, sms_worker
from doorward.features.authn.factors.sms.settings import SmsPolicy
from tests.browsing import Page
from tests.front_channel import Front, front_channel
from tests.gateway import TOKEN, Gateway, running
from tests.tabs import Tab

NUMBER = "+491712345678"
KINDS = SecondFactorPolicy(kinds=("passkey", "totp", "sms"))
CODE = "/account/methods/phone/code"
PHONE = "/account/methods/phone"


@dataclass(kw_only=True)
class Phoned:
    """The server and its gateway."""

    front: Front
    gateway: Gateway

    async def deliver(self) -> None:
        """Send everything that is due."""
        worker = self.front.services.get(sms_worker)
        assert worker is not None
        while await worker.send_due():
            pass

    async def code(self, number: str = NUMBER) -> str:
        """The code in the newest message to a number."""
        await self.deliver()
        return self.gateway.to(number).code

    async def add(self, tab: Tab, number: str = NUMBER) -> Page:
        """Add a phone on the account pages; the answer to the right code."""
        page = await tab.on(await tab.submit(await tab.get(PHONE), "phone", number=number))
        return await tab.submit(page, "phone-code", code=await self.code(number))

    async def enrolled(self, account: Account, number: str = NUMBER) -> EnrolledFactor:
        """A phone as it is stored, without the pages."""
        made = self.front.services
        factor_id = made.random.new_id("fac")
        sealed = made.sealer.seal("phone", factor_id, number.encode())
        row = EnrolledFactor(factor_id, account.id, "sms", self.front.now, sealed)
        assert await self.front.store.commit(self.front.store.accounts.add_factor(row))
        assert made.get(phones).number(row) == number
        return row


@asynccontextmanager
async def phoned(*, limits: dict[str, Any] | None = None, **settings: Any) -> AsyncGenerator[Phoned]:
    """The server; messages may be sent to Germany and Great Britain."""
    with running() as gateway:
        values: dict[str, Any] = {
            "channel": "webhook",
            "url": gateway.url,
            "token": TOKEN,
            "countries": ("DE", "GB"),
        }
        sms = SmsPolicy(**values | (limits or {}))
        given: dict[str, Any] = {"second_factor": KINDS, "development": True, "sms": sms}
        async with front_channel(**given | settings) as front:
            yield Phoned(front=front, gateway=gateway)
