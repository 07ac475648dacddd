"""Reset of second factors by an operator: the person regains the account, and no one else does."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.passkey import Passkey
from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.admin.build import factors as admin_factors
from doorward.features.admin.error import AdminError
from doorward.features.admin.factors import FactorAdmin
from tests.features.admin.managing import OPERATOR
from tests.people import PASSWORD, House

pytestmark = pytest.mark.anyio


POLICY = SecondFactorPolicy()


def desk(house: House, policy: SecondFactorPolicy = POLICY) -> FactorAdmin:
    return replace(house.services.get(admin_factors), policy=policy)


async def test_an_operator_sees_which_factors_a_person_has(house: House) -> None:
    account = await house.person()
    none = await desk(house).find(OPERATOR, "ada@example.com")
    assert (none.account, none.rows, none.held, none.demand) == (account, [], (), None)
    await house.authenticator(account)
    found = await desk(house).find(OPERATOR, account.id)
    assert [factor.kind for factor in found.held] == ["totp"]
    assert [row.kind for row in found.rows].count("recovery_code") == 10
    with pytest.raises(AdminError):
        await desk(house).find(OPERATOR, "eve@example.com")


@pytest.mark.requirement(72)
async def test_a_reset_removes_every_factor_ends_everything_and_informs_the_owner(house: House) -> None:
    account, eve = await house.person(), await house.person("eve@example.com")
    await house.authenticator(account)
    await house.authenticator(eve)
    session, hers = await house.session(account), await house.session(eve)
    grant = await house.grant(account, session)
    offline = await house.grant(account, session, offline=True)
    await desk(house).reset(OPERATOR, "Ada@Example.com")
    assert await house.store.accounts.factors(account.id) == []
    assert len(await house.store.accounts.factors(eve.id)) == 11
    for ended in (
        await house.store.sessions.get(session.id),
        await house.store.grants.get(grant.id),
        await house.store.grants.get(offline.id),
    ):
        assert ended is not None
        assert ended.end_reason == "second_factor_reset"
    untouched = await house.store.sessions.get(hers.id)
    assert untouched is not None
    assert untouched.ended_at is None
    (to, kind, message), *_ = await house.mails()
    assert (to, kind) == ("ada@example.com", "second_factor_reset")
    assert "signed you out everywhere" in message.text
    (event,) = await house.store.audit.of_account(account.id, ("second_factor.reset",))
    assert event.detail == {
        "by": "operator",
        "actor": "os_user:grace",
        "password": "kept",
        "methods": ["totp", "recovery_code"],
    }


@pytest.mark.requirement(100)
async def test_the_mail_about_a_reset_names_what_was_removed(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    sealed = house.sealer.seal("phone", "fac_phone", b"+4915112345612")
    assert await house.store.commit(
        house.store.accounts.add_factor(
            EnrolledFactor("fac_phone", account.id, "sms", house.now, sealed=sealed)
        ),
        house.store.accounts.add_factor(EnrolledFactor("fac_mail", account.id, "email_code", house.now)),
    )
    await key(house, account, "fac_1")
    assert await house.store.commit(house.store.passkeys.insert(phone_of(account, house.now)))
    people = house.services.get(admin_factors)
    await people.reset(OPERATOR, account.id, kinds=["passkey", "sms"])
    (_, _, letter), *_ = await house.mails()
    assert "Removed: Passkey “Ada's phone”, Phone ending in 12." in letter.text
    assert "Your other second steps still work." in letter.text
    await people.reset(OPERATOR, account.id)
    (_, _, letter), *_ = await house.mails()
    assert "Removed: Authenticator app, Codes by email to ada@example.com." in letter.text
    assert "From now on one step is enough to sign in." in letter.text
    shown = await (await house.signed_in()).get("/account/activity")
    assert shown.words.count("The people who run this service removed a second step of yours") >= 2


@pytest.mark.requirement(94)
async def test_a_sign_in_waiting_at_the_second_factor_must_start_again(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    thief = house.browser()
    waiting = await thief.sign_in()
    asked = await thief.follow(waiting)
    assert asked.path.startswith("/sign-in/code")
    await desk(house).reset(OPERATOR, account.id)
    again = await thief.get(asked.path)
    assert not await house.store.sessions.live_of(account.id, house.now)
    assert "/account" not in (again.header("location") or "")


@pytest.mark.requirement(72)
async def test_the_reset_can_remove_the_password_too(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    await desk(house).reset(OPERATOR, account.id, forget_password=True)
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    assert stored.password_hash is None
    (_, _, message), *_ = await house.mails()
    assert "choose a new password first" in message.text
    assert (await house.browser().sign_in()).status == 400
    (event,) = await house.store.audit.of_account(account.id, ("second_factor.reset",))
    assert event.detail["password"] == "forgotten"


async def test_after_a_reset_the_password_suffices_and_the_page_mentions_the_reset(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    await desk(house).reset(OPERATOR, account.id)
    browser = house.browser()
    assert (await browser.sign_in(password=PASSWORD)).header("location") == "/account"
    shown = await browser.get("/account/activity")
    assert "The people who run this service removed your authenticator app" in shown.words


async def test_a_person_without_factors_is_not_changed(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    with pytest.raises(AdminError, match="factor_missing"):
        await desk(house).reset(OPERATOR, account.id)
    assert await house.mails() == []
    kept = await house.store.sessions.get(session.id)
    assert kept is not None
    assert kept.ended_at is None


async def key(house: House, account: Account, factor_id: str, kind: str = "passkey") -> None:
    """A factor of another kind."""
    factor = EnrolledFactor(factor_id, account.id, kind, house.now)
    assert await house.store.commit(house.store.accounts.add_factor(factor))


def phone_of(account: Account, now: int) -> Passkey:
    """The passkey of the factor fac_1."""
    return Passkey(
        factor_id="fac_1",
        account_id=account.id,
        credential_id=b"credential",
        public_key=b"key",
        alg=-7,
        sign_count=0,
        aaguid="",
        name="Ada's phone",
        last_used_at=now,
    )


@pytest.mark.requirement(72)
async def test_one_factor_can_be_removed_and_the_recovery_codes_stay_for_the_others(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    await key(house, account, "fac_key", "security_key")
    session = await house.session(account)
    left = await desk(house).reset(
        OPERATOR, account.id, factor_id="fac_key", reason="stolen on the train, ticket 7"
    )
    assert [one.kind for one in left.held] == ["totp"]
    assert [row.kind for row in left.rows].count("recovery_code") == 10
    ended = await house.store.sessions.get(session.id)
    assert ended is not None
    assert ended.end_reason == "second_factor_reset"
    (_, _, written), *_ = await house.mails()
    assert "Your other second steps still work." in written.text
    (event,) = await house.store.audit.of_account(account.id, ("second_factor.reset",))
    assert event.detail["methods"] == ["passkey"]
    assert event.detail["reason"] == "stolen on the train, ticket 7"


@pytest.mark.requirement(72)
async def test_the_last_factor_takes_the_recovery_codes_with_it(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    left = await desk(house).reset(OPERATOR, account.id, kinds=["totp"])
    assert (left.rows, left.held) == ([], ())


@pytest.mark.requirement(72)
async def test_recovery_codes_alone_can_be_removed(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    left = await desk(house).reset(OPERATOR, account.id, kinds=["recovery_code"])
    assert [row.kind for row in left.rows] == ["totp"]


@pytest.mark.requirement(100)
@pytest.mark.parametrize(
    ("kinds", "removed", "again"),
    [
        ([], "removed the authenticator app and the recovery codes", "Set up an authenticator app again:"),
        (["totp"], "Removed: Authenticator app.", "Set up a second step again:"),
        (["recovery_code"], "removed a second step of signing in", "Set up a second step again:"),
    ],
)
async def test_the_mail_names_the_codes_only_if_they_were_removed_with_the_app(
    house: House, kinds: list[str], removed: str, again: str
) -> None:
    account = await house.person()
    await house.authenticator(account)
    if kinds == ["totp"]:
        await key(house, account, "fac_1")
    await desk(house).reset(OPERATOR, account.id, kinds=kinds)
    (_, _, letter), *_ = await house.mails()
    assert removed in letter.text
    assert again in letter.text


async def test_a_factor_of_a_kind_that_this_server_does_not_know_is_listed_and_removed(house: House) -> None:
    account = await house.person()
    await key(house, account, "fac_1", "of_another_feature")
    (one,) = (await desk(house).find(OPERATOR, account.id)).held
    assert (one.id, one.kind) == ("fac_1", "of_another_feature")
    left = await desk(house).reset(OPERATOR, account.id, kinds=["of_another_feature"])
    assert left.held == ()
    (_, _, letter), *_ = await house.mails()
    assert "Removed: of_another_feature." in letter.text


async def test_both_kinds_of_passkeys_are_removed_under_one_name(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    await key(house, account, "fac_1")
    await key(house, account, "fac_2", "security_key")
    assert [one.kind for one in (await desk(house).find(OPERATOR, account.id)).held].count("passkey") == 2
    left = await desk(house).reset(OPERATOR, account.id, kinds=["passkey"])
    assert [one.kind for one in left.held] == ["totp"]


async def test_a_passkey_is_listed_with_its_name_and_without_its_ids(house: House) -> None:
    account = await house.person()
    await key(house, account, "fac_1")
    assert await house.store.commit(house.store.passkeys.insert(phone_of(account, house.now)))
    (one,) = (await desk(house).find(OPERATOR, account.id)).held
    assert (one.id, one.kind, one.name) == ("fac_1", "passkey", "Ada's phone")
    assert (one.added_at, one.last_used_at) == (house.now, house.now)
    assert not {"credential_id", "public_key"} & {*one.__struct_fields__}


async def test_a_phone_is_listed_by_the_end_of_its_number(house: House) -> None:
    account = await house.person()
    sealed = house.sealer.seal("phone", "fac_phone", b"+4915112345612")
    factor = EnrolledFactor("fac_phone", account.id, "sms", house.now, sealed=sealed)
    mail = EnrolledFactor("fac_mail", account.id, "email_code", house.now)
    assert await house.store.commit(
        house.store.accounts.add_factor(factor), house.store.accounts.add_factor(mail)
    )
    found = await house.services.get(admin_factors).find(OPERATOR, account.id)
    to = {one.kind: one.to for one in found.held}
    assert to["email_code"] == "ada@example.com"
    assert to["sms"] is None or ("12" in to["sms"] and "4915112345612" not in to["sms"].replace(" ", ""))


@pytest.mark.parametrize("named", [{"kinds": ["sms"]}, {"factor_id": "fac_of_nobody"}, {"factor_id": ""}])
async def test_a_factor_that_the_person_does_not_have_is_refused(house: House, named: dict[str, Any]) -> None:
    account, eve = await house.person(), await house.person("eve@example.com")
    await house.authenticator(account)
    await key(house, eve, "fac_hers")
    before = await house.mails()
    others: dict[str, Any] = {"factor_id": "fac_hers"}
    for given in (named, others):
        with pytest.raises(AdminError, match="factor_not_held"):
            await desk(house).reset(OPERATOR, account.id, **given)
    assert len(await house.store.accounts.factors(account.id)) == 11
    assert await house.mails() == before


@pytest.mark.parametrize("reason", ["x" * 201, "two\nlines", "a\x1b[31m"])
async def test_a_reason_is_one_short_line(house: House, reason: str) -> None:
    account = await house.person()
    await house.authenticator(account)
    for attempt in (
        desk(house).reset(OPERATOR, account.id, reason=reason),
        desk(house).require(OPERATOR, account.id, reason=reason),
    ):
        with pytest.raises(AdminError, match="text_too_long"):
            await attempt
    assert len(await house.store.accounts.factors(account.id)) == 11
    assert await house.store.factor_demands.get(account.id) is None


@pytest.mark.requirement(72)
async def test_a_reset_leaves_no_time_to_put_a_required_factor_off(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    assert await house.store.commit(house.store.factor_demands.postpone(account.id, "sin_1", house.now))
    left = await desk(house).reset(OPERATOR, account.id)
    assert left.demand is not None
    assert (left.demand.asked_at, left.demand.postponed) == (0, None)


@pytest.mark.requirement(84)
async def test_an_operator_requires_a_second_factor_of_one_person(house: House) -> None:
    account = await house.person()
    found = await desk(house).require(OPERATOR, account.known_as, grace=3 * 86_400, reason="new in finance")
    assert found.demand is not None
    assert (found.demand.required_at, found.demand.grace_until) == (house.now, house.now + 3 * 86_400)
    (to, kind, written), *_ = await house.mails()
    assert (to, kind) == ("ada@example.com", "second_factor_required")
    assert "If you have none yet, set one up until" in written.text
    (event,) = await house.store.audit.of_account(account.id, ("second_factor.required",))
    assert event.detail == {
        "by": "operator",
        "actor": "os_user:grace",
        "required": "yes",
        "grace": str(3 * 86_400),
        "reason": "new in finance",
    }
    ended = await desk(house).require(OPERATOR, account.known_as, on=False)
    assert ended.demand is not None
    assert (ended.demand.required_at, ended.demand.grace_until) == (None, None)
    assert len(await house.mails()) == 1, "less to do is no news"
    with pytest.raises(AdminError, match="unchanged"):
        await desk(house).require(OPERATOR, account.known_as, on=False)


async def test_what_nobody_can_set_up_is_not_required(house: House) -> None:
    account = await house.person()
    off = desk(house, SecondFactorPolicy(require="off"))
    with pytest.raises(AdminError, match="factors_off"):
        await off.require(OPERATOR, account.id)
    with pytest.raises(AdminError, match="out_of_range"):
        await desk(house).require(OPERATOR, account.id, grace=91 * 86_400)
    assert await house.store.factor_demands.get(account.id) is None
