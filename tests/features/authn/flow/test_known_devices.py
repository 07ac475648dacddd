"""Known devices of an account, and the events that remove them."""

from __future__ import annotations

import pytest

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from tests.people import CALLER, OTHER_PASSWORD, PASSWORD, House, caller_of

pytestmark = pytest.mark.anyio
MINE, OTHER = digest("the device in hand"), digest("a device elsewhere")


async def person(house: House) -> Account:
    account = await house.person()
    for device in (MINE, OTHER):
        await house.store.commit(house.store.sessions.remember_device(device, account.id, house.now))
    return account


async def known(house: House, account: Account) -> list[bool]:
    """Whether this device and the other one are known."""
    return [
        await house.store.sessions.known_device((device,), account.id) is not None for device in (MINE, OTHER)
    ]


@pytest.mark.requirement(94)
async def test_a_password_change_forgets_the_other_devices(house: House) -> None:
    account = await person(house)
    await house.change.change(
        account,
        await house.session(account),
        current=Secret(PASSWORD),
        new=Secret(OTHER_PASSWORD),
        caller=caller_of(devices=(digest("of somebody else here"), MINE)),
        now=house.now,
    )
    assert await known(house, account) == [True, False]


@pytest.mark.requirement(94)
async def test_a_report_forgets_the_other_devices(house: House) -> None:
    account = await person(house)
    await house.check.verify(account.known_as, Secret("wrong"), caller=CALLER, now=house.now)
    (event,) = await house.audit()
    mine = await house.session(account)
    assert await house.pages.report(account, mine, event.id, caller=caller_of(devices=(MINE,)), now=house.now)
    assert await known(house, account) == [True, False]


@pytest.mark.requirement(94)
async def test_a_reset_remembers_only_the_browser_that_made_it(house: House) -> None:
    account = await person(house)
    browser = house.browser()
    asked = await browser.submit(await browser.get("/reset"), "reset", email=account.known_as)
    check = await browser.follow(asked)
    (_, _, message), *_ = await house.mails()
    form = await browser.follow(await browser.submit(check, "check", code=message.code or ""))
    done = await browser.submit(form, "new-password", password=OTHER_PASSWORD)
    assert done.status == 303
    assert await known(house, account) == [False, False]
    (secret,) = [value for name, value in browser.cookies.items() if name.endswith("_device")]
    assert await house.store.sessions.known_device((digest(secret),), account.id) is not None


async def test_a_browser_keeps_a_secret_for_each_of_its_people(house: House) -> None:
    browser = house.browser()
    for number in range(8):
        await house.person(f"person{number}@example.com")
        page = await browser.sign_in(f"person{number}@example.com")
        assert page.status == 303
        browser.cookies = {name: value for name, value in browser.cookies.items() if "session" not in name}
    (cookie,) = [value for name, value in browser.cookies.items() if name.endswith("_device")]
    secrets = cookie.split(".")
    assert len(secrets) == len(set(secrets)) == 6
    for number, secret in zip((7, 6, 5, 4, 3, 2), secrets, strict=True):
        account = await house.store.accounts.by_email(f"person{number}@example.com")
        assert account is not None
        assert await house.store.sessions.known_device((digest(secret),), account.id) is not None


@pytest.mark.requirement(82, 99)
async def test_repeated_wrong_second_factors_after_a_right_password_are_mailed_to_the_owner_once_a_day(
    house: House,
) -> None:
    account = await house.person()
    await house.authenticator(account)

    async def wrong() -> None:
        sign_in = await house.check.prove(
            await house.sign_in(),
            identifier=account.known_as,
            password=Secret(PASSWORD),
            caller=Caller("192.0.2.1"),
            now=house.now,
        )
        assert isinstance(sign_in, SignIn)
        await house.prove_second_factor.prove(
            sign_in, code=Secret("000000"), caller=Caller("192.0.2.1"), now=house.now
        )

    async def told() -> int:
        return len([kind for _, kind, _ in await house.mails() if kind == "second_factor_failed"])

    seen: list[int] = []
    for _ in range(5):
        await wrong()
        seen.append(await told())
    assert seen == [0, 0, 1, 1, 1]
    house.clock.time += 3600
    for _ in range(5):
        await wrong()
    assert await told() == 1
    house.clock.time += 86_400
    for _ in range(5):
        await wrong()
    assert await told() == 2


@pytest.mark.requirement(93)
async def test_device_mails_and_stored_devices_are_limited_for_each_account(
    house: House,
) -> None:
    account = await house.person()
    house.clock.time += 7200
    for number in range(25):
        assert (await house.browser(f"192.0.2.{number}").sign_in()).status == 303
        house.clock.time += 1
    assert len([kind for _, kind, _ in await house.mails() if kind == "new_device"]) == 20
    for number in range(120):
        device = digest(f"device {number}")
        await house.store.commit(house.store.sessions.remember_device(device, account.id, house.now + number))
    assert await house.store.sessions.devices_since(account.id, 0, 1000) == 100
    newest, oldest = digest("device 119"), digest("device 0")
    assert await house.store.sessions.known_device((newest,), account.id) == newest
    assert await house.store.sessions.known_device((oldest,), account.id) is None
    house.clock.time += 90_000
    assert (await house.browser("192.0.2.99").sign_in()).status == 303
    assert len([kind for _, kind, _ in await house.mails() if kind == "new_device"]) == 21
