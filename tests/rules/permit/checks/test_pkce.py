"""Can a code be asked for without binding it to whoever asks?"""

from __future__ import annotations

import pytest

from doorward.model.client import Client
from doorward.model.refusal import Refusal
from doorward.rules.permit.checks.pkce import challenge
from tests.rules import made

S256 = made.challenge(made.VERIFIER)
CONFIDENTIAL_WITHOUT = made.client(pkce_required=False)


def ask(
    client: Client,
    code_challenge: str | None = None,
    method: str | None = None,
    *,
    openid: bool = True,
    nonce: str | None = None,
) -> str | Refusal | None:
    return challenge(client, code_challenge=code_challenge, method=method, openid=openid, nonce=nonce)


@pytest.mark.requirement(4)
@pytest.mark.parametrize("client", [made.client(), made.public(), CONFIDENTIAL_WITHOUT])
def test_s256_is_taken_from_every_app(client: Client) -> None:
    assert ask(client, S256, "S256") == S256


@pytest.mark.requirement(4)
@pytest.mark.parametrize("method", [None, "plain", "s256", "S512", ""])
@pytest.mark.parametrize("client", [made.client(), made.public(), CONFIDENTIAL_WITHOUT])
def test_plain_is_refused_also_when_it_is_meant_by_silence(client: Client, method: str | None) -> None:
    refused = ask(client, S256, method, nonce="n")
    assert isinstance(refused, Refusal)
    assert refused.code == "invalid_request"


@pytest.mark.requirement(4)
@pytest.mark.parametrize(
    "value", ["", "x", S256 + "A", S256[:-1], S256 + "=", S256[:-1] + "+", S256[:-1] + "\n", "é" * 43]
)
def test_a_challenge_is_the_base64url_of_a_hash(value: str) -> None:
    assert isinstance(ask(made.client(), value, "S256"), Refusal)


@pytest.mark.requirement(4)
def test_no_app_goes_without_unless_it_is_registered_so_and_sends_a_nonce() -> None:
    for client in (made.client(), made.public(), made.public(pkce_required=False)):
        refused = ask(client, nonce="n")
        assert isinstance(refused, Refusal)
        assert refused.code == "invalid_request"
    assert ask(CONFIDENTIAL_WITHOUT, nonce="n") is None
    assert isinstance(ask(CONFIDENTIAL_WITHOUT), Refusal)
    assert isinstance(ask(CONFIDENTIAL_WITHOUT, nonce=""), Refusal)
    assert isinstance(ask(CONFIDENTIAL_WITHOUT, nonce="n", openid=False), Refusal)


def test_a_method_without_a_challenge_is_a_mistake() -> None:
    assert isinstance(ask(CONFIDENTIAL_WITHOUT, None, "S256", nonce="n"), Refusal)
