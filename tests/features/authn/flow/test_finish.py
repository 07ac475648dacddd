"""End of a sign-in: session, grant and code are created together, once, and only for a person who still exists."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.request import CODE, AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.build import goal_choice
from doorward.features.authn.flow.outcomes import Conflict, Finished
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.features.authn.flow.rules.vouching import adds_up
from doorward.features.oauth.authorize.goal import AuthorizationGoal, AuthorizationGoals
from doorward.features.oauth.clients.rules.entitle import Granted
from tests.browsing import SESSION
from tests.features import made
from tests.front_channel import CALLER, Front, front_channel

pytestmark = pytest.mark.anyio
DAY = 86_400


def goals(front: Front) -> AuthorizationGoals:
    found = front.services.get(goal_choice).plugs[CODE].goals
    assert isinstance(found, AuthorizationGoals)
    return found


async def finish(
    front: Front, sign_in: SignIn, account: Account, *, old: Session | None = None, **changes: Any
) -> Finished | Conflict:
    """Ends a sign-in at the web app that was proven by a password."""
    scopes: tuple[str, ...] = changes.pop("scopes", ("openid", "orders:read"))
    request: AuthRequest | None = sign_in.request
    permitted = (
        AuthorizationGoal(
            goals=changes.pop("goals", goals(front)),
            request=request,
            client=made.client(),
            granted=Granted(scopes, ("orders:read",), ("reader",)),
        )
        if request
        else None
    )
    given: dict[str, Any] = {
        "achieved": Achieved("urn:doorward:aal1", ("pwd",), front.now),
        "caller": replace(CALLER, devices=changes.pop("devices", ())),
        "now": front.now,
        **changes,
    }
    return await front.finish.commit(sign_in, account=account, permitted=permitted, old=old, **given)


async def done(front: Front, sign_in: SignIn, account: Account, **changes: Any) -> Finished:
    outcome = await finish(front, sign_in, account, **changes)
    assert isinstance(outcome, Finished)
    return outcome


@pytest.mark.requirement(17, 68)
async def test_secrets_are_random_and_stored_hashed(front: Front) -> None:
    ada = await front.person()
    one = await done(front, await front.begin(front.request()), ada)
    two = await done(front, await front.begin(front.request()), ada)
    assert one.code is not None
    assert one.session_secret is not None
    assert one.device_secret is not None
    assert len({one.code, two.code, one.session_secret, two.session_secret}) == 4
    assert len(one.code) == len("dw_ac_") + 43
    assert await front.store.sessions.by_secret(digest(one.session_secret)) == one.session
    code = await front.store.grants.code(digest(one.code))
    assert code is not None
    assert code.hash != one.code.encode()


@pytest.mark.requirement(16)
async def test_a_code_lives_a_minute_and_is_bound_to_its_request(front: Front) -> None:
    ada = await front.person()
    outcome = await done(front, await front.begin(front.request()), ada)
    code = await front.store.grants.code(digest(outcome.code or ""))
    assert code is not None
    assert code.expires_at == front.now + 60
    assert (code.client_id, code.redirect_uri) == ("app_web", made.REDIRECT)
    assert code.code_challenge == made.challenge(made.VERIFIER)
    silent = await done(front, await front.begin(front.request(redirect_uri_given=False)), ada)
    code = await front.store.grants.code(digest(silent.code or ""))
    assert code is not None
    assert code.redirect_uri is None


async def test_one_sign_in_ends_once(front: Front) -> None:
    ada = await front.person()
    sign_in = await front.begin(front.request())
    outcomes = await asyncio.gather(*(finish(front, sign_in, ada) for _ in range(8)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict"] * 7 + ["Finished"]
    assert len(await front.store.grants.live_of_account(ada.id, front.now)) == 1
    assert len(await front.store.sessions.live_of(ada.id, front.now)) == 1
    assert len(await front.audited("sign_in.succeeded")) == 1


async def test_a_person_has_at_most_as_many_sessions_as_one_write_can_end(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorward.features.authn.flow.finish.MOST_SESSIONS", 3)
    ada = await front.person()
    begun: list[str] = []
    for _ in range(5):
        outcome = await done(front, await front.begin(front.request()), ada)
        assert outcome.session is not None
        begun.append(outcome.session.id)
        front.clock.time += 1
    live = await front.store.sessions.live_of(ada.id, front.now)
    assert [one.id for one in live] == begun[:1:-1]
    first = await front.store.sessions.get(begun[0])
    assert first is not None
    assert first.end_reason == "too_many"
    assert len(await front.store.grants.live_of_account(ada.id, front.now)) == 3


@pytest.mark.requirement(72)
@pytest.mark.parametrize("change", ["disabled", "password", "deleted"])
async def test_a_person_changed_during_the_sign_in_gets_nothing(front: Front, change: str) -> None:
    ada = await front.person()
    sign_in = await front.begin(front.request())
    if change == "deleted":
        await front.store.commit(front.store.delete_account(ada.id))
    elif change == "disabled":
        await front.change(ada, disabled_at=front.now)
    else:
        await front.change(ada, password_hash="another", password_changed_at=front.now)
    assert isinstance(await finish(front, sign_in, ada), Conflict)
    assert await front.store.sessions.live_of(ada.id, front.now) == []
    assert await front.store.grants.live_of_account(ada.id, front.now) == []


@pytest.mark.requirement(72)
async def test_no_grant_is_created_in_a_session_that_ended_meanwhile(front: Front) -> None:
    ada = await front.person()
    session = await front.session(ada)
    sign_in = await front.begin(front.request(), session)
    reached = Achieved(session.acr, session.amr, session.auth_time)
    await front.store.commit(front.store.sessions.end(session.id, front.now, "signed_out"))
    assert isinstance(await finish(front, sign_in, ada, old=session, achieved=reached), Conflict)
    assert await front.store.grants.live_of_account(ada.id, front.now) == []


@pytest.mark.requirement(68)
async def test_the_session_cookie_changes_exactly_when_a_proof_was_added(front: Front) -> None:
    ada = await front.person()
    session = await front.session(ada, auth_time=front.now, seen_at=front.now)
    known = Achieved(session.acr, session.amr, session.auth_time)
    silent = await done(front, await front.begin(front.request(), session), ada, old=session, achieved=known)
    assert silent.session_secret is None
    assert await front.audited("sign_in.succeeded") == []
    # a second factor within the same second is a new proof too
    stronger = Achieved("urn:doorward:aal2", ("pwd", "otp", "mfa"), front.now)
    stepped = await done(
        front, await front.begin(front.request(), session), ada, old=session, achieved=stronger
    )
    assert stepped.session_secret is not None
    assert stepped.session.id == session.id
    assert await front.store.sessions.by_secret(session.secret_hash) is None
    stored = await front.store.sessions.by_secret(digest(stepped.session_secret))
    assert stored is not None
    assert (stored.acr, stored.amr) == (stronger.acr, stronger.amr)


async def test_a_session_stores_the_proofs_made_in_it(front: Front) -> None:
    ada = await front.person()
    password = Proof("password", front.now, ("pwd",), against=7)
    first = await front.begin(front.request(), account_id=ada.id, proofs=(password,))
    session = (await done(front, first, ada)).session
    assert session.proofs == (replace(password, against=None),)
    assert adds_up(session)
    front.clock.time += 60
    code = Proof("totp", front.now, ("otp",), against=8)
    vouched = await front.begin(front.request(), session)
    second = await front.begin(None, account_id=ada.id, session_id=session.id, proofs=(*vouched.proofs, code))
    stronger = Achieved("urn:doorward:aal2", ("pwd", "otp", "mfa"), front.now)
    stepped = (await done(front, second, ada, old=session, achieved=stronger)).session
    assert stepped.proofs == (replace(password, against=None), replace(code, against=None))
    assert adds_up(stepped)
    assert await front.store.sessions.get(session.id) == stepped


async def test_a_proof_too_old_for_the_sign_in_is_not_stored(front: Front) -> None:
    ada = await front.person()
    proofs = (Proof("totp", front.now - 9, ("otp",)), Proof("password", front.now, ("pwd",)))
    sign_in = await front.begin(None, account_id=ada.id, proofs=proofs, fresh_after=front.now)
    assert (await done(front, sign_in, ada)).session.proofs == proofs[1:]


@pytest.mark.requirement(68)
async def test_a_session_of_another_person_in_the_browser_ends(front: Front) -> None:
    ada, eve = await front.person(), await front.person(id="usr_eve", email="eve@example.com")
    session = await front.session(ada)
    outcome = await done(front, await front.begin(front.request()), eve, old=session)
    assert outcome.session.account_id == "usr_eve"
    ended = await front.store.sessions.get(session.id)
    assert ended is not None
    assert ended.end_reason == "replaced"


async def test_a_grant_ends_with_its_session_unless_it_is_offline(front: Front) -> None:
    ada = await front.person()
    session = await front.session(ada, expires_at=front.now + DAY)
    known = Achieved(session.acr, session.amr, session.auth_time)
    for scopes, ends in ((("openid",), DAY), (("openid", "offline_access"), 30 * DAY)):
        sign_in = await front.begin(front.request(), session)
        await done(front, sign_in, ada, old=session, achieved=known, scopes=scopes)
        newest = (await front.store.grants.live_of_account(ada.id, front.now))[0]
        assert newest.expires_at == front.now + ends
        assert newest.offline == ("offline_access" in scopes)


@pytest.mark.requirement(71)
async def test_a_step_up_on_the_third_day_gets_the_lifetime_of_its_new_level() -> None:
    async with front_channel(sessions=SessionPolicy(aal2_limits=True)) as front:
        ada = await front.person()
        begun = front.now - 3 * DAY
        session = await front.session(ada, created_at=begun, auth_time=begun, expires_at=begun + 30 * DAY)
        stronger = Achieved("urn:doorward:aal2", ("pwd", "otp", "mfa"), front.now)
        outcome = await done(
            front, await front.begin(front.request(), session), ada, old=session, achieved=stronger
        )
        (grant,) = await front.store.grants.live_of_account(ada.id, front.now)
        assert grant.expires_at == front.now + DAY
        tab = front.browser()
        tab.cookies[SESSION] = outcome.session_secret or ""
        assert (await tab.get("/account")).status == 200


@pytest.mark.requirement(81)
async def test_a_new_browser_becomes_known_and_the_owner_is_informed(front: Front) -> None:
    ada = await front.person()
    outcome = await done(front, await front.begin(None), ada)
    known = digest(outcome.device_secret or "")
    assert await front.store.sessions.known_device((known,), ada.id) == known
    assert [mail.kind for mail in await front.store.messages.recent_mail()] == ["new_device"]
    again = await done(front, await front.begin(None), ada, devices=(known,))
    assert again.device_secret is None
    assert len(await front.store.messages.recent_mail()) == 1
    # every kind of sign-in informs the owner, the JSON sign-in too
    handle = await front.begin(front.request(), handle_hash=b"h" * 32, browser_hash=None)
    token = (await done(front, handle, ada)).device_secret
    assert token is not None
    assert len(await front.store.messages.recent_mail()) == 2
    handle = await front.begin(front.request(), handle_hash=b"i" * 32, browser_hash=None)
    assert (await done(front, handle, ada, devices=(digest(token),))).device_secret is None
    assert len(await front.store.messages.recent_mail()) == 2
    young = await front.person(id="usr_new", email="new@example.com", created_at=front.now)
    await done(front, await front.begin(None), young)
    assert len(await front.store.messages.recent_mail()) == 2


@pytest.mark.requirement(81, 95)
async def test_each_person_of_a_browser_has_a_device_secret_of_their_own(front: Front) -> None:
    """docs/incidents/0029-a-device-known-for-everybody.md"""
    thief = await front.person(id="usr_eve", email="eve@example.com")
    first = await done(front, await front.begin(None), thief)
    secret = digest(first.device_secret or "")
    # Ada signs in on the same browser; an earlier copy of its cookie must not count as her known device
    ada = await front.person()
    second = await done(front, await front.begin(None), ada, devices=(secret,))
    assert second.device_secret is not None
    assert await front.store.sessions.known_device((secret,), ada.id) is None
    kinds = [(mail.to, mail.kind) for mail in await front.store.messages.recent_mail()]
    assert ("ada@example.com", "new_device") in kinds
