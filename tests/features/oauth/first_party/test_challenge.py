"""JSON sign-in: the same sign-in flow as the pages, bound to one app and one end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.digest import digest
from doorward.features.oauth.first_party import build
from doorward.features.oauth.first_party.challenge import AuthorizationChallenge
from doorward.features.oauth.first_party.outcomes import Code, More
from tests.browsing import PASSWORD
from tests.features import made
from tests.front_channel import CALLER, CODE_CHALLENGE, Front

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
APP = made.public(id="app_tv", first_party=True, redirect_uris=())
APPS = (APP,)
BEGIN = {
    "client_id": "app_tv",
    "scope": "openid",
    "code_challenge": CODE_CHALLENGE,
    "code_challenge_method": "S256",
    "response_type": "token",
}
ADA = {"username": "ada@example.com", "password": PASSWORD}


def challenge(front: Front) -> AuthorizationChallenge:
    return front.services.get(build.challenge)


async def call(front: Front, params: Mapping[str, str]) -> Code | More | OAuthError:
    return await challenge(front).answer(params, authorization=None, caller=CALLER)


@pytest.mark.requirement(17)
async def test_the_handle_is_random_and_stored_hashed(front: Front) -> None:
    one, two = await call(front, BEGIN), await call(front, BEGIN)
    assert isinstance(one, More)
    assert isinstance(two, More)
    assert one.auth_session != two.auth_session
    assert len(one.auth_session) == len("dw_as_") + 43
    stored = await front.store.sign_ins.by_handle(digest(one.auth_session))
    assert stored is not None
    assert stored.browser_hash is None
    assert one.auth_session not in str(stored)


async def test_one_sign_in_yields_one_code(front: Front) -> None:
    begun = await call(front, BEGIN)
    assert isinstance(begun, More)
    params = {"client_id": "app_tv", "auth_session": begun.auth_session, **ADA}
    outcomes = await asyncio.gather(*(call(front, params) for _ in range(4)))
    assert sum(isinstance(outcome, Code) for outcome in outcomes) == 1
    assert len(await front.store.grants.live_of_account("usr_ada", front.now)) == 1


async def test_a_code_of_the_json_sign_in_has_no_redirect_uri(front: Front) -> None:
    outcome = await call(front, {**BEGIN, **ADA})
    assert isinstance(outcome, Code)
    code = await front.store.grants.code(digest(outcome.authorization_code))
    assert code is not None
    assert code.redirect_uri is None
    assert code.code_challenge == CODE_CHALLENGE


@pytest.mark.requirement(85)
async def test_the_request_cannot_be_changed_during_the_sign_in(front: Front) -> None:
    begun = await call(front, {**BEGIN, "max_age": "0"})
    assert isinstance(begun, More)
    stored = await front.store.sign_ins.by_handle(digest(begun.auth_session))
    wider = {
        "scope": "openid email orders:read",
        "max_age": "9999",
        "acr_values": "x",
        "code_challenge": "B" * 43,
    }
    outcome = await call(front, {"client_id": "app_tv", "auth_session": begun.auth_session, **wider})
    assert isinstance(outcome, More)
    assert await front.store.sign_ins.by_handle(digest(begun.auth_session)) == stored


@pytest.mark.requirement(72)
async def test_an_app_that_is_no_longer_first_party_cannot_continue(front: Front) -> None:
    begun = await call(front, BEGIN)
    assert isinstance(begun, More)
    await front.register(made.public(id="app_tv"))
    outcome = await call(front, {"client_id": "app_tv", "auth_session": begun.auth_session, **ADA})
    assert isinstance(outcome, OAuthError)
    assert outcome.code == "unauthorized_client"


async def test_a_password_without_a_user_name_is_refused(front: Front) -> None:
    for params in ({**BEGIN, "password": "x"}, {**BEGIN, "password": "x", "username": ""}):
        outcome = await call(front, params)
        assert isinstance(outcome, OAuthError)
        assert outcome.code == "invalid_request"
