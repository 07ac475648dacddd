"""Cache of what follows from a configuration snapshot, and the tokens that are made from it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from msgspec import structs

from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot, Role
from doorward.core.model.policy import TokenPolicy
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.oauth.tokens import snapshot_cache
from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.oauth.tokens.snapshot_cache import SnapshotCache
from tests.features import made


def test_a_result_is_found_under_its_snapshot_only() -> None:
    cache: SnapshotCache[str, int] = SnapshotCache()
    client = made.client()
    config = made.config(client)
    assert cache.get(config, client, "a") is None
    cache.keep(config, client, "a", 1)
    assert cache.get(config, client, "a") == 1
    later = structs.replace(config, version=2)
    assert cache.get(later, client, "a") is None
    # the earlier snapshot is dropped with its results
    assert cache.get(config, client, "a") is None


def test_an_app_of_another_snapshot_gets_and_leaves_nothing() -> None:
    """The snapshot may change during a request: an app that has lost an API must not hand its access to its successor."""
    cache: SnapshotCache[str, int] = SnapshotCache()
    before, now = made.client(), made.client(access={})
    config = made.config(now)
    assert cache.get(config, before, "a") is None
    cache.keep(config, before, "a", 1)
    assert cache.get(config, now, "a") is None
    cache.keep(config, now, "a", 2)
    assert cache.get(config, before, "a") is None


def test_the_number_of_results_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_cache, "MAX_REMEMBERED", 3)
    cache: SnapshotCache[int, int] = SnapshotCache()
    client = made.client()
    config = made.config(client)
    for number in range(10):
        cache.get(config, client, number)
        cache.keep(config, client, number, number)
    assert [cache.get(config, client, number) for number in range(10)] == [0, 1, 2, *[None] * 7]


class Signer:
    """Keeps the claims instead of signing them."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = {}

    def sign(self, claims: dict[str, Any], **_: object) -> str:
        self.said = claims
        return "token"


class Random:
    def token(self, size: int = 32) -> str:
        return "x" * size


class Current:
    def __init__(self, config: ConfigSnapshot) -> None:
        self.config = config

    def current(self) -> ConfigSnapshot:
        return self.config


def test_the_next_token_follows_a_change_of_person_app_api_and_role() -> None:
    signer, current = Signer(), Current(made.config())
    issuer = TokenIssuer(
        config=cast("ConfigSource", current),
        signer=cast("Any", signer),
        random=cast("Any", Random()),
        policy=TokenPolicy(),
        issuer=made.ISSUER,
    )

    def permissions(account: Account, client: Client, *scopes: str) -> list[str]:
        issuer.for_person(
            made.grant(), account, client, scopes=scopes, refresh_token=None, first=False, now=made.NOW
        )
        return list(signer.said["permissions"])

    both = ("orders:read", "orders:write")
    (client,) = current.config.clients.values()
    for _ in range(2):
        assert permissions(made.account(), client, *both) == ["orders:read"]
    # fewer scopes asked
    assert permissions(made.account(), client, "orders:write") == []
    # the person lost the role
    assert permissions(made.account(role_names=()), client, *both) == []
    # the role got a permission
    role = Role(id="rol_reader", name="reader", permissions={made.API: both}, created_at=made.NOW)
    current.config = structs.replace(current.config, roles={"reader": role})
    assert permissions(made.account(), client, *both) == list(both)
    # the app lost one
    client = made.client(access={made.API: ("orders:write",)})
    current.config = structs.replace(current.config, clients={client.id: client})
    assert permissions(made.account(), client, *both) == ["orders:write"]
    # the API no longer has any
    (api,) = current.config.apis.values()
    current.config = structs.replace(current.config, apis={made.API: structs.replace(api, permissions=())})
    assert permissions(made.account(), client, *both) == []
