"""Answer to the consent question: stored once, for the right person, and only for what was shown."""

from __future__ import annotations

import asyncio

import pytest

from doorward.core.model.signin import Proof, SignIn
from doorward.features.authn.flow.outcomes import AskConsent, AuthorizationError
from doorward.features.oauth.consent.view import consent_view
from tests.features import made
from tests.front_channel import CALLER, Front

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]


async def question(front: Front, *scopes: str) -> AskConsent:
    request = front.request(scopes=scopes or ("openid", "orders:read"))
    proofs = (Proof("password", front.now, ("pwd",)),)
    sign_in = await front.begin(request, account_id="usr_ada", proofs=proofs)
    asked = await front.advance.next(sign_in, session=None, caller=CALLER, now=front.now)
    assert isinstance(asked, AskConsent)
    return asked


@pytest.mark.requirement(12)
async def test_consent_is_remembered_and_accumulates(front: Front) -> None:
    for scopes in (("openid",), ("openid", "orders:read")):
        agreed = await front.consent.answer(
            await question(front, *scopes), allow=True, caller=CALLER, now=front.now
        )
        assert isinstance(agreed, SignIn)
        assert agreed.consented
    consent = await front.store.sessions.consent("usr_ada", "app_web", made.API)
    assert consent is not None
    assert set(consent.scopes) == {"openid", "orders:read"}
    event = (await front.audited("consent.granted"))[0]
    assert event.detail == {"scopes": ["openid", "orders:read"], "audience": made.API}


@pytest.mark.requirement(12)
async def test_scopes_that_the_person_lacks_are_not_consented_to(front: Front) -> None:
    asked = await question(front, "openid", "orders:write")
    await front.consent.answer(asked, allow=True, caller=CALLER, now=front.now)
    consent = await front.store.sessions.consent("usr_ada", "app_web", made.API)
    assert consent is not None
    assert consent.scopes == ("openid",)


@pytest.mark.requirement(12)
async def test_a_role_granted_while_the_page_is_open_adds_nothing(front: Front) -> None:
    asked = await question(front, "openid", "orders:read", "orders:write")
    assert asked.scopes == ("openid", "orders:read")
    agreed = await front.consent.answer(asked, allow=True, caller=CALLER, now=front.now)
    assert isinstance(agreed, SignIn)
    assert agreed.request is not None
    assert agreed.request.scopes == ("openid", "orders:read")


@pytest.mark.requirement(12)
async def test_cancel_ends_the_sign_in_and_returns_an_error_to_the_app(front: Front) -> None:
    asked = await question(front)
    denied = await front.consent.answer(asked, allow=False, caller=CALLER, now=front.now)
    assert isinstance(denied, AuthorizationError)
    assert denied.response is not None
    assert denied.response.fields["error"] == "access_denied"
    stored = await front.store.sign_ins.get(asked.sign_in.id)
    assert stored is not None
    assert stored.done_at == front.now
    assert await front.store.sessions.consent("usr_ada", "app_web", made.API) is None
    assert not (await front.audited("consent.denied"))[0].ok


async def test_only_one_of_many_concurrent_answers_counts(front: Front) -> None:
    asked = await question(front)
    answers = await asyncio.gather(
        *(
            front.consent.answer(asked, allow=number % 2 == 0, caller=CALLER, now=front.now)
            for number in range(8)
        )
    )
    assert sum(answer is not None for answer in answers) == 1
    written = [*await front.audited("consent.granted"), *await front.audited("consent.denied")]
    assert len(written) == 1


@pytest.mark.requirement(12)
async def test_claims_requested_by_name_are_shown_and_consented_to(front: Front) -> None:
    async def ask() -> AskConsent | object:
        request = front.request(
            scopes=("openid",), claims={"userinfo": {"email": None}, "id_token": {"acr": None}}
        )
        proofs = (Proof("password", front.now, ("pwd",)),)
        sign_in = await front.begin(request, account_id="usr_ada", proofs=proofs)
        return await front.advance.next(sign_in, session=None, caller=CALLER, now=front.now)

    await front.consent.answer(await question(front, "openid"), allow=True, caller=CALLER, now=front.now)
    asked = await ask()
    assert isinstance(asked, AskConsent)
    assert (asked.scopes, asked.by_name) == (("openid",), ("email",))
    shown = consent_view(asked, front.services.config.current(), 60)
    assert [line.name for line in shown.scopes] == ["openid", "email"]
    agreed = await front.consent.answer(asked, allow=True, caller=CALLER, now=front.now)
    assert isinstance(agreed, SignIn)
    # consented to, but not a scope of the token
    assert agreed.request is not None
    assert agreed.request.scopes == ("openid",)
    assert not isinstance(await ask(), AskConsent)
