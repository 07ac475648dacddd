"""Page of one device: its name, what is known of it, and its end; in a browser that keeps cookies."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from doorward.core.model.digest import digest
from doorward.core.model.session import Session
from tests.browsing import SESSION, Browser, Page
from tests.people import House

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(74)]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/"


async def session_of(house: House, browser: Browser) -> Session:
    found = await house.store.sessions.by_secret(digest(browser.cookies[SESSION]))
    assert found is not None
    return found


async def opened(browser: Browser, session: Session) -> Page:
    page = await browser.get(f"/account/devices/device?session={session.id}")
    assert page.status == 200, page.header("location")
    return page


async def test_a_device_has_a_name_that_survives_sign_out_and_an_update_of_the_browser(house: House) -> None:
    """(zulip#5854) A known browser is the same device, whatever its version."""
    await house.person()
    browser = house.browser("198.51.100.7")
    browser.user_agent = FIREFOX + "140.0"
    await browser.sign_in()
    first = await session_of(house, browser)
    page = await opened(browser, first)
    assert "Firefox on Windows" in page.words
    assert "198.51.100.7" in page.words
    assert "Not known" in page.words, "an unknown place is said in words"
    assert "with a password" in page.words
    named = await browser.follow(await browser.submit(page, "device-name", name="  Kitchen  laptop "))
    assert "Kitchen laptop" in named.words
    browser.cookies.pop(SESSION)
    browser.user_agent = FIREFOX + "141.0"
    house.later(60)
    await browser.sign_in()
    again = await session_of(house, browser)
    assert again.id != first.id
    assert (again.name, again.device_hash) == ("Kitchen laptop", first.device_hash)
    (mail,) = [kind for _, kind, _ in await house.mails()]
    assert mail == "new_device", "only the first sign-in was on a new device"
    listed = await browser.get("/account/devices")
    assert listed.words.count("Kitchen laptop") >= 2


async def test_a_name_can_be_removed_and_a_long_one_is_refused(house: House) -> None:
    await house.person()
    browser = await house.signed_in()
    session = await session_of(house, browser)
    page = await opened(browser, session)
    refused = await browser.submit(page, "device-name", name="x" * 61)
    assert refused.status == 400
    assert "x" * 61 in refused.text
    await browser.submit(page, "device-name", name="Desk")
    await browser.submit(page, "device-name", name=" ")
    assert (await session_of(house, browser)).name is None


async def test_a_lost_device_ends_with_its_offline_apps_and_is_not_known_any_more(house: House) -> None:
    ada = await house.person()
    mine, lost = house.browser(), house.browser("203.0.113.9")
    for browser in (mine, lost):
        await browser.sign_in()
    gone = await session_of(house, lost)
    await house.grant(ada, gone)
    await house.grant(ada, await session_of(house, mine))
    page = await opened(mine, gone)
    done = await mine.follow(await mine.submit(page, "end-device"))
    assert "its apps have no access any more" in done.words
    assert (await lost.get("/account")).status == 303
    assert (await mine.get("/account")).status == 200
    assert len(await house.store.grants.live_of_account(ada.id, house.now)) == 1
    assert gone.device_hash is not None
    assert await house.store.sessions.known_device((gone.device_hash,), ada.id) is None
    (event, *_) = [one for one in await house.audit() if one.kind == "device.ended"]
    assert (event.session_id, event.detail["reason"]) == (gone.id, "ended_by_owner")
    activity = await mine.get("/account/activity")
    assert "You ended everything on a device" in activity.words


async def test_the_device_in_use_can_be_ended_too(house: House) -> None:
    await house.person()
    browser = await house.signed_in()
    page = await opened(browser, await session_of(house, browser))
    assert "This device" in page.words
    left = await browser.submit(page, "end-device")
    assert urlsplit(left.header("location") or "").path == "/signed-out"
    assert SESSION not in browser.cookies


async def test_the_device_of_somebody_else_is_neither_shown_nor_named_nor_ended(house: House) -> None:
    await house.person()
    await house.person("eve@example.com")
    ada, eve = await house.signed_in(), await house.signed_in("eve@example.com")
    hers = await session_of(house, ada)
    assert (await eve.get(f"/account/devices/device?session={hers.id}")).header(
        "location"
    ) == "/account/devices"
    page = await opened(eve, await session_of(house, eve))
    await eve.submit(page, "device-name", session=hers.id, name="Mine")
    await eve.submit(page, "end-device", session=hers.id)
    assert (await session_of(house, ada)).name is None
    assert (await ada.get("/account")).status == 200
