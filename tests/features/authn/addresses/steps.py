"""The step that asks somebody from elsewhere for an address, as a browser takes it."""

from __future__ import annotations

from doorward.adapters.mail.queue import open_message
from tests.browsing import Page
from tests.front_channel import Front
from tests.tabs import Tab

ASKS = "/sign-in/address?"
CHECKS = "/sign-in/address/check?"


async def given(tab: Tab, page: Page, email: str) -> Page:
    """The page after an address was given."""
    return await tab.on(await tab.submit(page, "give-address", email=email))


async def typed(tab: Tab, page: Page, code: str) -> Page:
    """The page after a code was typed."""
    return await tab.on(await tab.submit(page, "check", code=code))


async def mails(front: Front, email: str) -> list[str]:
    """The kinds of the mails to an address, newest first."""
    return [one.kind for one in await front.store.messages.recent_mail(100) if one.to == email]


async def code_to(front: Front, email: str) -> str:
    """The newest code that was sent to an address."""
    mail = next(one for one in await front.store.messages.recent_mail(100) if one.to == email)
    code = open_message(front.services.sealer, mail).code
    assert code is not None
    return code


async def proven(front: Front, tab: Tab, page: Page, email: str) -> Page:
    """The page after an address was given, and its code typed."""
    return await typed(tab, await given(tab, page, email), await code_to(front, email))
