"""Passkeys without a question, after a sign-in by password (conditional create)."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from tests.authenticator import Authenticator
from tests.browsing import ISSUER
from tests.features.authn.factors.passkeys.served import enrol, options_on, use
from tests.front_channel import Front, front_channel
from tests.tabs import Tab

pytestmark = pytest.mark.anyio


async def offered(front: Front, tab: Tab) -> bool:
    page = await tab.get("/account")
    assert ("passkey-silent" in page.forms) is ("/passkeys.js" in page.text)
    return "passkey-silent" in page.forms


async def test_the_page_after_a_password_makes_one_and_asks_only_once() -> None:
    async with front_channel() as front:
        ada = await front.person()
        tab = await front.signed_in()
        page, authenticator = await tab.get("/account"), Authenticator(origin=ISSUER)
        text = authenticator.create(options_on(page), silently=True)
        answered = await tab.submit(page, "passkey-silent", credential=text)
        assert (answered.status, answered.text) == (204, "")
        (passkey,) = await front.store.passkeys.of_account(ada.id)
        assert passkey.made_silently
        (row,) = await front.store.accounts.factors(ada.id)
        assert row.kind == "passkey", "its owner is not asked for it after the password"
        assert not await offered(front, tab)
        other = front.browser()
        assert (await use(other, await other.get("/sign-in"), authenticator)).header("location") == "/account"


async def test_it_is_offered_only_right_after_a_password() -> None:
    async with front_channel() as front:
        await front.person()
        tab = await front.signed_in()
        assert await offered(front, tab)
        front.clock.time += 301
        assert not await offered(front, tab)


async def test_it_is_not_offered_after_a_passkey() -> None:
    async with front_channel() as front:
        authenticator = await enrol(front, await front.person())
        tab = front.browser()
        await use(tab, await tab.get("/sign-in"), authenticator)
        assert not await offered(front, tab)


@pytest.mark.parametrize(
    "settings",
    [
        {"passkeys": PasskeyPolicy(offer_silently=False)},
        {"second_factor": SecondFactorPolicy(require="off")},
        {"second_factor": SecondFactorPolicy(kinds=("totp",))},
    ],
)
async def test_settings_switch_it_off(settings: dict[str, Any]) -> None:
    async with front_channel(**settings) as front:
        await front.person()
        assert not await offered(front, await front.signed_in())


async def test_without_the_factor_there_is_nothing_to_offer() -> None:
    async with front_channel(passkeys=PasskeyPolicy(enabled=False)) as front:
        await front.person()
        assert not await offered(front, await front.signed_in())
