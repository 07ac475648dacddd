"""Passkeys of a person: added once, with notice, renamed, and removed by their owner."""

from __future__ import annotations

import pytest

from doorward.core.model.account import Account
from doorward.core.model.signin import Proof
from doorward.features.authn.factors.passkeys.build import own_passkeys, remove_passkey
from doorward.features.authn.factors.passkeys.owning import NotAdded, Prepared
from doorward.features.authn.factors.passkeys.relying_party import RP_ID_META
from doorward.features.authn.factors.passkeys.rules.proof import MOST
from doorward.features.rate_limits.rules.attempts import Wait
from tests.features.authn.factors.passkeys.owners import BINDING, BROWSER, device, enrolled, prepare
from tests.people import CALLER, House
from tests.racing import before_commit

pytestmark = pytest.mark.anyio


async def test_a_new_passkey_is_stored_with_what_it_said_and_its_owner_is_told(house: House) -> None:
    account = await house.person()
    phone = device(aaguid=bytes.fromhex("d548826e79b4db40a3d811116f7e8349"))
    passkey = await enrolled(house, account, phone)
    assert passkey.name == "Bitwarden"
    (stored,) = await house.store.passkeys.of_account(account.id)
    assert stored == passkey
    assert await house.store.passkeys.by_credential(passkey.credential_id) == passkey
    assert await house.store.passkeys.any()
    (row,) = await house.store.accounts.factors(account.id)
    assert (row.id, row.kind, row.used_at) == (passkey.factor_id, "passkey", None)
    assert [(to, kind) for to, kind, _ in await house.mails()] == [(account.email, "passkey_added")]
    assert (await house.kinds())[-1] == "passkey.added"
    assert await house.store.meta(RP_ID_META) == "auth.example.com"


@pytest.mark.requirement(88)
async def test_a_credential_id_exists_once(house: House) -> None:
    ada, eve, phone = await house.person(), await house.person("eve@example.com"), device()
    own = house.services.get(own_passkeys)
    options = await own.options(ada, binding=BINDING, browser_hash=BROWSER, now=house.now)
    text = phone.create(options)
    first = await prepare(house, ada, phone, text=text)
    second = await prepare(house, eve, phone, text=text)
    assert isinstance(first, Prepared)
    assert isinstance(second, Prepared)
    assert await house.store.commit(*first.writes)
    assert not await house.store.commit(*second.writes)
    assert await prepare(house, eve, phone, text=text) == NotAdded("known")
    assert await house.store.passkeys.of_account(eve.id) == []


@pytest.mark.requirement(87)
async def test_an_answer_adds_one_passkey(house: House) -> None:
    account, phone = await house.person(), device()
    one = await prepare(house, account, phone)
    assert isinstance(one, Prepared)
    assert await house.store.commit(*one.writes)
    await house.store.commit(house.store.accounts.remove_factor(account.id, one.passkey.factor_id))
    assert not await house.store.commit(*one.writes)


@pytest.mark.requirement(87)
@pytest.mark.parametrize("changes", [{"binding": "ses_2"}, {"browser_hash": b"x" * 32}, {"silently": True}])
async def test_an_answer_belongs_to_its_session_browser_and_use(
    house: House, changes: dict[str, object]
) -> None:
    account, phone = await house.person(), device()
    own = house.services.get(own_passkeys)
    options = await own.options(account, binding=BINDING, browser_hash=BROWSER, now=house.now)
    refused = await prepare(house, account, phone, text=phone.create(options), **changes)
    assert refused == NotAdded("refused", "challenge")
    assert (await house.kinds())[-1] == "passkey.refused"


async def test_other_passkeys_of_the_person_are_excluded(house: House) -> None:
    account, phone = await house.person(), device()
    passkey = await enrolled(house, account, phone)
    own = house.services.get(own_passkeys)
    options = await own.options(account, binding=BINDING, browser_hash=BROWSER, now=house.now)
    assert [one["transports"] for one in options["excludeCredentials"]] == [["hybrid", "internal"]]
    assert options["user"]["name"] == account.email
    assert options["attestation"] == "none"
    assert [one["alg"] for one in options["pubKeyCredParams"]] == [-8, -7, -257]
    assert passkey.credential_id


async def test_a_silent_passkey_is_made_without_presence_and_never_asked_for(house: House) -> None:
    account, phone = await house.person(), device()
    passkey = await enrolled(house, account, phone, silently=True, second=None)
    assert (passkey.made_silently, passkey.user_verified) == (True, False)
    (row,) = await house.store.accounts.factors(account.id)
    assert row.kind == "passkey"


async def test_a_key_that_cannot_come_first_is_asked_for_after_the_password(house: House) -> None:
    account, key = await house.person(), device(verified=False, transports=("usb",))
    await enrolled(house, account, key, second=False)
    (row,) = await house.store.accounts.factors(account.id)
    assert row.kind == "security_key"


async def test_a_person_has_so_many_passkeys_and_no_more(house: House) -> None:
    account, phone = await house.person(), device()
    for number in range(MOST):
        if number % 10 == 9:
            house.later(90_000)
        await enrolled(house, account, phone)
    house.later(90_000)
    assert await prepare(house, account, phone) == NotAdded("too_many")


async def test_adding_is_limited(house: House) -> None:
    account, phone = await house.person(), device()
    outcomes = [await prepare(house, account, phone, text="{}") for _ in range(21)]
    assert outcomes[0] == NotAdded("refused", "unreadable")
    assert isinstance(outcomes[-1], Wait)


async def test_a_passkey_has_the_name_that_its_owner_gives(house: House) -> None:
    account, phone = await house.person(), device()
    passkey = await enrolled(house, account, phone)
    own = house.services.get(own_passkeys)

    async def rename(name: str, factor_id: str = passkey.factor_id) -> bool | Wait:
        return await own.rename(account, factor_id, name, caller=CALLER, now=house.now)

    assert await rename("  My \u202e phone ") is True
    assert [one.name for one in await house.store.passkeys.of_account(account.id)] == ["My phone"]
    assert await rename("x" * 41) is False
    assert [one.name for one in await house.store.passkeys.of_account(account.id)] == ["My phone"]
    # without a name it is called as its provider is
    for name in ("", " ", "\u200b"):
        assert await rename(name) is True
        assert [one.name for one in await house.store.passkeys.of_account(account.id)] == [""]
    assert await rename("Other", "fac_other") is False


@pytest.mark.requirement(88)
@pytest.mark.requirement(73)
async def test_its_owner_is_told_when_a_passkey_is_asked_for_or_no_longer(house: House) -> None:
    ada, eve = await house.person(), await house.person("eve@example.com")
    passkey = await enrolled(house, ada, device(aaguid=bytes.fromhex("d548826e79b4db40a3d811116f7e8349")))
    own = house.services.get(own_passkeys)

    async def ask(account: Account, *, second: bool) -> bool | Wait:
        return await own.ask_for(
            account, passkey.factor_id, session_id=None, second=second, caller=CALLER, now=house.now
        )

    assert await ask(eve, second=True) is False
    assert await ask(ada, second=False) is False, "it is so already"
    assert await ask(ada, second=True) is True
    assert await ask(ada, second=True) is False
    assert await ask(ada, second=False) is True
    told = [(to, kind, letter.text) for to, kind, letter in await house.mails()][:2]
    assert [(to, kind) for to, kind, _ in told] == [
        (ada.email, "passkey_not_asked_for"),
        (ada.email, "passkey_asked_for"),
    ]
    assert all("“Bitwarden”" in text for _, _, text in told)
    events = await house.store.audit.of_account(ada.id, ("passkey.changed",))
    assert [event.detail["method"] for event in events] == ["passkey", "security_key"]
    assert {event.detail["factor"] for event in events} == {passkey.factor_id}


async def test_a_passkey_that_never_verified_its_owner_stays_a_second_step(house: House) -> None:
    account = await house.person()
    key = await enrolled(house, account, device(verified=False, transports=("usb",)))
    own = house.services.get(own_passkeys)
    outcome = await own.ask_for(
        account, key.factor_id, session_id=None, second=False, caller=CALLER, now=house.now
    )
    assert outcome is False
    (row,) = await house.store.accounts.factors(account.id)
    assert row.kind == "security_key"


async def test_only_the_owner_renames_and_removes(house: House) -> None:
    ada, eve, phone = await house.person(), await house.person("eve@example.com"), device()
    passkey = await enrolled(house, ada, phone)
    own, removal = house.services.get(own_passkeys), house.services.get(remove_passkey)
    assert await own.rename(eve, passkey.factor_id, "Mine", caller=CALLER, now=house.now) is False
    hers = await house.session(eve)
    assert await removal.remove(eve, hers, passkey.factor_id, caller=CALLER, now=house.now) == "gone"
    assert await house.store.passkeys.of_account(ada.id) == [passkey]


@pytest.mark.requirement(94)
async def test_with_a_passkey_end_other_sessions_that_one_vouches_for(house: House) -> None:
    account, phone = await house.person(), device()
    older, passkey = await enrolled(house, account, phone), await enrolled(house, account, phone)
    proofs = (Proof("passkey", house.now, ("swk", "user"), phishing_resistant=True),)
    mine = await house.session(account, proofs=proofs)
    there = await house.session(account, proofs=proofs, amr=("swk", "user", "mfa"))
    typed = await house.session(account, proofs=(Proof("password", house.now, ("pwd",)),))
    removal = house.services.get(remove_passkey)
    assert await removal.remove(account, mine, passkey.factor_id, caller=CALLER, now=house.now) is None
    assert await house.store.passkeys.of_account(account.id) == [older]
    live = {one.id for one in await house.store.sessions.live_of(account.id, house.now)}
    assert live == {mine.id, typed.id}
    assert there.id not in live
    assert next(kind for _, kind, _ in await house.mails()) == "passkey_removed"
    assert (await house.kinds())[-1] == "passkey.removed"
    assert await removal.remove(account, mine, passkey.factor_id, caller=CALLER, now=house.now) == "gone"


@pytest.mark.requirement(94)
async def test_a_sign_in_at_the_moment_of_the_removal_is_not_left(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The passkey goes, and with it the session that it opened meanwhile. docs/incidents/0124-a-session-that-a-removed-passkey-left.md,
    docs/incidents/0127-a-sign-in-kept-a-passkey-from-being-removed.md"""
    account, phone = await house.person(), device()
    passkey = await enrolled(house, account, phone)
    mine = await house.session(account)
    made = before_commit(monkeypatch, "DELETE FROM factors", lambda: _signed_in(house, account), times=2)
    removal = house.services.get(remove_passkey)
    assert await removal.remove(account, mine, passkey.factor_id, caller=CALLER, now=house.now) is None
    assert made == [False, False, True]
    assert await house.store.passkeys.of_account(account.id) == []
    assert [one.id for one in await house.store.sessions.live_of(account.id, house.now)] == [mine.id]
    assert [kind for kind in await house.kinds() if kind == "passkey.removed"] == ["passkey.removed"]


async def test_a_removal_that_loses_each_time_says_so_and_counts_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, phone = await house.person(), device()
    passkey = await enrolled(house, account, phone)
    mine = await house.session(account)
    made = before_commit(monkeypatch, "DELETE FROM factors", lambda: _signed_in(house, account), times=3)
    removal = house.services.get(remove_passkey)
    assert await removal.remove(account, mine, passkey.factor_id, caller=CALLER, now=house.now) == "over"
    assert made == [False] * 3
    assert await house.store.passkeys.of_account(account.id) == [passkey], "nothing was done"
    changes = [await removal.throttle.change("methods", account.id, house.now) for _ in range(20)]
    assert changes.index(next(one for one in changes if one is not None)) == 18, (
        "the other one was the enrolment"
    )


async def _signed_in(house: House, account: Account) -> None:
    await house.session(account, proofs=(Proof("passkey", house.now, ("swk", "user")),))


async def test_many_such_sessions_end_together(house: House) -> None:
    account, phone = await house.person(), device()
    passkey = await enrolled(house, account, phone)
    mine = await house.session(account)
    for _ in range(22):
        await house.session(account, proofs=(Proof("passkey", house.now, ("swk", "user")),))
    removal = house.services.get(remove_passkey)
    assert await removal.remove(account, mine, passkey.factor_id, caller=CALLER, now=house.now) is None
    assert [one.id for one in await house.store.sessions.live_of(account.id, house.now)] == [mine.id]


@pytest.mark.requirement(84)
async def test_the_last_demanded_step_stays(house: House) -> None:
    """docs/incidents/0059-the-last-demanded-passkey-could-be-removed.md"""
    account, phone = await house.person(), device()
    passkey = await enrolled(house, account, phone)
    session = await house.session(account)
    assert await house.store.commit(house.store.factor_demands.require(account.id, house.now))
    removal = house.services.get(remove_passkey)
    refused = await removal.remove(account, session, passkey.factor_id, caller=CALLER, now=house.now)
    assert refused == "last_step"
    assert await house.store.passkeys.of_account(account.id) == [passkey]
    assert await house.store.commit(house.store.factor_demands.require(account.id, None))
    done = await removal.remove(account, session, passkey.factor_id, caller=CALLER, now=house.now)
    assert done is None


async def test_the_last_way_in_stays(house: House) -> None:
    account, phone = await house.person(), device()
    one, two = await enrolled(house, account, phone), await enrolled(house, account, phone)
    account = await house.change_account(account, password_hash=None)
    session = await house.session(account)
    removal = house.services.get(remove_passkey)

    async def remove(factor_id: str) -> object:
        return await removal.remove(account, session, factor_id, caller=CALLER, now=house.now)

    assert await remove(one.factor_id) is None
    assert await remove(two.factor_id) == "last"
    assert await house.store.passkeys.of_account(account.id) == [two]


async def test_nothing_is_added_while_a_process_of_an_older_version_answers(house: House) -> None:
    account, phone = await house.person(), device()
    old = "INSERT INTO nodes (id, seen, expires_at) VALUES ('nod_old', 1, ?)"
    await house.store._db.apply(((old, (house.now + 60,), None),))
    assert await prepare(house, account, phone) == NotAdded("not_yet")


async def test_the_first_passkey_refuses_the_database_to_older_versions(house: House) -> None:
    before = await house.store.meta("schema.readable")
    await enrolled(house, await house.person(), device())
    after = await house.store.meta("schema.readable")
    assert after is not None
    assert after != before
    assert len(set(after.split())) == 1


async def test_no_passkey_of_a_second_relying_party_is_stored(house: House) -> None:
    account, phone = await house.person(), device()
    await house.store.commit(house.store.put_meta(RP_ID_META, "other.example.com"))
    assert await prepare(house, account, phone) == NotAdded("refused", "rp_id")
