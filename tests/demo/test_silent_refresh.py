"""Silent refresh of the demo app's access token: one refresh for concurrent requests, and sign-out when it is refused."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx2
import pytest

from doorward_demo.demo import clock_and_random
from doorward_demo.demo.id_token import IdToken
from doorward_demo.demo.shop.api import OrdersApi, SignedOut, StepUpRequired
from doorward_demo.demo.shop.provider import Provider, Registration, Unavailable
from doorward_demo.demo.shop.sessions import Session
from doorward_verify.auth_error import AuthError
from doorward_verify.challenges import challenge

pytestmark = pytest.mark.anyio
ISSUER, API = "https://auth.example.com", "https://api.example.com"


@dataclass
class World:
    """A token endpoint with one valid refresh token at a time, and an API that accepts one access token."""

    number: int = 1
    refreshes: int = 0
    refusing: bool = False
    challenge: str | None = None
    down: bool = False
    calls: list[str] = field(default_factory=list)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/.well-known/openid-configuration":
            return httpx2.Response(200, json={"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token"})
        if request.url.path == "/token":
            return self._token(parse_qs(request.content.decode()))
        self.calls.append(request.headers["authorization"])
        if self.challenge is not None:
            return httpx2.Response(401, headers={"WWW-Authenticate": self.challenge}, json={})
        good = request.headers["authorization"] == f"Bearer access-{self.number}"
        return httpx2.Response(200 if good else 401, json={"orders": []})

    def _token(self, form: dict[str, list[str]]) -> httpx2.Response:
        if self.down:
            return httpx2.Response(503, json={"error": "temporarily_unavailable"})
        if self.refusing or form["refresh_token"] != [f"refresh-{self.number}"]:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        self.number += 1
        self.refreshes += 1
        said = {
            "access_token": f"access-{self.number}",
            "refresh_token": f"refresh-{self.number}",
            "token_type": "Bearer",
            "expires_in": 60,
            "scope": "openid orders:read",
        }
        return httpx2.Response(200, content=json.dumps(said))


def shop(world: World) -> OrdersApi:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(world.answer))
    registration = Registration(ISSUER, "app_1", "secret", f"{API}/cb", f"{API}/out", API)
    return OrdersApi(API, Provider(registration, http), http)


def session(*, left: float, refresh_token: str | None = "refresh-1") -> Session:
    return Session(
        who=IdToken("usr_1", "ses_1", {}),
        id_token="id",
        access_token="access-1",
        access_expires_at=clock_and_random.now() + left,
        refresh_token=refresh_token,
        scopes=frozenset({"openid"}),
        csrf="c",
    )


async def test_a_fresh_token_is_used_as_it_is() -> None:
    world = World()
    assert (await shop(world).call(session(left=60), "GET", "/orders")).status == 200
    assert world.refreshes == 0


async def test_an_old_token_is_renewed_before_the_call() -> None:
    world, held = World(), session(left=1)
    assert (await shop(world).call(held, "GET", "/orders")).status == 200
    assert world.calls == ["Bearer access-2"]
    assert (held.access_token, held.refresh_token, held.refreshes) == ("access-2", "refresh-2", 1)
    assert held.id_token == "id", "the old one stays where no new one came"


async def test_concurrent_calls_request_one_new_token() -> None:
    world, held = World(), session(left=1)
    api = shop(world)
    answers = await asyncio.gather(*(api.call(held, "GET", "/orders") for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert world.refreshes == 1


async def test_a_token_that_the_api_refuses_is_renewed_once() -> None:
    world, held = World(number=1), session(left=60)
    held.access_token = "access-0"
    assert (await shop(world).call(held, "GET", "/orders")).status == 200
    assert world.refreshes == 1


@pytest.mark.requirement(38)
@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (
            AuthError("step_up", acr_values=("phr", "urn:doorward:aal2"), max_age=60),
            ("phr urn:doorward:aal2", "60"),
        ),
        (AuthError("step_up", acr_values=("urn:doorward:aal3",)), ("urn:doorward:aal3", "")),
        (AuthError("step_up", max_age=0), ("", "0")),
    ],
)
async def test_a_challenge_for_another_sign_in_refreshes_nothing(
    refused: AuthError, expected: tuple[str, str]
) -> None:
    world = World(challenge=challenge(refused, f"{API}/meta").headers["WWW-Authenticate"])
    with pytest.raises(StepUpRequired) as wanted:
        await shop(world).call(session(left=60), "GET", "/invoices")
    assert (wanted.value.acr_values, wanted.value.max_age) == expected
    assert world.refreshes == 0, "a refreshed token would state the same sign-in"
    assert len(world.calls) == 1


async def test_a_refused_refresh_ends_the_session() -> None:
    with pytest.raises(SignedOut):
        await shop(World(refusing=True)).call(session(left=1), "GET", "/orders")
    with pytest.raises(SignedOut):
        await shop(World()).call(session(left=1, refresh_token=None), "GET", "/orders")


async def test_an_outage_of_the_server_does_not_end_the_session() -> None:
    held = session(left=1)
    with pytest.raises(Unavailable):
        await shop(World(down=True)).call(held, "GET", "/orders")
    assert held.refresh_token == "refresh-1", "the next try can use it"


async def test_metadata_of_another_issuer_is_refused() -> None:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(
            200, json={"issuer": "https://evil.example.com", "token_endpoint": "https://evil.example.com/t"}
        )

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    provider = Provider(Registration(ISSUER, "app_1", "secret", "", "", API), http)
    with pytest.raises(Unavailable):
        await provider.refresh("refresh-1")
