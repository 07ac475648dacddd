"""The page of devices: which are remembered, by which name, and how their owner ends that."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.browsing import Page
from tests.front_channel import Front, front_channel
from tests.tabs import Tab
from tests.trusting import IPHONE, after_password, devices, remembered, skips

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(74)]
PAGE = "/account/devices"


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.authenticator(await opened.person())
        opened.clock.time += 60
        yield opened


async def opened(front: Front, tab: Tab) -> Page:
    """The page, in a browser that is remembered."""
    assert skips(await after_password(tab))
    page = await tab.get(PAGE)
    assert page.status == 200
    return page


async def names(front: Front) -> list[str | None]:
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    return [one.name for one in await devices(front, ada)]


def listed(page: Page) -> str:
    return page.text.partition('id="remembered"')[2].partition("</ul>")[0]


async def test_without_any_the_page_says_nothing(front: Front) -> None:
    tab = front.browser()
    page = await tab.on(await after_password(tab))
    await tab.submit(page, "second-factor", code=front.code())
    page = await tab.get(PAGE)
    assert listed(page) == ""
    assert "No second step" not in page.words


async def test_each_is_listed_and_this_one_has_a_badge(front: Front) -> None:
    phone = front.browser("203.0.113.7")
    phone.user_agent = IPHONE
    await remembered(front, phone)
    tab = await remembered(front)
    page = await opened(front, tab)
    entries = listed(page).split("<li>")[1:]
    assert len(entries) == 2
    assert "Chrome" in entries[0]
    assert "This device" in entries[0]
    assert "Safari" in entries[1]
    assert "This device" not in entries[1]
    assert 'id="remembered-here"' in page.text.partition('id="remembered"')[0]
    page = await opened(front, phone)
    assert "This device" in listed(page).split("<li>")[2]


async def test_a_device_is_asked_again(front: Front) -> None:
    tab, phone = await remembered(front), front.browser("203.0.113.7")
    phone.user_agent = IPHONE
    await remembered(front, phone)
    page = await opened(front, tab)
    done = await tab.follow(await tab.submit(page, "remembered-1"))
    assert "The next sign-in on that device asks for the second step again." in done.words
    assert len(listed(done).split("<li>")) == 2
    assert not skips(await after_password(phone))
    assert skips(await after_password(tab))
    (line,) = await front.audited("trusted_device.ended")
    assert line.session_id is not None
    # the form again, or a made-up one: nothing ends, and nothing is claimed
    for device in (page.forms["remembered-1"].fields["device"], "dev_" + "0" * 32, ""):
        fields = {**done.forms["end-1"].fields, "device": device}
        again = await tab.post(f"{PAGE}/distrust", fields)
        assert again.header("location") == PAGE
    assert len(await front.audited("trusted_device.ended")) == 1


async def test_a_device_of_another_person_cannot_be_touched(front: Front) -> None:
    tab = await remembered(front)
    await front.person(id="usr_eve", email="eve@example.com")
    eve = front.browser()
    await eve.sign_in("eve@example.com")
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    (device,) = await devices(front, ada)
    fields = {"csrf": await eve.csrf(), "device": device.id, "name": "Mine"}
    for path in (f"{PAGE}/distrust", f"{PAGE}/name"):
        assert (await eve.post(path, fields)).header("location") == PAGE
    assert (await eve.get(f"{PAGE}/name?device={device.id}")).header("location") == PAGE
    assert await names(front) == [None]
    assert skips(await after_password(tab))


async def test_a_device_gets_a_name(front: Front) -> None:
    tab = await remembered(front)
    page = await opened(front, tab)
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    (device,) = await devices(front, ada)
    asked = await tab.get(f"{PAGE}/name?device={device.id}")
    assert "Without one it is called" in asked.words
    assert "Chrome" in asked.words
    too_long = await tab.submit(asked, "device-name", name="x" * 61)
    assert (too_long.status, "at most 60 characters" in too_long.words) == (400, True)
    done = await tab.follow(await tab.submit(too_long, "device-name", name=" Kitchen <b>  laptop\u202e "))
    assert "The device is renamed." in done.words
    assert await names(front) == ["Kitchen <b> laptop"]
    assert "Kitchen &lt;b&gt; laptop" in listed(done)
    assert "Chrome" in listed(done), "what it is can still be seen"
    asked = await tab.get(f"{PAGE}/name?device={device.id}")
    assert asked.forms["device-name"].fields["name"] == "Kitchen <b> laptop"
    await tab.submit(asked, "device-name", name="")
    assert await names(front) == [None]
    assert page.status == 200


@pytest.mark.requirement(93)
async def test_names_have_a_budget(front: Front) -> None:
    tab = await remembered(front)
    await opened(front, tab)
    ada = await front.store.accounts.get("usr_ada")
    assert ada is not None
    (device,) = await devices(front, ada)
    asked = await tab.get(f"{PAGE}/name?device={device.id}")
    answers = [await tab.submit(asked, "device-name", name=f"Name {number}") for number in range(21)]
    assert [page.status for page in answers] == [303] * 20 + [429]
    assert "Too many tries" in answers[-1].words


@pytest.mark.parametrize("how", ["end-others", "report"])
async def test_signing_out_the_others_ends_them_but_not_this_one(front: Front, how: str) -> None:
    phone = front.browser("203.0.113.7")
    phone.user_agent = IPHONE
    await remembered(front, phone)
    tab = await remembered(front)
    assert skips(await after_password(phone))
    page = await opened(front, tab)
    if how == "end-others":
        await tab.submit(page, "end-others")
    else:
        await tab.submit(await tab.get("/account/activity"), "report-1")
    assert not skips(await after_password(phone))
    assert skips(await after_password(tab))


async def test_activity_tells_the_owner_and_offers_help(front: Front) -> None:
    tab = await remembered(front)
    page = await opened(front, tab)
    await tab.submit(page, "remembered-1")
    words = (await tab.get("/account/activity")).words
    assert "You asked us not to ask for the second step on a device" in words
    assert "You asked us to ask for the second step on a device again" in words


async def test_what_is_no_longer_good_is_not_listed(front: Front) -> None:
    tab = await remembered(front)
    front.clock.time += 30 * 86_400
    page = await tab.on(await after_password(tab))
    await tab.submit(page, "second-factor", code=front.code())
    assert listed(await tab.get(PAGE)) == ""
