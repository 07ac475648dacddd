"""Cookie delivery: the decisions of the token endpoint, with only the permitted facts for the page."""

from __future__ import annotations

import pytest

from doorward.core.errors import OAuthError
from doorward.features.oauth.first_party import build
from doorward.features.oauth.first_party.cookie_session import (
    AllowedApp,
    CallingPage,
    CookieSession,
)
from doorward.features.oauth.first_party.rules import csrf_token
from doorward.features.oauth.token.rules import TokenResponse
from tests.features import made
from tests.front_channel import CALLER, Front
from tests.tabs import said

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
HERE = CallingPage("https://app.example.com", "same-site")
FOREIGN = CallingPage("https://evil.example", "cross-site")
APP = made.public(first_party=True, origins=("https://app.example.com",))
APPS = (APP,)


def cookies(front: Front) -> CookieSession:
    return front.services.get(build.cookie_session)


def allowed(front: Front) -> AllowedApp:
    """The app and origin as the endpoints accept them from the app's page."""
    app = cookies(front).allowed(APP.id, HERE)
    assert isinstance(app, AllowedApp)
    return app


async def delivered(front: Front) -> TokenResponse:
    tab = front.browser()
    page = await tab.sign_in_at(await tab.get(front.asking(APP)))
    form = {"client_id": APP.id, "code": said(page)["code"], "code_verifier": made.VERIFIER}
    outcome = await cookies(front).begin(allowed(front), form, caller=CALLER)
    assert isinstance(outcome, TokenResponse)
    return outcome


async def test_the_page_receives_only_permitted_facts(front: Front) -> None:
    got = await delivered(front)
    assert got.access_token not in repr(got)
    standing = await cookies(front).standing(allowed(front), got.access_token)
    assert not isinstance(standing, OAuthError)
    assert standing["csrf_token"] == csrf_token(got.access_token)
    assert standing["sub"] == "usr_ada"
    assert not {"jti", "sid", "aud", "iss", "client_id"} & set(standing)
    assert standing["expires_in"] == 300


@pytest.mark.requirement(70)
async def test_a_foreign_page_is_refused_before_any_lookup(front: Front) -> None:
    got = await delivered(front)
    action = cookies(front)
    for refused in (
        action.allowed(APP.id, FOREIGN),
        action.allowed(APP.id, FOREIGN, reading=True),
    ):
        assert isinstance(refused, OAuthError)
        assert refused.code == "access_denied"
    assert isinstance(await action.renew(allowed(front), got.refresh_token, caller=CALLER), TokenResponse)


@pytest.mark.requirement(18)
async def test_renewal_rotates_as_the_token_endpoint_does(front: Front) -> None:
    got = await delivered(front)
    action = cookies(front)
    one = await action.renew(allowed(front), got.refresh_token, caller=CALLER)
    two = await action.renew(allowed(front), got.refresh_token, caller=CALLER)
    assert isinstance(one, TokenResponse)
    assert isinstance(two, TokenResponse)
    # two tabs at once: one successor, and nobody is signed out
    assert one.refresh_token == two.refresh_token != got.refresh_token
    assert isinstance(await action.renew(allowed(front), None, caller=CALLER), OAuthError)
    assert isinstance(action.allowed("app_nobody", HERE), OAuthError)


@pytest.mark.requirement(18)
async def test_a_lost_renewal_is_repeated_once_a_day_as_at_the_token_endpoint(front: Front) -> None:
    got = await delivered(front)
    action = cookies(front)
    lost = await action.renew(allowed(front), got.refresh_token, caller=CALLER)
    assert isinstance(lost, TokenResponse)
    front.clock.time += 3600
    # a laptop wakes up with two open tabs
    for _ in range(2):
        again = await action.renew(allowed(front), got.refresh_token, caller=CALLER)
        assert isinstance(again, TokenResponse)
        assert again.refresh_token == lost.refresh_token
    lines = await front.services.store.audit.page(kind="refresh_token.repeated_late")
    assert [(line.account_id, line.client_id, line.user_agent) for line in lines] == [
        ("usr_ada", APP.id, CALLER.user_agent)
    ]
    front.clock.time += 3600
    assert isinstance(await action.renew(allowed(front), got.refresh_token, caller=CALLER), OAuthError), (
        "a copy of the cookie was renewed again"
    )
    assert isinstance(await action.renew(allowed(front), lost.refresh_token, caller=CALLER), OAuthError)


@pytest.mark.requirement(72)
async def test_a_revoked_or_expired_token_identifies_nobody(front: Front) -> None:
    got = await delivered(front)
    action = cookies(front)
    for nobody in (None, "", "x", got.access_token + "x"):
        assert isinstance(await action.standing(allowed(front), nobody), OAuthError)
    (session,) = await front.store.sessions.live_of("usr_ada", front.now)
    await front.sign_out.end(session, reason="signed_out", client_id=None, caller=CALLER, now=front.now)
    assert isinstance(await action.standing(allowed(front), got.access_token), OAuthError)
    fresh = await delivered(front)
    front.clock.time += 300
    assert isinstance(await action.standing(allowed(front), fresh.access_token), OAuthError)


@pytest.mark.requirement(72)
async def test_signing_out_ends_the_session_even_if_the_grant_had_ended(front: Front) -> None:
    got = await delivered(front)
    (grant,) = await front.store.grants.live_of_account("usr_ada", front.now)
    await front.store.commit(*front.revoker.grant(grant, now=front.now, reason="refresh_token_replayed"))
    left = await cookies(front).end(allowed(front), got.access_token, got.refresh_token, None, caller=CALLER)
    assert left is True
    assert await front.store.sessions.live_of("usr_ada", front.now) == []
