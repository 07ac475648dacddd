"""Does an app prove itself in the one way that it is registered for, and does guessing lead anywhere?"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from doorward.model.client import ClientSecret
from doorward.model.refusal import Refusal
from doorward.rules.deliver.token_response import TokenResponse
from doorward_verify import jwk
from tests.actions.back_channel import CALLER, BackChannel, assertion, back_channel
from tests.rules import made

pytestmark = pytest.mark.anyio


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as made_channel:
        yield made_channel


def redemption(raw: str, **more: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": raw,
        "redirect_uri": made.REDIRECT,
        "code_verifier": made.VERIFIER,
        **more,
    }


def given(answer: TokenResponse | Refusal) -> TokenResponse:
    assert isinstance(answer, TokenResponse), answer
    return answer


def refused(answer: object, code: str) -> Refusal:
    assert isinstance(answer, Refusal), answer
    assert answer.code == code, answer
    return answer


@pytest.mark.requirement(24)
async def test_an_app_uses_only_its_registered_way_of_proving_itself(channel: BackChannel) -> None:
    form = {"grant_type": "client_credentials"}
    in_body = {**form, "client_id": "app_web", "client_secret": made.SECRET}
    refused(await channel.exchange(in_body, caller=CALLER), "invalid_client")
    refused(await channel.exchange({**form, "client_id": "app_web"}, caller=CALLER), "invalid_client")
    await channel.put(made.client(auth_method="client_secret_post"))
    given(await channel.exchange(in_body, caller=CALLER))
    refused(await channel.ask(form), "invalid_client")


@pytest.mark.requirement(24)
async def test_of_two_live_secrets_both_work_and_an_expired_one_does_not(channel: BackChannel) -> None:
    new = ClientSecret(sha256(made.SECRET.encode()).digest(), made.NOW)
    old = ClientSecret(sha256(b"old").digest(), made.NOW - 9, made.NOW + 10)
    await channel.put(made.client(secrets=(old, new)))
    form = {"grant_type": "client_credentials"}
    header = "Basic " + b64encode(b"app_web:old").decode()
    given(await channel.ask(form))
    given(await channel.exchange(form, authorization=header, caller=CALLER))
    channel.clock.time += 10
    refused(await channel.exchange(form, authorization=header, caller=CALLER), "invalid_client")


@pytest.mark.requirement(22, 23)
async def test_a_signed_assertion_proves_an_app_once(channel: BackChannel) -> None:
    key = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k1")
    await channel.put(
        made.client(auth_method="private_key_jwt", secrets=(), jwks={"keys": [key.public_jwk()]})
    )

    def form(**changes: Any) -> dict[str, str]:
        return {"grant_type": "client_credentials", **assertion(channel, key, **changes)}

    once = form()
    given(await channel.exchange(once, caller=CALLER))
    refused(await channel.exchange(once, caller=CALLER), "invalid_client")
    refused(await channel.exchange(form(aud=f"{made.ISSUER}/token"), caller=CALLER), "invalid_client")
    at_once = form()
    answers = await asyncio.gather(*(channel.exchange(at_once, caller=CALLER) for _ in range(16)))
    assert sum(isinstance(answer, TokenResponse) for answer in answers) == 1


async def test_wrong_guesses_are_slowed_down_and_the_right_secret_still_works(channel: BackChannel) -> None:
    form = {"grant_type": "client_credentials"}
    wrong = "Basic " + b64encode(b"app_web:guess").decode()
    answers = [await channel.exchange(form, authorization=wrong, caller=CALLER) for _ in range(64)]
    assert all(isinstance(answer, Refusal) and answer.code == "invalid_client" for answer in answers)
    first, last = answers[0], answers[-1]
    assert isinstance(first, Refusal)
    assert isinstance(last, Refusal)
    assert first.retry_at is None
    assert last.retry_at is not None
    assert last.retry_at > made.NOW
    given(await channel.ask(form))
    # 1, 2, 4, 8, 16, 32, 64
    assert await channel.audited("client.authentication_failed") == 7
