"""UserInfo over HTTP: where the bearer token is read from, and the answers without a valid one."""

from __future__ import annotations

import pytest

from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.userinfo import routes as userinfo
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel
from tests.web.asgi import Asgi

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("channel_account")]


@pytest.fixture
def asgi(channel: BackChannel) -> Asgi:
    return Asgi(userinfo.routes(channel.userinfo))


async def token(channel: BackChannel, **grant: tuple[str, ...]) -> str:
    raw, _ = await channel.family(**grant)
    answer = await channel.refresh(raw)
    assert isinstance(answer, TokenResponse)
    return answer.access_token


async def test_the_token_is_read_from_the_header_or_the_form(asgi: Asgi, channel: BackChannel) -> None:
    access = await token(channel)
    expected = {"sub": "usr_ada", "email": "ada@example.com", "email_verified": True}
    header = {"authorization": f"Bearer {access}"}
    for answer in (
        await asgi("GET", "/userinfo", headers=header),
        await asgi("POST", "/userinfo", headers=header),
        await asgi("POST", "/userinfo", form={"access_token": access}),
        await asgi("GET", "/userinfo", headers={"authorization": f"bearer {access}"}),
    ):
        assert answer.status == 200
        assert answer.json == expected
        assert answer.headers["cache-control"] == "no-store"


async def test_a_token_in_the_query_is_ignored(asgi: Asgi, channel: BackChannel) -> None:
    answer = await asgi("GET", "/userinfo", query=f"access_token={await token(channel)}")
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_two_tokens_are_refused(asgi: Asgi, channel: BackChannel) -> None:
    access = await token(channel)
    answer = await asgi(
        "POST", "/userinfo", form={"access_token": access}, headers={"authorization": f"Bearer {access}"}
    )
    assert answer.status == 400


async def test_challenges_name_the_error(asgi: Asgi, channel: BackChannel) -> None:
    for headers in ({}, {"authorization": "Basic eDp5"}):
        answer = await asgi("GET", "/userinfo", headers=headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    for bad in ("", "x", "a.b.c", "é" * 9):
        answer = await asgi("GET", "/userinfo", headers={"authorization": f"Bearer {bad}"})
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    narrow = await token(channel, scopes=("orders:read",))
    answer = await asgi("GET", "/userinfo", headers={"authorization": f"Bearer {narrow}"})
    assert answer.status == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert 'scope="openid"' in answer.headers["www-authenticate"]


async def test_a_signed_answer_is_a_jwt(asgi: Asgi, channel: BackChannel) -> None:
    await channel.put(made.client(userinfo_signed_alg="ES256"))
    answer = await asgi("GET", "/userinfo", headers={"authorization": f"Bearer {await token(channel)}"})
    assert answer.headers["content-type"] == "application/jwt"
    assert channel.claims(answer.body.decode(), "JWT")["sub"] == "usr_ada"
