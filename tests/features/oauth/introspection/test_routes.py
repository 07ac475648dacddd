"""Introspection over HTTP: JSON for authenticated callers, an error for others."""

from __future__ import annotations

import pytest

from doorward.features.oauth.introspection import routes as introspection
from doorward.features.oauth.token.rules import TokenResponse
from tests.features import made
from tests.features.oauth.logout.back_channel import back_channel, basic
from tests.web.asgi import Asgi

pytestmark = pytest.mark.anyio
HEADERS = {"authorization": basic(made.client())}


@pytest.mark.requirement(56)
async def test_introspection_over_http() -> None:
    async with back_channel() as channel:
        asgi = Asgi(
            introspection.routes(introspection=channel.introspection, clock=channel.clock, issuer=made.ISSUER)
        )
        given = await channel.ask({"grant_type": "client_credentials", "scope": "orders:read"})
        assert isinstance(given, TokenResponse)
        form = {"token": given.access_token, "token_type_hint": "access_token"}
        answer = await asgi("POST", "/introspect", form=form, headers=HEADERS)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json["active"] is True
        assert answer.json["scope"] == "orders:read"
        assert answer.json["client_id"] == "app_web"
        assert (await asgi("POST", "/introspect", form=form)).status == 401
        nothing = await asgi("POST", "/introspect", form={"token": "x"}, headers=HEADERS)
        assert (nothing.status, nothing.body) == (200, b'{"active":false}')
        assert (await asgi("POST", "/introspect", form={}, headers=HEADERS)).status == 400
        assert (await asgi("GET", "/introspect", query="token=x", headers=HEADERS)).status == 405
        twice = await asgi("POST", "/introspect", form="token=x&token=y", headers=HEADERS)
        assert twice.status == 400
