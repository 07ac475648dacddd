"""UserInfo: the consented claims, for the bearer of a valid token."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.features.oauth.token.rules import TokenResponse
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("channel_account")]


async def token(channel: BackChannel, **grant: Any) -> str:
    raw, _ = await channel.family(**grant)
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    return answer.access_token


async def no(channel: BackChannel, access: str, code: str = "invalid_token") -> None:
    answer = await channel.userinfo.answer(access)
    assert isinstance(answer, OAuthError), answer
    assert answer.code == code


@pytest.mark.parametrize(
    ("scopes", "claims", "names"),
    [
        (("openid",), {}, {"sub"}),
        (("openid", "email"), {}, {"sub", "email", "email_verified"}),
        (("openid", "profile"), {}, {"sub", "name", "locale"}),
        (("openid",), {"userinfo": {"email": None}}, {"sub", "email"}),
        (("openid",), {"id_token": {"email": None}}, {"sub"}),
        (("openid",), {"userinfo": {"password_hash": None, "id": None}}, {"sub"}),
    ],
)
async def test_scopes_and_claims_determine_the_answer(
    channel: BackChannel, scopes: tuple[str, ...], claims: dict[str, Any], names: set[str]
) -> None:
    answer = await channel.userinfo.answer(await token(channel, scopes=scopes, claims=claims))
    assert isinstance(answer, dict)
    assert answer.keys() == names
    assert answer["sub"] == "usr_ada"


async def test_a_claim_by_name_requires_a_registered_scope(channel: BackChannel) -> None:
    await channel.put(made.client(oidc_scopes=("openid",)))
    answer = await channel.userinfo.answer(
        await token(channel, scopes=("openid",), claims={"userinfo": {"email": {"essential": True}}})
    )
    assert answer == {"sub": "usr_ada"}


async def test_an_app_registered_for_signed_answers_gets_one(channel: BackChannel) -> None:
    await channel.put(made.client(userinfo_signed_alg="RS256"))
    answer = await channel.userinfo.answer(await token(channel))
    assert isinstance(answer, str)
    said = channel.claims(answer, "JWT")
    assert said["iss"] == made.ISSUER
    assert said["aud"] == "app_web"
    assert said["email"] == "ada@example.com"


@pytest.mark.requirement(39)
async def test_only_an_access_token_with_openid_is_accepted(channel: BackChannel) -> None:
    raw, _ = await channel.family()
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    await no(channel, answer.id_token or "")
    await no(channel, answer.refresh_token or "")
    await no(channel, await token(channel, scopes=("orders:read",)), "insufficient_scope")
    app = await channel.ask({"grant_type": "client_credentials", "scope": "orders:read"})
    assert isinstance(app, TokenResponse)
    await no(channel, app.access_token, "insufficient_scope")


@pytest.mark.requirement(72)
async def test_a_revoked_token_or_a_missing_person_is_refused(channel: BackChannel) -> None:
    access = await token(channel)
    ada = await channel.store.accounts.get("usr_ada")
    assert ada is not None
    assert await channel.store.commit(
        channel.store.accounts.replace(structs.replace(ada, disabled_at=channel.clock.time))
    )
    await no(channel, access)
    assert await channel.store.commit(channel.store.accounts.replace(ada))
    assert isinstance(await channel.userinfo.answer(access), dict)
    grant = await channel.store.grants.get(channel.claims(access)["jti"].partition(".")[0])
    assert grant is not None
    assert await channel.store.commit(*channel.revoker.grant(grant, now=channel.clock.time, reason="revoked"))
    await no(channel, access)


async def test_roles_are_in_userinfo_and_id_token_whatever_the_audience(channel: BackChannel) -> None:
    scopes = ("openid", "roles", "groups")
    await channel.put(made.client(oidc_scopes=scopes))
    raw, _ = await channel.family(scopes=scopes, audience=made.ISSUER)
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    identity = channel.claims(answer.id_token or "", "JWT")
    assert (identity["roles"], identity["groups"]) == (["reader"], ["reader"])
    assert await channel.userinfo.answer(answer.access_token) == {
        "sub": "usr_ada",
        "roles": ("reader",),
        "groups": ("reader",),
    }
    # the roles do not apply at this audience, so the access token lists none
    assert channel.claims(answer.access_token, "at+jwt")["roles"] == []


async def test_claims_not_requested_by_name_in_the_id_token_are_in_userinfo(
    channel: BackChannel,
) -> None:
    await channel.put(made.client(id_token_claims="asked"))
    raw, _ = await channel.family(scopes=("openid", "email"), claims={"id_token": {"name": None}})
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    identity = channel.claims(answer.id_token or "", "JWT")
    assert identity["name"] == "Ada"
    assert "email" not in identity
    said = await channel.userinfo.answer(answer.access_token)
    assert isinstance(said, dict)
    assert said["email"] == "ada@example.com"
