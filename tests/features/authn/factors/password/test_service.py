"""Sign-in by password: it reveals no more than it should, slows guessing, and does not lock the owner out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec import structs

from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.core.errors import HashingBusy, OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.policy import PasswordPolicy, ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.factors.password.service import MISMATCH
from doorward.features.authn.flow.proving import DISABLED
from doorward.features.rate_limits.rules.attempts import DAILY
from tests.people import CHROME, PASSWORD, House, caller_of, open_house
from tests.work_done import HASHED, recorded

pytestmark = pytest.mark.anyio
DEVICE = b"d" * 32
LIMIT = ThrottlePolicy().per_account


async def prove(
    house: House,
    sign_in: SignIn,
    password: str = PASSWORD,
    identifier: str = "ada@example.com",
    *,
    device: bytes | None = None,
    address: str = "192.0.2.1",
) -> SignIn | OAuthError:
    return await house.check.prove(
        sign_in,
        identifier=identifier,
        password=Secret(password),
        now=house.now,
        caller=caller_of(devices=(device,) if device else (), caller=Caller(address, CHROME, "r-1")),
    )


async def fail(house: House, times: int, *, device: bytes | None = None, address: str | None = None) -> None:
    for number in range(times):
        sign_in = await house.sign_in()
        where = address or f"198.51.100.{number % 250}"
        outcome = await prove(house, sign_in, "wrong password at all", device=device, address=where)
        assert isinstance(outcome, OAuthError)


async def test_the_right_password_is_stored_as_a_proof_in_the_sign_in(house: House) -> None:
    account = await house.person()
    outcome = await prove(house, await house.sign_in(), identifier="  ADA@example.com ")
    assert isinstance(outcome, SignIn)
    assert outcome.account_id == account.id
    assert outcome.proofs == (Proof("password", house.now, ("pwd",), against=account.password_changed_at),)
    assert await house.store.sign_ins.get(outcome.id) == outcome


@pytest.mark.requirement(80)
async def test_unknown_and_wrong_get_the_same_answer_and_kind_of_audit_event(house: House) -> None:
    await house.person()
    gone = await house.person("eve@example.com")
    await house.change_account(gone, disabled_at=house.now)
    await house.person("dan@example.com")
    stored = await house.store.accounts.by_email("dan@example.com")
    assert stored is not None
    await house.change_account(stored, password_hash=None)
    for identifier, password in (
        ("ada@example.com", "not the password"),
        ("nobody@example.com", PASSWORD),
        ("eve@example.com", "not the password"),
        ("dan@example.com", PASSWORD),
        ("no address at all", PASSWORD),
        ("ada@example.com", "x" * 10_000),
    ):
        outcome = await prove(house, await house.sign_in(), password, identifier)
        assert isinstance(outcome, OAuthError)
        assert (outcome.code, outcome.description, outcome.retry_at) == ("access_denied", MISMATCH, None)
    events = await house.audit()
    assert [event.kind for event in events] == ["sign_in.failed"] * 6
    # a typed identifier may be a password, so the audit log must not contain it
    assert all("identifier" not in event.detail and "nobody" not in str(event.detail) for event in events)


@pytest.mark.requirement(72, 80)
async def test_with_the_right_password_a_disabled_account_is_told_whom_to_ask(house: House) -> None:
    eve = await house.person("eve@example.com")
    await house.change_account(eve, disabled_at=house.now)
    outcome = await prove(house, await house.sign_in(), PASSWORD, "eve@example.com")
    assert isinstance(outcome, OAuthError)
    assert (outcome.code, outcome.description) == ("access_denied", DISABLED)
    (event,) = await house.audit()
    assert (event.kind, event.detail["reason"]) == ("sign_in.failed", "disabled")


@pytest.mark.requirement(80)
async def test_a_sign_in_of_an_unknown_person_takes_as_long_as_of_a_known_one(house: House) -> None:
    """The same work in the same order, with one hash of the same cost, for somebody with a password, without one, and unknown."""
    await house.person()
    await house.change_account(await house.person("eve@example.com"), password_hash=None)
    took: list[list[str]] = []
    for identifier in ("ada@example.com", "eve@example.com", "nobody@example.com"):
        sign_in = await house.sign_in()
        with recorded() as steps:
            outcome = await prove(house, sign_in, "wrong", identifier)
        assert isinstance(outcome, OAuthError)
        assert outcome.code == "access_denied"
        took.append(steps)
    assert took[0] == took[1] == took[2]
    assert took[0].count(HASHED) == 1


@pytest.mark.requirement(80, 81)
async def test_unknown_people_are_throttled_at_the_same_attempt_as_known_ones(house: House) -> None:
    await house.person()
    for identifier in ("ada@example.com", "nobody@example.com"):
        codes: list[str] = []
        for number in range(LIMIT + 2):
            outcome = await prove(
                house, await house.sign_in(), "wrong", identifier, address=f"198.51.100.{number}"
            )
            assert isinstance(outcome, OAuthError)
            codes.append(outcome.code)
        assert codes == ["access_denied"] * LIMIT + ["too_many_attempts"] * 2, identifier
    kinds = await house.kinds()
    assert kinds.count("sign_in.throttled") == 2


@pytest.mark.requirement(81)
async def test_a_refusal_says_until_when_and_ends_then(house: House) -> None:
    await house.person()
    await fail(house, LIMIT)
    outcome = await prove(house, await house.sign_in())
    assert isinstance(outcome, OAuthError)
    assert outcome.retry_at == house.now + 900
    house.later(900)
    assert isinstance(await prove(house, await house.sign_in()), SignIn)


@pytest.mark.requirement(81)
async def test_an_attacker_elsewhere_cannot_lock_out_the_owners_known_device(house: House) -> None:
    account = await house.person()
    await house.store.commit(house.store.sessions.remember_device(DEVICE, account.id, house.now))
    await fail(house, LIMIT + 3)
    elsewhere = await prove(house, await house.sign_in(), address="203.0.113.9")
    assert isinstance(elsewhere, OAuthError)
    assert elsewhere.code == "too_many_attempts"
    assert isinstance(await prove(house, await house.sign_in(), device=DEVICE), SignIn)


@pytest.mark.requirement(81)
async def test_a_known_device_is_throttled_and_known_only_for_its_own_people(house: House) -> None:
    account = await house.person()
    await house.person("eve@example.com")
    await house.store.commit(house.store.sessions.remember_device(DEVICE, account.id, house.now))
    await fail(house, ThrottlePolicy().per_device, device=DEVICE)
    assert isinstance(await prove(house, await house.sign_in(), device=DEVICE), OAuthError)
    # eve's attempts from ada's device count as a stranger's
    for _ in range(LIMIT):
        await prove(house, await house.sign_in(), "wrong", "eve@example.com", device=DEVICE)
    outcome = await prove(house, await house.sign_in(), PASSWORD, "eve@example.com")
    assert isinstance(outcome, OAuthError)
    assert outcome.code == "too_many_attempts"


@pytest.mark.requirement(81)
async def test_one_address_that_tries_many_accounts_is_throttled_and_others_are_not() -> None:
    async with open_house(throttle=ThrottlePolicy(per_address=6)) as house:
        await house.person()
        for number in range(6):
            await prove(
                house, await house.sign_in(), "spray", f"p{number}@example.com", address="203.0.113.5"
            )
        held = await prove(house, await house.sign_in(), address="203.0.113.5")
        assert isinstance(held, OAuthError)
        assert held.code == "too_many_attempts"
        assert isinstance(await prove(house, await house.sign_in(), address="203.0.113.6"), SignIn)


@pytest.mark.requirement(81)
async def test_many_successful_sign_ins_from_one_address_are_not_throttled() -> None:
    async with open_house(throttle=ThrottlePolicy(per_address=3)) as house:
        await house.person()
        for _ in range(6):
            assert isinstance(await prove(house, await house.sign_in(), address="203.0.113.5"), SignIn)


@pytest.mark.requirement(81)
async def test_concurrent_guesses_are_checked_only_up_to_the_limit(house: House) -> None:
    await house.person()
    sign_ins = [await house.sign_in() for _ in range(40)]
    outcomes = await asyncio.gather(
        *(
            prove(house, sign_in, f"guess {number}", address=f"198.51.100.{number}")
            for number, sign_in in enumerate(sign_ins)
        )
    )
    looked_at = [o for o in outcomes if isinstance(o, OAuthError) and o.code == "access_denied"]
    assert len(looked_at) == LIMIT


@pytest.mark.requirement(81)
async def test_a_slow_attacker_gets_at_most_a_hundred_attempts_a_day(house: House) -> None:
    await house.person()
    looked_at = 0
    for _ in range(DAILY + 2):
        for number in range(LIMIT):
            outcome = await prove(
                house, await house.sign_in(), "", address=f"198.51.{number}.{looked_at % 250}"
            )
            assert isinstance(outcome, OAuthError)
            looked_at += outcome.code == "access_denied"
        house.later(901)
    assert looked_at == 100


async def test_success_resets_the_count_of_failures(house: House) -> None:
    await house.person()
    for _ in range(3):
        await fail(house, LIMIT - 1)
        assert isinstance(await prove(house, await house.sign_in()), SignIn)


@pytest.mark.requirement(79)
async def test_an_older_hash_is_upgraded_at_sign_in_and_still_works() -> None:
    async with open_house(passwords=PasswordPolicy(threads=2)) as house:
        account = await house.person()
        weaker = Argon2Hasher(PasswordPolicy(memory_kib=8192, iterations=1, threads=1))
        try:
            old = await weaker.hash(Secret(PASSWORD))
        finally:
            weaker.close()
        await house.change_account(account, password_hash=old)
        assert isinstance(await prove(house, await house.sign_in()), SignIn)
        stored = await house.store.accounts.get(account.id)
        assert stored is not None
        assert stored.password_hash is not None
        assert stored.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert isinstance(await prove(house, await house.sign_in()), SignIn)


@pytest.mark.requirement(79)
async def test_hashing_overload_is_reported_at_once() -> None:
    async with open_house(passwords=PasswordPolicy(threads=1, queue=2)) as house:
        await house.person()
        sign_ins = [await house.sign_in() for _ in range(9)]
        outcomes = await asyncio.gather(
            *(prove(house, sign_in) for sign_in in sign_ins), return_exceptions=True
        )
        busy = [o for o in outcomes if isinstance(o, HashingBusy)]
        signed_in = [o for o in outcomes if isinstance(o, SignIn)]
        assert len(busy) == 6
        assert len(signed_in) == 3


@pytest.mark.requirement(78)
async def test_the_whole_password_counts_and_unicode_forms_are_equal(house: House) -> None:
    long = "é" * 60 + " and then some more that matters a lot"
    await house.person(password=long)
    for typed, accepted in ((long, True), (long[:-1], False), (long.replace("é", "e\u0301"), True)):
        outcome = await prove(house, await house.sign_in(), typed)
        assert isinstance(outcome, SignIn) is accepted


async def test_a_finished_sign_in_accepts_no_proof(house: House) -> None:
    await house.person()
    over: tuple[dict[str, Any], ...] = ({"done_at": house.now}, {"expires_at": house.now})
    for changes in over:
        outcome = await prove(house, await house.sign_in(**changes))
        assert isinstance(outcome, OAuthError)
        assert outcome.code == "invalid_session"


async def test_a_change_of_person_drops_the_previous_persons_proofs(house: House) -> None:
    ada, eve = await house.person(), await house.person("eve@example.com")
    begun = await house.sign_in(
        account_id=ada.id,
        proofs=(Proof("password", house.now, ("pwd",)), Proof("totp", house.now, ("otp",))),
        session_id="ses_ada",
        consented=True,
    )
    outcome = await prove(house, begun, identifier="eve@example.com")
    assert isinstance(outcome, SignIn)
    assert outcome.account_id == eve.id
    assert [proof.kind for proof in outcome.proofs] == ["password"]
    assert (outcome.session_id, outcome.consented) == (None, False)


async def test_a_form_sent_twice_concurrently_adds_one_proof(house: House) -> None:
    await house.person()
    begun = await house.sign_in()
    outcomes = await asyncio.gather(*(prove(house, begun) for _ in range(5)))
    assert all(isinstance(outcome, SignIn) for outcome in outcomes)
    stored = await house.store.sign_ins.get(begun.id)
    assert stored is not None
    assert len(stored.proofs) == 1


async def test_a_stale_proof_is_replaced(house: House) -> None:
    account = await house.person()
    old = Proof("totp", house.now - 500, ("otp",))
    begun = await house.sign_in(account_id=account.id, proofs=(old,), fresh_after=house.now - 10)
    outcome = await prove(house, begun)
    assert isinstance(outcome, SignIn)
    assert outcome.proofs == (Proof("password", house.now, ("pwd",), against=account.password_changed_at),)
    assert structs.asdict(outcome)["fresh_after"] == house.now - 10
