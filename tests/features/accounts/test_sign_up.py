"""Sign-up: it reveals nothing to strangers, creates nothing before proof, and cannot flood a mailbox."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.core.model.policy import PasswordPolicy, ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.features.accounts.sign_up import Amiss
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.flow.rules.routing import RoutedDomain
from doorward.features.rate_limits.rules.attempts import Wait
from tests.mailbox import verify_by_code
from tests.people import CALLER, PASSWORD, House, caller_of, open_house
from tests.work_done import HASHED, MAILED, RATED, recorded

pytestmark = pytest.mark.anyio
BROWSER = digest("browser")


class EverythingListed:
    """A breach list that contains every password."""

    def contains(self, sha1_hex: str) -> bool:
        del sha1_hex
        return True


async def ask(
    house: House, email: str = "new@example.com", **changes: Any
) -> EmailChallenge | Amiss | Wait | RoutedDomain:
    values: dict[str, Any] = {
        "password": Secret(PASSWORD),
        "name": "New Person",
        "locale": "de",
        "sign_in_id": None,
        "caller": caller_of(BROWSER),
        "now": house.now,
    }
    return await house.sign_up.begin(email=email, **{**values, **changes})


@pytest.mark.requirement(80)
async def test_a_taken_and_a_free_address_get_the_same_answer(house: House) -> None:
    await house.person()
    free, taken = await ask(house), await ask(house, "ADA@example.com")
    for ticket in (free, taken):
        assert isinstance(ticket, EmailChallenge)
        assert ticket.expires_at == house.now + 600
    mails = {to: (kind, message) for to, kind, message in await house.mails()}
    assert mails["new@example.com"][0] == "verify_address"
    assert mails["ada@example.com"][0] == "address_taken"
    assert mails["ada@example.com"][1].code is None


async def test_nothing_is_created_before_the_address_is_proven(house: House) -> None:
    ticket = await ask(house)
    assert isinstance(ticket, EmailChallenge)
    assert await house.store.accounts.by_email("new@example.com") is None
    assert await house.store.accounts.page() == []


@pytest.mark.requirement(79)
async def test_the_pending_password_is_stored_hashed_and_the_mail_sealed() -> None:
    async with open_house(passwords=PasswordPolicy(threads=2)) as house:
        ticket = await ask(house)
        assert isinstance(ticket, EmailChallenge)
        stored = await house.store.messages.ticket(ticket.id)
        assert stored is not None
        assert PASSWORD not in str(stored)
        assert stored.payload["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        (_, _, message), *_ = await house.mails()
        (mail,) = await house.store.messages.recent_mail()
        assert message.code is not None
        assert message.code.encode() not in mail.sealed
        assert message.code.encode() not in stored.code_hash


@pytest.mark.requirement(78, 80)
async def test_form_errors_do_not_depend_on_whether_the_address_is_taken(house: House) -> None:
    await house.person()
    for email in ("ada@example.com", "new@example.com"):
        assert await ask(house, email, password=Secret("short")) == Amiss(password=Weak("too_short", 15))
    assert await ask(house, "nonsense", name="x" * 200, password=Secret("")) == Amiss(
        email=True, name=True, password=Weak("missing")
    )
    assert await house.mails() == []


@pytest.mark.requirement(78)
async def test_personal_words_and_listed_passwords_are_refused() -> None:
    async with open_house(listed=EverythingListed()) as house:
        assert await ask(house) == Amiss(password=Weak("breached"))
    async with open_house() as house:
        own = await ask(house, "grace.hopper@example.com", password=Secret("grace.hopper2026"))
        assert own == Amiss(password=Weak("context"))


@pytest.mark.requirement(80)
async def test_a_taken_address_takes_as_long_as_a_free_one(house: House) -> None:
    """The same work in the same order: a password is rated and hashed, and a mail written, for both."""
    await house.person()
    with recorded() as free:
        await ask(house)
    with recorded() as taken:
        await ask(house, "ada@example.com")
    assert taken == free
    assert [free.count(step) for step in (RATED, HASHED, MAILED)] == [1, 1, 1]


@pytest.mark.requirement(81)
async def test_a_mailbox_cannot_be_flooded_and_its_owner_can_still_sign_up(house: House) -> None:
    limit = ThrottlePolicy().mails_per_address
    answers = [await ask(house) for _ in range(limit + 2)]
    assert [isinstance(answer, Wait) for answer in answers] == [False] * limit + [True] * 2
    # another requester still receives a mail
    other = CALLER.__class__("203.0.113.77", "", "")
    assert isinstance(await ask(house, caller=caller_of(BROWSER, caller=other)), EmailChallenge)
    house.later(900)
    assert isinstance(await ask(house), EmailChallenge)


async def test_a_new_mail_invalidates_the_earlier_code(house: House) -> None:
    first = await ask(house)
    assert isinstance(first, EmailChallenge)
    (_, _, message), *_ = await house.mails()
    again = await house.sign_up.again(first.id, caller=caller_of(BROWSER), now=house.now)
    assert isinstance(again, EmailChallenge)
    assert again.payload == first.payload
    stored = await house.store.messages.ticket(first.id)
    assert stored is not None
    assert stored.used_at == house.now
    assert len(await house.mails()) == 2
    missed = await verify_by_code(
        house, first.id, message.code or "", caller=caller_of(BROWSER), now=house.now
    )
    assert missed.__class__.__name__ == "Missed"


async def test_only_the_requesting_browser_can_ask_again(house: House) -> None:
    first = await ask(house)
    assert isinstance(first, EmailChallenge)
    for ticket_id, browser in ((first.id, digest("another")), ("tkt_" + "0" * 32, BROWSER)):
        again = await house.sign_up.again(ticket_id, caller=caller_of(browser), now=house.now)
        assert again is None
    assert len(await house.mails()) == 1
