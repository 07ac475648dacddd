"""Validity check for a mailed code that still waits in the outbox."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.adapters.mail.queue import open_message
from doorward.core.model.message import EmailChallenge
from tests.people import PASSWORD, House

pytestmark = pytest.mark.anyio


async def newest(house: House) -> EmailChallenge:
    mails = await house.store.messages.recent_mail(100)
    ids = [open_message(house.sealer, mail).ticket_id for mail in mails]
    found = [await house.store.messages.ticket(ticket_id) for ticket_id in ids if ticket_id is not None]
    return next(ticket for ticket in found if ticket is not None and ticket.used_at is None)


async def test_a_sign_up_code_is_valid_until_it_expires_is_replaced_or_used(house: House) -> None:
    works = house.email_challenges.problem
    browser = house.browser()
    asked = await browser.submit(
        await browser.get("/sign-up"), "sign-up", email="new@example.com", password=PASSWORD
    )
    first = await newest(house)
    assert await works(first.id, house.now) is None
    assert await works(first.id, first.expires_at - 1) is None
    assert "expired" in str(await works(first.id, first.expires_at))
    assert "expired" in str(await works("tkt_gone", house.now))
    await browser.submit(await browser.follow(asked), "resend")
    assert "replaced" in str(await works(first.id, house.now))
    assert await works((await newest(house)).id, house.now) is None


async def test_a_reset_code_is_valid_until_the_password_changes(house: House) -> None:
    works = house.email_challenges.problem
    account = await house.person()
    browser = house.browser()
    await browser.submit(await browser.get("/reset"), "reset", email=account.known_as)
    ticket = await newest(house)
    assert ticket.kind == "reset"
    assert await works(ticket.id, house.now) is None
    changed = structs.replace(account, password_changed_at=house.now + 1)
    assert await house.store.commit(house.store.accounts.replace(changed, old=account))
    assert "another" in str(await works(ticket.id, house.now))
