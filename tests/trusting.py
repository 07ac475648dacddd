"""Steps of tests about remembered devices: a browser in which the second step was shown with the box ticked."""

from __future__ import annotations

from doorward.core.model.account import Account
from doorward.core.model.remembered_device import RememberedDevice
from tests.browsing import JAR, PASSWORD, SESSION, Page
from tests.front_channel import Front
from tests.tabs import Tab

TRUST = JAR.name("trust")
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
)


async def after_password(tab: Tab, password: str = PASSWORD) -> Page:
    """What follows the right password at the server's own sign-in page, in a browser that is not signed in."""
    sign_out_of(tab)
    return await tab.sign_in(password=password)


async def at_code(tab: Tab) -> Page:
    """The page that asks for the code."""
    page = await tab.on(await after_password(tab))
    assert "second-factor" in page.forms, page.words
    return page


async def remembered(front: Front, tab: Tab | None = None) -> Tab:
    """A browser that is remembered for Ada, who has an authenticator app. She is not signed in there any more."""
    tab = front.browser() if tab is None else tab
    page = await tab.submit(await at_code(tab), "second-factor", code=front.code(), trust="1")
    assert page.header("location") == "/account", page.words
    assert TRUST in tab.cookies
    sign_out_of(tab)
    # the code is spent, and the factor is older than what follows
    front.clock.time += 60
    return tab


def sign_out_of(tab: Tab) -> None:
    """Lose the session's cookie."""
    tab.cookies.pop(SESSION, None)


def skips(page: Page) -> bool:
    """Whether the password was enough."""
    location = page.header("location") or ""
    assert page.status == 303, page.words
    assert location == "/account" or location.startswith("/sign-in/code"), location
    return location == "/account"


async def devices(front: Front, ada: Account) -> list[RememberedDevice]:
    """The rows of an account, newest first."""
    return list(await front.store.remembered_devices.of_account(ada.id))


def copied(front: Front, tab: Tab, *, user_agent: str | None = None) -> Tab:
    """A thief's browser with the cookie of a remembered one, and nothing else of it."""
    thief = front.browser("198.51.100.9")
    thief.cookies[TRUST] = tab.cookies[TRUST]
    thief.user_agent = user_agent or tab.user_agent
    return thief
