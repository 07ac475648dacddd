"""Address verification at sign-up: when an account is created, and for whom."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from doorward.core.model.config_snapshot import Role
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.core.model.signin import Proof, SignIn
from doorward.features.accounts.verify_address import VerifiedAddress
from doorward.features.authn.email_challenges.rules import Missed
from doorward.features.rate_limits.rules.attempts import Wait
from tests.mailbox import verify_by_code, verify_by_link
from tests.people import CALLER, PASSWORD, House, caller_of

pytestmark = pytest.mark.anyio
BROWSER = digest("browser")
LIMIT = ThrottlePolicy().per_code


async def asked(
    house: House, email: str = "new@example.com", **changes: Any
) -> tuple[EmailChallenge, str, str]:
    """A pending sign-up: (ticket, code, link token)."""
    values: dict[str, Any] = {
        "password": Secret(PASSWORD),
        "name": "New Person",
        "locale": "de",
        "sign_in_id": None,
        "caller": caller_of(BROWSER),
        "now": house.now,
    }
    ticket = await house.sign_up.begin(email=email, **{**values, **changes})
    assert isinstance(ticket, EmailChallenge)
    (_, _, message), *_ = await house.mails()
    found = re.search(r"/verify\?token=([A-Za-z0-9_-]{43})", message.text)
    return ticket, message.code or "", found.group(1) if found else ""


async def by_code(
    house: House, ticket: EmailChallenge, code: str, browser: bytes = BROWSER
) -> VerifiedAddress | Missed | Wait:
    return await verify_by_code(house, ticket.id, code, caller=caller_of(browser), now=house.now)


async def by_link(house: House, token: str, browser: bytes = BROWSER) -> VerifiedAddress | Missed:
    return await verify_by_link(house, token, caller=caller_of(browser), now=house.now)


async def test_the_code_creates_the_account_with_the_default_roles(house: House) -> None:
    for name, default in (("member", True), ("admin", False)):
        role = Role(f"rol_{name}", name, {}, house.now, default)
        await house.store.commit(house.store.registry.put_role(role))
    await house.config.refresh()
    ticket, code, _ = await asked(house)
    made = await by_code(house, ticket, f"{code[:3]} {code[3:]}")
    assert isinstance(made, VerifiedAddress)
    stored = await house.store.accounts.by_email("new@example.com")
    assert stored is not None
    assert stored == made.account
    assert (stored.name, stored.locale, stored.role_names) == ("New Person", "de", ("member",))
    assert await house.hasher.verify(stored.password_hash, Secret(PASSWORD))
    assert {"account.created", "sign_up.completed"} <= set(await house.kinds())


async def test_the_link_creates_the_account_once(house: House) -> None:
    _, _, token = await asked(house)
    outcomes = await asyncio.gather(*(by_link(house, token) for _ in range(8)))
    assert sum(isinstance(outcome, VerifiedAddress) for outcome in outcomes) == 1
    assert len(await house.store.accounts.page()) == 1


@pytest.mark.requirement(80)
async def test_no_code_works_for_a_taken_address(house: House) -> None:
    await house.person()
    ticket, code, token = await asked(house, "ada@example.com")
    assert (code, token) == ("", "")
    assert await by_code(house, ticket, "123456") == Missed("code")
    assert len(await house.store.accounts.page()) == 1


async def test_code_and_link_are_bound_to_the_requesting_browser(house: House) -> None:
    ticket, code, token = await asked(house)
    stranger = digest("another browser")
    assert await by_code(house, ticket, code, stranger) == Missed("unknown")
    assert await by_link(house, token, stranger) == Missed("browser")
    assert isinstance(await by_link(house, token), VerifiedAddress)


async def test_code_and_link_expire_after_ten_minutes(house: House) -> None:
    ticket, code, token = await asked(house)
    house.later(600)
    assert await by_code(house, ticket, code) == Missed("expired")
    assert await by_link(house, token) == Missed("expired")


async def test_of_two_sign_ups_for_one_address_the_first_proven_wins(house: House) -> None:
    first, code_one, _ = await asked(house)
    second, code_two, _ = await asked(house, password=Secret("another " + PASSWORD))
    assert isinstance(await by_code(house, second, code_two), VerifiedAddress)
    assert await by_code(house, first, code_one) == Missed("used")
    stored = await house.store.accounts.by_email("new@example.com")
    assert stored is not None
    assert await house.hasher.verify(stored.password_hash, Secret("another " + PASSWORD))


async def test_too_many_wrong_codes_block_the_ticket_but_not_its_link(house: House) -> None:
    ticket, code, token = await asked(house)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(LIMIT):
        assert await by_code(house, ticket, wrong) == Missed("code")
    assert isinstance(await by_code(house, ticket, code), Wait)
    assert isinstance(await by_link(house, token), VerifiedAddress)


async def test_a_new_mail_does_not_reset_the_count_of_guesses(house: House) -> None:
    looked_at = 0
    for number in range(4):
        caller = CALLER.__class__(f"198.51.100.{number}", "", "")
        ticket, code, _ = await asked(house, caller=caller_of(BROWSER, caller=caller))
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        for _ in range(LIMIT):
            looked_at += isinstance(await by_code(house, ticket, wrong), Missed)
    assert looked_at == LIMIT


async def test_concurrent_guesses_are_counted_one_by_one(house: House) -> None:
    ticket, code, _ = await asked(house)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    outcomes = await asyncio.gather(*(by_code(house, ticket, wrong) for _ in range(30)))
    assert sum(isinstance(outcome, Missed) for outcome in outcomes) == LIMIT


async def test_the_sign_in_continues_with_the_password_just_set(house: House) -> None:
    sign_in = await house.sign_in()
    ticket, code, _ = await asked(house, sign_in_id=sign_in.id)
    asked_at = house.now
    house.later(120)
    made = await by_code(house, ticket, code)
    assert isinstance(made, VerifiedAddress)
    assert made.challenge.sign_in_id == sign_in.id
    proven = await house.verify.go_on(sign_in, made, house.now)
    assert isinstance(proven, SignIn)
    assert proven.account_id == made.account.id
    # the time when it was typed, and not before the password that it proves
    assert proven.proofs == (Proof("password", asked_at, ("pwd",), against=asked_at),)
    assert made.account.password_changed_at == asked_at


async def test_a_used_ticket_keeps_no_hash(house: House) -> None:
    ticket, code, _ = await asked(house)
    await by_code(house, ticket, code)
    stored = await house.store.messages.ticket(ticket.id)
    assert stored is not None
    assert stored.payload == {}
