"""Second-factor proof: it cannot be skipped, guessed, replayed or used up by others."""

from __future__ import annotations

import asyncio

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.factors.totp import rules as totp
from tests.people import CHROME, PASSWORD, House, caller_of, code_for

pytestmark = pytest.mark.anyio
LIMIT = ThrottlePolicy().per_code


async def waiting(house: House, account: Account, browser: str = "browser") -> SignIn:
    """A sign-in with a proven password."""
    proof = Proof("password", house.now, ("pwd",))
    return await house.sign_in(browser, account_id=account.id, proofs=(proof,))


async def prove(
    house: House, sign_in: SignIn, code: str, *, device: bytes | None = None, address: str = "192.0.2.1"
) -> SignIn | OAuthError:
    return await house.prove_second_factor.prove(
        sign_in,
        code=Secret(code),
        now=house.now,
        caller=caller_of(devices=(device,) if device else (), caller=Caller(address, CHROME, "r-2")),
    )


def code_of(outcome: SignIn | OAuthError) -> str:
    return outcome.code if isinstance(outcome, OAuthError) else "in"


async def test_the_apps_code_is_the_second_proof(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    outcome = await prove(house, await waiting(house, account), code_for(seed, house.now))
    assert isinstance(outcome, SignIn)
    assert [proof.kind for proof in outcome.proofs] == ["password", "totp"]
    assert "second_factor.succeeded" in await house.kinds()


@pytest.mark.parametrize("zero", ["\u0660", "\u06f0", "\u0966", "\uff10"])
async def test_digits_of_other_scripts_are_accepted(house: House, zero: str) -> None:
    account = await house.person()
    seed, codes = await house.authenticator(account)
    typed = "".join(chr(ord(zero) + int(digit)) for digit in code_for(seed, house.now))
    assert isinstance(await prove(house, await waiting(house, account), f"\u200e{typed}\u200f"), SignIn)
    wide = "".join(chr(ord(char) - 0x21 + 0xFF01) if char != "-" else char for char in codes[0])
    assert isinstance(await prove(house, await waiting(house, account), f"\ufeff{wide}"), SignIn)


@pytest.mark.requirement(85)
async def test_no_code_is_checked_before_the_password_is_proven(house: House) -> None:
    account = await house.person()
    seed, codes = await house.authenticator(account)
    good = code_for(seed, house.now)
    stale = Proof("password", house.now - 100, ("pwd",))
    for changes in (
        {},
        {"account_id": account.id},
        {"account_id": account.id, "proofs": (stale,), "fresh_after": house.now},
        {"account_id": account.id, "proofs": (stale,), "expires_at": house.now},
        {"account_id": account.id, "proofs": (stale,), "done_at": house.now},
        {"account_id": "usr_nobody", "proofs": (stale,)},
    ):
        for code in (good, codes[0]):
            assert code_of(await prove(house, await house.sign_in(**changes), code)) == "invalid_session"
    assert isinstance(await prove(house, await waiting(house, account), good), SignIn)


@pytest.mark.requirement(82)
async def test_a_code_works_once_across_all_sign_ins(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    code = code_for(seed, house.now)
    first, second = await waiting(house, account, "one"), await waiting(house, account, "two")
    assert isinstance(await prove(house, first, code), SignIn)
    assert code_of(await prove(house, second, code)) == "access_denied"
    house.later(totp.PERIOD)
    assert isinstance(await prove(house, second, code_for(seed, house.now)), SignIn)


@pytest.mark.requirement(82)
async def test_the_same_code_sent_concurrently_works_once(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    code = code_for(seed, house.now)
    sign_ins = [await waiting(house, account, f"b{n}") for n in range(LIMIT)]
    outcomes = await asyncio.gather(*(prove(house, sign_in, code) for sign_in in sign_ins))
    assert [code_of(outcome) for outcome in outcomes].count("in") == 1


@pytest.mark.requirement(82)
async def test_guesses_are_counted_across_sign_ins_and_addresses(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    wrong = f"{(int(code_for(seed, house.now)) + 500_000) % 1_000_000:06d}"
    for number in range(LIMIT):
        sign_in = await waiting(house, account, f"b{number}")
        outcome = await prove(house, sign_in, wrong, address=f"198.51.100.{number}")
        assert code_of(outcome) == "access_denied"
    outcome = await prove(house, await waiting(house, account, "fresh"), code_for(seed, house.now))
    assert isinstance(outcome, OAuthError)
    assert (outcome.code, outcome.retry_at) == ("too_many_attempts", house.now + 900)


@pytest.mark.requirement(81, 82)
async def test_an_attacker_with_the_password_does_not_use_up_the_owners_attempts(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    device = b"d" * 32
    await house.store.commit(house.store.sessions.remember_device(device, account.id, house.now))
    for number in range(LIMIT + 1):
        await prove(house, await waiting(house, account, f"b{number}"), "no code")
    outcome = await prove(house, await waiting(house, account), code_for(seed, house.now), device=device)
    assert isinstance(outcome, SignIn)


@pytest.mark.requirement(82)
async def test_the_seed_is_stored_encrypted(house: House) -> None:
    account = await house.person()
    seed, codes = await house.authenticator(account)
    factors = await house.store.accounts.factors(account.id)
    app = next(factor for factor in factors if factor.kind == "totp")
    assert app.sealed is not None
    assert seed not in app.sealed
    with pytest.raises(ValueError, match="sealed"):
        house.sealer.open("totp", "fac_another", app.sealed)
    kept = [factor for factor in factors if factor.kind == "recovery_code"]
    assert len(kept) == len(codes) == 10
    assert all(factor.code_hash is not None and len(factor.code_hash) == 32 for factor in kept)
    assert not any(
        code.replace("-", "").encode() in (factor.code_hash or b"") for code in codes for factor in kept
    )


@pytest.mark.requirement(84)
async def test_a_recovery_code_replaces_the_app_once(house: House) -> None:
    account = await house.person()
    _, codes = await house.authenticator(account)
    outcome = await prove(house, await waiting(house, account, "one"), f" {codes[3].lower()} ")
    assert isinstance(outcome, SignIn)
    shown = outcome.proofs[-1]
    assert (shown.kind, shown.at, shown.amr) == ("recovery_code", house.now, ("otp",))
    assert code_of(await prove(house, await waiting(house, account, "two"), codes[3])) == "access_denied"
    assert isinstance(await prove(house, await waiting(house, account, "three"), codes[4]), SignIn)
    used = [event for event in await house.audit() if event.kind == "recovery_codes.used"]
    assert sorted(event.detail["left"] for event in used) == [8, 9]
    mails = [
        (to, message.subject, "9 recovery codes are left" in message.text)
        for to, kind, message in await house.mails()
        if kind == "recovery_code_used"
    ]
    assert sorted(mails) == [
        ("ada@example.com", "A recovery code of your account at Acme was used", False),
        ("ada@example.com", "A recovery code of your account at Acme was used", True),
    ]


@pytest.mark.requirement(84)
async def test_the_same_recovery_code_sent_concurrently_works_once(house: House) -> None:
    account = await house.person()
    _, codes = await house.authenticator(account)
    sign_ins = [await waiting(house, account, f"b{n}") for n in range(LIMIT)]
    outcomes = await asyncio.gather(*(prove(house, sign_in, codes[0]) for sign_in in sign_ins))
    assert [code_of(outcome) for outcome in outcomes].count("in") == 1


async def test_codes_of_other_people_are_refused(house: House) -> None:
    ada, eve = await house.person(), await house.person("eve@example.com")
    await house.authenticator(ada)
    seed, codes = await house.authenticator(eve)
    for code in (code_for(seed, house.now), codes[0]):
        assert code_of(await prove(house, await waiting(house, ada), code)) == "access_denied"


async def test_a_code_is_never_compared_with_an_account_for_which_it_was_not_counted(house: House) -> None:
    """docs/incidents/0055-a-guess-counted-for-somebody-else.md: the sign-in moves on to another person while a code of the first
    one is committed."""
    mallory = await house.person("mallory@example.com")
    victim = await house.person()
    seed, _ = await house.authenticator(mallory)
    _, codes = await house.authenticator(victim)
    of_mallory = await waiting(house, mallory)
    moved = await house.check.prove(
        of_mallory, victim.known_as, Secret(PASSWORD), caller=caller_of(), now=house.now
    )
    assert isinstance(moved, SignIn)
    assert moved.account_id == victim.id
    # the form that was sent before the sign-in moved on
    assert code_of(await prove(house, of_mallory, code_for(seed, house.now))) == "invalid_session"
    failed = [event.account_id for event in await house.audit() if event.kind == "second_factor.failed"]
    assert victim.id not in failed
    assert await house.store.sign_ins.get(moved.id) == moved
    assert isinstance(await prove(house, moved, codes[0]), SignIn)


async def test_a_disabled_person_cannot_continue(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    sign_in = await waiting(house, account)
    await house.change_account(account, disabled_at=house.now)
    assert code_of(await prove(house, sign_in, code_for(seed, house.now))) == "invalid_session"
