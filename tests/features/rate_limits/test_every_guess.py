"""Guesses at every kind of secret use the same counters, on every node."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

import pytest
from msgspec import structs

from doorward.adapters.counters.store import StoreCounters
from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.features.authn.email_challenges.rules import DIGITS, Missed
from doorward.features.authn.factors.password.rules.proof import of_password
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from tests.mailbox import reset_by_code, reset_by_link, verify_by_code
from tests.people import CALLER, OTHER_PASSWORD, PASSWORD, House, caller_of, open_house

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(96)]
BROWSER, DEVICE = digest("browser"), digest("device")
LIMIT = 12
Guess = Callable[[House, Account, bytes | None, int], Awaitable[object]]


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    # a high limit for one person, so that the network's limit is reached first
    policy = ThrottlePolicy(per_address=LIMIT, per_account=1000, per_code=1000, mails_per_address=1000)
    async with open_house(throttle=policy) as opened:
        yield opened


async def password(house: House, account: Account, device: bytes | None, number: int) -> object:
    return await house.check.verify(
        account.known_as,
        Secret(f"wrong {number}"),
        caller=caller_of(devices=(device,) if device else ()),
        now=house.now,
    )


async def second_factor(house: House, account: Account, device: bytes | None, number: int) -> object:
    sign_in = await house.sign_in(
        f"b{number}", account_id=account.id, proofs=(of_password(account, house.now),)
    )
    return await house.prove_second_factor.prove(
        sign_in,
        code=Secret("000000"),
        caller=caller_of(devices=(device,) if device else ()),
        now=house.now,
    )


async def reset_code(house: House, account: Account, device: bytes | None, number: int) -> object:
    # the mail is requested from another device: only the guess is counted here
    ticket = await house.reset.ask(
        email=account.known_as,
        locale="en",
        sign_in_id=None,
        caller=caller_of(BROWSER, devices=(DEVICE,), caller=elsewhere(number)),
        now=house.now,
    )
    assert isinstance(ticket, EmailChallenge), ticket
    return await reset_by_code(
        house,
        ticket.id,
        "no",
        caller=caller_of(BROWSER, devices=(device,) if device else ()),
        now=house.now,
    )


async def sign_up_code(house: House, account: Account, device: bytes | None, number: int) -> object:
    ticket = await house.sign_up.begin(
        email=account.known_as,
        password=Secret(OTHER_PASSWORD),
        name="",
        locale="en",
        sign_in_id=None,
        caller=caller_of(BROWSER, caller=elsewhere(number)),
        now=house.now,
    )
    assert isinstance(ticket, EmailChallenge), ticket
    return await verify_by_code(
        house,
        ticket.id,
        "no",
        caller=caller_of(BROWSER, devices=(device,) if device else ()),
        now=house.now,
    )


def elsewhere(number: int) -> Caller:
    return Caller(f"198.51.100.{number}", CALLER.user_agent, CALLER.request_id)


def looked_at(outcome: object) -> bool:
    if isinstance(outcome, OAuthError):
        return outcome.code == "access_denied"
    return isinstance(outcome, Missed)


GUESSES: list[Guess] = [password, second_factor, reset_code, sign_up_code]


@pytest.mark.parametrize("guess", GUESSES)
async def test_wrong_guesses_of_every_kind_use_up_the_networks_limit(house: House, guess: Guess) -> None:
    account = await house.person()
    await house.authenticator(account)
    seen = [looked_at(await guess(house, account, None, number)) for number in range(LIMIT + 3)]
    assert seen == [True] * LIMIT + [False] * 3


async def test_all_kinds_of_guesses_share_one_limit(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    for number in range(LIMIT):
        assert looked_at(await GUESSES[number % 4](house, account, None, number))
    for guess in GUESSES:
        assert not looked_at(await guess(house, account, None, 100))


async def test_a_known_device_neither_uses_nor_suffers_from_the_shared_limit(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    await house.store.commit(house.store.sessions.remember_device(DEVICE, account.id, house.now))
    for number in range(4):
        for guess in GUESSES[:3]:
            assert looked_at(await guess(house, account, DEVICE, number))
    for number in range(LIMIT):
        assert looked_at(await password(house, account, None, number)), (
            "the known device's guesses were counted"
        )
    assert not looked_at(await password(house, account, None, 100))
    for guess in GUESSES[:3]:
        assert looked_at(await guess(house, account, DEVICE, 101))


async def test_nodes_share_their_counters(house: House) -> None:
    account = await house.person()
    other = Throttle(
        store=house.store,
        sealer=house.sealer,
        policy=house.throttle.policy,
        counters=StoreCounters(store=house.store),
    )
    there = replace(house, check=structs.replace(house.check, throttle=other))
    for number in range(LIMIT):
        assert looked_at(await password((house, there)[number % 2], account, None, number))
    for node in (house, there):
        outcome = await node.check.verify(account.known_as, Secret(PASSWORD), caller=CALLER, now=house.now)
        assert isinstance(outcome, OAuthError)
        assert outcome.code == "too_many_attempts"


async def test_successful_sign_ins_are_not_counted(house: House) -> None:
    account = await house.person()
    for _ in range(LIMIT + 3):
        done = await house.check.verify(account.known_as, Secret(PASSWORD), caller=CALLER, now=house.now)
        assert isinstance(done, Account)


async def test_a_reset_code_is_longer_than_a_sign_up_code(house: House) -> None:
    account = await house.person()
    await reset_code(house, account, None, 1)
    (_, kind, message), *_ = await house.mails()
    assert kind == "reset_password"
    assert len(message.code or "") == DIGITS["reset"] == 9
    assert DIGITS["sign_up"] == 6


async def test_wrong_codes_do_not_block_the_link(house: House) -> None:
    account = await house.person()
    for number in range(LIMIT):
        await reset_code(house, account, None, number)
    assert isinstance(await reset_code(house, account, None, LIMIT), Wait)
    (_, _, message), *_ = await house.mails()
    link = message.text.partition("token=")[2].split()[0]
    assert isinstance(
        await reset_by_link(house, link, caller=caller_of(BROWSER), now=house.now), EmailChallenge
    )
