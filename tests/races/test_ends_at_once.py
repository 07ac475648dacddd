"""What ends while 64 clients refresh or exchange keys at several processes leaves no token that is good for anything.

Each process remembers the refresh tokens that it rotated last. So every family is refreshed once before, at the process that
its clients use in the race.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from anyio import to_thread

from doorward.adapters.os_user import os_actor
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import BOTH
from tests.flows.apps import App
from tests.flows.processes import Fleet
from tests.flows.running import operate
from tests.flows.seeds import API
from tests.races.crowds import MANY, Crowd, crowd

ENGINES = BOTH
pytestmark = [pytest.mark.anyio, pytest.mark.requirement(18, 72)]
ADA = "ada@example.com"
SCOPE = "openid orders:read offline_access"
FAMILIES = 8
KEY_GRANT = "urn:doorward:grant-type:api-key"
ROUNDS = [1, pytest.param(30, marks=pytest.mark.soak)]
Work = Callable[[Services], Awaitable[object]]


class Family:
    """What several clients share: the fields of their next request."""

    def __init__(self, **fields: str) -> None:
        self.fields = fields


async def family(everybody: Crowd, place: int) -> Family:
    """A new sign-in, refreshed once at the process of the client at `place`."""
    code, attempt = await everybody.code(ADA, SCOPE)
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": attempt.verifier}
    first = await everybody.one(place, **fields)
    assert first.status_code == 200, first.text
    made = Family(grant_type="refresh_token", refresh_token=first.json()["refresh_token"])
    second = await everybody.one(place, **made.fields)
    assert second.status_code == 200, second.text
    made.fields["refresh_token"] = second.json()["refresh_token"]
    return made


class Client:
    """One client, which refreshes (or exchanges its key) again and again until it is refused."""

    def __init__(self, everybody: Crowd, place: int, shared: Family) -> None:
        self._everybody = everybody
        self._place = place
        self._shared = shared
        self.given: list[dict[str, str]] = []
        self.refusal: httpx2.Response | None = None

    async def run(self) -> None:
        while self.refusal is None:
            sent = dict(self._shared.fields)
            answer = await self._everybody.one(self._place, **sent)
            if answer.status_code != 200:
                self.refusal = answer
                return
            self.given.append(answer.json())
            # unless another client of the family is ahead by now
            if "refresh_token" in answer.json() and self._shared.fields == sent:
                self._shared.fields["refresh_token"] = answer.json()["refresh_token"]


async def race(fleet: Fleet, clients: list[Client], end: Callable[[], Awaitable[object]]) -> None:
    """Something ends while all clients run. Nothing that any of them got is good for anything afterwards."""
    running = [asyncio.ensure_future(client.run()) for client in clients]
    while sum(len(client.given) for client in clients) < len(clients):
        refused = [client.refusal.text for client in clients if client.refusal is not None]
        assert not refused, refused[0]
        await asyncio.sleep(0.005)
    await end()
    # a client that asks after the end is refused: this would not return otherwise
    await asyncio.gather(*running)
    for client in clients:
        assert client.refusal is not None
        assert client.refusal.status_code == 400, client.refusal.text
        assert client.refusal.json()["error"] == "invalid_grant"
    given = [one for client in clients for one in client.given]
    # no client got anything, or nothing was made in that moment
    assert len(given) >= len(clients)
    newest = [client.given[-1] for client in clients if client.given]
    for at in fleet.everywhere(fleet.house.own):
        for one in newest[:: max(1, len(newest) // FAMILIES)]:
            if "refresh_token" in one:
                again = await to_thread.run_sync(at.refresh, one["refresh_token"])
                assert again.status_code == 400, "a refresh token outlived its end"
        at.close()
    reader = fleet.house.reader
    for one in newest:
        said = await to_thread.run_sync(reader.introspect, one["access_token"])
        assert said["active"] is False, "an access token outlived its end"


def command(fleet: Fleet, work: Work) -> Callable[[], Awaitable[object]]:
    """An operator's command, from a process of its own."""
    return lambda: to_thread.run_sync(operate, fleet.config, work)


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_no_token_outlives_a_grant_that_ends_while_64_clients_refresh(
    fleet: Fleet, rounds: int
) -> None:
    app = fleet.house.own
    async with crowd(fleet, app) as everybody:
        for number in range(rounds):
            shared = await family(everybody, number)
            clients = [Client(everybody, place, shared) for place in range(MANY)]

            async def end(shared: Family = shared) -> None:
                await to_thread.run_sync(_revoke, app, shared.fields["refresh_token"])

            await race(fleet, clients, end)


def _revoke(app: App, token: str) -> None:
    answer = app.post("/revoke", token=token)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_no_token_outlives_the_disabling_of_a_person_while_64_clients_refresh(
    fleet: Fleet, rounds: int
) -> None:
    async def disable(services: Services) -> None:
        await services.get(admin.people).disable(os_actor(), ADA)

    async def enable(services: Services) -> None:
        await services.get(admin.people).enable(os_actor(), ADA)

    async with crowd(fleet, fleet.house.own) as everybody:
        for _ in range(rounds):
            families = [await family(everybody, place) for place in range(FAMILIES)]
            clients = [Client(everybody, place, families[place % FAMILIES]) for place in range(MANY)]
            await race(fleet, clients, command(fleet, disable))
            await command(fleet, enable)()
            # what ended stays ended
            again = await everybody.one(0, **families[0].fields)
            assert again.status_code == 400, again.text


@pytest.mark.requirement(94)
@pytest.mark.parametrize("rounds", ROUNDS)
async def test_no_token_outlives_an_api_key_that_is_revoked_while_64_clients_exchange_it(
    fleet: Fleet, rounds: int
) -> None:
    async def create(services: Services) -> tuple[str, str]:
        made = await services.get(admin.api_keys).create(os_actor(), "Batch", name="race", api=API)
        return made.key.id, made.text.reveal()

    async with crowd(fleet, App(fleet.issuer, "", None)) as everybody:
        for _ in range(rounds):
            key_id, text = await to_thread.run_sync(operate, fleet.config, create)

            async def end(services: Services, key_id: str = key_id) -> None:
                await services.get(admin.api_keys).revoke(os_actor(), key_id)

            shared = Family(grant_type=KEY_GRANT, api_key=text)
            clients = [Client(everybody, place, shared) for place in range(MANY)]
            await race(fleet, clients, command(fleet, end))
