"""Remembered headers: a header that was verified counts until the configuration changes or a secret expires, and no longer."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest

from doorward.core.model.client import Client, ClientSecret
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.features.oauth.client_auth.method import Presented
from doorward.features.oauth.client_auth.methods.secret.rules import ClientSecretBasic
from doorward.features.oauth.client_auth.verified import VerifiedHeaders
from tests.features import made
from tests.features.oauth.logout.back_channel import CALLER, BackChannel
from tests.features.oauth.token.exchange import given, refused

pytestmark = pytest.mark.anyio
FORM = {"grant_type": "client_credentials"}


def snapshot(*clients: Client) -> ConfigSnapshot:
    return ConfigSnapshot(version=1, clients={client.id: client for client in clients})


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The apps whose header was read and verified, in order."""
    found: list[str] = []
    verify = ClientSecretBasic.verify

    def counted(self: ClientSecretBasic, presented: Presented, *rest: object, **more: object) -> object:
        found.append(presented.client_id)
        return verify(self, presented, *rest, **more)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(ClientSecretBasic, "verify", counted)
    return found


@pytest.mark.requirement(24)
async def test_a_header_that_comes_again_is_verified_once(channel: BackChannel, read: list[str]) -> None:
    await channel.put(made.client())
    for _ in range(3):
        given(await channel.ask(FORM))
    assert read == ["app_web"]


@pytest.mark.requirement(24)
async def test_a_remembered_header_ends_with_its_secret_its_app_and_any_change(
    channel: BackChannel, read: list[str]
) -> None:
    await channel.put(made.client())
    given(await channel.ask(FORM))
    await channel.put(made.client(name="renamed"))
    given(await channel.ask(FORM))
    assert len(read) == 2
    await channel.put(made.client(secrets=(ClientSecret(sha256(b"new").digest(), made.NOW),)))
    refused(await channel.ask(FORM), "invalid_client")
    await channel.put(made.client())
    given(await channel.ask(FORM))
    await channel.put(made.client(auth_method="client_secret_post", auth_pinned=True))
    refused(await channel.ask(FORM), "invalid_client")
    await channel.put(made.client())
    given(await channel.ask(FORM))
    assert await channel.store.commit(channel.store.registry.delete_client("app_web"))
    await channel.config.refresh()
    refused(await channel.ask(FORM), "invalid_client")


@pytest.mark.requirement(24)
async def test_a_remembered_header_excuses_no_second_credential_and_no_other_app(
    channel: BackChannel,
) -> None:
    await channel.put(made.client())
    given(await channel.ask({**FORM, "client_id": "app_web"}))
    refused(await channel.ask({**FORM, "client_secret": made.SECRET}), "invalid_request")
    refused(await channel.ask({**FORM, "client_assertion": "x"}), "invalid_request")
    refused(await channel.ask({**FORM, "client_id": "app_other"}), "invalid_request")
    wrong = "Basic " + b64encode(f"app_web:{made.SECRET}x".encode()).decode()
    refused(await channel.exchange(FORM, authorization=wrong, caller=CALLER), "invalid_client")


def test_a_header_is_remembered_until_the_first_of_the_secrets_expires() -> None:
    old = ClientSecret(b"o" * 32, made.NOW - 9, made.NOW + 10)
    gone = ClientSecret(b"g" * 32, made.NOW - 9, made.NOW - 5)
    client = made.client(secrets=(gone, old, ClientSecret(b"n" * 32, made.NOW)))
    config, headers = snapshot(client), VerifiedHeaders()
    assert headers.find(config, "Basic x", made.NOW) is None
    headers.keep(config, "Basic x", client, made.NOW)
    assert headers.find(config, "Basic x", made.NOW + 9) is client
    assert headers.find(config, "Basic y", made.NOW + 9) is None
    assert headers.find(config, "Basic x", made.NOW + 10) is None


def test_one_header_of_an_app_is_remembered_the_last() -> None:
    """However an app writes its header, those of others stay."""
    mine, other = made.client(), made.client(id="app_other")
    config, headers = snapshot(mine, other), VerifiedHeaders()
    assert headers.find(config, "Basic other", made.NOW) is None
    headers.keep(config, "Basic other", other, made.NOW)
    for number in range(2000):
        headers.keep(config, f"Basic{' ' * number}mine", mine, made.NOW)
    assert headers.find(config, "Basicmine", made.NOW) is None
    assert headers.find(config, f"Basic{' ' * 1999}mine", made.NOW) is mine
    assert headers.find(config, "Basic other", made.NOW) is other
    headers.keep(config, f"Basic{' ' * 1999}mine", mine, made.NOW)
    assert headers.find(config, f"Basic{' ' * 1999}mine", made.NOW) is mine


def test_nothing_is_remembered_of_an_older_snapshot() -> None:
    client = made.client()
    config, headers = snapshot(client), VerifiedHeaders()
    assert headers.find(config, "Basic x", made.NOW) is None
    headers.keep(config, "Basic x", made.client(), made.NOW)
    assert headers.find(config, "Basic x", made.NOW) is None
    headers.keep(config, "Basic 1", client, made.NOW)
    assert headers.find(config, "Basic 1", made.NOW) is client
    other = snapshot(client)
    headers.keep(other, "Basic x", client, made.NOW)
    assert headers.find(config, "Basic x", made.NOW) is None
    assert headers.find(other, "Basic 1", made.NOW) is None
    headers.keep(config, "Basic x", client, made.NOW)
    assert headers.find(config, "Basic x", made.NOW) is None
