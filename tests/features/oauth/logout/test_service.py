"""Sign-out: it ends everything that must end, even grants created at the same moment."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.grant import Grant
from doorward.core.model.session import Session
from doorward.features.oauth.logout.rules.logout import Asking, SignOut
from tests.features import made
from tests.front_channel import CALLER, Front

pytestmark = pytest.mark.anyio


async def grant(front: Front, session: Session, grant_id: str, **changes: Any) -> Grant:
    given = made.grant(id=grant_id, session_id=session.id, **changes)
    assert await front.store.commit(front.store.grants.insert(given))
    return given


async def leave(front: Front, session: Session) -> None:
    await front.sign_out.end(session, reason="signed_out", client_id=None, caller=CALLER, now=front.now)


@pytest.mark.requirement(72)
async def test_session_and_grants_end_and_offline_grants_stay(front: Front) -> None:
    session = await front.session(await front.person())
    await grant(front, session, "grt_bound")
    await grant(front, session, "grt_offline", offline=True)
    await leave(front, session)
    ended = await front.store.sessions.get(session.id)
    assert ended is not None
    assert (ended.ended_at, ended.end_reason) == (front.now, "signed_out")
    assert [one.id for one in await front.store.grants.live_of_account("usr_ada", front.now)] == [
        "grt_offline"
    ]
    _, entries = await front.store.revocations.live(front.now)
    assert {(entry.kind, entry.ref) for entry in entries} == {("sid", session.id), ("grant", "grt_bound")}
    assert len(await front.audited("session.ended")) == 1


@pytest.mark.requirement(72)
async def test_a_grant_created_during_the_sign_out_ends_too(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await front.session(await front.person())
    commit = front.store.commit

    async def slow(*writes: Any) -> bool:
        # between the reading of the grants and the end of the session
        monkeypatch.undo()
        await grant(front, session, "grt_late")
        return await commit(*writes)

    monkeypatch.setattr(front.store, "commit", slow)
    await leave(front, session)
    assert await front.store.grants.live_of_account("usr_ada", front.now) == []
    _, entries = await front.store.revocations.live(front.now)
    assert ("grant", "grt_late") in {(entry.kind, entry.ref) for entry in entries}


@pytest.mark.requirement(75)
async def test_a_hint_is_read_and_an_invalid_one_counts_as_none(front: Front) -> None:
    session = await front.session(await front.person())
    claims = {"iss": made.ISSUER, "sub": "usr_ada", "aud": "app_web", "sid": session.id}
    good = front.services.signer.sign(claims, typ="JWT")
    asking = Asking(session=session)
    decided = await front.sign_out.decide({"id_token_hint": good}, asking, now=front.now)
    assert decided == SignOut(ask=False, ends=(session,), client_id="app_web", target=None, state=None)
    for params in ({}, {"id_token_hint": ""}, {"id_token_hint": good + "x"}, {"client_id": "app_web"}):
        decided = await front.sign_out.decide(params, asking, now=front.now)
        assert isinstance(decided, SignOut)
        assert decided.ask
    wrong = {"id_token_hint": good, "post_logout_redirect_uri": "https://x.example"}
    assert isinstance(await front.sign_out.decide(wrong, asking, now=front.now), OAuthError)
    # an invalid hint is not trusted to name the app
    wrong["id_token_hint"] += "x"
    decided = await front.sign_out.decide({**wrong, "client_id": "app_web"}, asking, now=front.now)
    assert isinstance(decided, SignOut)
    assert (decided.ask, decided.target) == (True, None)


@pytest.mark.requirement(75)
async def test_without_the_cookie_the_hint_selects_the_session(front: Front) -> None:
    session = await front.session(await front.person())
    claims = {"iss": made.ISSUER, "sub": "usr_ada", "aud": "app_web", "sid": session.id, "exp": front.now + 1}
    fresh = {"id_token_hint": front.services.signer.sign(claims, typ="JWT")}
    decided = await front.sign_out.decide(fresh, Asking(), now=front.now)
    assert isinstance(decided, SignOut)
    assert (decided.ask, decided.ends) == (False, (session,))
    decided = await front.sign_out.decide(fresh, Asking(), now=front.now + 1)
    assert isinstance(decided, SignOut)
    assert decided.ask
