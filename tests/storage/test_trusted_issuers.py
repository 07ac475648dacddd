"""Trusted issuers: round trips, and the guards of their writes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from doorward.core.model.trusted_issuer import IssuerRule, TrustedIssuer
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW

pytestmark = pytest.mark.anyio

ONE = TrustedIssuer(
    id="tis_one",
    name="GitHub",
    issuer="https://token.actions.githubusercontent.com",
    grant_id="tis_one",
    created_at=NOW,
    rules=(
        IssuerRule(
            name="deploy",
            client_id="app_one",
            claims={"repository_id": "74", "/kubernetes.io/namespace": "prod"},
            access={"https://api.example": ("orders:read",)},
        ),
    ),
)


async def test_an_issuer_is_read_as_it_was_written(store: Store) -> None:
    other = TrustedIssuer(
        id="tis_two", name="Cluster", issuer="https://k8s.example", grant_id="tis_9", created_at=NOW
    )
    assert await store.commit(store.trusted_issuers.insert(other), store.trusted_issuers.insert(ONE))
    assert await store.trusted_issuers.by_issuer(ONE.issuer) == ONE
    assert await store.trusted_issuers.by_issuer(ONE.issuer + "/") is None
    assert list(await store.trusted_issuers.all()) == [ONE, other]


async def test_no_two_have_one_issuer(store: Store) -> None:
    assert await store.commit(store.trusted_issuers.insert(ONE))
    assert not await store.commit(
        store.trusted_issuers.insert(replace(ONE, id="tis_two", grant_id="tis_two"))
    )
    assert list(await store.trusted_issuers.all()) == [ONE]


async def test_a_change_or_removal_of_what_was_changed_meanwhile_loses(store: Store) -> None:
    assert await store.commit(store.trusted_issuers.insert(ONE))
    first = replace(ONE, single_use=False, revision=1)
    second = replace(ONE, disabled_at=NOW, revision=1)
    assert await store.commit(store.trusted_issuers.replace(ONE, first))
    assert not await store.commit(store.trusted_issuers.replace(ONE, second))
    assert not await store.commit(store.trusted_issuers.delete(ONE))
    assert await store.trusted_issuers.by_issuer(ONE.issuer) == first
    assert await store.commit(store.trusted_issuers.delete(first))
    assert await store.trusted_issuers.all() == []
