"""The question for an address of somebody from elsewhere: no code is guessed, no mailbox flooded, no domain of a provider claimed, and
nobody gets an account of somebody else (R80, R83, R89, R93, R96)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.policy import ThrottlePolicy
from doorward.features.authn.addresses.build import prove_address
from doorward.features.authn.email_challenges.rules import Missed
from tests.features.authn.addresses.steps import ASKS, CHECKS, code_to, given, mails, typed
from tests.features.authn.providers.journey import journey

pytestmark = pytest.mark.anyio
EVE: dict[str, Any] = {"sub": "eve-there", "email": "ada@example.com", "email_verified": False}


@pytest.mark.requirement(82, 96)
async def test_guesses_at_a_code_are_counted_over_all_codes_and_browsers(tmp_path: Path) -> None:
    """Whoever has many browsers, and asks for new codes, guesses no more often at one address."""
    async with journey(tmp_path) as there:
        said: list[str] = []
        for number in range(2):
            tab = there.front.browser(f"203.0.{number}.1")
            page = await there.sign_in(tab, sub=f"eve-{number}")
            page = await given(tab, page, "victim@example.org")
            for _ in range(6 if not number else 1):
                page = await typed(tab, page, "000000")
                said.append(page.problem or "")
        assert sum("didn't work" in one for one in said) == 5
        assert ["Too many" in one for one in said[5:]] == [True, True]
        assert await there.front.store.accounts.page() == []


@pytest.mark.requirement(93)
async def test_a_mailbox_is_not_flooded_from_many_browsers(tmp_path: Path) -> None:
    async with journey(tmp_path, more={"throttle": ThrottlePolicy(mails_per_day=3)}) as there:
        said: list[str] = []
        for number in range(4):
            tab = there.front.browser(f"203.0.{number}.1")
            page = await given(tab, await there.sign_in(tab, sub=f"eve-{number}"), "victim@example.org")
            said.append(page.problem or "")
        assert ["Too many messages" in one for one in said] == [False, False, False, True]
        assert len(await mails(there.front, "victim@example.org")) == 3


@pytest.mark.requirement(91)
async def test_an_address_of_a_domain_with_its_own_provider_is_not_claimed_past_it(tmp_path: Path) -> None:
    """The provider here is another one than that of the domain: its people give no address of that domain, whoever reads its mail."""
    async with journey(tmp_path, domains=("example.com",), only=True) as there:
        section = there.front.settings.providers.by_name[there.provider.name]
        tab = there.front.browser()
        # people of the domain's own provider may: it vouches for them
        page = await given(tab, await there.sign_in(tab, sub="own"), "boss@example.com")
        assert page.path.startswith(CHECKS)
        addresses = there.front.services.get(prove_address)
        page = await there.sign_in(there.front.browser(), sub="other")
        ticket = page.path.partition("ticket=")[2].partition("&")[0]
        waiting = await there.front.store.messages.ticket(ticket)
        assert waiting is not None
        assert section.only
        payload: dict[str, Any] = {"waiting": {**waiting.payload["waiting"], "source": "another"}}
        waiting = type(waiting)(
            **{name: getattr(waiting, name) for name in waiting.__struct_fields__ if name != "payload"},
            payload=payload,
        )
        for spelling in ("boss@example.com", "Boss@EXAMPLE.com", "boss@\uff45xample.com"):
            refused = await addresses.send(
                waiting, spelling, locale="en", caller=Caller("192.0.2.1"), now=there.front.now
            )
            assert not hasattr(refused, "code_hash"), spelling
        assert len(await mails(there.front, "boss@example.com")) == 1


@pytest.mark.requirement(89, 90)
async def test_the_code_that_the_victim_passes_on_opens_no_account_of_theirs(tmp_path: Path) -> None:
    """Pre-hijack: the attacker's identity, and the victim's address. Without the code nothing is made; whoever has an account gets no code."""
    async with journey(tmp_path) as there:
        ada = await there.front.person()
        tab = there.front.browser()
        page = await given(tab, await there.sign_in(tab, **EVE), "ada@example.com")
        assert page.path.startswith(CHECKS)
        assert await mails(there.front, "ada@example.com") == ["address_in_use"]
        challenge = await there.front.store.messages.ticket(
            page.path.partition("ticket=")[2].partition("&")[0]
        )
        assert challenge is not None
        assert challenge.account_id is None
        assert await there.front.store.accounts.factors(ada.id) == []


@pytest.mark.requirement(83, 91)
async def test_what_waits_and_its_code_are_bound_to_one_browser(tmp_path: Path) -> None:
    """keycloak#49175: a link to the step of an attacker, opened by the victim, shows nothing and connects nothing."""
    async with journey(tmp_path) as there:
        tab, victim = there.front.browser(), there.front.browser()
        asks = await there.sign_in(tab, **EVE)
        check = await given(tab, asks, "eve@example.org")
        code = await code_to(there.front, "eve@example.org")
        for page in (asks, check):
            shown = await victim.on(await victim.get(page.path))
            assert not shown.path.startswith("/sign-in/address")
            assert "eve@example.org" not in shown.words
        addresses = there.front.services.get(prove_address)
        ticket = check.path.partition("ticket=")[2].partition("&")[0]
        caller = Caller("192.0.2.9", browser_hash=digest("another"))
        assert isinstance(await addresses.prove(ticket, code, caller=caller, now=there.front.now), Missed)
        assert (await typed(tab, check, code)).path == "/account"


@pytest.mark.requirement(15, 82)
async def test_a_code_typed_in_many_requests_at_once_makes_one_account(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        tab = there.front.browser()
        check = await given(tab, await there.sign_in(tab, **EVE), "eve@example.org")
        assert check.path.startswith(CHECKS)
        code = await code_to(there.front, "eve@example.org")
        form = {**check.forms["check"].fields, "code": code}
        pages = await asyncio.gather(
            *(tab.post(check.forms["check"].action, {**form, "once": f"o{number}"}) for number in range(8))
        )
        assert {page.status for page in pages} <= {303, 400, 409, 429}
        assert len(await there.front.store.accounts.page()) == 1
        assert len(await there.front.audited("account.created")) == 1


async def test_nobody_goes_on_with_the_account_of_a_disabled_person(tmp_path: Path) -> None:
    async with journey(tmp_path, address="optional") as there:
        await there.sign_in(there.front.browser(), sub="eve-there")
        (eve,) = await there.front.store.accounts.page()
        section: Any = there.front.settings.providers.by_name[there.provider.name]
        structs.force_setattr(section, "address", "required")
        tab = there.front.browser()
        page = await there.sign_in(tab, sub="eve-there")
        assert page.path.startswith(ASKS)
        check = await given(tab, page, "eve@example.org")
        code = await code_to(there.front, "eve@example.org")
        await there.front.change(eve, disabled_at=there.front.now)
        assert "didn't work" in ((await typed(tab, check, code)).problem or "")
        assert [one.email for one in await there.front.store.accounts.page()] == [None]
