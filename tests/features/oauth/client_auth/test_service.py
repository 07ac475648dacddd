"""Client authentication: only by the registered method, with guessing slowed down."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client, ClientSecret
from doorward.features.oauth.index import CLIENT_AUTH_METHODS
from doorward.features.oauth.token.rules import TokenResponse
from doorward_verify import jwk
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel, assertion
from tests.features.oauth.token.exchange import given, refused

pytestmark = pytest.mark.anyio


@pytest.mark.requirement(24)
async def test_a_secret_is_accepted_by_basic_and_in_the_body_unless_the_app_is_pinned(
    channel: BackChannel,
) -> None:
    form = {"grant_type": "client_credentials"}
    in_body = {**form, "client_id": "app_web", "client_secret": made.SECRET}
    for method in ("client_secret_basic", "client_secret_post"):
        await channel.put(made.client(auth_method=method))
        given(await channel.ask(form))
        given(await channel.exchange(in_body, caller=CALLER))
        wrong = {**in_body, "client_secret": "dw_cs_wrong"}
        refused(await channel.exchange(wrong, caller=CALLER), "invalid_client")
    await channel.put(made.client(auth_pinned=True))
    given(await channel.ask(form))
    refused(await channel.exchange(in_body, caller=CALLER), "invalid_client")
    await channel.put(made.client(auth_method="client_secret_post", auth_pinned=True))
    given(await channel.exchange(in_body, caller=CALLER))
    refused(await channel.ask(form), "invalid_client")
    refused(await channel.exchange({**form, "client_id": "app_web"}, caller=CALLER), "invalid_client")


@pytest.mark.requirement(24)
async def test_an_app_that_signs_never_falls_back_to_a_secret(channel: BackChannel) -> None:
    key = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k1")
    # a leftover secret in the registration counts for nothing
    await channel.put(made.client(auth_method="private_key_jwt", jwks={"keys": [key.public_jwk()]}))
    form = {"grant_type": "client_credentials"}
    refused(await channel.ask(form), "invalid_client")
    in_body = {**form, "client_id": "app_web", "client_secret": made.SECRET}
    refused(await channel.exchange(in_body, caller=CALLER), "invalid_client")
    refused(await channel.exchange({**form, "client_id": "app_web"}, caller=CALLER), "invalid_client")
    given(await channel.exchange({**form, **assertion(channel, key)}, caller=CALLER))


@pytest.mark.requirement(24)
async def test_every_method_in_the_metadata_authenticates_its_app(channel: BackChannel) -> None:
    key = jwk.signing_key(ec.generate_private_key(ec.SECP256R1()), kid="k1")
    jwks = {"keys": [key.public_jwk()]}
    await channel.put(made.client(id="app_key", auth_method="private_key_jwt", secrets=(), jwks=jwks))
    await channel.put(made.public())
    basic = "Basic " + b64encode(f"app_web:{made.SECRET}".encode()).decode()
    ways: dict[str, tuple[str | None, dict[str, str]]] = {
        "client_secret_basic": (basic, {}),
        "client_secret_post": (None, {"client_id": "app_web", "client_secret": made.SECRET}),
        "private_key_jwt": (None, assertion(channel, key, iss="app_key", sub="app_key")),
        "none": (None, {"client_id": "app_spa"}),
    }
    named = [method.name for method in CLIENT_AUTH_METHODS]
    assert set(named) == set(ways)
    for name in named:
        authorization, form = ways[name]
        found = await channel.tokens.clients.authenticate(channel.request(form, authorization=authorization))
        assert isinstance(found, Client), name


@pytest.mark.requirement(24)
async def test_two_live_secrets_both_work_and_an_expired_one_does_not(channel: BackChannel) -> None:
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
async def test_a_signed_assertion_is_accepted_once(channel: BackChannel) -> None:
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
    given(await channel.exchange(form(aud=[made.ISSUER]), caller=CALLER))
    at_once = form()
    answers = await asyncio.gather(*(channel.exchange(at_once, caller=CALLER) for _ in range(16)))
    assert sum(isinstance(answer, TokenResponse) for answer in answers) == 1


async def test_wrong_guesses_are_slowed_down_and_the_right_secret_still_works(channel: BackChannel) -> None:
    form = {"grant_type": "client_credentials"}
    wrong = "Basic " + b64encode(b"app_web:guess").decode()
    answers = [await channel.exchange(form, authorization=wrong, caller=CALLER) for _ in range(64)]
    assert all(isinstance(answer, OAuthError) and answer.code == "invalid_client" for answer in answers)
    first, last = answers[0], answers[-1]
    assert isinstance(first, OAuthError)
    assert isinstance(last, OAuthError)
    assert first.retry_at is None
    assert last.retry_at is not None
    assert last.retry_at > made.NOW
    given(await channel.ask(form))
    # 1, 2, 4, 8, 16, 32, 64
    assert await channel.audited("client.authentication_failed") == 7
