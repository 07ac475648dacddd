"""Simultaneous requests of many clients over as many open connections, spread over all processes of a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.flows.apps import App, Attempt, pkce
from tests.flows.processes import Fleet
from tests.flows.seeds import PASSWORD
from tests.waiting import PATIENCE

MANY = 64


class Crowd:
    """`MANY` clients with one connection each, alternating between the processes."""

    def __init__(self, bases: Sequence[str], clients: Sequence[httpx2.AsyncClient], app: App) -> None:
        self._bases = bases
        self._clients = clients
        self._app = app

    async def at_once(self, **fields: str) -> list[httpx2.Response]:
        """The same token request from every client at the same moment."""
        return list(
            await asyncio.gather(*(self.one(number, **fields) for number in range(len(self._clients))))
        )

    async def one(self, number: int, **fields: str) -> httpx2.Response:
        """A token request of one client; an app without id names none."""
        if self._app.secret is None and self._app.client_id:
            fields = {"client_id": self._app.client_id, **fields}
        base = self._bases[number % len(self._bases)]
        return await self._clients[number].post(f"{base}/token", data=fields, headers=self._app.authorization)

    async def refreshing(self, token: str) -> list[httpx2.Response]:
        """Every client refreshes with one token at once."""
        return await self.at_once(grant_type="refresh_token", refresh_token=token)

    async def crossing(self, token: str) -> tuple[list[httpx2.Response], httpx2.Response]:
        """The same, and the successor is refreshed as soon as the first client has it. Returns all responses, and that one."""
        fields = {"grant_type": "refresh_token", "refresh_token": token}
        asking = [asyncio.ensure_future(self.one(number, **fields)) for number in range(len(self._clients))]
        done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        successor: str = done.pop().result().json()["refresh_token"]
        # over a separate connection: all others are busy
        following = await asyncio.to_thread(self._app.refresh, successor)
        return list(await asyncio.gather(*asking)), following

    async def device(self, scope: str) -> dict[str, Any]:
        """Codes of a new device."""
        form = {"client_id": self._app.client_id, "scope": scope}
        answer = await self._clients[0].post(f"{self._bases[0]}/device_authorization", data=form)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def code(self, email: str, scope: str) -> tuple[str, Attempt]:
        """A fresh code of a signed-in person, and what is needed to redeem it."""
        verifier, challenge = pkce()
        answer = await self._clients[0].post(
            f"{self._bases[0]}/authorize-challenge",
            json={
                "client_id": self._app.client_id,
                "username": email,
                "password": PASSWORD,
                "scope": scope,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            },
            headers=self._app.authorization,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["authorization_code"], Attempt("", verifier, "", "", "")


@asynccontextmanager
async def crowd(fleet: Fleet, app: App) -> AsyncGenerator[Crowd]:
    """The clients, with their connections already open."""
    bases = [server.base for server in fleet.servers]
    clients = [httpx2.AsyncClient(verify=False, trust_env=False, timeout=PATIENCE) for _ in range(MANY)]
    try:
        await asyncio.gather(
            *(client.get(f"{bases[number % len(bases)]}/healthz") for number, client in enumerate(clients))
        )
        yield Crowd(bases, clients, app)
    finally:
        await asyncio.gather(*(client.aclose() for client in clients))
