"""Client secrets: only an exact, live secret is accepted."""

from __future__ import annotations

from hashlib import sha256

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import ClientSecret
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.secret import Secret
from doorward.features.oauth.client_auth.method import Presented
from doorward.features.oauth.client_auth.methods.secret import rules as client_secret
from tests.features import made


def check(text: str | None, **client: object) -> OAuthError | None:
    shown = Presented("client_secret_basic", "app_web", None if text is None else Secret(text))
    return client_secret.ClientSecretBasic().verify(
        shown, made.client(**client), made.token_request(), issuer=made.ISSUER, policy=TokenPolicy()
    )


@pytest.mark.requirement(24)
def test_only_the_exact_secret_is_accepted() -> None:
    assert check(made.SECRET) is None
    for wrong in ("", made.SECRET[:-1], made.SECRET + "s", made.SECRET.upper(), "\ud800", None):
        error = check(wrong)
        assert error is not None
        assert error.code == "invalid_client"


@pytest.mark.requirement(24)
def test_every_live_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def spy(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr(client_secret, "compare_digest", spy)
    first, second = (ClientSecret(sha256(text.encode()).digest(), 0) for text in (made.SECRET, "other"))
    assert check(made.SECRET, secrets=(first, second)) is None
    assert compared == [first.hash, second.hash]


def test_an_expired_secret_is_refused() -> None:
    held = sha256(made.SECRET.encode()).digest()
    assert check(made.SECRET, secrets=(ClientSecret(held, 0, made.NOW),)) is not None
    assert check(made.SECRET, secrets=(ClientSecret(held, 0, made.NOW + 1),)) is None
    assert check(made.SECRET, secrets=()) is not None
