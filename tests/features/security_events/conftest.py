"""Fixtures of the streams: one server with an app that may manage streams, on both stores."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.json import decode, encode
from msgspec.structs import replace

from doorward.adapters.http_client import GuardedHttp
from doorward.core.model.account import Account
from doorward.core.model.actor import SERVER
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Permission
from doorward.features.audit.operator import operator_event
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.security_events.build import push_worker, stream_endpoints
from doorward.features.security_events.pushing import PushWorker
from doorward.features.security_events.routes import routes
from tests.engines import Engine
from tests.features import made
from tests.features.oauth.logout.back_channel import BackChannel, back_channel, basic
from tests.web.asgi import Answer, Asgi

SSF = f"{made.ISSUER}/ssf"


@dataclass
class Transmitter:
    """The server's streams over HTTP, and what is behind them."""

    channel: BackChannel
    asgi: Asgi
    push: PushWorker
    tokens: dict[str, str] = field(default_factory=dict[str, str])

    async def app(self, name: str, **changes: Any) -> Client:
        """An app that may manage streams."""
        values: dict[str, Any] = {
            "id": f"app_{name}",
            "name": name,
            "access": {SSF: ("ssf.read", "ssf.manage")},
        }
        client = made.client(**{**values, **changes})
        await self.channel.put(client)
        return client

    async def token(self, client: Client, **form: str) -> str:
        """An access token that the app gets for itself."""
        asked = {"grant_type": "client_credentials", "resource": SSF, **form}
        answer = await self.channel.exchange(asked, authorization=basic(client))
        assert isinstance(answer, TokenResponse), answer
        return answer.access_token

    async def ask(
        self,
        client: Client,
        method: str,
        path: str,
        body: object | None = None,
        query: str = "",
        token: str | None = None,
    ) -> Answer:
        """A request of the app, as its receiver makes it."""
        if token is None:
            token = self.tokens.get(client.id) or await self.token(client)
            self.tokens[client.id] = token
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        sent = b"" if body is None else encode(body)
        return await self.asgi(method, path, body=sent, query=query, headers=headers)

    async def stream(self, client: Client, **body: Any) -> dict[str, Any]:
        """A new stream of the app."""
        answer = await self.ask(client, "POST", "/ssf/stream", body)
        assert answer.status == 201, answer.body
        return decode(answer.body)

    async def poll(self, client: Client, stream: dict[str, Any], **body: Any) -> dict[str, Any]:
        """One poll that does not wait."""
        path = stream["delivery"]["endpoint_url"].removeprefix(made.ISSUER)
        answer = await self.ask(client, "POST", path, {"returnImmediately": True, **body})
        assert answer.status == 200, answer.body
        return decode(answer.body)

    async def uses(self, client: Client, account: Account, *session_ids: str) -> None:
        """The person uses the app in these sessions."""
        store = self.channel.store
        for session_id in session_ids:
            grant = made.grant(
                id=self.channel.random.new_id("grt"),
                client_id=client.id,
                account_id=account.id,
                session_id=session_id,
            )
            assert await store.commit(store.grants.insert(grant))

    async def disable(self, account: Account, kind: str = "account.disabled") -> None:
        """What an operator's command writes."""
        store, now = self.channel.store, self.channel.clock.time
        event = operator_event(
            store, self.channel.random, actor=SERVER, kind=kind, now=now, account_id=account.id
        )
        assert await store.commit(event)


@pytest.fixture
async def transmitter(engine: Engine, request: pytest.FixtureRequest) -> AsyncGenerator[Transmitter]:
    """A server in development, so that receivers may be on this machine."""
    place = ":memory:" if engine == "sqlite" else str(request.getfixturevalue("postgres_url"))
    async with back_channel(place) as channel:
        store = channel.store
        api = Api(
            id="api_ssf",
            identifier=SSF,
            name="Security events",
            permissions=(Permission("ssf.read"), Permission("ssf.manage")),
            created_at=made.NOW - 1000,
        )
        await store.commit(store.registry.put_api(api))
        await channel.config.refresh()
        endpoints = stream_endpoints(channel.services)
        http = GuardedHttp(timeout=5, development=True)
        yield Transmitter(
            channel=channel,
            asgi=Asgi(routes(replace(endpoints, development=True))),
            push=push_worker(channel.services, http),
        )
        await http.close()
