"""What the sign-in pages tell people who cannot go on: whom to ask, and for whom a code is wanted."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.features.authn.factors.password.test_routes import WRONG
from tests.people import House, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    async with open_house() as opened:
        yield opened


@pytest.mark.requirement(72, 80)
async def test_the_owner_of_a_disabled_account_hears_whom_to_ask_and_nobody_else_does(house: House) -> None:
    account = await house.person()
    await house.change_account(account, disabled_at=house.now)
    right = await house.browser().sign_in()
    assert (
        right.problem == "Your account is disabled. Ask the people who run this service to enable it again."
    )
    wrong = await house.browser().sign_in(password="not the password at all")
    assert (wrong.status, wrong.problem) == (right.status, WRONG)


async def test_the_second_factor_page_says_for_whom(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    browser = house.browser()
    page = await browser.follow(await browser.sign_in())
    assert "for ada@example.com" in page.words
