"""Sign-in with a passkey: alone or after another factor, once, and by its owner only."""

from __future__ import annotations

import asyncio

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.features.authn.factors.passkeys.build import own_passkeys, prove_passkey
from doorward.features.authn.factors.passkeys.proving import COPIED, REFUSED, UNKNOWN, UNVERIFIED
from doorward.features.authn.factors.passkeys.rules.challenge import TTL
from doorward.features.authn.flow.proving import BARRED, DISABLED, GONE, MOST_FAILURES
from tests.authenticator import Authenticator
from tests.features.authn.factors.passkeys.owners import BROWSER, answer, device, enrolled, prove
from tests.people import PASSWORD, House, caller_of, open_house

pytestmark = pytest.mark.anyio


async def with_password(house: House, email: str = "ada@example.com") -> SignIn:
    """A sign-in of this browser in which the password is proven."""
    sign_in = await house.sign_in()
    proven = await house.check.prove(
        sign_in, email, Secret(PASSWORD), caller=caller_of(BROWSER), now=house.now
    )
    assert isinstance(proven, SignIn)
    return proven


@pytest.mark.requirement(86)
async def test_a_passkey_alone_signs_in(house: House) -> None:
    account, phone = await house.person(), device()
    passkey = await enrolled(house, account, phone)
    sign_in = await house.sign_in()
    house.later(5)
    proven = await prove(house, sign_in, await answer(house, phone, sign_in))
    assert isinstance(proven, SignIn)
    assert proven.account_id == account.id
    (proof,) = proven.proofs
    assert (proof.kind, proof.amr, proof.phishing_resistant) == ("passkey", ("swk", "user"), True)
    assert await house.store.sign_ins.get(sign_in.id) == proven
    (stored,) = await house.store.passkeys.of_account(account.id)
    assert (stored.last_used_at, stored.factor_id) == (house.now, passkey.factor_id)


async def test_it_may_answer_the_page_that_was_there_before_the_sign_in(house: House) -> None:
    account, phone = await house.person(), device()
    await enrolled(house, account, phone)
    sign_in = await house.sign_in()
    text = await answer(house, phone, sign_in, bound=False)
    assert (await prove(house, sign_in, text)).description == REFUSED
    assert isinstance(await prove(house, sign_in, text, binding=""), SignIn)


@pytest.mark.requirement(88)
async def test_the_list_of_passkeys_is_sent_only_after_another_factor(house: House) -> None:
    account, phone = await house.person(), device()
    await enrolled(house, account, phone)
    proving = house.services.get(prove_passkey)
    begun = await house.sign_in(account_id=account.id)
    for sign_in in (None, begun):
        options = await proving.options(sign_in, browser_hash=BROWSER, now=house.now)
        assert options["allowCredentials"] == []
        assert options["userVerification"] == "required"
    options = await proving.options(await with_password(house), browser_hash=BROWSER, now=house.now)
    assert len(options["allowCredentials"]) == 1
    assert options["userVerification"] == "preferred"


async def test_after_a_password_the_device_alone_is_a_second_factor(house: House) -> None:
    account, key = await house.person(), device(verified=False, synced=False, transports=("usb",))
    await enrolled(house, account, key, second=True)
    assert [row.kind for row in await house.store.accounts.factors(account.id)] == ["security_key"]
    sign_in = await with_password(house)
    proven = await prove(house, sign_in, await answer(house, key, sign_in))
    assert isinstance(proven, SignIn)
    assert [proof.kind for proof in proven.proofs] == ["password", "security_key"]
    assert "second_factor.succeeded" in await house.kinds()


@pytest.mark.requirement(87)
async def test_alone_it_needs_user_verification_and_the_lack_of_it_is_no_guess(house: House) -> None:
    account, key = await house.person(), device()
    await enrolled(house, account, key)
    key.verified = False
    for _ in range(30):
        sign_in = await house.sign_in()
        assert (await prove(house, sign_in, await answer(house, key, sign_in))).description == UNVERIFIED
    key.verified = True
    sign_in = await house.sign_in()
    assert isinstance(await prove(house, sign_in, await answer(house, key, sign_in)), SignIn)


@pytest.mark.requirement(87)
async def test_an_answer_works_once_however_often_it_is_sent_at_once(house: House) -> None:
    account, phone = await house.person(), device(counts=True)
    await enrolled(house, account, phone)
    sign_in = await house.sign_in()
    text = await answer(house, phone, sign_in)
    outcomes = await asyncio.gather(*(prove(house, sign_in, text) for _ in range(5)))
    assert sum(isinstance(one, SignIn) for one in outcomes) == 1
    other = await house.sign_in()
    assert (await prove(house, sign_in, text)).description == REFUSED
    assert (await prove(house, other, text)).description == REFUSED
    # a repeated answer is not taken for a copied key
    (stored,) = await house.store.passkeys.of_account(account.id)
    assert stored.suspect_at is None
    assert "passkey.copied" not in await house.kinds()


@pytest.mark.requirement(87)
async def test_a_challenge_of_another_browser_or_sign_in_is_refused(house: House) -> None:
    account, phone = await house.person(), device()
    await enrolled(house, account, phone)
    mine, other = await house.sign_in(), await house.sign_in()
    text = await answer(house, phone, mine)
    assert (await prove(house, other, text)).description == REFUSED
    assert (await prove(house, mine, text, browser_hash=digest("another browser"))).description == REFUSED
    house.later(TTL)
    assert (await prove(house, mine, text)).description == REFUSED


@pytest.mark.requirement(88)
async def test_somebody_elses_passkey_never_completes_a_sign_in(house: House) -> None:
    await house.person()
    eve, phone = await house.person("eve@example.com"), device(verified=False)
    await enrolled(house, eve, phone)
    sign_in = await with_password(house)
    own = phone.credentials[-1]
    refused = await prove(house, sign_in, await answer(house, phone, await house.sign_in()), binding="")
    assert isinstance(refused, OAuthError)
    # with user verification it is a sign-in of its own: the other person's password no longer counts
    phone.verified = True
    text = await answer(house, phone, sign_in, bound=False)
    kept = await prove(house, sign_in, text, binding="", may_switch=False)
    assert isinstance(kept, OAuthError)
    text = await answer(house, phone, sign_in, bound=False)
    switched = await prove(house, sign_in, text, binding="")
    assert isinstance(switched, SignIn)
    assert (switched.account_id, [proof.kind for proof in switched.proofs]) == (eve.id, ["passkey"])
    assert own in phone.credentials


@pytest.mark.requirement(88)
async def test_a_copied_passkey_ends_what_is_signed_in_and_stays_refused(house: House) -> None:
    account, key = await house.person(), device(counts=True, synced=False)
    await enrolled(house, account, key)
    session = await house.session(account)
    key.credentials[-1].count = 7
    sign_in = await house.sign_in()
    assert isinstance(await prove(house, sign_in, await answer(house, key, sign_in)), SignIn)
    house.later(60)
    key.credentials[-1].count = 3
    sign_in = await house.sign_in()
    assert await prove(house, sign_in, await answer(house, key, sign_in)) == COPIED
    assert next(kind for _, kind, _ in await house.mails()) == "passkey_copied"
    ended = await house.store.sessions.get(session.id)
    assert ended is not None
    assert ended.ended_at is not None
    # the owner's own authenticator, too: nobody can tell which is the copy
    key.credentials[-1].count = 20
    sign_in = await house.sign_in()
    assert await prove(house, sign_in, await answer(house, key, sign_in)) == COPIED
    assert (await house.kinds()).count("passkey.copied") == 1


@pytest.mark.requirement(88, 95)
async def test_two_answers_that_overtake_one_another_lock_nobody_out(house: House) -> None:
    account, key = await house.person(), device(counts=True, synced=False)
    await enrolled(house, account, key)
    session = await house.session(account)
    first, second = await house.sign_in(), await house.sign_in()
    # two tabs: the authenticator counts in the order in which it is asked, and the second answer arrives first
    earlier, later = await answer(house, key, first), await answer(house, key, second)
    assert isinstance(await prove(house, second, later), SignIn)
    assert (await prove(house, first, earlier)).description == REFUSED
    (stored,) = await house.store.passkeys.of_account(account.id)
    assert stored.suspect_at is None
    kept = await house.store.sessions.get(session.id)
    assert kept is not None
    assert kept.ended_at is None
    refused = [event for event in await house.audit() if event.kind == "passkey.refused"]
    assert [event.detail["reason"] for event in refused] == ["out_of_order"]
    assert "passkey_copied" not in [kind for _, kind, _ in await house.mails()]
    # the same tab, with a new challenge
    assert isinstance(await prove(house, first, await answer(house, key, first)), SignIn)


@pytest.mark.requirement(88, 95)
async def test_of_answers_at_once_the_overtaken_ones_are_only_refused(house: House) -> None:
    account, key = await house.person(), device(counts=True, synced=False)
    await enrolled(house, account, key)
    sign_ins = [await house.sign_in() for _ in range(4)]
    texts = [await answer(house, key, one) for one in sign_ins]
    at_once = zip(reversed(sign_ins), reversed(texts), strict=True)
    outcomes = await asyncio.gather(*(prove(house, one, text) for one, text in at_once))
    assert any(isinstance(one, SignIn) for one in outcomes)
    (stored,) = await house.store.passkeys.of_account(account.id)
    assert stored.suspect_at is None
    assert stored.sign_count == key.credentials[-1].count


@pytest.mark.requirement(88)
async def test_a_copy_that_waits_for_its_owner_gets_nothing_and_is_found_at_its_next_try(
    house: House,
) -> None:
    account, key = await house.person(), device(counts=True, synced=False)
    await enrolled(house, account, key)
    own, copy = await house.sign_in(), await house.sign_in()
    key.credentials[-1].count = 2
    waiting = await answer(house, key, copy)
    key.credentials[-1].count = 7
    assert isinstance(await prove(house, own, await answer(house, key, own)), SignIn)
    assert (await prove(house, copy, waiting)).description == REFUSED
    house.later(60)
    key.credentials[-1].count = 3
    assert await prove(house, copy, await answer(house, key, copy)) == COPIED


async def test_a_passkey_that_is_gone_is_unknown(house: House) -> None:
    account, phone = await house.person(), device()
    passkey = await enrolled(house, account, phone)
    sign_in = await house.sign_in()
    text = await answer(house, phone, sign_in)
    await house.store.commit(house.store.accounts.remove_factor(account.id, passkey.factor_id))
    assert (await prove(house, sign_in, text)).description == UNKNOWN
    assert await house.store.passkeys.of_account(account.id) == []


async def test_a_disabled_account_is_not_told_apart_from_an_unknown_passkey(house: House) -> None:
    account, phone = await house.person(), device()
    await enrolled(house, account, phone)
    await house.change_account(account, disabled_at=house.now)
    sign_in = await house.sign_in()
    text = await answer(house, phone, sign_in, signature=b"wrong")
    assert (await prove(house, sign_in, text)).description == UNKNOWN


async def test_its_owner_hears_that_the_account_is_disabled_and_not_that_the_passkey_is_gone(
    house: House,
) -> None:
    """docs/incidents/0064-a-passkey-forgotten-with-a-disabled-account.md"""
    account, phone = await house.person(), device()
    await enrolled(house, account, phone)
    account = await house.change_account(account, disabled_at=house.now)
    sign_in = await house.sign_in()
    refused = await prove(house, sign_in, await answer(house, phone, sign_in))
    assert refused.description == DISABLED
    assert await house.store.sign_ins.get(sign_in.id) == sign_in
    await house.change_account(account, disabled_at=None)
    assert isinstance(await prove(house, sign_in, await answer(house, phone, sign_in)), SignIn)


async def test_guesses_at_one_passkey_are_limited() -> None:
    async with open_house(throttle=ThrottlePolicy(per_account=3)) as house:
        account, phone = await house.person(), device()
        await enrolled(house, account, phone)
        for _ in range(3):
            sign_in = await house.sign_in()
            text = await answer(house, phone, sign_in, signature=b"wrong")
            assert (await prove(house, sign_in, text)).description == REFUSED
        sign_in = await house.sign_in()
        refused = await prove(house, sign_in, await answer(house, phone, sign_in))
        assert refused.code == "too_many_attempts"
        assert refused.retry_at is not None


@pytest.mark.requirement(81, 96)
async def test_guesses_are_counted_for_the_account_the_device_and_the_network() -> None:
    async with open_house(throttle=ThrottlePolicy(per_account=3, per_device=2, per_address=4)) as house:
        account, phone, other = await house.person(), device(), device()
        await enrolled(house, account, phone)
        await enrolled(house, account, other)

        async def guess(key: Authenticator, known: bytes | None = None, address: str = "192.0.2.1") -> str:
            sign_in = await house.sign_in()
            text = await answer(house, key, sign_in, signature=b"wrong")
            caller = caller_of(devices=(known,) if known else (), caller=Caller(address, "", "r-1"))
            return (await prove(house, sign_in, text, caller=caller)).code

        # both passkeys of the account share its counter, in whatever networks the guesses are made
        places = ("192.0.2.1", "192.0.2.1", "198.51.100.1", "203.0.113.1")
        made = [
            await guess(key, address=at) for key, at in zip((phone, other, phone, other), places, strict=True)
        ]
        assert made == ["access_denied"] * 3 + ["too_many_attempts"]
        # a device that the account knows has a counter of its own
        known = digest("device")
        await house.store.commit(house.store.sessions.remember_device(known, account.id, house.now))
        made = [await guess(phone, known=known) for _ in range(3)]
        assert made == ["access_denied"] * 2 + ["too_many_attempts"]
        # the network is counted at whatever passkey, also at one that is not here
        stranger = device()
        nobody = await house.person("nobody@example.com")
        own = house.services.get(own_passkeys)
        stranger.create(await own.options(nobody, binding="", browser_hash=BROWSER, now=house.now))
        made = [await guess(stranger) for _ in range(3)]
        assert made == ["access_denied"] * 2 + ["too_many_attempts"]


@pytest.mark.requirement(81, 82)
async def test_after_a_hundred_failures_in_a_row_a_passkey_is_refused_from_elsewhere(house: House) -> None:
    account, phone, other = await house.person(), device(), device()
    passkey = await enrolled(house, account, phone)
    await enrolled(house, account, other)
    failures = house.store.factor_failures
    for _ in range(MOST_FAILURES - 1):
        await house.store.commit(failures.add((passkey.factor_id,), known=False))
    sign_in = await house.sign_in()
    text = await answer(house, phone, sign_in, signature=b"wrong")
    assert (await prove(house, sign_in, text)).description == REFUSED
    assert await failures.of_account(account.id) == {(passkey.factor_id, False): MOST_FAILURES}
    house.later(2 * 86_400)
    sign_in = await house.sign_in()
    assert await prove(house, sign_in, await answer(house, phone, sign_in)) == BARRED
    # its owner has three ways to end it: a device that is known, another passkey, or a code
    known = digest("device")
    await house.store.commit(house.store.sessions.remember_device(known, account.id, house.now))
    at_home = caller_of(devices=(known,))
    assert isinstance(
        await prove(house, sign_in, await answer(house, phone, sign_in), caller=at_home), SignIn
    )
    assert await failures.of_account(account.id) == {}
    for _ in range(MOST_FAILURES):
        await house.store.commit(failures.add((passkey.factor_id,), known=False))
    sign_in = await house.sign_in()
    assert await prove(house, sign_in, await answer(house, phone, sign_in)) == BARRED
    assert isinstance(await prove(house, sign_in, await answer(house, other, sign_in)), SignIn)
    sign_in = await house.sign_in()
    assert isinstance(await prove(house, sign_in, await answer(house, phone, sign_in)), SignIn)


@pytest.mark.parametrize("text", ["", "{}", "[]", "no json", '{"rawId":"AA","type":"public-key"}'])
async def test_anything_else_is_refused(house: House, text: str) -> None:
    assert (await prove(house, await house.sign_in(), text)).description == REFUSED


async def test_a_sign_in_that_is_over_takes_no_proof(house: House) -> None:
    account, phone = await house.person(), device()
    await enrolled(house, account, phone)
    sign_in = await house.sign_in()
    text = await answer(house, phone, sign_in)
    assert await prove(house, sign_in, text, now=sign_in.expires_at) == GONE
