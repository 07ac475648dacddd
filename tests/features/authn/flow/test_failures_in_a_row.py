"""Wrong codes in a row: at most a hundred for an authenticator, and never a lock for its owner on a known device (R81, R82)."""

from __future__ import annotations

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.secret import Secret
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.proving import MOST_FAILURES
from tests.people import CHROME, House, caller_of, code_for

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(82)]
HERE = Caller("192.0.2.1", CHROME, "r-1")


async def waiting(house: House, account: Account) -> SignIn:
    proof = Proof("password", house.now, ("pwd",))
    return await house.sign_in("browser", account_id=account.id, proofs=(proof,))


async def prove(
    house: House, account: Account, code: str, *, device: bytes | None = None
) -> SignIn | OAuthError:
    return await house.prove_second_factor.prove(
        await waiting(house, account),
        code=Secret(code),
        now=house.now,
        caller=caller_of(devices=(device,) if device else (), caller=HERE),
    )


def wrong(seed: bytes, now: int) -> str:
    return f"{(int(code_for(seed, now)) + 500_000) % 1_000_000:06d}"


async def known(house: House, account: Account) -> bytes:
    """A device on which the account was signed in."""
    device = digest("device")
    assert await house.store.commit(house.store.sessions.remember_device(device, account.id, house.now))
    return device


async def missed(house: House, account: Account, times: int, *, on_known: bool = False) -> None:
    rows = await house.store.accounts.factors(account.id)
    (app,) = [row.id for row in rows if row.kind == "totp"]
    for _ in range(times):
        assert await house.store.commit(house.store.factor_failures.add((app,), known=on_known))


async def test_each_wrong_code_counts_and_a_right_one_clears(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    for number in range(1, 4):
        assert isinstance(await prove(house, account, wrong(seed, house.now)), OAuthError)
        counted = await house.store.factor_failures.of_account(account.id)
        # the recovery codes are not counted: no guess finds one
        assert list(counted.values()) == [number]
    assert isinstance(await prove(house, account, code_for(seed, house.now)), SignIn)
    assert await house.store.factor_failures.of_account(account.id) == {}


async def test_after_a_hundred_in_a_row_even_the_right_code_is_refused_from_elsewhere(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    await missed(house, account, MOST_FAILURES - 1)
    assert isinstance(await prove(house, account, wrong(seed, house.now)), OAuthError)
    house.later(86_400)
    outcome = await prove(house, account, code_for(seed, house.now))
    assert isinstance(outcome, OAuthError)
    assert outcome.code == "too_many_attempts"
    assert outcome.retry_at is None
    # no time ends it
    house.later(30 * 86_400)
    assert isinstance(await prove(house, account, code_for(seed, house.now)), OAuthError)


@pytest.mark.requirement(81)
async def test_the_owner_signs_in_on_a_known_device_and_ends_it(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    device = await known(house, account)
    await missed(house, account, MOST_FAILURES)
    assert isinstance(await prove(house, account, code_for(seed, house.now), device=device), SignIn)
    house.later(60)
    assert isinstance(await prove(house, account, code_for(seed, house.now)), SignIn)


async def test_a_recovery_code_ends_it_too(house: House) -> None:
    account = await house.person()
    seed, codes = await house.authenticator(account)
    await missed(house, account, MOST_FAILURES)
    assert isinstance(await prove(house, account, codes[0]), SignIn)
    assert isinstance(await prove(house, account, code_for(seed, house.now)), SignIn)


async def test_a_known_device_has_a_hundred_of_its_own(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    device = await known(house, account)
    await missed(house, account, MOST_FAILURES, on_known=True)
    assert isinstance(await prove(house, account, code_for(seed, house.now), device=device), OAuthError)
    assert isinstance(await prove(house, account, code_for(seed, house.now)), SignIn)
