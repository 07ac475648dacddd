"""Revocation over HTTP: 200 with an empty body for every token that is no longer valid."""

from __future__ import annotations

import pytest

from doorward.features.oauth.revocation import routes as revocation
from doorward.features.oauth.token.rules import TokenResponse
from tests.features import made
from tests.features.oauth.logout.back_channel import back_channel, basic
from tests.web.asgi import Asgi

pytestmark = pytest.mark.anyio
HEADERS = {"authorization": basic(made.client())}


@pytest.mark.requirement(54, 55)
async def test_revocation_over_http() -> None:
    async with back_channel() as channel:
        asgi = Asgi(revocation.routes(revocation=channel.revocation, clock=channel.clock, issuer=made.ISSUER))
        await channel.person()
        await channel.put(made.client(id="app_other", name="other"))
        raw, _ = await channel.family()
        other = {"authorization": basic(made.client(id="app_other"))}
        refused = await asgi("POST", "/revoke", form={"token": raw}, headers=other)
        assert refused.status == 400
        assert refused.json["error"] == "unauthorized_client"
        assert isinstance(await channel.refresh(raw), TokenResponse)
        for token in (raw, raw, "unknown"):
            answer = await asgi("POST", "/revoke", form={"token": token}, headers=HEADERS)
            assert (answer.status, answer.body) == (200, b"")
            assert answer.headers["cache-control"] == "no-store"
        assert not isinstance(await channel.refresh(raw), TokenResponse)
        assert (await asgi("POST", "/revoke", form={"token": raw})).status == 401
        assert (await asgi("POST", "/revoke", form={}, headers=HEADERS)).status == 400
        assert (await asgi("GET", "/revoke", query=f"token={raw}", headers=HEADERS)).status == 405
