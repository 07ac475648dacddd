"""Messages on the sign-in pages: whom a disabled owner should ask, and whose code is wanted."""

from __future__ import annotations

import pytest

from tests.features.authn.factors.password.test_routes import WRONG
from tests.people import House

pytestmark = pytest.mark.anyio


@pytest.mark.requirement(72, 80)
async def test_only_the_owner_of_a_disabled_account_is_told_whom_to_ask(house: House) -> None:
    account = await house.person()
    await house.change_account(account, disabled_at=house.now)
    right = await house.browser().sign_in()
    assert (
        right.problem == "Your account is disabled. Ask the people who run this service to enable it again."
    )
    wrong = await house.browser().sign_in(password="not the password at all")
    assert (wrong.status, wrong.problem) == (right.status, WRONG)


async def test_the_second_factor_page_names_the_account(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    browser = house.browser()
    page = await browser.follow(await browser.sign_in())
    assert "for ada@example.com" in page.words
