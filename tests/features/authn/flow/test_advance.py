"""Sign-in steps: each asks for what is missing, and outdated proofs do not count."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.session import Session
from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.outcomes import (
    AskConsent,
    AuthorizationError,
    FactorRequired,
    Finished,
    Next,
)
from tests.features import made
from tests.front_channel import CALLER, Front

pytestmark = pytest.mark.anyio
OWN = made.client(first_party=True)
APPS = (OWN,)


async def advance(front: Front, sign_in: SignIn, session: Session | None = None) -> Next:
    return await front.advance.next(sign_in, session=session, caller=CALLER, now=front.now)


def password(front: Front, at: int | None = None) -> dict[str, Any]:
    return {
        "account_id": "usr_ada",
        "proofs": (Proof("password", front.now if at is None else at, ("pwd",)),),
    }


async def test_a_person_without_proofs_is_asked_for_a_factor(front: Front) -> None:
    await front.person()
    outcome = await advance(front, await front.begin(front.request()))
    assert isinstance(outcome, FactorRequired)
    assert [one.step for one in outcome.acceptable] == ["password", "passkey"]


@pytest.mark.requirement(85)
async def test_a_second_factor_is_required_whatever_the_app(front: Front) -> None:
    await front.authenticator(await front.person())
    for request in (None, front.request(), front.request(acr_values=("urn:doorward:aal1",))):
        for handle in (None, b"h" * 32):
            sign_in = await front.begin(request, handle_hash=handle, **password(front))
            outcome = await advance(front, sign_in)
            assert isinstance(outcome, FactorRequired)
            assert {one.step for one in outcome.acceptable} == {"second_factor"}
            if handle:
                await front.store.commit(
                    front.store.sign_ins.replace(sign_in, structs.replace(sign_in, handle_hash=None))
                )


async def test_proofs_lead_to_a_code_or_the_account_pages(front: Front) -> None:
    await front.person()
    outcome = await advance(front, await front.begin(None, **password(front)))
    assert isinstance(outcome, Finished)
    assert outcome.response is None
    outcome = await advance(front, await front.begin(front.request(), **password(front)))
    assert isinstance(outcome, Finished)
    assert outcome.response is not None
    assert outcome.response.fields.keys() == {"code", "state", "iss"}


@pytest.mark.requirement(72)
async def test_a_proof_of_a_password_changed_since_does_not_count(front: Front) -> None:
    ada = await front.person()
    sign_in = await front.begin(front.request(), **password(front))
    await front.change(ada, password_changed_at=front.now + 1)
    assert isinstance(await advance(front, sign_in), FactorRequired)


@pytest.mark.requirement(72)
async def test_a_proof_of_a_password_changed_in_the_same_second_does_not_count(front: Front) -> None:
    ada = await front.person()
    old = Proof("password", front.now, ("pwd",), against=ada.password_changed_at)
    sign_in = await front.begin(front.request(), account_id=ada.id, proofs=(old,))
    await front.change(ada, password_changed_at=front.now)
    assert isinstance(await advance(front, sign_in), FactorRequired)
    # the new password counts, in the same second too
    new = Proof("password", front.now, ("pwd",), against=front.now)
    sign_in = await front.begin(front.request(), account_id=ada.id, proofs=(new,))
    assert isinstance(await advance(front, sign_in), Finished)


@pytest.mark.requirement(72)
async def test_a_person_disabled_since_gets_nothing(front: Front) -> None:
    ada = await front.person()
    sign_in = await front.begin(front.request(), **password(front))
    await front.change(ada, disabled_at=front.now)
    assert isinstance(await advance(front, sign_in), FactorRequired)


@pytest.mark.requirement(13)
async def test_old_proofs_do_not_count_if_the_app_requests_new_ones(front: Front) -> None:
    await front.person()
    sign_in = await front.begin(front.request(), fresh_after=front.now, **password(front, front.now - 1))
    assert isinstance(await advance(front, sign_in), FactorRequired)


@pytest.mark.requirement(72)
async def test_proofs_taken_from_a_session_end_with_the_session(front: Front) -> None:
    session = await front.session(await front.person())
    sign_in = await front.begin(front.request(), session)
    assert sign_in.session_id == session.id
    outcome = await advance(front, sign_in, None)
    assert isinstance(outcome, FactorRequired)
    assert outcome.sign_in.proofs == ()
    stored = await front.store.sign_ins.get(sign_in.id)
    assert stored is not None
    assert (stored.account_id, stored.session_id) == (None, None)


@pytest.mark.requirement(13)
async def test_prompt_none_is_answered_with_an_error_to_the_app(front: Front) -> None:
    session = await front.session(await front.person())
    silent = front.request(prompt=frozenset({"none"}))
    outcome = await advance(front, await front.begin(silent))
    assert isinstance(outcome, AuthorizationError)
    assert outcome.error.code == "login_required"
    await front.register(made.client())
    outcome = await advance(front, await front.begin(silent, session), session)
    assert isinstance(outcome, AuthorizationError)
    assert outcome.error.code == "consent_required"


@pytest.mark.requirement(13)
async def test_another_person_than_the_app_expects_is_refused(front: Front) -> None:
    await front.person()
    outcome = await advance(
        front, await front.begin(front.request(hint_subject="usr_eve"), **password(front))
    )
    assert isinstance(outcome, AuthorizationError)
    assert outcome.error.code == "login_required"


@pytest.mark.requirement(38)
async def test_an_essential_level_is_never_undercut(front: Front) -> None:
    await front.person()
    for values in (("urn:doorward:aal2",), ("urn:other",), ()):
        request = front.request(acr_values=values, acr_essential=True)
        outcome = await advance(front, await front.begin(request, **password(front)))
        assert isinstance(outcome, AuthorizationError)
        assert outcome.error.code == "unmet_authentication_requirements"
    wish = front.request(acr_values=("urn:doorward:aal2",))
    assert isinstance(await advance(front, await front.begin(wish, **password(front))), Finished)


@pytest.mark.requirement(12)
async def test_the_consent_question_lists_the_scopes_that_would_be_granted(front: Front) -> None:
    await front.register(made.client())
    await front.person()
    outcome = await advance(front, await front.begin(front.request(), **password(front)))
    assert isinstance(outcome, AskConsent)
    # orders:write was requested too, but Ada may only read
    assert outcome.scopes == ("openid", "orders:read")


@pytest.mark.requirement(1)
async def test_a_removed_app_or_address_gets_neither_code_nor_error(front: Front) -> None:
    await front.person()
    sign_in = await front.begin(front.request(), **password(front))
    for change in (
        made.client(first_party=True, redirect_uris=("https://new.example.com/cb",)),
        made.client(first_party=True, grant_types=("client_credentials",)),
        None,
    ):
        if change is None:
            await front.remove(OWN)
        else:
            await front.register(change)
        outcome = await advance(front, sign_in)
        assert isinstance(outcome, AuthorizationError)
        assert outcome.response is None
        asked = await front.advance.deny(sign_in, outcome.error)
        assert asked.response is None
    assert await front.store.grants.live_of_account("usr_ada", front.now) == []
