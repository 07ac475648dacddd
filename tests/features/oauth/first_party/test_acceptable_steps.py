"""JSON sign-in with several factors: what may be next, codes that are sent, and passkeys; nothing is shown before a first factor."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec import structs

from doorward.adapters.mail.queue import open_message
from doorward.core.model.account import Account, EnrolledFactor
from doorward.features.authn.factors.passkeys.build import own_passkeys
from doorward.features.authn.factors.passkeys.owning import Prepared
from tests.all_factors import all_factors
from tests.authenticator import Authenticator
from tests.features import made
from tests.features.oauth.first_party.test_challenge_routes import ADA, APP, BEGIN, call
from tests.front_channel import CALLER, PASSWORD, Front

pytestmark = pytest.mark.anyio
OTHER_APP = made.public(id="app_radio", name="radio", first_party=True, redirect_uris=())
HANDLE = {"client_id": "app_tv"}


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    """A server whose factors are all there."""
    async with all_factors() as opened:
        await opened.register(APP, OTHER_APP)
        await opened.person()
        yield opened


async def person(front: Front, account_id: str = "usr_ada") -> Account:
    account = await front.store.accounts.get(account_id)
    assert account is not None
    return account


async def mail_codes(front: Front, account: Account) -> None:
    """Codes by mail as a second step of the account."""
    factor = EnrolledFactor(f"fac_mail_{account.id}", account.id, "email_code", front.now)
    assert await front.store.commit(front.store.accounts.add_factor(factor))


async def passkey(front: Front, account: Account, *, second: bool = False) -> Authenticator:
    """An authenticator with a passkey of the account; `second`: it is asked for after the password."""
    device = Authenticator(origin=made.ISSUER)
    own = front.services.get(own_passkeys)
    asked: dict[str, Any] = {"binding": "ses_1", "browser_hash": b"b" * 32, "now": front.now}
    text = device.create(await own.options(account, silently=False, **asked))
    prepared = await own.prepare(account, text, second=second, caller=CALLER, **asked)
    assert isinstance(prepared, Prepared)
    assert await front.store.commit(*prepared.writes)
    return device


def methods(answer: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(one["step"], one.get("method")) for one in answer["acceptable"]]


async def mailed(front: Front) -> str:
    """The code in the newest mail."""
    newest, *_ = await front.store.messages.recent_mail(1)
    message = open_message(front.services.sealer, newest)
    assert message.code is not None
    return message.code.replace("\u00a0", "").replace(" ", "")


@pytest.mark.requirement(80, 85)
async def test_before_a_first_factor_the_answer_is_the_same_for_everybody(front: Front) -> None:
    bob = await front.person(id="usr_bob", email="bob@example.com")
    await front.authenticator(bob)
    await mail_codes(front, await person(front))
    await passkey(front, await person(front))
    answers: list[dict[str, Any]] = []
    for username in ("ada@example.com", "bob@example.com", "nobody@example.com"):
        for sent in ({}, {"username": username, "password": "wrong"}):
            answer = await call(front, {**BEGIN, **sent})
            assert {(one["step"], *one) for one in answer["acceptable"]} == {
                ("password", "step"),
                ("passkey", "step", "options"),
            }
            (options,) = [one["options"] for one in answer["acceptable"] if "options" in one]
            assert options["allowCredentials"] == []
            assert options["userVerification"] == "required"
            assert answer["next"] == "password"
            if sent:
                answers.append(answer)
    sizes = {len(json.dumps(answer)) for answer in answers}
    assert len(sizes) == 1


@pytest.mark.requirement(85)
async def test_after_the_password_every_method_of_the_person_is_named(front: Front) -> None:
    ada = await person(front)
    await front.authenticator(ada)
    await mail_codes(front, ada)
    answer = await call(front, {**BEGIN, **ADA})
    assert (answer["status"], answer["next"]) == (403, "second_factor")
    assert methods(answer) == [("second_factor", "totp"), ("second_factor", "email_code")]
    by_mail = answer["acceptable"][1]
    assert (by_mail["to"], by_mail["sent"]) == ("ada@example.com", False)
    assert await front.store.messages.recent_mail(5) == [], "nothing is sent unless it is asked for"


@pytest.mark.requirement(85)
async def test_a_code_is_sent_on_request_and_belongs_to_its_sign_in(front: Front) -> None:
    await mail_codes(front, await person(front))
    begun = await call(front, {**BEGIN, **ADA})
    handle = {**HANDLE, "auth_session": begun["auth_session"]}
    sent = await call(front, {**handle, "send": "email_code"})
    assert (sent["status"], sent["error"]) == (403, "insufficient_authorization")
    assert sent["acceptable"] == [
        {"step": "second_factor", "method": "email_code", "to": "ada@example.com", "sent": True}
    ]
    # what the mail server refused is told to who has shown the password
    (mail,) = await front.store.messages.recent_mail(1)
    refused = structs.replace(mail, failed_at=front.now)
    assert await front.store.commit(front.store.messages.replace_mail(mail, refused))
    told = await call(front, {**handle, "code": "000000", "method": "email_code"})
    assert [(one["sent"], one["undelivered"]) for one in told["acceptable"]] == [(True, "failed")]
    code = await mailed(front)
    # another sign-in of the same person, and another method
    other = await call(front, {**BEGIN, **ADA, "code": code, "method": "email_code"})
    assert other["error"] == "access_denied"
    wrong = await call(front, {**handle, "code": code, "method": "totp"})
    assert wrong["error"] == "access_denied"
    again = await call(front, {**handle, "send": "email_code"})
    assert (again["status"], again["error"]) == (429, "too_many_attempts")
    done = await call(front, {**handle, "code": code, "method": "email_code"})
    assert done["status"] == 200, done
    (grant,) = await front.store.grants.live_of_account("usr_ada", front.now)
    assert (grant.acr, grant.amr) == ("urn:doorward:aal1", ("pwd", "otp")), "a mailbox raises no level"
    assert (await call(front, {**handle, "code": code}))["error"] == "invalid_session"


@pytest.mark.requirement(80, 85)
async def test_nothing_is_sent_before_a_first_factor_or_to_a_factor_that_is_not_there(front: Front) -> None:
    await mail_codes(front, await person(front))
    for params in (
        {**BEGIN, "send": "email_code"},
        {**BEGIN, "send": "email_code", "username": "ada@example.com"},
        {**BEGIN, **ADA, "send": "sms"},
        {**BEGIN, **ADA, "send": "totp"},
        {**BEGIN, **ADA, "send": "unheard_of"},
    ):
        answer = await call(front, params)
        assert answer["status"] == 400
        assert answer["error"] == "invalid_request"
    wrong = await call(front, {**BEGIN, **ADA, "password": "wrong", "send": "email_code"})
    assert wrong["error"] == "access_denied"
    assert await front.store.messages.recent_mail(5) == []


@pytest.mark.requirement(85)
async def test_a_passkey_may_come_first_and_is_enough(front: Front) -> None:
    device = await passkey(front, await person(front))
    begun = await call(front, {**BEGIN, "acr_values": "phr"})
    (options,) = [one["options"] for one in begun["acceptable"] if one["step"] == "passkey"]
    handle = {**HANDLE, "auth_session": begun["auth_session"]}
    response = device.get(options)
    done = await call(front, {**handle, "passkey": response})
    assert done["status"] == 200, done
    (grant,) = await front.store.grants.live_of_account("usr_ada", front.now)
    assert (grant.acr, grant.amr) == ("phr", ("swk", "user", "mfa"))
    # the same answer again, in this sign-in and in another
    assert (await call(front, {**handle, "passkey": response}))["error"] == "invalid_session"
    other = await call(front, BEGIN)
    replayed = await call(front, {**HANDLE, "auth_session": other["auth_session"], "passkey": response})
    assert replayed["error"] == "access_denied"


@pytest.mark.requirement(85)
async def test_after_a_password_only_the_persons_own_passkey_counts(front: Front) -> None:
    ada, bob = await person(front), await front.person(id="usr_bob", email="bob@example.com")
    hers, his = await passkey(front, ada, second=True), await passkey(front, bob)
    begun = await call(front, {**BEGIN, **ADA})
    assert (begun["next"], methods(begun)) == ("passkey", [("passkey", None)])
    (entry,) = begun["acceptable"]
    assert len(entry["options"]["allowCredentials"]) == 1
    handle = {**HANDLE, "auth_session": begun["auth_session"]}
    foreign = his.get({**entry["options"], "allowCredentials": []})
    refused = await call(front, {**handle, "passkey": foreign})
    assert refused["error"] == "access_denied"
    # both in one call: neither vouches for the other
    fresh = await call(front, BEGIN)
    (options,) = [one["options"] for one in fresh["acceptable"] if one["step"] == "passkey"]
    mixed = await call(
        front,
        {**HANDLE, "auth_session": fresh["auth_session"], **ADA, "passkey": his.get(options)},
    )
    assert "authorization_code" not in mixed
    assert await front.store.grants.live_of_account(bob.id, front.now) == []
    assert await front.store.grants.live_of_account(ada.id, front.now) == []
    done = await call(front, {**handle, "passkey": hers.get(refused["acceptable"][0]["options"])})
    assert done["status"] == 200, done


@pytest.mark.requirement(85)
async def test_another_apps_handle_and_a_browsers_challenge_are_refused(front: Front) -> None:
    device = await passkey(front, await person(front))
    begun, other = await call(front, BEGIN), await call(front, {**BEGIN, "client_id": "app_radio"})
    (options,) = [one["options"] for one in other["acceptable"] if one["step"] == "passkey"]
    answer = device.get(options)
    crossed = await call(front, {**HANDLE, "auth_session": begun["auth_session"], "passkey": answer})
    assert crossed["error"] == "access_denied", "a challenge belongs to one sign-in"
    stolen = await call(front, {**HANDLE, "auth_session": other["auth_session"], "passkey": answer})
    assert stolen["error"] == "invalid_session", "a handle belongs to one app"


@pytest.mark.requirement(84, 85)
async def test_who_has_to_set_up_a_second_step_is_sent_to_a_browser(front: Front) -> None:
    ada = await person(front)
    assert await front.store.commit(front.store.factor_demands.require(ada.id, front.now - 10_000, None))
    answer = await call(front, {**BEGIN, **ADA})
    assert (answer["status"], answer["error"]) == (400, "interaction_required")
    assert "second step" in answer["error_description"]
    assert await front.store.grants.live_of_account(ada.id, front.now) == []


async def test_the_answer_of_a_passkey_is_text(front: Front) -> None:
    answer = await call(front, {**BEGIN, "passkey": {"id": "x"}})
    assert answer["status"] == 400
    assert (await call(front, {**BEGIN, "passkey": "x", "password": PASSWORD}))["status"] in {400, 403}
